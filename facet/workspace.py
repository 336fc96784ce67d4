"""Where things live on disk: one folder per person and object, ids, atomic writes, locks."""

import contextlib
import json
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from facet.errors import CapacityError, NotFoundError
from facet.identity import Person
from facet.quota import VISITOR_SECONDS, Usage, quota_of, too_many, too_much

Kind = Literal["uploads", "datasets", "runs", "exams", "exports", "measures"]
WORDS: dict[Kind, str] = {
    "uploads": "file",
    "datasets": "dataset",
    "runs": "run",
    "exams": "test",
    "exports": "download",
    "measures": "measurement",
}
ID = re.compile(r"[a-z0-9][a-z0-9-]{2,80}")
FREE_DISK_FLOOR_GB = 2.0


@dataclass(frozen=True)
class Workspace:
    """The folder named by `FACET_HOME` (default `~/.facet`); never the working or temporary folder."""

    home: Path

    @classmethod
    def from_environment(cls) -> "Workspace":
        home = Path(os.environ.get("FACET_HOME") or Path.home() / ".facet").expanduser().resolve()
        try:
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(0o700)  # data and models are their owner's alone, also on a shared computer
        except OSError as error:
            raise CapacityError(
                "Facet cannot write where it keeps your work.",
                f"The folder {home.name} answers: {error.strerror or type(error).__name__}.",
                "Set FACET_HOME to a folder of your own.",
            ) from error
        return cls(home)

    @property
    def models(self) -> Path:
        """Public base models, shared by everyone on this machine."""
        return self.home / "models"

    def tenant(self, key: str) -> Path:
        """Everything that belongs to one person, or to one visitor."""
        return self.home / "tenants" / key

    def own_models(self, person: Person) -> Path:
        """Base models that not everybody may read: gated and private ones."""
        return self.tenant(person.key) / "models"

    def shelf(self, person: Person, kind: Kind) -> Path:
        """Where new objects of a person go."""
        folder = self.tenant(person.key) / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _shelves(self, person: Person, kind: Kind) -> list[Path]:
        """Where a person's objects lie: their own folder, and those of the visitors they were before signing in."""
        return [folder for key in person.keys if (folder := self.tenant(key) / kind).is_dir()]

    def create(self, person: Person, kind: Kind, name: str) -> Path:
        """A new, empty folder for an object called `name`, with its `about.json`.

        Raises: `CapacityError` when the disk is nearly full, or the person has as much as they may.
        """
        with self.one_by_one(person, "making"):
            self.require_room(person, kind)
            folder = self.shelf(person, kind) / new_id(name)
            folder.mkdir()
            about = {"name": clean_name(name), "owner": person.key, "created": time.time()}
            with whole_or_gone(folder):
                write_json(folder / "about.json", about)
        return folder

    def one_by_one(self, person: Person, what: str) -> FileLock:
        """For a `with`, across processes: counting what a person has, and what follows from it, belong together."""
        place = self.tenant(person.key)
        place.mkdir(parents=True, exist_ok=True)
        return FileLock(place / f"{what}.lock", poll_interval=0.01)

    def find(self, person: Person, kind: Kind, object_id: str) -> Path:
        """The folder of this person's object.

        Raises: `NotFoundError`, with the same words for missing, foreign and misspelt.
        """
        if isinstance(object_id, str) and ID.fullmatch(object_id):
            for shelf in self._shelves(person, kind):
                if (shelf / object_id / "about.json").is_file():
                    return shelf / object_id
        raise NotFoundError.of(WORDS[kind])

    def all(self, person: Person, kind: Kind) -> list[Path]:
        """This person's objects, newest first."""
        folders = [folder for shelf in self._shelves(person, kind) for folder in shelf.iterdir() if _is_whole(folder)]
        return sorted(folders, key=lambda folder: read_about(folder).get("created", 0), reverse=True)

    def everyones(self, kind: Kind) -> list[Path]:
        return [folder for folder in self.home.glob(f"tenants/[!.]*/{kind}/*") if _is_whole(folder)]

    def sweep(self, older_than_seconds: float = 86_400) -> None:
        """Remove what a crash left half made or half deleted."""
        left = ("tenants/*/*/.*", "tenants/.deleted-*", "hub/alone-*", "hub/adapters/*")
        for folder in [path for pattern in left for path in self.home.glob(pattern)]:
            if folder.is_dir() and time.time() - folder.stat().st_mtime > older_than_seconds:
                shutil.rmtree(folder, ignore_errors=True)

    def delete(self, person: Person, kind: Kind, object_id: str) -> None:
        """Gone from the lists at once; the bytes follow. A run that linked the files keeps its own."""
        folder = self.find(person, kind, object_id)
        doomed = folder.with_name(f".deleted-{secrets.token_hex(4)}")
        patiently(lambda: folder.rename(doomed))
        shutil.rmtree(doomed, ignore_errors=True)

    def require_room(self, person: Person, kind: Kind) -> None:
        """Raises: `CapacityError` when the disk is nearly full, or this person may have no more of this kind."""
        self.require_disk()
        quota = quota_of(person)
        if quota is None:
            return
        most: int = getattr(quota, kind)
        kept = self.all(person, kind)
        if kind in ("uploads", "exports", "measures"):  # there is no list of these to delete from: the oldest make room
            for folder in kept[most - 1 :]:
                self.delete(person, kind, folder.name)
        elif len(kept) >= most:
            raise too_many(WORDS[kind], most, person)
        used = self.gigabytes(person)
        if used >= quota.gigabytes:
            raise too_much(used, quota.gigabytes, person)

    def gigabytes(self, person: Person) -> float:
        """Disk that a person's things take. A file with several names counts once."""
        seen: dict[tuple[int, int], int] = {}
        for key in person.keys:
            for folder, _, names in os.walk(self.tenant(key)):
                for name in names:
                    with contextlib.suppress(OSError):
                        about = os.lstat(os.path.join(folder, name))
                        seen[about.st_dev, about.st_ino] = about.st_size
        return sum(seen.values()) / 1e9

    def usage(self, person: Person) -> Usage:
        runs, datasets = len(self.all(person, "runs")), len(self.all(person, "datasets"))
        return Usage(runs, datasets, self.gigabytes(person), quota_of(person))

    # ---- people who come, sign in and go
    def with_past(self, person: Person) -> Person:
        """The person, with the visitors they were before signing in."""
        also = read_about(self.tenant(person.key)).get("also", [])
        return replace(person, also=tuple(key for key in also if isinstance(key, str)))

    def is_claimed(self, visitor: str) -> bool:
        return bool(read_about(self.tenant(visitor)).get("claimed_by"))

    def claim(self, person: Person, visitor: str) -> Person:
        """A visitor signed in: what they made is theirs from now on. Nobody else can claim it afterwards.

        The folder stays where it is, so that a run that is working is not disturbed.
        """
        place = self.tenant(visitor)
        if visitor in person.also or not place.is_dir():
            return person
        with FileLock(place / "about.lock"):
            about = read_about(place)
            if about.get("claimed_by", person.key) != person.key:
                return person
            write_json(place / "about.json", about | {"claimed_by": person.key})
        own = self.tenant(person.key)
        own.mkdir(parents=True, exist_ok=True)
        with FileLock(own / "about.lock"):
            about = read_about(own)
            write_json(own / "about.json", about | {"also": sorted({*about.get("also", []), visitor})})
        return self.with_past(person)

    def note_visit(self, person: Person) -> None:
        """A visitor's work is kept for a day after the last sign of life."""
        place = self.tenant(person.key)
        with contextlib.suppress(FileNotFoundError):
            if time.time() - place.stat().st_mtime > 60:
                os.utime(place)

    def gone_visitors(self) -> list[str]:
        """Keys of visitors who signed in nowhere and have not been here for a day."""
        folders = [folder for folder in self.home.glob("tenants/visitor-*") if folder.is_dir()]
        old = [folder.name for folder in folders if time.time() - folder.stat().st_mtime > VISITOR_SECONDS]
        return [key for key in old if not self._may_be_claimed(key)]

    def _may_be_claimed(self, visitor: str) -> bool:
        """Also True when it cannot be told: nothing is deleted by mistake."""
        file = self.tenant(visitor) / "about.json"
        return self.is_claimed(visitor) or (file.exists() and not read_about(file.parent))

    def delete_tenant(self, key: str) -> None:
        """Everything of one person or visitor: gone at once, the bytes follow."""
        place = self.tenant(key)
        if not place.is_dir():
            return
        doomed = self.home / "tenants" / f".deleted-{secrets.token_hex(4)}"
        patiently(lambda: place.rename(doomed))
        shutil.rmtree(doomed, ignore_errors=True)

    def require_disk(self, needed_gb: float = 0.0) -> None:
        free = shutil.disk_usage(self.home).free / 1e9
        if free < max(FREE_DISK_FLOOR_GB, needed_gb):
            raise CapacityError(
                "There is not enough room on the disk.",
                f"{free:.1f} GB are free and {max(FREE_DISK_FLOOR_GB, needed_gb):.1f} GB are needed.",
                "Delete runs or datasets you no longer need, then try again.",
            )


def new_id(name: str) -> str:
    """An id a person can read: date, name, four random letters."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:40].strip("-") or "untitled"
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4))
    return f"{time.strftime('%Y-%m-%d')}-{slug}-{letters}"


def clean_name(name: str) -> str:
    """A name as it is shown: one line, no control characters, at most 80 characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(name))
    return " ".join(printable.split())[:80] or "Untitled"


def read_about(folder: Path) -> dict[str, Any]:
    """Owner, name, notes. Readable at any moment, because it is replaced and never rewritten."""
    try:
        return read_json(folder / "about.json")
    except (OSError, ValueError):
        return {}


def update_about(folder: Path, **changes: Any) -> dict[str, Any]:
    with FileLock(folder / "about.lock"):
        about = read_about(folder) | changes
        write_json(folder / "about.json", about)
        return about


def read_json(file: Path) -> Any:
    return json.loads(file.read_text("utf-8"))


def write_json(file: Path, data: Any) -> None:
    write_text(file, json.dumps(data, ensure_ascii=False, indent=1))


def write_text(file: Path, text: str) -> None:
    """Replace a file in one step: a reader, or a crash, meets the old text or the new, never half of it."""
    with replacing(file) as part:
        part.write_text(text, "utf-8")


@contextlib.contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `file` once it is safely on disk."""
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        fsync(part)
        patiently(lambda: os.replace(part, file))
        fsync(file.parent)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_or_gone(folder: Path) -> Iterator[None]:
    """A folder that is being filled: when that fails, nothing is left that nobody could see and that takes room."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _is_whole(folder: Path) -> bool:
    """A folder whose name begins with a dot is being made or deleted."""
    return not folder.name.startswith(".") and (folder / "about.json").is_file()


def patiently(act: Callable[[], object], seconds: float = 2.0) -> None:
    """Windows refuses to replace what somebody is reading; a moment later it can be done."""
    end = time.monotonic() + seconds
    while True:
        try:
            act()
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            time.sleep(0.05)


def fsync(path: Path) -> None:
    """Ask the disk to keep it. Windows cannot do this for folders, and says so by refusing to open them."""
    try:
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

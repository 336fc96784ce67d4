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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from facet.errors import CapacityError, NotFoundError
from facet.identity import Person

Kind = Literal["uploads", "datasets", "runs", "exams", "exports"]
WORDS: dict[Kind, str] = {
    "uploads": "file",
    "datasets": "dataset",
    "runs": "run",
    "exams": "test",
    "exports": "download",
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

    def shelf(self, person: Person, kind: Kind) -> Path:
        folder = self.home / "tenants" / person.key / kind
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(self, person: Person, kind: Kind, name: str) -> Path:
        """A new, empty folder for an object called `name`, with its `about.json`.

        Raises: `CapacityError` when the disk is nearly full.
        """
        self.require_disk()
        folder = self.shelf(person, kind) / new_id(name)
        folder.mkdir()
        write_json(folder / "about.json", {"name": clean_name(name), "owner": person.key, "created": time.time()})
        return folder

    def find(self, person: Person, kind: Kind, object_id: str) -> Path:
        """The folder of this person's object.

        Raises: `NotFoundError`, with the same words for missing, foreign and misspelt.
        """
        if isinstance(object_id, str) and ID.fullmatch(object_id):
            folder = self.shelf(person, kind) / object_id
            if (folder / "about.json").is_file():
                return folder
        raise NotFoundError.of(WORDS[kind])

    def all(self, person: Person, kind: Kind) -> list[Path]:
        """This person's objects, newest first."""
        folders = [folder for folder in self.shelf(person, kind).iterdir() if _is_whole(folder)]
        return sorted(folders, key=lambda folder: read_about(folder).get("created", 0), reverse=True)

    def everyones(self, kind: Kind) -> list[Path]:
        return [folder for folder in self.home.glob(f"tenants/*/{kind}/*") if _is_whole(folder)]

    def sweep(self, older_than_seconds: float = 86_400) -> None:
        """Remove what a crash left half made or half deleted."""
        for folder in self.home.glob("tenants/*/*/.*"):
            if folder.is_dir() and time.time() - folder.stat().st_mtime > older_than_seconds:
                shutil.rmtree(folder, ignore_errors=True)

    def delete(self, person: Person, kind: Kind, object_id: str) -> None:
        """Gone from the lists at once; the bytes follow. A run that linked the files keeps its own."""
        folder = self.find(person, kind, object_id)
        doomed = folder.with_name(f".deleted-{secrets.token_hex(4)}")
        patiently(lambda: folder.rename(doomed))
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

"""What a person brings, kept in a folder of their own: from a file, a folder, the Hub, an example, a link or a table.

`source.json` says where it came from and which files it became. Foreign bytes are opened in the limited child alone.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.dataset import limited, links, typed_rows
from facet.dataset.examples import find as find_example
from facet.dataset.foreign import PACKED
from facet.dataset.pictures import FOLDER as IMAGES
from facet.dataset.source import Source, data_file, parse_source
from facet.errors import DataError, SettingError, full_disk
from facet.hub.hub import Hub
from facet.identity import Person
from facet.work.checkpoint import sha256
from facet.workspace import (
    FREE_DISK_FLOOR_GB,
    Workspace,
    clean_name,
    read_json,
    update_about,
    whole_or_gone,
    write_json,
)

LARGEST_FILE_GB = 4.0
_UNPACKING_SECONDS = 900.0
_OPENED = "opened"


@dataclass
class Uploads:
    workspace: Workspace
    hub: Hub

    def bring(self, person: Person, text: str, token: str | None = None) -> str:
        """Take in what a command line names: a file, a folder, `hub:owner/name` or `example:name`."""
        source = parse_source(text)
        match source.kind:
            case "hub":
                return self.bring_hub(person, source, token)
            case "example":
                return self.bring_example(person, source.where)
            case _:
                path = Path(source.where)
                if path.is_dir():
                    return self.bring_folder(person, path)
                return self.bring_file(person, path, path.name, kind=source.kind)

    def bring_file(self, person: Person, path: Path, original_name: str, kind: str = "file") -> str:
        """Copy a file into the person's own folder at once, and open it if it is packed; the upload itself may vanish.

        Raises: `DataError` for a file that is too large, damaged or made to do harm; `CapacityError`.
        """
        path = data_file(path)
        self._require_room(os.path.getsize(path))
        about = {"kind": kind, "where": str(path), "revision": None, "original_name": clean_name(original_name)}
        return self._keep(person, path, about)

    def bring_folder(self, person: Person, folder: Path) -> str:
        """A folder on this machine: its data file, or several to choose from; a table with its pictures.

        For people at home: whoever calls sees to it that nobody else names folders of this machine.
        """
        if not folder.is_dir():
            return self.bring_file(person, folder, folder.name)
        name = clean_name(folder.resolve().name)
        about = {"kind": "folder", "where": str(folder), "revision": None, "original_name": name}
        self.workspace.require_disk()
        return self._create(person, about, lambda place: self._open(place, folder, name))

    def bring_example(self, person: Person, name: str) -> str:
        file = find_example(name).path
        about = {"kind": "example", "where": name, "revision": None, "original_name": file.name}
        return self._keep(person, file, about)

    def bring_hub(
        self,
        person: Person,
        source: Source | str,
        token: str | None = None,
        *,
        progress: Callable[[float, float], None] | None = None,
    ) -> str:
        """Fetch a dataset's own files at a pinned revision; its code never runs. Private ones with a token.

        Units: `progress` is told GB done and GB in all.
        """
        from facet.dataset import from_hub

        source = parse_source(f"hub:{source}") if isinstance(source, str) else source
        brought = from_hub.bring(self.hub, source, token, progress=progress)
        try:
            self._require_room(sum(os.path.getsize(file["path"]) for file in brought.files), most_gb=None)
            return self._create(person, brought.source(), lambda place: self._take_files(place, brought.files))
        finally:
            brought.discard()

    def bring_rows(self, person: Person, table: list[list[str]] | str, name: str = "") -> str:
        """Examples typed into a grid, heading first, or a block of text: from a spreadsheet, CSV, JSONL or Markdown.

        Raises: `DataError` when there is nothing in it, or more than belongs into a page.
        """
        text, suffix = typed_rows.as_file(table)
        name = clean_name(name) if name.strip() else "My examples"
        about = {"kind": "typed", "where": "", "revision": None, "original_name": f"{name}{suffix}"}
        with tempfile.TemporaryDirectory(prefix="typed-", dir=self.workspace.home) as folder:
            file = Path(folder) / "rows"
            file.write_text(text, "utf-8", newline="")
            return self._keep(person, file, about)

    def bring_link(self, person: Person, url: str) -> str:
        """A file behind a link, on this machine's own network too. Only for people at home; the caller sees to it."""
        self.workspace.require_room(person, "uploads")
        self.workspace.require_disk()
        with tempfile.TemporaryDirectory(prefix="link-", dir=self.workspace.home) as folder:
            file = Path(folder) / "file"
            free = shutil.disk_usage(self.workspace.home).free - FREE_DISK_FLOOR_GB * 1e9
            name = links.fetch(url, file, most_bytes=int(min(LARGEST_FILE_GB * 1e9, free / 2)))
            about = {"kind": "link", "where": links.without_secrets(url), "revision": None, "original_name": name}
            return self._keep(person, file, about)

    def source(self, person: Person, upload_id: str) -> dict[str, Any]:
        """What `source.json` says: where it came from, its files, and `notes` of what was done to them."""
        return _source(self.workspace.find(person, "uploads", upload_id))

    def members(self, person: Person, upload_id: str) -> list[str]:
        """The files of which one is to be chosen, as `correction["member"]`; none where there is nothing to choose."""
        return self.source(person, upload_id).get("members", [])

    def readable(self, person: Person, upload_id: str, correction: dict[str, Any] | None = None) -> dict[str, Any]:
        """Arguments of `look` and `preview` (file, original_name, correction) and, beside them, those of `prepare`.

        The latter are `others`, further files as {file, original_name, part}; `part`, of the first file; and `images`,
        the folder of pictures, None where there is none.
        Raises: `SettingError` when the correction names a member that is not there.
        """
        folder = self.workspace.find(person, "uploads", upload_id)
        source = _source(folder)
        files = _chosen(source, (correction or {}).get("member"))
        first, *others = (
            {"file": str(folder / each["path"]), "original_name": each["name"], "part": each["part"]} for each in files
        )
        images = str(folder / IMAGES) if source.get("has_images") else None
        return first | {"correction": correction, "others": others, "images": images}

    # ---- keeping
    def _require_room(self, size: int, most_gb: float | None = LARGEST_FILE_GB) -> None:
        if most_gb is not None and size > most_gb * 1e9:
            raise DataError(
                "This file is too large.",
                f"It has {size / 1e9:.1f} GB, and {most_gb:.0f} GB is the most.",
                "Bring a smaller part of it; a few thousand examples are usually enough.",
            )
        self.workspace.require_disk(2 * size / 1e9)

    def _keep(self, person: Person, file: Path, source: dict[str, Any]) -> str:
        def take(folder: Path) -> dict[str, Any]:
            _copy(file, folder / "file")
            digest = {"sha256": sha256(folder / "file")}
            return digest | self._open(folder, folder / "file", source["original_name"])

        return self._create(person, source, take)

    def _create(self, person: Person, source: dict[str, Any], take: Callable[[Path], dict[str, Any]]) -> str:
        folder = self.workspace.create(person, "uploads", Path(source["original_name"]).stem)
        with whole_or_gone(folder):
            update_about(folder, name=source["original_name"])
            write_json(folder / "source.json", source | take(folder))
        return folder.name

    def _open(self, folder: Path, file: Path, name: str) -> dict[str, Any]:
        """Unpack what is packed, in the child. What it became replaces the file that was brought."""
        if not file.is_dir() and not _is_packed(file):
            return {"files": [{"path": file.name, "name": name, "part": None}], "has_images": False}
        opened = folder / _OPENED
        opened.mkdir()
        free = shutil.disk_usage(folder).free - FREE_DISK_FLOOR_GB * 1e9
        most = int(min(LARGEST_FILE_GB * 1e9, max(free, 1)))
        arguments = {"file": str(file), "original_name": name, "into": str(opened), "most_bytes": most}
        found = limited.call("unpack", arguments, seconds=_UNPACKING_SECONDS)
        return self._move_in(folder, opened, file, name, found)

    def _move_in(self, folder: Path, opened: Path, file: Path, name: str, found: dict[str, Any]) -> dict[str, Any]:
        if not found["files"]:
            shutil.rmtree(opened)
            return {"files": [{"path": file.name, "name": name, "part": None}], "has_images": False}
        if file.parent == folder:
            file.unlink()
        for each in found["files"]:
            each["path"] = f"{_OPENED}/{Path(each['path']).name}"
        if (opened / IMAGES).is_dir():
            (opened / IMAGES).rename(folder / IMAGES)
        kept = {"files": found["files"], "has_images": found["has_images"], "notes": found["notes"]}
        return kept | ({"members": [each["name"] for each in found["files"]]} if found["choose"] else {})

    def _take_files(self, folder: Path, files: list[dict[str, Any]]) -> dict[str, Any]:
        """Several files of one dataset, each opened if it is packed; their pictures come together in one folder."""
        kept: list[dict[str, Any]] = []
        notes: list[str] = []
        digests: list[str] = []
        for number, each in enumerate(files):
            place = folder / f"part-{number}"
            place.mkdir()
            target = place / "file"
            _take(Path(each["path"]), target)
            digests.append(sha256(target))
            opened = self._open(place, target, each["name"])
            notes += opened.get("notes", [])
            kept += [
                made | {"path": f"{place.name}/{made['path']}", "part": made["part"] or each["part"]}
                for made in opened["files"][: 1 if "members" in opened else None]
            ]
            _merge(place / IMAGES, folder / IMAGES)
        digest = digests[0] if len(digests) == 1 else sha256_of_texts(digests)
        return {"sha256": digest, "files": kept, "has_images": (folder / IMAGES).is_dir(), "notes": notes}


def sha256_of_texts(texts: list[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _is_packed(file: Path) -> bool:
    with open(file, "rb") as content:
        return content.read(8).startswith(PACKED)


def _take(file: Path, target: Path) -> None:
    """By a second name where that is possible: what was fetched need not be copied."""
    try:
        os.link(file.resolve(), target)
    except OSError:
        _copy(file, target)


def _copy(file: Path, target: Path) -> None:
    try:
        shutil.copyfile(file, target)
    except OSError as error:
        raise full_disk(error) or DataError(
            "This file could not be read.",
            f"The system says: {error.strerror or type(error).__name__}.",
            "Check that it is a file you may open, then bring it again.",
        ) from error


def _merge(pictures: Path, into: Path) -> None:
    if not pictures.is_dir():
        return
    into.mkdir(exist_ok=True)
    for picture in pictures.iterdir():
        picture.replace(into / picture.name)
    pictures.rmdir()


def _source(folder: Path) -> dict[str, Any]:
    """`source.json`; uploads of earlier versions hold one file and do not say so."""
    source = read_json(folder / "source.json")
    return {"files": [{"path": "file", "name": source["original_name"], "part": None}], "has_images": False} | source


def _chosen(source: dict[str, Any], member: str | None) -> list[dict[str, Any]]:
    files = source["files"]
    if "members" not in source:
        return files
    if member is None:
        return files[:1]
    chosen = [each for each in files if each["name"] == member]
    if not chosen:
        raise SettingError(
            "There is no file of that name in what you brought.",
            f"It holds {', '.join(source['members'][:8])}.",
            "Choose another one under “File inside”.",
        )
    return chosen[:1]

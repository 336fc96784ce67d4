"""Several files that came together, in a zip archive or a folder. Which of them hold rows is seen from their names."""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from facet.dataset import archive, budget
from facet.dataset.archive import Member
from facet.dataset.pictures import UNREAD_SUFFIXES, is_picture
from facet.errors import DataError

TABLES = (
    ".csv", ".tsv", ".tab", ".psv", ".json", ".jsonl", ".ndjson", ".jsonlines", ".parquet",
    ".xlsx", ".xlsm", ".xls", ".ods",
)  # fmt: skip
TEXTS = (".txt", ".md", ".markdown", ".text")
_ARCHIVES = (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst")
_ABOUT = re.compile(
    r"(?i)(readme|licen[cs]e|changelog|citation|notice|dataset_infos?|metadata_info|\.?gitattributes)\b"
)
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "exam", "heldout"), "exam"),
}
_SHARD = re.compile(r"[-_.]?\d{2,6}([-_]of[-_]\d{2,6})?$")
_MOST_DEPTH = 4


class Collection(Protocol):
    members: list[Member]

    def chunks(self, name: str) -> Iterator[bytes]: ...


class ZipCollection:
    def __init__(self, file: Path) -> None:
        self.zip = archive.open_zip(file)
        self.members = archive.members(self.zip, file.stat().st_size)

    def chunks(self, name: str) -> Iterator[bytes]:
        return archive.chunks(self.zip, name)


class FolderCollection:
    """The files of a folder and of the folders inside, a few levels deep. Links are not followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members: list[Member] = []
        for place, folders, names in os.walk(folder):
            depth = len(Path(place).relative_to(folder).parts)
            folders[:] = sorted(folders) if depth < _MOST_DEPTH else []
            self._take(Path(place), sorted(names))

    def _take(self, place: Path, names: list[str]) -> None:
        for name in names:
            file = place / name
            label = file.relative_to(self.folder).as_posix()
            if archive.is_left_behind(label) or file.is_symlink() or not file.is_file():
                continue
            with contextlib.suppress(OSError):
                self.members.append(Member(label, file.stat().st_size))
            if len(self.members) > budget.MOST_MEMBERS:
                raise archive.too_many_members(len(self.members))

    def chunks(self, name: str) -> Iterator[bytes]:
        with open(self.folder / name, "rb") as content:
            yield from archive.pieces(content)


@dataclass(frozen=True)
class Plan:
    """What is made of a collection: files with rows, each with its part, or several to choose from; and pictures."""

    files: list[tuple[Member, str | None]]
    choose: bool = False
    pictures: list[Member] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan(members: list[Member]) -> Plan:
    """Raises: `DataError` when nothing in it holds rows."""
    pictures = [each for each in members if is_picture(each.name)]
    tables = [each for each in members if _ends(each, TABLES) and not _is_about(each)]
    texts = [each for each in members if _ends(each, TEXTS) and not _is_about(each)]
    rows = tables or ([] if pictures else texts)
    if len(rows) > budget.MOST_DATA_FILES and tables:
        raise _too_many(len(rows))
    if not rows and not pictures:
        others = [each for each in members if not Path(each.name).suffix and not _is_about(each)]
        if len(others) != 1:
            raise _nothing_inside(members)
        rows = others  # a lone file without an ending is judged by its content
    parts = [(each, part_of(each.name)) for each in rows]
    named = {part for _, part in parts if part}
    shards = {_SHARD.sub("", PurePosixPath(each.name).stem) for each in rows}
    if not tables:
        return Plan([(each, None) for each in rows], pictures=pictures)
    if "train" in named and len(named) > 1:
        left = [each.name for each, part in parts if part is None]
        notes = [f"Left out, since it belongs to no part: {name}." for name in left[:5]]
        return Plan([each for each in parts if each[1]], pictures=pictures, notes=notes)
    if len(rows) == 1 or (len(shards) == 1 and len(rows) > 1):
        return Plan([(each, None) for each in rows], pictures=pictures)
    return Plan(_usual_first(parts), choose=len(rows) > 1, pictures=pictures)


def part_of(name: str) -> str | None:
    """Which part a file's name or folder says it is: train, validation or exam."""
    words = re.split(r"[^a-z]+", name.lower().rsplit(".", 1)[0])
    found = {_PARTS[word] for word in words if word in _PARTS}
    return found.pop() if len(found) == 1 else None


def _usual_first(parts: list[tuple[Member, str | None]]) -> list[tuple[Member, str | None]]:
    """To choose from: the one named after training, or else the largest, comes first."""
    first = max(parts, key=lambda each: (each[1] == "train", each[0].size))
    return [(first[0], None), *((each, None) for each, _ in parts if each is not first[0])]


def _ends(member: Member, suffixes: tuple[str, ...]) -> bool:
    return member.name.lower().endswith(suffixes)


def _is_about(member: Member) -> bool:
    return bool(_ABOUT.match(PurePosixPath(member.name).name))


def _too_many(count: int) -> DataError:
    return DataError(
        "There are too many files with rows in it.",
        f"It holds {count:,} of them, and up to {budget.MOST_DATA_FILES} are read.",
        "Put the rows together into one file and upload that.",
    )


def _nothing_inside(members: list[Member]) -> DataError:
    if not members:
        return DataError("There is nothing in what you brought.", "It is empty.", "Bring the file with your rows.")
    names = ", ".join(PurePosixPath(each.name).name[:40] for each in members[:4])
    if all(_ends(each, _ARCHIVES) for each in members):
        why, next = f"It holds other archives: {names}.", "Unpack those on your computer and upload what is inside."
    elif all(_ends(each, UNREAD_SUFFIXES) for each in members):
        why, next = f"It holds pictures of a kind that is not read: {names}.", "Save them as PNG or JPEG and try again."
    else:
        why = f"It holds {len(members):,} files, such as {names}."
        next = "Put a CSV, JSON, JSONL, Excel, Parquet or text file into it."
    return DataError("There is no table and no text in what you brought.", why, next)

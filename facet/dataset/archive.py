"""Zip files, opened with distrust: what the directory says is checked before anything is unpacked, and names are
labels only, never places on this disk."""

import errno
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facet.dataset import budget
from facet.errors import DataError

_TAIL = 65_557  # the end record of a zip file, and the longest comment behind it
_END = b"PK\x05\x06"
_END_64 = b"PK\x06\x06"
_CHUNK = 2**20
DAMAGED = "This archive is damaged or unusual."
_FAULTS = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, KeyError, RuntimeError)


@dataclass(frozen=True)
class Member:
    name: str  # as written in the archive, with its folders
    size: int  # bytes once unpacked; more are never read


def open_zip(file: Path) -> zipfile.ZipFile:
    """Raises: `DataError` when it is damaged, or its directory alone would cost too much to read."""
    _check_directory(file)
    try:
        return zipfile.ZipFile(file)
    except _FAULTS:
        raise damaged() from None


def _check_directory(file: Path) -> None:
    """A directory of a million entries takes a gigabyte as Python objects, so its size is read from the end record."""
    size = file.stat().st_size
    with open(file, "rb") as content:
        content.seek(max(0, size - _TAIL))
        tail = content.read(_TAIL)
    at, at_64 = tail.rfind(_END), tail.rfind(_END_64)
    if at < 0:
        raise damaged()
    count, length = int.from_bytes(tail[at + 10 : at + 12], "little"), int.from_bytes(tail[at + 12 : at + 16], "little")
    if at_64 >= 0:
        count = max(count if count != 0xFFFF else 0, int.from_bytes(tail[at_64 + 32 : at_64 + 40], "little"))
        length = max(length if length != 0xFFFF_FFFF else 0, int.from_bytes(tail[at_64 + 40 : at_64 + 48], "little"))
    if count > budget.MOST_MEMBERS or length > budget.MOST_DIRECTORY_BYTES:
        raise too_many_members(max(count, length // 60))


def members(archive: zipfile.ZipFile, file_bytes: int) -> list[Member]:
    """The files inside, without folders and without what systems leave behind.

    Raises: `DataError` for archives that are encrypted, point outside, hold links, or unpack to far too much.
    """
    infos = [each for each in archive.infolist() if not each.filename.endswith("/")]  # some have no name at all
    if len(infos) > budget.MOST_MEMBERS:
        raise too_many_members(len(infos))
    for info in infos:
        _refuse_harm(info)
    infos = [each for each in infos if not is_left_behind(each.filename)]
    if any(each.flag_bits & 0x1 for each in infos):
        raise DataError(
            "This archive is locked with a password.",
            "Facet has no key to it.",
            "Pack the files again without a password and upload that.",
        )
    limit = budget.most_unpacked_bytes(file_bytes)
    if sum(each.file_size for each in infos) > limit:
        raise budget.unpacks_too_large(limit)
    return [Member(each.filename, each.file_size) for each in infos]


def _refuse_harm(info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or name[1:3] == ":/":
        raise DataError(
            "This archive is not what it should be.",
            "A file in it is named so that it would be written outside of its folder.",
            "Pack the files again and upload the new archive.",
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(
            "This archive holds a link to another place.",
            "Only the files themselves can be read, not what links point to.",
            "Pack the files themselves and upload the new archive.",
        )


def is_left_behind(name: str) -> bool:
    """Whether a file is one that systems put there, or a hidden one."""
    parts = name.replace("\\", "/").split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return hidden or parts[-1] in ("Thumbs.db", "desktop.ini")


def chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The bytes of one member, piece by piece. Raises: `DataError` when they are damaged or packed in an odd way."""
    try:
        with archive.open(name) as content:
            yield from pieces(content)
    except _FAULTS as error:
        raise damaged(error) from None


def pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(_CHUNK):
        yield piece


def damaged(error: Exception | None = None) -> DataError:
    if isinstance(error, OSError) and error.errno == errno.EIO:
        raise error  # the disk's own trouble; odd places to jump to are the archive's
    if isinstance(error, NotImplementedError):
        why = "It is packed in a way that is not known here."
    else:
        why = "Its list of files or their contents cannot be read."
    return DataError(DAMAGED, why, "Pack the files again as zip and upload that.")


def too_many_members(count: int) -> DataError:
    return DataError(
        "This archive holds too many files.",
        f"It names about {count:,} of them, and up to {budget.MOST_MEMBERS:,} are read.",
        "Put the rows together into one file and upload that.",
    )

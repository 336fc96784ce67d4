"""Named files out of a zip from a stranger. What it says of itself is not believed, and nothing else is unpacked."""

import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

from facet.errors import DataError
from facet.gemma.refuse import printable

MOST_FILES: Final = 1_000
MOST_LIST_BYTES: Final = 1_000_000  # the table of contents at its end
MOST_UNPACKED_BYTES: Final = 8_000_000_000  # all files together, as the zip states it
LONGEST_NAME: Final = 240
END: Final = 22  # bytes of the record that ends every zip
ARCHIVES: Final = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
AGAIN: Final = "Make the zip again from the folder of the adapter, or use the one Facet gave you."


class StrangersZip:
    """Use as a context. `sizes` are its files by their whole names, in bytes as the zip states them.

    Raises: `DataError` for anything that an honest zip of an adapter does not have.
    """

    def __init__(self, file: Path) -> None:
        _require_short_list(file)
        try:
            self._archive = zipfile.ZipFile(file)
        except (OSError, ValueError, struct.error, zipfile.BadZipFile, NotImplementedError) as error:
            raise _bad("It is damaged, or no zip at all.") from error
        members = self._archive.infolist()
        for member in members:
            if complaint := _complaint(member):
                self._archive.close()
                raise _bad(complaint)
        self._members = {member.filename: member for member in members if not member.is_dir()}
        if len(self._members) + sum(member.is_dir() for member in members) != len(members):
            self._archive.close()
            raise _bad("Two of its files have the same name.")
        if sum(member.file_size for member in members) > MOST_UNPACKED_BYTES:
            self._archive.close()
            raise _bad(f"Unpacked it would take more than {MOST_UNPACKED_BYTES / 1e9:.0f} GB.")

    def __enter__(self) -> "StrangersZip":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    @property
    def sizes(self) -> dict[str, int]:
        return {name: member.file_size for name, member in self._members.items()}

    def unpack(self, name: str, into: Path, most: int) -> None:
        """Write one file, counting what really comes out of it."""
        written = 0
        try:
            with self._archive.open(self._members[name]) as source, open(into, "wb") as target:
                while piece := source.read(1 << 20):
                    written += len(piece)
                    if written > most:
                        raise _bad(f"Its file {printable(Path(name).name)} is larger than {most / 1e6:,.1f} MB.")
                    target.write(piece)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError) as error:
            raise _bad(f"Its file {printable(Path(name).name)} is damaged.") from error


def _require_short_list(file: Path) -> None:
    """Before the library reads the table of contents into memory, whose length a stranger chooses.

    The end record must be the last bytes of the file, and plain: then there is only one way to read it.
    """
    size = file.stat().st_size
    with open(file, "rb") as handle:
        handle.seek(max(0, size - END - 20))
        tail = handle.read()
    record = tail[-END:]
    if len(record) < END or not record.startswith(b"PK\5\6") or record[-2:] != b"\0\0":
        raise _bad("It is damaged, has a comment, or is no zip at all.")
    entries, length = int.from_bytes(record[10:12], "little"), int.from_bytes(record[12:16], "little")
    if tail[:-END].startswith(b"PK\6\7") or entries > MOST_FILES or length > MOST_LIST_BYTES:
        raise _bad(f"It holds more than {MOST_FILES:,} files, and an adapter has a few.")


def _complaint(member: zipfile.ZipInfo) -> str | None:
    """What is wrong with one entry, or None."""
    name = member.filename
    shown = printable(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & 0x1:
        return "It is locked with a password."
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return f"Its entry “{shown}” is a link or a device, not a file."
    parts = name.rstrip("/").split("/")
    if "\\" in name or ":" in name or len(name) > LONGEST_NAME or not name.isprintable():
        return f"Its entry “{shown}” has a name that is not allowed."
    if any(part in ("", ".", "..") for part in parts):
        return f"Its entry “{shown}” points out of its own folder."
    if name.lower().endswith(ARCHIVES):
        return f"It holds another archive, “{shown}”."
    if member.header_offset < 0:
        return f"Its entry “{shown}” lies before its beginning."
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"Its entry “{shown}” is packed in a way Facet does not read."
    return None


def _bad(why: str) -> DataError:
    return DataError("This zip cannot be used.", why, AGAIN)

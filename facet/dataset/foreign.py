"""Files that hold no rows, by their first bytes, and what to say to the person who brought one."""

import re
from pathlib import Path
from typing import Literal

from facet.dataset.archive import DAMAGED, open_zip
from facet.errors import DataError

NEXT = "Save the rows as CSV, JSON, JSONL, Excel or Parquet and upload that file."
_PACKED_TWICE = "It lies inside of another packed file, or was not unpacked when it was brought."
_UNPACK = "Unpack it on your computer and upload what is inside."
_PAGES = "It holds pages, not rows of questions and answers."
_DOCUMENT = "Save its text as a plain text file (.txt) and upload that."
_PICTURE = "A single picture is no example to learn from."
_WITH_TABLE = "Put the pictures and a table that names them into one zip file and upload that."
ZIP = b"PK\x03\x04"
_BOOK_STARTS, _PASSWORD = b"\x09\x08\x10\x00\x00\x06\x05\x00", b"\x2f\x00"  # kinds of records in an old workbook
_SEARCHED, _FIRST_RECORDS = 8 * 2**20, 8
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", ZIP, b"PAR1")  # first bytes of what may have something inside
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_FOREIGN: tuple[tuple[bytes, str, str, str], ...] = (
    (b"PK\x05\x06", "This is an empty zip file.", "There is nothing in it.", NEXT),
    (b"PARE", "This Parquet file is encrypted.", "Facet has no key to read it.", "Save it without encryption."),
    (b"\x1f\x8b", "This file is compressed with gzip.", _PACKED_TWICE, _UNPACK),
    (b"BZh", "This file is compressed with bzip2.", _PACKED_TWICE, _UNPACK),
    (b"\xfd7zXZ\0", "This file is compressed with xz.", _PACKED_TWICE, _UNPACK),
    (b"\x28\xb5\x2f\xfd", "This file is compressed with zstd.", "Facet unpacks gzip, bzip2, xz and zip.", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive.", "Facet unpacks gzip, bzip2, xz and zip.", _UNPACK),
    (b"Rar!", "This is a RAR archive.", "Facet unpacks gzip, bzip2, xz and zip.", _UNPACK),
    (b"%PDF", "This is a PDF document.", "A PDF holds pages, not rows of questions and answers.", _DOCUMENT),
    (b"{\\rtf", "This is a text document (RTF).", _PAGES, _DOCUMENT),
    (b"\x89PNG", "This is a picture.", _PICTURE, _WITH_TABLE),
    (b"\xff\xd8\xff", "This is a picture.", _PICTURE, _WITH_TABLE),
    (b"GIF8", "This is a picture.", _PICTURE, _WITH_TABLE),
    (b"SQLite format 3", "This is a database file (SQLite).", "Facet reads tables that are saved as files.", NEXT),
    (b"ARROW1", "This is an Arrow file.", "Facet reads its relative Parquet.", "Save the table as Parquet."),
    (b"ORC", "This is an ORC file.", "Facet reads its relative Parquet.", "Save the table as Parquet."),
    (b"GGUF", "This is a language model (GGUF), not a dataset.", "Facet learns from tables and texts.", NEXT),
    (b"\x80\x04\x95", "This is a Python pickle.", "Such files can run programs, so Facet never opens them.", NEXT),
    (b"\x80\x05\x95", "This is a Python pickle.", "Such files can run programs, so Facet never opens them.", NEXT),
    (b"\x93NUMPY", "This is a file of numbers (NumPy).", "Facet learns from texts.", NEXT),
    (b"\x89HDF", "This is an HDF5 file.", "Facet reads tables of text.", NEXT),
)
Office = Literal["excel", "word", "powerpoint", "excel_binary", "opendocument", "numbers", "archive"]


def refuse_foreign(head: bytes) -> None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        raise DataError("This is a picture.", _PICTURE, _WITH_TABLE)
    if head[257:262] == b"ustar":
        raise DataError("This is a tar archive.", "Facet unpacks gzip, bzip2, xz and zip.", _UNPACK)
    for start, what, why, next in _FOREIGN:
        if head.startswith(start):
            raise DataError(what, why, next)


def refuse_not_a_table(text: str) -> None:
    """Texts that are no table and no prose either: pages, drawings, pointers, and noise."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("version https://git-lfs"):
        raise DataError(
            "This is a git-LFS pointer, not the data itself.",
            "The repository keeps the real file elsewhere and left a note of three lines.",
            "Download the real file (git lfs pull) and upload that.",
        )
    if re.match(r"<(svg|!DOCTYPE svg|!--|\?xml)", start) and re.search(r"<svg\s", start[:4096]):
        raise DataError("This is a drawing (SVG).", "Drawings can hold programs, so none is opened.", _WITH_TABLE)
    if re.match(r"<(!doctype html|html|head|body|script|!--)", start[:200], re.IGNORECASE):
        raise DataError("This is a web page.", "It may be a sign-in page saved instead of the file.", NEXT)
    if start.startswith("<?xml"):
        raise DataError("This is an XML file.", "Facet reads tables, not documents.", NEXT)
    odd = sum(letter < "\t" or "\r" < letter < " " or letter == "\ufffd" for letter in text[:20_000])
    if odd > len(text[:20_000]) * 0.1:
        raise DataError("This is not a text file.", "A large part of it is not readable text.", NEXT)


def zip_kind(file: Path) -> Office:
    """What a zip file is. Office documents are zip files too; the names of their members tell them apart.

    Raises: `DataError` when it cannot be opened.
    """
    with open(file, "rb") as content:
        head = content.read(4096)
    try:
        with open_zip(file) as archive:
            names = set(archive.namelist())
    except DataError as error:
        raise (_damaged_office(head) if error.what == DAMAGED else error) from None
    if "xl/workbook.bin" in names:
        return "excel_binary"
    if any(name.lower() == "xl/workbook.xml" for name in names):
        return "excel"
    if {"mimetype", "content.xml"} <= names:
        return "excel" if b"opendocument.spreadsheet" in head else "opendocument"
    if "word/document.xml" in names:
        return "word"
    if "ppt/presentation.xml" in names:
        return "powerpoint"
    return "numbers" if any(name.endswith("Index/Document.iwa") for name in names) else "archive"


def _damaged_office(head: bytes) -> DataError:
    if b"xl/" in head:
        return DataError(
            "This Excel workbook is damaged.",
            "Its inner list of parts cannot be read.",
            "Open it in Excel, save it once more, and upload the new file.",
        )
    if b"word/" in head:
        return refused_office("word")
    return DataError(
        "This zip archive is damaged.",
        "Its list of files cannot be read; it may have been cut short.",
        "Pack or download it once more and upload the whole file.",
    )


def refused_office(kind: Office) -> DataError:
    match kind:
        case "word":
            return DataError("This is a Word document.", _PAGES, _DOCUMENT)
        case "powerpoint":
            return DataError("This is a PowerPoint presentation.", _PAGES, _DOCUMENT)
        case "opendocument":
            return DataError("This is an OpenDocument text.", _PAGES, _DOCUMENT)
        case "excel_binary":
            why, next = "This binary kind (.xlsb) is not read.", "Save it as “Excel workbook (.xlsx)” and upload that."
            return DataError("This is an Excel workbook.", why, next)
        case "numbers":
            why, next = "Only Apple's own program reads it.", "Choose “Export to”, then “Excel”, and upload that file."
            return DataError("This is a Numbers spreadsheet.", why, next)
    return DataError("This is a zip archive.", _PACKED_TWICE, _UNPACK)


def ole_kind(file: Path) -> Literal["excel", "locked", "document", "damaged"]:
    """What a file in Microsoft's old container is, by the names in the container's own directory."""
    with open(file, "rb") as content:
        header = content.read(512)
        size = 1 << min(int.from_bytes(header[30:32], "little"), 16)
        place = (int.from_bytes(header[48:52], "little") + 1) * size
        content.seek(min(place, file.stat().st_size))  # a damaged header names places no disk has
        directory = content.read(64 * 1024)
    names = {name: name.encode("utf-16-le") for name in ("EncryptedPackage", "Workbook", "Book")}
    if names["EncryptedPackage"] in directory:
        return "locked"
    if names["Workbook"] in directory or names["Book"] in directory:
        return "locked" if _has_password(file) else "excel"
    return "document" if "WordDocument".encode("utf-16-le") in directory else "damaged"


def _has_password(file: Path) -> bool:
    """Whether an old workbook begins with the mark of a password; its reader only says that it is damaged."""
    with open(file, "rb") as content:
        start = content.read(_SEARCHED)
    at = start.find(_BOOK_STARTS)
    for _ in range(_FIRST_RECORDS if at >= 0 else 0):
        if start[at : at + 2] == _PASSWORD:
            return True
        at += 4 + int.from_bytes(start[at + 2 : at + 4], "little")
    return False


def refused_ole(kind: str) -> DataError:
    if kind == "locked":
        return locked_workbook()
    if kind == "document":
        return DataError("This is an old Word document.", _PAGES, _DOCUMENT)
    return DataError(
        "This is an old Excel or Word file, and it is damaged.",
        "Its inner list of parts cannot be read.",
        "Open it in its program, save it as .xlsx or .txt, and upload the new file.",
    )


def locked_workbook() -> DataError:
    return DataError(
        "This workbook is locked with a password.",
        "Facet has no key to it.",
        "Open it in Excel, remove the password under “File”, “Info”, and upload it again.",
    )

"""What kind of file this is, by its content and never by its name alone."""

import codecs
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facet.dataset import budget, encoding
from facet.dataset.delimited import detect_dialect
from facet.errors import DataError, SettingError

Format = Literal["csv", "tsv", "json", "jsonl", "parquet"]
_HEAD = 2**18
_NEXT = "Save the rows as CSV, JSON, JSONL or Parquet and upload that file."
_ZIP = b"PK\x03\x04"

# First bytes, and what they say to a person.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x05\x06", "This is an empty zip file.", "Facet reads tables, not archives."),
    (b"PARE", "This Parquet file is encrypted.", "Facet has no key to read it."),
    (b"\x1f\x8b", "This file is compressed with gzip.", "Facet reads tables, not archives."),
    (b"BZh", "This file is compressed with bzip2.", "Facet reads tables, not archives."),
    (b"\xfd7zXZ\0", "This file is compressed with xz.", "Facet reads tables, not archives."),
    (b"\x28\xb5\x2f\xfd", "This file is compressed with zstd.", "Facet reads tables, not archives."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive.", "Facet reads tables, not archives."),
    (b"Rar!", "This is a RAR archive.", "Facet reads tables, not archives."),
    (b"%PDF", "This is a PDF document.", "A PDF holds pages, not rows of questions and answers."),
    (b"{\\rtf", "This is a text document (RTF).", "It holds pages, not rows of questions and answers."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel or Word file.", "Facet reads tables that are saved as text."),
    (b"\x89PNG", "This is a picture.", "Facet reads tables of text."),
    (b"\xff\xd8\xff", "This is a picture.", "Facet reads tables of text."),
    (b"GIF8", "This is a picture.", "Facet reads tables of text."),
    (b"SQLite format 3", "This is a database file (SQLite).", "Facet reads tables that are saved as text."),
    (b"ARROW1", "This is an Arrow file.", "Facet reads its relative Parquet."),
    (b"ORC", "This is an ORC file.", "Facet reads its relative Parquet."),
    (b"GGUF", "This is a language model (GGUF), not a dataset.", "Facet reads tables of text."),
    (b"\x80\x04\x95", "This is a Python pickle.", "Such files can run programs, so Facet never opens them."),
    (b"\x80\x05\x95", "This is a Python pickle.", "Such files can run programs, so Facet never opens them."),
)


@dataclass(frozen=True)
class Sniffed:
    format: Format
    encoding: str | None = None
    delimiter: str | None = None
    backslash_quotes: bool = False  # quotation marks inside of cells are written \" instead of ""
    notes: tuple[str, ...] = ()


def sniff(file: Path, original_name: str, correction: dict[str, str | None] | None = None) -> Sniffed:
    """The format, encoding and delimiter of a file; a person's correction goes before what was found.

    Raises: `DataError` with the reason when the file is none that Facet reads.
    """
    correction = correction or {}
    size = file.stat().st_size
    with open(file, "rb") as content:
        head = content.read(_HEAD)
    _require_readable(size, head)
    if head.startswith(b"PAR1"):
        return Sniffed("parquet")
    _refuse_foreign(head)
    chosen = encoding.known(correction["encoding"]) if correction.get("encoding") else encoding.detect(file)
    text = codecs.getincrementaldecoder(chosen)("replace").decode(head)
    _refuse_not_a_table(text)
    if correction.get("delimiter"):
        return _delimited(text, chosen, str(correction["delimiter"]), whole=size <= len(head))
    json_format = detect_json(text, Path(original_name).suffix.lower(), whole=size <= len(head))
    if json_format:
        return Sniffed(json_format, chosen, notes=_encoding_notes(chosen))
    return _delimited(text, chosen, None, whole=size <= len(head))


def _require_readable(size: int, head: bytes) -> None:
    if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
        raise empty_file()
    if size > budget.MOST_FILE_BYTES:
        raise DataError(
            "This file is too large.",
            f"It has {size / 1e9:.1f} GB and Facet reads up to {budget.MOST_FILE_BYTES / 1e9:.0f} GB.",
            "Upload a part of it; a few thousand good examples are usually enough.",
        )


def empty_file() -> DataError:
    return DataError("This file is empty.", "There are no rows in it.", "Add at least 20 examples and upload it again.")


def no_rows() -> DataError:
    return DataError(
        "This file has no examples.",
        "It names its columns and has no rows below them.",
        "Add at least 20 examples and upload it again.",
    )


def _refuse_foreign(head: bytes) -> None:
    if head.startswith(_ZIP):
        raise _packed(head)
    for start, what, why in _FOREIGN:
        if head.startswith(start):
            raise DataError(what, why, _NEXT)


def _packed(head: bytes) -> DataError:
    """Office documents are zip archives too; the names of their first members tell them apart."""
    if b"xl/" in head:
        return DataError(
            "This is an Excel workbook.",
            "Facet reads tables that are saved as text.",
            "In Excel choose “Save as”, then “CSV UTF-8”, and upload that file.",
        )
    if b"word/" in head:
        return DataError("This is a Word document.", "It holds pages, not rows of questions and answers.", _NEXT)
    return DataError("This is a zip archive.", "Facet reads tables, not archives.", "Unpack it and upload one file.")


def _refuse_not_a_table(text: str) -> None:
    start = text.lstrip("\ufeff \t\r\n")
    if not start.strip("\0"):
        raise empty_file()
    if start.startswith("version https://git-lfs"):
        raise DataError(
            "This is a git-LFS pointer, not the data itself.",
            "The repository keeps the real file elsewhere and left a note of three lines.",
            "Download the real file (git lfs pull) and upload that.",
        )
    if re.match(r"<(!doctype html|html|head|body|script|!--)", start[:200], re.IGNORECASE):
        raise DataError("This is a web page.", "It may be a sign-in page saved instead of the file.", _NEXT)
    if start.startswith("<?xml"):
        raise DataError("This is an XML file.", "Facet reads tables, not documents.", _NEXT)
    odd = sum(letter < "\t" or "\r" < letter < " " or letter == "\ufffd" for letter in text[:20_000])
    if odd > len(text[:20_000]) * 0.1:
        raise DataError("This is not a text file.", "A large part of it is not readable text.", _NEXT)


def _delimited(text: str, chosen: str, delimiter: str | None, whole: bool) -> Sniffed:
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0 ' or delimiter.isalnum()):
        raise SettingError(
            "This delimiter cannot separate columns.",
            "It has to be one character, such as a comma or a tab.",
            "Choose another one under “Delimiter”.",
        )
    found, backslash = detect_dialect(text, delimiter, whole)
    kind: Format = "tsv" if found == "\t" else "csv"
    return Sniffed(kind, chosen, found, backslash, _encoding_notes(chosen))


def _encoding_notes(chosen: str) -> tuple[str, ...]:
    if chosen in ("utf-8", "utf-8-sig", "utf-16", "ascii"):
        return ()
    return (f"The text was read as {chosen}. Check the rows below; if letters look wrong, choose another encoding.",)


def detect_json(text: str, suffix: str, whole: bool) -> Literal["json", "jsonl"] | None:
    """Whether text is JSON: one value per line, one document, or none of it."""
    named_json = suffix in (".json", ".jsonl", ".ndjson", ".jsonlines")
    start = text.lstrip("\ufeff \t\r\n")
    if not start.startswith(("{", "[")) and not named_json:
        return None
    lines = [line for line in re.split(r"\r\n|\r|\n", start) if line.strip()]
    complete = lines if whole or len(lines) == 1 else lines[:-1]
    good = [value for line in complete[:20] if (value := _value_of(line)) is not _BROKEN]
    if not named_json and not good and not _opens_json(start):
        return None
    if named_json and not start.startswith(("{", "[", '"')) and not good:
        return None  # a table with a misleading name
    if len(complete) > 1 and len(good) >= max(1, len(complete[:20]) / 2) and _are_rows(good, start):
        return "jsonl"
    if len(complete) == 1 and good and isinstance(good[0], dict) and good[0] and not _holds_lists(good[0]):
        return "jsonl"
    return "json"


_BROKEN = object()


def _value_of(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _BROKEN


def _are_rows(values: list[object], start: str) -> bool:
    """Not the last lines of a pretty-printed list, which can be values by themselves."""
    return start[0] != "[" or (len(values) > 1 and all(isinstance(value, list) for value in values))


def _holds_lists(value: dict[str, object]) -> bool:
    return any(isinstance(each, list) for each in value.values())


def _opens_json(start: str) -> bool:
    return bool(re.match(r'\[\s*[\[{"\]\d]|\{\s*["}]', start))

"""What kind of file this is, by its content and never by its name alone."""

import codecs
import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facet.dataset import budget, encoding, foreign, texts
from facet.dataset.delimited import detect_dialect, fitness
from facet.dataset.json_objects import holds_several
from facet.errors import DataError, SettingError

Format = Literal["csv", "tsv", "json", "jsonl", "parquet", "excel", "text", "markdown"]
_HEAD = 2**18
_TABLE_NAMES = (".csv", ".tsv", ".tab", ".psv")
_JSON_NAMES = (".json", ".jsonl", ".ndjson", ".jsonlines")
_MARKDOWN_NAMES = (".md", ".markdown", ".mdown")
_CERTAIN = ("utf-8", "utf-8-sig", "utf-16", "ascii")
_MOST_HEADING_CHARACTERS = 40  # of one column, where nothing but the first line says that a text is a table


@dataclass(frozen=True)
class Sniffed:
    format: Format
    encoding: str | None = None
    delimiter: str | None = None
    backslash_quotes: bool = False  # quotation marks inside of cells are written \" instead of ""
    notes: tuple[str, ...] = ()

    @property
    def is_doubtful(self) -> bool:
        """Whether the letters beyond ASCII may have been read in a wrong encoding."""
        return self.encoding is not None and self.encoding not in _CERTAIN


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
    if head.startswith((foreign.ZIP, foreign.OLE)):
        return _workbook(file, head)
    foreign.refuse_foreign(head)
    whole = size <= len(head)
    chosen = encoding.known(correction["encoding"]) if correction.get("encoding") else encoding.detect(file)
    text = codecs.getincrementaldecoder(chosen)("replace").decode(head)
    if not text.strip("\ufeff \t\r\n\0"):
        raise empty_file()
    foreign.refuse_not_a_table(text)
    if correction.get("delimiter"):
        return _delimited(text, chosen, str(correction["delimiter"]), whole)
    suffix = Path(original_name).suffix.lower()
    json_format = detect_json(text, suffix, whole)
    if json_format:
        return Sniffed(json_format, chosen, notes=_encoding_notes(chosen))
    if suffix in _TABLE_NAMES or (suffix not in _MARKDOWN_NAMES and is_table(text, whole)):
        return _delimited(text, chosen, None, whole)
    if suffix in _JSON_NAMES:
        return Sniffed("json", chosen)  # its reader says where it stops being JSON
    kind: Format = "markdown" if suffix in _MARKDOWN_NAMES or texts.has_headings(text) else "text"
    return Sniffed(kind, chosen, notes=_encoding_notes(chosen))


def _workbook(file: Path, head: bytes) -> Sniffed:
    if head.startswith(foreign.OLE):
        found = foreign.ole_kind(file)
        if found != "excel":
            raise foreign.refused_ole(found)
    else:
        kind = foreign.zip_kind(file)
        if kind != "excel":
            raise foreign.refused_office(kind)
    return Sniffed("excel")


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


def is_table(text: str, whole: bool) -> bool:
    """Whether a text whose name does not say so is a table: by its lines, since prose has commas too.

    Nearly every line must have as many cells as the first one, and the first one must read like names of columns.
    """
    delimiter, backslash = detect_dialect(text, None, whole)
    if fitness(text, delimiter, backslash, whole) < 0.9:
        return False
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if len(lines) < 2:
        return False
    if delimiter == "\t":
        return True
    cells = next(csv.reader(lines[:1], delimiter=delimiter))
    if any(not cell.strip() or len(cell) > _MOST_HEADING_CHARACTERS or cell.strip()[-1] in ".?!:" for cell in cells):
        return False
    spaced = sum(cell.startswith(" ") for cell in cells[1:])
    return not spaced or all(len(cell.split()) == 1 for cell in cells)


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
    if chosen in _CERTAIN:
        return ()
    return (f"The text was read as {chosen}. Check the rows below; if letters look wrong, choose another encoding.",)


def detect_json(text: str, suffix: str, whole: bool) -> Literal["json", "jsonl"] | None:
    """Whether text is JSON: one value per line, one document, or none of it."""
    named_json = suffix in _JSON_NAMES
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
    if len(complete) == 1 and good and isinstance(good[0], dict) and _is_one_row(good[0], suffix):
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


def _is_one_row(value: dict[str, object], suffix: str) -> bool:
    """Not one object that holds many rows; in a file of lines, lists of different lengths are a row of their own."""
    lengths = {len(each) for each in value.values() if isinstance(each, list)}
    if suffix in (".json", "") and lengths:
        return False  # the reader of whole documents says what is wrong with it
    try:
        return bool(value) and not holds_several(value)
    except DataError:
        return True


def _opens_json(start: str) -> bool:
    return bool(re.match(r'\[\s*(?:[\[{"\]]|-?\d+(?:\.\d+)?\s*[,\]]\s*(?:[-\d\]]|$))|\{\s*["}]', start))

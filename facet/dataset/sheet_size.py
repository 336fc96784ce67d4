"""How much a workbook unpacks to, measured piece by piece, before a reader holds all of it in memory.

A reader makes room for every cell between the first and the last one: two cells at the far corners of an empty sheet
would take five hundred gigabytes.
"""

import re
import zipfile
from pathlib import Path
from xml.parsers import expat

import numpy as np

from facet.dataset import budget
from facet.dataset.archive import chunks, open_zip
from facet.errors import DataError

_SHORTEST_CELL = 20  # bytes
_FEW_BYTES = 64 * 2**20  # up to here no ratio is suspicious
_MOST_RATIO = 100
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?r="([A-Z]{1,3})(\d{1,7})"[^>]*?(?<!/)>')
_ROW = re.compile(rb"<table:table-row([^>]*)>|<table:table-cell([^>]*)>")
_UNPLACED = re.compile(rb'<(?:\w+:)?row [^>]*?r="(\d{1,7})"[^>]*>\s*<(?:\w+:)?c(?![^>]*\br=)')
_SHARED = re.compile(rb't="s"[^>]*>\s*<(?:\w+:)?v>(\d{1,9})<')
_OVERLAP = 4096  # a tag may lie across two pieces
_MOST_TEXT = 512 * 2**20  # of all cells: many may point to one text that is kept once


def require_small(file: Path) -> None:
    """Raises: `DataError` when a workbook in a zip file would take more memory than Facet gives it."""
    with open(file, "rb") as content:
        if content.read(2) != b"PK":
            return  # the old format has at most 65,536 lines and no compression
    packed = file.stat().st_size
    with open_zip(file) as archive:
        infos = [each for each in archive.infolist() if each.filename.lower().endswith((".xml", ".rels"))]
        total = sum(each.file_size for each in infos)
        if total > budget.MOST_SHEET_BYTES or (total > _FEW_BYTES and total > _MOST_RATIO * packed):
            raise budget.unpacks_too_large(min(total, budget.MOST_SHEET_BYTES))
        _require_little_text(archive, infos)
        for info in infos:
            if info.filename.lower() == "content.xml":
                _require_whole(archive, info)
            cells = _cells(archive, info)
            if cells > budget.MOST_CELLS:
                raise _too_many_cells(cells)


def _require_whole(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """An OpenDocument sheet whose table never ends keeps its reader waiting for the end for ever.

    Raises: `DataError` for XML that is not well-formed, or that declares things, as these never do.
    """
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise damaged()

    parser.StartDoctypeDeclHandler = refuse
    try:
        for piece in chunks(archive, info.filename):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise damaged() from error


def damaged() -> DataError:
    return DataError(
        "This workbook is damaged or unusual.",
        "Its sheets cannot be read.",
        "Open it in Excel or LibreOffice, save it as .xlsx or CSV, and upload the new file.",
    )


def _cells(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """The cells of a sheet, those between others included. Other parts are only unpacked, to see that they end."""
    name = info.filename.lower()
    if name == "content.xml":
        return _opendocument_cells(archive, info)
    is_sheet = "worksheets/" in name
    widest = lowest = 0
    rest = b""
    for piece in chunks(archive, info.filename):
        if not is_sheet:
            continue
        text = rest + piece
        for column, row in _CELL.findall(text):
            widest, lowest = max(widest, _number(column)), max(lowest, int(row))
        lowest = max([lowest, *map(int, _UNPLACED.findall(text))])
        rest = text[-_OVERLAP:]
    return widest * lowest


def _require_little_text(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """The cells of a sheet may all point to the same long text, and each would become a copy of it."""
    lengths = np.array([], np.int64)
    for info in infos:
        if info.filename.lower().endswith("sharedstrings.xml"):
            ends = _ends(archive, info)
            lengths = np.diff(ends, prepend=0)
    most_cells = sum(info.file_size for info in infos if "worksheets/" in info.filename.lower()) // _SHORTEST_CELL
    if not len(lengths) or int(lengths.max()) * most_cells <= _MOST_TEXT:
        return
    total = 0
    for info in infos:
        if "worksheets/" in info.filename.lower():
            total += _text_of(archive, info, lengths)
            if total > _MOST_TEXT:
                raise budget.unpacks_too_large(_MOST_TEXT)


def _ends(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Where each of the shared texts ends in their file. Shape: int64 (N,)."""
    found: list[int] = []
    at = 0
    rest = b""
    for piece in chunks(archive, info.filename):
        text = rest + piece
        start = at - len(rest)
        found += [start + each.start() for each in re.finditer(b"</(?:\\w+:)?si>", text)]
        at += len(piece)
        rest = text[-8:] if not text.endswith(b">") else b""
    return np.array(found, np.int64)


def _text_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, lengths: np.ndarray) -> int:
    total = 0
    rest = b""
    for piece in chunks(archive, info.filename):
        text = rest + piece
        cut = max(text.rfind(b"</"), 0) + 1  # behind the last value that ends here, so that none is counted twice
        places = np.array([int(each) for each in _SHARED.findall(text[:cut])], np.int64)
        total += int(lengths[places[places < len(lengths)]].sum())
        rest = text[cut:][-_OVERLAP:]
    return total


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _opendocument_cells(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Here one cell, or one row of them, may say that it is repeated a million times."""
    total = repeated = width = 0
    rest = b""
    for piece in chunks(archive, info.filename):
        text = rest + piece
        cut = text.rfind(b"<")
        rest = text[cut:] if 0 <= len(text) - cut < _OVERLAP else b""
        for row, cell in _ROW.findall(text[: len(text) - len(rest)]):
            if cell:
                width += _repeats(cell, b"columns") if b"value-type" in cell else 1
            elif row or not cell:
                total += repeated * width
                repeated, width = _repeats(row, b"rows"), 0
    return total + repeated * width


def _repeats(tag: bytes, what: bytes) -> int:
    found = re.search(rb'number-%s-repeated="(\d{1,9})"' % what, tag)
    return int(found[1]) if found else 1


def _too_many_cells(cells: int) -> DataError:
    return DataError(
        "This workbook is too large.",
        f"One sheet reaches over {cells:,} cells, and up to {budget.MOST_CELLS:,} are read.",
        "Copy the rows you need into a new sheet, or save them as CSV, and upload that.",
    )

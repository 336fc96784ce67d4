"""Excel and OpenDocument workbooks: one sheet as rows of text, just as it would have been saved as CSV.

Values are read, formulas are never computed. What a workbook unpacks to is measured before the reader may open it.
"""

import contextlib
import datetime
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facet.dataset import budget, foreign
from facet.dataset.delimited import Row, repaired_names
from facet.dataset.problem import RowProblem
from facet.dataset.sheet_size import damaged, require_small
from facet.dataset.sniff import no_rows
from facet.errors import DataError, SettingError

_MOST_OPENING_ROWS = 10  # titles and remarks above the names of the columns
_STUDIED_LINES = 1_000  # what columns there are is seen from these
_MOST_SHEETS = 300
Cells = list[str]


class ExcelRows:
    """The rows of one sheet. `sheets` are the names of all; `notes` say which was read and what was repaired."""

    def __init__(self, file: Path, sheet: str | None = None) -> None:
        self.file = file
        self.notes: Counter[str] = Counter()
        self._loaded: tuple[str, Any] | None = None  # a sheet that was decoded once
        require_small(file)
        with _in_words():
            self.workbook = _opened(file)
            found = [(each.name, _is_hidden(each)) for each in self.workbook.sheets_metadata if _holds_cells(each)]
        if len(found) > _MOST_SHEETS:
            raise _too_large(f"It has {len(found):,} sheets, and up to {_MOST_SHEETS} are read.")
        self.sheets = [name for name, _ in found]
        self.sheet = self._chosen(found, sheet)
        self._explain(found)
        self.header, self.names, self.places = self._columns()
        self._known = frozenset(self.places)

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each row with its number from 1. Rows without a single value are left out."""
        limit = budget.most_decoded_bytes(self.file.stat().st_size)
        decoded = number = 0
        lines = self._lines()
        for _ in range(self.header + 1):
            next(lines)
        for cells in lines:
            if not any(cells):
                continue
            number += 1
            decoded += sum(map(len, cells))
            if number > budget.MOST_ROWS:
                raise budget.too_many_rows()
            if decoded > limit:
                raise budget.unpacks_too_large(limit)
            yield number, self._row(cells)

    def _row(self, cells: Cells) -> dict[str, str] | RowProblem:
        if any(cells[place] for place in range(len(cells)) if place not in self._known):
            return RowProblem("more cells", "the row has more cells than there are columns")
        return {name: cells[place] for name, place in zip(self.names, self.places, strict=True)}

    def _lines(self) -> Iterator[Cells]:
        """Every line of the sheet from its first one on, as text, with merged cells filled downwards."""
        if self._loaded is None or self._loaded[0] != self.sheet:
            with _in_words():
                self._loaded = (self.sheet, self.workbook.get_sheet_by_name(self.sheet))
        sheet = self._loaded[1]
        _require_few_cells(sheet)
        spans, left = _spans(sheet), (sheet.start or (0, 0))[1]
        lines = sheet.iter_rows()
        held: dict[int, tuple[int, str]] = {}  # column → last line of the span, value
        with _in_words():
            for place, values in enumerate(lines):
                cells = [value.strip() if isinstance(value, str) else as_text(value) for value in values]
                if spans:
                    _fill(cells, place, left, spans, held)
                yield cells

    def _opening(self) -> list[Cells]:
        return [cells for cells, _ in zip(self._lines(), range(_STUDIED_LINES), strict=False)]

    def _columns(self) -> tuple[int, list[str], list[int]]:
        """The line of the header, the columns' names, and their places in a line. Empty columns are dropped."""
        opening = self._opening()
        header = _header_line(opening)
        if header is None:
            raise no_rows() if any(map(any, opening)) else _empty_sheet(self.sheet, self.sheets)
        if any(any(cells) for cells in opening[:header]):
            self.notes["Lines above the names of the columns were left out."] += 1
        places = sorted({place for cells in opening[header:] for place, cell in enumerate(cells) if cell})
        return header, repaired_names([opening[header][place] for place in places], self.notes), places

    def _chosen(self, found: list[tuple[str, bool]], wanted: str | None) -> str:
        if wanted is not None:
            if wanted not in self.sheets:
                raise SettingError(
                    "This workbook has no sheet of that name.",
                    f"Its sheets are {', '.join(self.sheets[:8])}.",
                    "Choose another one under “Sheet”.",
                )
            return wanted
        for name, _ in sorted(found, key=lambda each: each[1]):  # hidden ones last
            self.sheet = name
            if sum(map(any, self._opening())) >= 2:
                return name
        if not found:
            raise _empty_sheet("", [])
        return found[0][0]

    def _explain(self, found: list[tuple[str, bool]]) -> None:
        if len(found) > 1:
            words = f"The workbook has {len(found)} sheets; “{self.sheet}” is read. Choose another under “Sheet”."
            self.notes[words] += 1
        hidden = [name for name, is_hidden in found if is_hidden]
        if hidden:
            listed = ", ".join(f"“{name}”" for name in hidden[:5])
            self.notes[f"Hidden in Excel, but here to be chosen: {listed}."] += 1


def as_text(value: Any) -> str:
    """A cell as Excel shows it: 5 and not 5.0, dates by year, month and day."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else f"{value:.15g}"  # Excel keeps 15 digits
    if isinstance(value, datetime.datetime):
        is_day = (value.hour, value.minute, value.second, value.microsecond) == (0, 0, 0, 0)
        return value.date().isoformat() if is_day else value.isoformat(" ")
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _header_line(opening: list[Cells]) -> int | None:
    """The first line with two cells and more; a lone cell above such a line is a title. None without a line below."""
    counts = [sum(map(bool, cells)) for cells in opening]
    lines = [place for place, count in enumerate(counts) if count]
    if len(lines) < 2:
        return None
    first = lines[0]
    if counts[first] == 1 and max(counts) > 1:
        first = next((place for place in lines[:_MOST_OPENING_ROWS] if counts[place] > 1), first)
    return first if first != lines[-1] else None


def _spans(sheet: Any) -> dict[int, list[tuple[int, int]]]:
    """Merged cells that reach down over several lines: first line → (column, last line)."""
    found: dict[int, list[tuple[int, int]]] = {}
    for (top, column), (bottom, _) in (sheet.merged_cell_ranges or [])[: budget.MOST_MEMBERS]:
        if bottom > top:
            found.setdefault(top, []).append((column, bottom))
    return found


def _fill(
    cells: Cells, place: int, left: int, spans: dict[int, list[tuple[int, int]]], held: dict[int, tuple[int, str]]
) -> None:
    for column, bottom in spans.get(place, ()):
        if 0 <= column - left < len(cells):
            held[column - left] = (bottom, cells[column - left])
    for column, (bottom, value) in list(held.items()):
        if place > bottom:
            del held[column]
        elif not cells[column]:
            cells[column] = value


def _opened(file: Path) -> Any:
    from python_calamine import CalamineWorkbook

    with open(file, "rb") as content:
        return CalamineWorkbook.from_filelike(content)


def _holds_cells(sheet: Any) -> bool:
    return str(sheet.typ).endswith("WorkSheet")


def _is_hidden(sheet: Any) -> bool:
    return not str(sheet.visible).endswith("Visible") or str(sheet.visible).endswith(("Hidden", "VeryHidden"))


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """What the reader of workbooks raises, as one of our errors. A panic inside of it is no `Exception`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, DataError, SettingError):
        raise
    except BaseException as error:
        name = type(error).__name__
        if name == "PasswordError" or "assword" in str(error):
            raise foreign.locked_workbook() from None
        if name != "PanicException" and not isinstance(error, Exception):
            raise
        raise damaged() from None


def _require_few_cells(sheet: Any) -> None:
    if sheet.total_height * sheet.total_width > budget.MOST_CELLS:
        raise _too_large(f"The sheet reaches over {sheet.total_height:,} lines and {sheet.total_width:,} columns.")


def _too_large(why: str) -> DataError:
    return DataError("This workbook is too large.", why, "Save the sheet as CSV and upload that.")


def _empty_sheet(sheet: str, sheets: list[str]) -> DataError:
    return DataError(
        "This sheet is empty." if sheet else "This workbook is empty.",
        f"There are no values in “{sheet}”." if sheet else "It has no sheet with cells.",
        "Choose another one under “Sheet”." if len(sheets) > 1 else "Add at least 20 examples and upload it again.",
    )

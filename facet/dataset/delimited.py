"""CSV and TSV, read as text and never guessed at: "007", "NA" and "1e5" stay what they are."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from facet.dataset import budget
from facet.dataset.encoding import UNFIT
from facet.dataset.problem import RowProblem
from facet.errors import DataError

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 200
Row = tuple[int, dict[str, Any] | RowProblem]


def bounded_lines(text: io.TextIOBase) -> Iterator[str]:
    """The lines of a text, none longer than the budget."""
    number = 0
    while line := text.readline(budget.MOST_LINE_CHARACTERS):
        number += 1
        if len(line) >= budget.MOST_LINE_CHARACTERS:
            raise budget.line_too_long(number)
        yield line


def open_text(file: Path, encoding: str) -> io.TextIOBase:
    """Bytes that do not fit the encoding become lone surrogates, so that only the rows that hold them are lost."""
    return open(file, encoding=encoding, errors=UNFIT, newline="")


def detect_dialect(text: str, delimiter: str | None, whole: bool) -> tuple[str, bool]:
    """The delimiter, and whether quotation marks inside of cells are written with a backslash."""
    choices = (delimiter,) if delimiter else _DELIMITERS
    styles = (False, True) if '\\"' in text else (False,)
    scores = [(fitness(text, each, style, whole), each, style) for style in styles for each in choices]
    best = max(score for score, _, _ in scores)
    _, found, backslash = next(entry for entry in scores if entry[0] == best)
    return (found if best > 0 or delimiter else ","), backslash


def fitness(text: str, delimiter: str, backslash: bool, whole: bool) -> float:
    """The share of rows with as many cells as the header, for headers of two cells and more; else 0."""
    lines: Iterable[str] = io.StringIO(text, newline="")
    reader = csv.reader(_plain_quotes(lines) if backslash else lines, delimiter=delimiter, strict=True)
    counts: list[int] = []
    csv.field_size_limit(budget.MOST_LINE_CHARACTERS)
    while len(counts) < _SAMPLE_ROWS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            row = [""] * 9999  # fits no header
        if row:
            counts.append(len(row))
    if not whole and len(counts) > 1 and len(counts) < _SAMPLE_ROWS:
        counts.pop()  # the sample ends in the middle of it
    if not counts or counts[0] < 2:
        return 0.0
    return counts.count(counts[0]) / len(counts)


def _plain_quotes(lines: Iterable[str]) -> Iterator[str]:
    return (line.replace('\\"', '""') for line in lines)


class DelimitedRows:
    """The rows of a CSV or TSV file. `names` are the columns, repaired; `notes` say what was repaired."""

    def __init__(self, file: Path, encoding: str, delimiter: str, backslash_quotes: bool) -> None:
        self.file, self.encoding, self.delimiter, self.backslash = file, encoding, delimiter, backslash_quotes
        self.notes: Counter[str] = Counter()
        self._short_lines: bool | None = None
        csv.field_size_limit(budget.MOST_LINE_CHARACTERS)
        with open_text(file, encoding) as text:
            self._check_header(text.readline(budget.MOST_LINE_CHARACTERS))
            text.seek(0)
            first = next(self._records(text), None)
        if isinstance(first, RowProblem) or first is None:
            raise _unreadable_header()
        self.names = repaired_names(first, self.notes)

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each data row with its number from 1; a row that does not fit the columns is a `RowProblem`."""
        names, width = self.names, len(self.names)
        with open_text(self.file, self.encoding) as text:
            records = self._records(text)
            next(records)
            for number, fields in enumerate(records, start=1):
                if number > budget.MOST_ROWS:
                    raise budget.too_many_rows()
                if type(fields) is RowProblem:
                    yield number, fields
                elif len(fields) == width or self._has_only_empty_extras(fields):
                    yield number, dict(zip(names, fields, strict=False))
                else:
                    yield number, _wrong_width(len(fields), width)

    def _has_only_empty_extras(self, fields: list[str]) -> bool:
        return len(fields) > len(self.names) and not any(fields[len(self.names) :])

    def _records(self, text: io.TextIOBase) -> Iterator[list[str] | RowProblem]:
        """Each record that is not blank."""
        lines: Iterable[str] = text if self._has_short_lines() else bounded_lines(text)
        if self.backslash:
            lines = _plain_quotes(lines)
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        read = 0  # lines before the record that is being read
        while True:
            try:
                for fields in reader:
                    read = reader.line_num
                    if fields:
                        yield fields
                return
            except csv.Error as error:
                problem = _misplaced_quote(str(error), read + 1)
                read = reader.line_num
            yield problem

    def _has_short_lines(self) -> bool:
        """Whether no line can be beyond the budget: then lines need not be counted out one by one, which takes time."""
        if self._short_lines is None:
            self._short_lines = not _has_long_stretch(self.file, budget.MOST_LINE_CHARACTERS // 2)
        return self._short_lines

    def _check_header(self, line: str) -> None:
        """Counted before anything is parsed: a header can be made to cost minutes."""
        count = line.count(self.delimiter) + 1
        if count > budget.MOST_COLUMNS * 2:  # twice, because quoted names may contain the delimiter
            raise budget.too_many_columns(count)


def repaired_names(header: list[str], notes: Counter[str]) -> list[str]:
    """The names of the columns, each with words and none twice; what was changed is noted.

    Raises: `DataError` for too many columns, and for names that are none.
    """
    if len(header) > budget.MOST_COLUMNS:
        raise budget.too_many_columns(len(header))
    names: list[str] = []
    for place, raw in enumerate(header, start=1):
        name = " ".join(raw.encode("utf-8", "replace").decode().replace("\ufeff", "").replace("\0", "").split())
        if len(name) > budget.MOST_NAME_CHARACTERS:
            raise _name_too_long(place, len(name))
        if not name:
            name = f"column {place}"
            notes[f"A column without a name is now called “{name}”."] += 1
        names.append(_unique(name, names, notes))
    return names


def _unique(name: str, names: list[str], notes: Counter[str]) -> str:
    if name not in names:
        return name
    number = next(number for number in range(2, len(names) + 3) if f"{name} ({number})" not in names)
    notes[f"Two columns were called “{name}”; one is now “{name} ({number})”."] += 1
    return f"{name} ({number})"


def _has_long_stretch(file: Path, most: int) -> bool:
    """Whether so many bytes follow each other without the end of a line, in any encoding that is read."""
    length = 0
    with open(file, "rb") as content:
        while piece := content.read(2**20):
            end = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
            length = length + len(piece) if end < 0 else len(piece) - end - 1
            if length + 2**20 > most:
                return True
    return False


def _wrong_width(found: int, width: int) -> RowProblem:
    more = "more" if found > width else "fewer"
    return RowProblem(f"{more} cells", f"the row has {more} cells than there are columns")


def _misplaced_quote(error: str, line: int) -> RowProblem:
    """A quotation mark that never closes would swallow every row after it, so it ends the reading."""
    if "unexpected end" in error or "field larger" in error:
        raise DataError(
            f"A quotation mark opened in line {line:,} is never closed.",
            "Everything after it would become one single cell.",
            f"Close or remove the quotation mark in line {line:,} and upload the file again.",
        )
    return RowProblem("quotes", "a quotation mark stands in the wrong place")


def _unreadable_header() -> DataError:
    return DataError(
        "The first line of this file could not be read.",
        "It should hold the names of the columns.",
        "Put the names of the columns into the first line and upload it again.",
    )


def _name_too_long(place: int, length: int) -> DataError:
    return DataError(
        "A column has far too long a name.",
        f"The name of column {place} has {length:,} characters; up to {budget.MOST_NAME_CHARACTERS} are read.",
        "Put short names of the columns into the first line and upload it again.",
    )

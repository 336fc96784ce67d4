"""JSON and JSONL, read piece by piece: a large list of rows never lies in memory as a whole."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facet.dataset import budget, json_lines
from facet.dataset.delimited import Row, bounded_lines, open_text
from facet.dataset.exports import flattened
from facet.dataset.json_objects import not_rows, rows_of_object
from facet.dataset.problem import RowProblem
from facet.dataset.values import is_too_deep
from facet.errors import DataError

_WINDOW = 2**22
_BLANK = re.compile(r"[\s\ufeff]*")
DUPLICATE_KEYS = "Some rows name the same column twice; the last value was taken."


class JsonRows:
    """The rows of a JSON or JSONL file. `names` is None: every row names its own columns."""

    names: list[str] | None = None

    def __init__(self, file: Path, encoding: str, lines: bool) -> None:
        self.file, self.encoding, self.lines = file, encoding, lines
        self.notes: Counter[str] = Counter()
        self.decoder = json.JSONDecoder(object_pairs_hook=self._object)

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each row with its number from 1; a broken line is a `RowProblem`."""
        if self.lines and json_lines.is_utf8(self.encoding):
            values = json_lines.values(self.file, self.encoding, self._decoded)
        else:
            values = ((value, True) for value in (self._each_line() if self.lines else self._document()))
        for number, (value, may_be_deep) in enumerate(values, start=1):
            if number > budget.MOST_ROWS:
                raise budget.too_many_rows()
            yield number, _as_row(value, may_be_deep)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self.notes[DUPLICATE_KEYS] += 1
        return made

    def _each_line(self) -> Iterator[Any]:
        with open_text(self.file, self.encoding) as text:
            for line in bounded_lines(text):
                line = line.strip("\ufeff \t\r\n")
                if line:
                    yield self._decoded(line)

    def _decoded(self, line: str) -> Any:
        try:
            return self.decoder.decode(line)
        except ValueError:
            return RowProblem("broken JSON", "the line is not valid JSON")
        except RecursionError:
            return RowProblem("too deep", "the row is nested too deeply")

    def _document(self) -> Iterator[Any]:
        with open_text(self.file, self.encoding) as text:
            window = _Window(text, self.decoder)
            if window.peek() == "[":
                yield from _rows_of_list(window)
            else:
                yield from self._rows_of_objects(window)

    def _rows_of_objects(self, window: "_Window") -> Iterator[Any]:
        """One object of columns, one object that wraps the rows, or one object after another."""
        first = window.value()
        if not isinstance(first, dict):
            raise not_rows("It holds a single value.")
        if window.peek():
            yield first
            while window.peek():
                yield window.value()
        else:
            yield from rows_of_object(first, self.notes)


class _Window:
    """The part of a text that is being looked at. It grows while one value needs it, and then moves on."""

    def __init__(self, text, decoder: json.JSONDecoder) -> None:
        self.text, self.decoder = text, decoder
        self.buffer, self.at, self.line = "", 0, 1
        self.read_rows = 0
        self.ended = False

    def peek(self) -> str:
        """The next character that is not white space, without taking it; "" at the end."""
        while True:
            end = _BLANK.match(self.buffer, self.at).end()
            self._advance(end)
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self._grow():
                return ""

    def take(self) -> str:
        letter = self.peek()
        self._advance(self.at + len(letter))
        return letter

    def value(self) -> Any:
        """The next whole value. Raises: `DataError` with the line where it stops being JSON."""
        self.peek()
        while True:
            try:
                value, end = self.decoder.raw_decode(self.buffer, self.at)
            except RecursionError:
                raise _too_deep(self.line) from None
            except json.JSONDecodeError as error:
                if not self._grow():
                    raise self._broken(error) from None
                continue
            if end == len(self.buffer) and self._grow():
                continue  # a number or word may go on
            self._advance(end)
            self.read_rows += 1
            return value

    def _advance(self, end: int) -> None:
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def _grow(self) -> bool:
        kept = self.buffer[self.at :]
        if self.ended or len(kept) > budget.MOST_DOCUMENT_CHARACTERS:
            return False
        more = self.text.read(max(_WINDOW, len(kept)))  # doubling keeps long values from being read over and over
        self.ended = not more
        if more:
            self.buffer, self.at = kept + more, 0
            self._require_few_values()
        return bool(more)

    def _require_few_values(self) -> None:
        """A list of three characters takes sixty bytes of memory once it is read."""
        if self.buffer.count("[") + self.buffer.count("{") > budget.MOST_INNER_VALUES:
            raise DataError(
                "This JSON file cannot be read piece by piece.",
                f"One value holds more than {budget.MOST_INNER_VALUES:,} lists and objects.",
                "Save it as JSONL, one row per line, and upload that.",
            )

    def _broken(self, error: json.JSONDecodeError) -> DataError:
        if not self.ended:
            return DataError(
                "This JSON file cannot be read piece by piece.",
                f"One value is longer than {budget.MOST_DOCUMENT_CHARACTERS // 2**20} million characters.",
                "Save it as JSONL, one row per line, and upload that.",
            )
        line = self.line + self.buffer.count("\n", self.at, error.pos)
        if error.pos >= len(self.buffer.rstrip()) or error.msg.startswith("Unterminated"):
            return _cut_short(self.read_rows, line)
        return broken_json(line)


def _rows_of_list(window: _Window) -> Iterator[Any]:
    window.take()
    if window.peek() == "]":
        raise not_rows("Its list is empty.")
    first = True
    while True:
        value = window.value()
        if first and isinstance(value, list):
            raise not_rows("It is a list of lists, so nothing says which value is which.")
        first = False
        yield value
        sign = window.take()
        if sign == "]":
            break
        if sign != ",":
            raise _cut_short(window.read_rows, window.line) if not sign else broken_json(window.line)
    if window.peek():
        raise broken_json(window.line)


def _as_row(value: Any, may_be_deep: bool = True) -> dict[str, Any] | RowProblem:
    if isinstance(value, RowProblem):
        return value
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        return RowProblem("not an object", "the row is not an object with named columns")
    if len(value) > budget.MOST_COLUMNS:
        return RowProblem("too many columns", f"the row has more than {budget.MOST_COLUMNS:,} columns")
    if may_be_deep and is_too_deep(value):
        return RowProblem("too deep", "the row is nested too deeply")
    return flattened(value) if "mapping" in value else value


def broken_json(line: int) -> DataError:
    return DataError(
        "This file is not valid JSON.",
        f"Reading stopped at line {line:,}.",
        "Correct that line, or save the rows as JSONL or CSV.",
    )


def _cut_short(rows: int, line: int) -> DataError:
    return DataError(
        "This JSON file ends too early.",
        f"It stops after {rows:,} whole rows, around line {line:,}.",
        "Download or export it once more and upload the whole file.",
    )


def _too_deep(line: int) -> DataError:
    return DataError(
        "This JSON file is nested too deeply.",
        f"Around line {line:,} there are hundreds of lists inside of lists.",
        "Save the rows as a plain list of objects and upload that.",
    )

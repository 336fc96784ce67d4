"""A first look at a file: what it is, its columns, its first rows, and what could be made of it."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facet.dataset.mapping import to_read
from facet.dataset.preview import with_telling
from facet.dataset.problem import RowProblem
from facet.dataset.read import Correction, Rows, open_rows
from facet.dataset.shape import MOST_LABELS, Column, Shape, guess
from facet.dataset.shape_kinds import Kinds, with_other_kinds
from facet.dataset.shape_names import ANSWERS
from facet.dataset.shape_objects import fields
from facet.dataset.sniff import Sniffed, no_rows
from facet.dataset.table import plain
from facet.dataset.values import clip, is_missing, is_plain, size_of, to_json, to_text
from facet.errors import DataError

SHOWN_ROWS = 20
STUDIED_ROWS = 20_000  # kinds, filled shares and labels come from these
_GUESSED_FROM_ROWS = 200
_GUESSED_FROM_CHARACTERS = 2**25
_FEW_ROWS = 20
_COUNTING_SECONDS = 6.0
_CHOICES = ("sheet", "speaker")
_MOST_VALUE_CHARACTERS = 60
_MOST_ROW_CHARACTERS = 200_000
_MOST_COLUMNS = 50  # of a row that is too large to be shown as it is
_LINK = re.compile(r"https?://\S+|\S+\.(png|jpe?g|gif|webp|wav|mp3|mp4|pdf)", re.IGNORECASE)


def look(file: str, original_name: str, correction: Correction | None = None) -> dict[str, Any]:
    """What is in a file, as plain data for a page.

    `row_count` is None when counting would take long; then `at_least` rows were seen. `shape` is the best guess and
    None when the columns do not tell; then `complaint` says so in three sentences. `choices` are the sheets of a
    workbook and the people in a chat, where there are several, and `chosen` those that are taken.
    Raises: `DataError` when there are no rows to be had.
    """
    sniffed, rows = open_rows(Path(file), original_name, correction)
    study = _Study(rows)
    columns = study.columns()
    shape = with_other_kinds(guess(columns, study.sample), study.rows_by_kind, guess)
    return {
        "format": sniffed.format,
        "encoding": sniffed.encoding,
        "delimiter": sniffed.delimiter,
        "columns": [{"name": each.name, "kind": each.kind, "filled": round(each.filled, 4)} for each in columns],
        "fields": [name for each in columns if each.kind == "object" for name in fields(study.sample, each.name)],
        "rows": [_small(row) for row in _to_show(study, sniffed)],
        "unused": unused([each.name for each in columns], shape),
        "row_count": study.count if study.is_counted else None,
        "at_least": study.count,
        "warnings": _warnings(sniffed, rows, study, columns, shape),
        "shape": shape.as_dict() if shape else None,
        "type": shape.mapping.type if shape else None,
        "choices": {name: found for name in _CHOICES if len(found := list(getattr(rows, f"{name}s", ()))) > 1},
        "chosen": {name: getattr(rows, name, None) for name in _CHOICES},
        "complaint": None if shape else complaint(columns).as_dict(),
    }


def _to_show(study: "_Study", sniffed: Sniffed) -> list[dict[str, Any]]:
    first = study.sample[:SHOWN_ROWS]
    return with_telling(first, study.telling) if sniffed.is_doubtful else first


def unused(names: list[str], shape: Shape | None) -> list[str]:
    """The columns that are in no example."""
    read = to_read(shape.mapping, names) if shape else names
    return [name for name in names if name not in read]


def _small(row: dict[str, Any]) -> dict[str, Any]:
    """A row to show, bounded whatever is nested in it."""
    shown = to_json(row)
    if size_of(shown) <= _MOST_ROW_CHARACTERS:
        return shown
    return {name: clip(json.dumps(value, ensure_ascii=False)) for name, value in list(shown.items())[:_MOST_COLUMNS]}


class _Study:
    """One walk: the first rows are kept and studied, the others only counted, and not for too long."""

    def __init__(self, rows: Rows) -> None:
        self.sample: list[dict[str, Any]] = []
        self.problems: Counter[str] = Counter()
        self.rows_by_kind = Kinds()
        self.telling: list[dict[str, Any]] = []  # rows with letters beyond ASCII
        self.tallies: dict[str, _Tally] = {name: _Tally() for name in rows.names or ()}
        self.count = self.studied = self.sampled = 0
        self.is_counted = False
        self._walk(rows)
        if not self.studied:
            raise _nothing_readable(self.problems, self.count)

    def _walk(self, rows: Rows) -> None:
        until = time.monotonic() + _COUNTING_SECONDS
        for self.count, row in rows.rows():
            if self.count <= STUDIED_ROWS:
                self._study(row)
            elif self.count % 1024 == 0 and time.monotonic() > until:
                return
        self.is_counted = True

    def _study(self, row: dict[str, Any] | RowProblem) -> None:
        if isinstance(row, RowProblem):
            self.problems[row.words] += 1
            return
        self.studied += 1
        if len(self.sample) < _GUESSED_FROM_ROWS and self.sampled < _GUESSED_FROM_CHARACTERS:
            self.sample.append(row)
            self.sampled += size_of(row)
        self.rows_by_kind.add(row)
        if len(self.telling) < SHOWN_ROWS and not is_plain(row):
            self.telling.append(row)
        for name, value in row.items():
            tally = self.tallies.get(name)
            if tally is None:
                tally = self.tallies[name] = _Tally()
            tally.add(value)

    def columns(self) -> list[Column]:
        return [tally.column(str(name), self.studied) for name, tally in self.tallies.items()]


class _Tally:
    """What one column holds."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.lengths: list[int] = []
        self.values: Counter[str] | None = Counter()  # None once there are too many different ones to be labels

    def add(self, value: Any) -> None:
        if is_missing(value):
            return
        self.kinds[kind_of(value)] += 1
        if not isinstance(value, str | int | float):
            self.values = None
            return
        text = _as_answer(value)
        self.lengths.append(len(text))
        if self.values is None:
            return
        self.values[text[: _MOST_VALUE_CHARACTERS + 1]] += 1
        if len(text) > _MOST_VALUE_CHARACTERS or len(self.values) > MOST_LABELS:
            self.values = None

    def column(self, name: str, rows: int) -> Column:
        filled = sum(self.kinds.values())
        kind = self.kinds.most_common(1)[0][0] if filled else "empty"
        middle = sorted(self.lengths)[len(self.lengths) // 2] if self.lengths else 0
        return Column(name, kind, filled / rows if rows else 0.0, dict(self.values) if self.values else None, middle)


def _as_answer(value: str | int | float) -> str:
    """The value as the model would learn it, for the list of categories."""
    if isinstance(value, str):
        return value.strip()
    try:
        return to_text(value, "answer", set())
    except RowProblem:
        return ""


def kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "number" if _is_number(value) else "text"
    if isinstance(value, bool):
        return "text"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "text"


def _is_number(text: str) -> bool:
    if len(text) > 40 or not text[-1:].isdigit():
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def complaint(columns: list[Column]) -> DataError:
    """Why no shape was found, in three sentences."""
    names = [column.name for column in columns]
    empty = [f"“{clip(column.name, 60)}”" for column in columns if not column.filled]
    if empty and len(names) > 1:
        which = f"column {empty[0]} is" if len(empty) == 1 else f"columns {', '.join(empty[:6])} are"
        return DataError(
            "We could not tell the questions from the answers.",
            f"The {which} empty in every row.",
            "Fill in what is missing, or choose other columns above the preview.",
        )
    if len(names) == 1:
        why = f"Your file has only the column {names[0]}."
        return DataError(
            "We found no questions and answers.", why, "Upload a file with one column of questions and one of answers."
        )
    listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return DataError(
        "We could not tell the questions from the answers.",
        f"Your file has the columns {listed}.",
        "Choose the two columns above the preview.",
    )


def _warnings(sniffed: Sniffed, rows: Rows, study: _Study, columns: list[Column], shape: Shape | None) -> list[str]:
    return [
        *sniffed.notes,
        *rows.notes,
        *_about_rows(study),
        *_about_names(columns, has_header=sniffed.format in ("csv", "tsv")),
        *_about_gaps(study, columns, shape),
        *_about_sense(columns, shape, study.sample),
    ]


def _about_rows(study: _Study) -> Iterator[str]:
    if study.is_counted and study.count < _FEW_ROWS:
        rows = "is only 1 row" if study.count == 1 else f"are only {study.count} rows"
        yield f"There {rows}. At least {_FEW_ROWS} good examples are needed, better 100 and more."
    for words, count in study.problems.most_common(3):
        seen = study.studied + sum(study.problems.values())
        yield f"{count:,} of the first {seen:,} rows cannot be used, because {words}."


def _about_names(columns: list[Column], has_header: bool) -> Iterator[str]:
    folded = Counter(" ".join(column.name.lower().split()) for column in columns)
    for name, count in folded.items():
        if count > 1:
            yield f"{count} columns are called “{name}” but for capital letters or spaces. Choose with care."
    if has_header and any(len(column.name) > 60 or column.name.endswith(("?", ".")) for column in columns):
        yield "The first line was taken as the names of the columns, but it looks like an example."


def _about_gaps(study: _Study, columns: list[Column], shape: Shape | None) -> Iterator[str]:
    if shape and shape.mapping.also:
        left, _ = study.rows_by_kind.left([shape.mapping, *shape.mapping.also])
        if left:
            yield f"{left:,} of the first {study.studied:,} rows are of none of these kinds; they are left out."
        return
    for column in columns:
        if not column.filled and shape and plain(column.name) in ANSWERS:
            yield f"The column “{clip(column.name, 60)}” is empty in every row."
    needed = set(shape.mapping.parts()) - {shape.mapping.system_column, shape.mapping.user_extra} if shape else set()
    for column in columns:
        if column.name in needed and column.filled < 0.95:
            yield f"The column “{column.name}” is empty in {1 - column.filled:.0%} of the rows; they are left out."


def _about_sense(columns: list[Column], shape: Shape | None, sample: list[dict[str, Any]]) -> Iterator[str]:
    """What the guess would teach, where that may not be what is meant."""
    if shape is None:
        return
    by_name = {column.name: column for column in columns}
    question, answer = by_name.get(shape.mapping.user or ""), by_name.get(shape.mapping.assistant or "")
    if answer and shape.kind == "text_label" and answer.kind == "number":
        yield f"The categories in “{answer.name}” are numbers, and numbers are what the model will answer."
    if question and answer and shape.kind == "columns" and question.median_characters > 4 * answer.median_characters:
        yield f"The texts in “{question.name}” are much longer. Check that questions and answers are not swapped."
    for column in (question, answer):
        values = [row.get(column.name) for row in sample[:SHOWN_ROWS]] if column else []
        if column and values and all(isinstance(value, str) and _LINK.fullmatch(value.strip()) for value in values):
            yield f"The column “{column.name}” holds links or file names. They are read as text and never opened."


def _nothing_readable(problems: Counter[str], count: int) -> DataError:
    if not problems:
        return no_rows()
    words, most = problems.most_common(1)[0]
    return DataError(
        "No row of this file can be read.",
        f"In {most:,} of {count:,} rows {words}.",
        "Check how the file was saved, correct it and upload it again.",
    )

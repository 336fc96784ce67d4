"""One walk over all rows of all files: the usable ones are stored, the others listed with a reason, all are counted.

Memory stays bounded whatever the size of the files: of each row, about two hundred bytes are kept.
"""

import json
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from facet.dataset import budget
from facet.dataset.album import Album
from facet.dataset.clean import Cleaner, Cleaning
from facet.dataset.columns import Converter, Mapping, check_mapping, to_read
from facet.dataset.conversation import Example
from facet.dataset.digests import answered, digest, matter, prompt_key, text_key
from facet.dataset.measure import Measure
from facet.dataset.near import Sketches
from facet.dataset.preview import SHOWN_ROWS, shown
from facet.dataset.problem import RowProblem
from facet.dataset.progress import report
from facet.dataset.read import Correction, Rows, open_rows
from facet.dataset.sides import MOST_CATEGORIES, Choices
from facet.dataset.sides import Rows as Facts
from facet.dataset.sniff import Sniffed, no_rows
from facet.dataset.split import PARTS, TRAIN
from facet.dataset.store import ExampleWriter
from facet.dataset.values import clip, is_missing
from facet.errors import DataError, SettingError

_REPORT_EVERY_ROWS = 5_000
_SKETCHED_AT_ONCE = 512
_SKETCHED_CHARACTERS = 20_000  # of one example


@dataclass(frozen=True)
class Source:
    """One file to read. `part` is the part its rows belong to, where that is given."""

    file: Path
    original_name: str
    correction: Correction | None
    part: str | None = None

    def open(self) -> tuple[Sniffed, Rows]:
        return open_rows(self.file, self.original_name, self.correction)


class Walk:
    """What is found on the way, row by row and in the end."""

    def __init__(self, mapping: Mapping, choices: Choices, cleaning: Cleaning, staging: Path, album: Album) -> None:
        self.mapping, self.choices, self.staging, self.album = mapping, choices, staging, album
        self.converter = Converter(mapping, album.names)
        self.cleaner = Cleaner(cleaning, mapping.columns())
        self.columns = self._to_read([])
        self.rows_in = self.several = 0  # rows of the files, and examples beyond the first of a row
        self.measure = Measure(mapping.kind == "text_label")
        self.prompts, self.groups, self.given = array("Q"), array("Q"), array("B")
        self.strata, self.categories = array("i"), dict[str, int]()
        self.sketches = Sketches() if choices.keeps_aside else None
        self.waiting: list[str] = []  # texts to be sketched
        self.reasons: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.preview: list[dict[str, Any]] = []
        self.format = ""  # of the first file
        self.extras: set[str] = set()  # fields that some example really has
        self.names: set[str] = set()  # of columns, where every row names its own

    def read(self, sources: list[Source]) -> None:
        """Raises: `DataError` when no row can be used, or a file unpacks to far too much."""
        most = sum(budget.most_decoded_bytes(source.file.stat().st_size) for source in sources)
        self.writer = ExampleWriter(self.staging / "usable.parquet", self.mapping.extras(), passing=True)
        with open(self.staging / "problems.jsonl", "w", encoding="utf-8") as self.problems:
            for source in sources:
                self._read_one(source, most)
        self.writer.close()
        self._sketch()
        self._require_something()

    def _read_one(self, source: Source, most_characters: int) -> None:
        sniffed, rows = source.open()
        self.format = self.format or sniffed.format
        check_mapping(self.mapping, rows.names)
        if rows.names is not None:
            self._check_column(self.choices.stratify, rows.names)
        self.rows_name_columns = rows.names is None
        part = PARTS.index(source.part) if source.part in PARTS else TRAIN
        for _, row in rows.rows(self._to_read(rows.names) if rows.names is not None else None):
            self.rows_in += 1
            self._take(self.rows_in, row, part)
            if self.measure.characters > most_characters:
                raise budget.unpacks_too_large(most_characters)
            if self.rows_in % _REPORT_EVERY_ROWS == 0:
                report(f"{self.rows_in:,} rows read")
        self.notes.update(rows.notes)

    def _to_read(self, names: list[str]) -> list[str]:
        return list(dict.fromkeys([*to_read(self.mapping, names), *_column(self.choices.stratify)]))

    def _take(self, number: int, row: dict[str, Any] | RowProblem, part: int) -> None:
        """Every example of one row. When a row gives several, each is judged on its own."""
        repairs: set[str] = set()
        made: list[Example] = []
        problem: RowProblem | None = None
        try:
            for example in self.converter.convert_all(self.converter.ready(row, self.cleaner), repairs):
                self.several += bool(made or problem)
                try:
                    made.append(self.album.checked(self.cleaner.example(example)))
                except RowProblem as found:
                    problem = self._leave_out(number, found)
        except RowProblem as found:
            problem = self._leave_out(number, found)
        for left in self.converter.left:
            self.several += 1
            self._leave_out(number, left)
        for example in made:
            self._keep(number, row, example, part)
        if repairs and made:
            self.repaired.update(repairs)
        if self.rows_name_columns and isinstance(row, dict) and len(self.names) < budget.MOST_COLUMNS:
            self.names.update(row)
        if number <= SHOWN_ROWS:
            self.preview.append(shown(number, row, made[0] if made else None, problem))

    def _leave_out(self, number: int, problem: RowProblem) -> RowProblem:
        self.reasons[problem.words] += 1
        self.problems.write(problem_line(number, problem.code, problem.words))
        return problem

    def _keep(self, number: int, row: Any, example: Example, part: int) -> None:
        self.album.keep(example)
        prompt, answer = matter(example), answered(example)
        self.writer.add(number, example, self.measure.add(example, digest(example), answer))
        if len(example) > 1 or any([len(turn) > 2 for turn in example["messages"]]):
            self.extras.update(example, *example["messages"], *example.get("chosen", ()), *example.get("rejected", ()))
        self.given.append(part)
        self.prompts.append(prompt_key(prompt))
        if self.mapping.group is not None:
            group = example.get("group")
            self.groups.append(text_key(group) or 1 if group else 0)
        if self.choices.stratify:
            self._note_category(row, example, answer)
        if self.sketches is not None:
            self.waiting.append(f"{prompt}\n{answer}"[:_SKETCHED_CHARACTERS])
            if len(self.waiting) >= _SKETCHED_AT_ONCE:
                self._sketch()

    def _note_category(self, row: dict[str, Any], example: Example, answer: str) -> None:
        chosen = self.choices.stratify
        value = row.get(chosen) if isinstance(chosen, str) else example.get("label", answer)
        name = "" if is_missing(value) else str(value)
        self.strata.append(self.categories.setdefault(name, len(self.categories)))
        if len(self.categories) > MOST_CATEGORIES:
            raise _too_many_categories(chosen)

    def _sketch(self) -> None:
        if self.sketches is not None and self.waiting:
            self.sketches.add_many(self.waiting)
            self.waiting = []

    def _check_column(self, name: bool | str, names: list[str]) -> None:
        if isinstance(name, str) and names and name not in names:
            raise SettingError(
                f"This file has no column “{name[:60]}”.",
                f"Its columns are {', '.join(names[:8])}.",
                "Choose another column for “Same share of each category”, or none.",
            )

    def _require_something(self) -> None:
        if self.rows_in == 0:
            raise no_rows()
        if not self.measure.count or not self.names.issuperset(self.columns):
            check_mapping(self.mapping, sorted(self.names) or None)
            self._check_column(self.choices.stratify, sorted(self.names))
        if not self.measure.count:
            (words, count), *_ = self.reasons.most_common(1) or [("it has no examples", self.rows_in)]
            raise DataError(
                "No row of this file can be used.",
                f"In {count:,} of {self.rows_in:,} rows {words}{self._where(words)}.",
                "Choose other columns above the preview, or correct the file.",
            )

    def _where(self, words: str) -> str:
        """Which column it is that is empty."""
        mapping = self.mapping
        columns = {"answer": mapping.answers(), "question": mapping.user, "conversation": mapping.messages}
        column = next((name for what, name in columns.items() if name and words == f"the {what} is empty"), None)
        return f": the column “{clip(column, 60)}”" if column else ""

    def facts(self) -> Facts:
        """What decides about parts. Shapes: one entry for each usable example, in order."""
        return Facts(
            self.measure.keys(),
            np.frombuffer(self.prompts, dtype=np.uint64),
            self.sketches.clusters if self.sketches is not None else None,
            np.frombuffer(self.groups, dtype=np.uint64) if self.groups else None,
            self._sorted_strata() if self.strata else None,
            np.frombuffer(self.given, dtype=np.uint8),
        )

    def _sorted_strata(self) -> np.ndarray:
        """Categories numbered in the order of their names, so that the order of rows changes nothing."""
        rank = np.empty(len(self.categories), dtype=np.int32)
        for place, name in enumerate(sorted(self.categories)):
            rank[self.categories[name]] = place
        return rank[np.frombuffer(self.strata, dtype=np.int32)]


def _column(name: bool | str) -> Iterator[str]:
    if isinstance(name, str):
        yield name


def _too_many_categories(column: bool | str) -> SettingError:
    where = f"in “{column}”" if isinstance(column, str) else "among the answers"
    return SettingError(
        "There are too many categories to give each its share.",
        f"More than {MOST_CATEGORIES:,} different values stand {where}.",
        "Choose a column with few different values for “Same share of each category”, or none.",
    )


def problem_line(number: int, code: str, words: str) -> str:
    return json.dumps({"row": number, "code": code, "words": words}) + "\n"


def append_problems(problems: TextIO, rows: np.ndarray, code: str, words: str) -> None:
    """One line for each row number. Shape: int64 (M,)."""
    problems.writelines(problem_line(int(number), code, words) for number in rows)

"""Rows of several kinds in one file, such as conversations among questions and answers: a mapping for each kind."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from facet.dataset.mapping import MOST_KINDS, Mapping
from facet.dataset.table import Column, Shape, column_of
from facet.dataset.values import is_missing, size_of

_MOST_KINDS = 64  # of which rows are kept
_ROWS_OF_A_KIND = 40
_MOST_CHARACTERS = 2**24
_APART = 0.05  # so few rows of one kind may have the answers of another
_FEWEST_ROWS = 2

Guess = Callable[[list[Column], list[dict[str, Any]]], Shape | None]


@dataclass
class Kinds:
    """Rows by which of their columns are filled: how many there are, and the first few of each kind."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)
    kept: int = 0  # characters

    def add(self, row: dict[str, Any]) -> None:
        filled = tuple(name for name, value in row.items() if not is_missing(value))
        if filled not in self.counts and len(self.counts) >= _MOST_KINDS:
            return
        self.counts[filled] += 1
        rows = self.rows.setdefault(filled, [])
        if len(rows) < _ROWS_OF_A_KIND and self.kept < _MOST_CHARACTERS:
            rows.append(row)
            self.kept += size_of(row)

    def each(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Every kind of which rows are kept: how many there are, and those."""
        return ((self.counts[filled], rows) for filled, rows in self.rows.items() if rows)

    def left(self, mappings: list[Mapping]) -> tuple[int, list[dict[str, Any]]]:
        """How many rows none of the mappings fits, and those of them that are kept."""
        count, found = 0, []
        for number, rows in self.each():
            if not any(mapping.fits(rows[0]) for mapping in mappings):
                count += number
                found += rows
        return count, found

    def fitting(self, mapping: Mapping) -> list[dict[str, Any]]:
        return [row for _, rows in self.each() if mapping.fits(rows[0]) for row in rows]


def with_other_kinds(shape: Shape | None, kinds: Kinds, guess: Guess) -> Shape | None:
    """The shape with mappings for the rows that it does not fit; where it is none yet, that of most rows first."""
    shape = shape or _most_common(kinds, guess)
    if shape is None:
        return None
    found = [shape]
    while len(found) < MOST_KINDS:
        more = _next(found, kinds, guess)
        if more is None:
            break
        found.append(more)
    if len(found) == 1:
        return shape
    also = tuple(each.mapping for each in found[1:])
    words = " ".join(each.words for each in found)
    return Shape(shape.kind, f"Rows of {len(found)} kinds. {words}", shape.mapping.model_copy(update={"also": also}))


def _most_common(kinds: Kinds, guess: Guess) -> Shape | None:
    if len(kinds.counts) < 2:
        return None
    for filled, _ in kinds.counts.most_common(MOST_KINDS):
        rows = kinds.rows.get(filled)
        if rows and (shape := guess(_columns(rows), rows)):
            return shape
    return None


def _next(found: list[Shape], kinds: Kinds, guess: Guess) -> Shape | None:
    mappings = [each.mapping for each in found]
    count, rows = kinds.left(mappings)
    if count < _FEWEST_ROWS:
        return None
    for some in (rows, *(each for _, each in kinds.each() if each[0] in rows)):
        shape = guess(_columns(some), some)
        if (
            shape
            and shape.mapping.type == mappings[0].type
            and shape.kind != "columns"
            and _is_apart(shape, found, kinds)
        ):
            return shape
    return None


def _is_apart(shape: Shape, found: list[Shape], kinds: Kinds) -> bool:
    """Whether these are rows of their own, and not rows of the same kind with a gap: those have no other answers."""
    own = set(_answers(shape.mapping))
    if not own or any(own & set(_answers(each.mapping)) for each in found):
        return False
    others = [row for each in found for row in kinds.fitting(each.mapping)]
    with_own = sum(any(not is_missing(row.get(name)) for name in own) for row in others)
    return with_own <= _APART * len(others)


def _answers(mapping: Mapping) -> list[str]:
    found = (mapping.messages, mapping.answers(), mapping.chosen, mapping.text, mapping.instances)
    return [name for name in found if name]


def _columns(rows: list[dict[str, Any]]) -> list[Column]:
    return [column_of(name, rows) for name in dict.fromkeys(name for row in rows for name in row)]

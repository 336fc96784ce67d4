"""What each choice of cleaning would do to the first rows, before anything is done."""

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from facet.dataset.clean import CHOICES, Cleaner, Cleaning, parse_cleaning
from facet.dataset.columns import Converter, check_mapping, parse_mapping, to_read
from facet.dataset.conversation import Example, texts_of
from facet.dataset.digests import digest
from facet.dataset.languages import language_of
from facet.dataset.problem import RowProblem
from facet.dataset.read import Correction, Row, open_rows
from facet.dataset.values import clip

STUDIED_ROWS = 1_000
_SHOWN = 3  # examples for each choice
_MOST_SHOWN_CHARACTERS = 300
_LANGUAGE_ROWS = 300


def try_cleaning(
    file: str,
    original_name: str,
    mapping: dict[str, Any],
    cleaning: dict[str, Any] | None = None,
    correction: Correction | None = None,
) -> dict[str, Any]:
    """For every choice on its own, how many of the first 1,000 rows it changes or leaves out, and the first of them.

    A choice that is a switch is tried whether it is on or not; the others with the value in `cleaning`.
    Returns `rows`; `choices`, a list of {name, kind, label, words, changes, drops, shown: [{row, before, after}]},
    where `after` is None for a row left out; `together`, the same for all that are on; and `languages`, how many of
    the first 300 rows are in which. Raises: as `prepare` does.
    """
    chosen = parse_cleaning(cleaning)
    columns = parse_mapping(mapping)
    _, rows = open_rows(Path(file), original_name, correction)
    check_mapping(columns, rows.names)
    sample = list(islice(rows.rows(to_read(columns, rows.names) if rows.names is not None else None), STUDIED_ROWS))
    trial = _Trial(sample, Converter(columns), columns.columns())
    return {
        "rows": len(sample),
        "choices": [dict(choice) | trial.of(_alone(choice["name"], chosen)) for choice in CHOICES],
        "together": trial.of(chosen),
        "languages": trial.languages(),
    }


def _alone(name: str, chosen: Cleaning) -> Cleaning:
    """One choice and no other."""
    value = True if Cleaning.model_fields[name].annotation is bool else getattr(chosen, name)
    return Cleaning.model_validate({name: value})


class _Trial:
    """The same rows, made into examples with one cleaning after another."""

    def __init__(self, sample: list[Row], converter: Converter, columns: list[str]) -> None:
        self.sample, self.converter, self.columns = sample, converter, columns
        self.plain = [self._examples(row, Cleaner(Cleaning(), columns)) for _, row in sample]

    def of(self, cleaning: Cleaning) -> dict[str, Any]:
        cleaner, seen = Cleaner(cleaning, self.columns), set[bytes]()
        changes = drops = 0
        shown: list[dict[str, Any]] = []
        for (number, row), before in zip(self.sample, self.plain, strict=True):
            after = before if cleaner.is_idle else self._examples(row, cleaner)
            if cleaning.duplicates:
                after = [each for each in after if not _known(each, seen)]
            if after == before:
                continue
            drops += len(after) < len(before)
            changes += len(after) >= len(before)
            if len(shown) < _SHOWN:
                shown.append(_compared(number, before, after))
        return {"changes": changes, "drops": drops, "shown": shown}

    def languages(self) -> dict[str, int]:
        texts = [texts_of(example) for examples in self.plain[:_LANGUAGE_ROWS] for example in examples[:1]]
        found = Counter(language for each in texts if (language := language_of(each)))
        return dict(found.most_common())

    def _examples(self, row: Any, cleaner: Cleaner) -> list[Example]:
        try:
            return list(map(cleaner.example, self.converter.convert_all(self.converter.ready(row, cleaner), set())))
        except RowProblem:
            return []


def _known(example: Example, seen: set[bytes]) -> bool:
    mark = digest(example)
    if mark in seen:
        return True
    seen.add(mark)
    return False


def _compared(number: int, before: list[Example], after: list[Example]) -> dict[str, Any]:
    """The first text that differs, around the place where it does."""
    old = [text for example in before for text in texts_of(example)]
    new = [text for example in after for text in texts_of(example)]
    if not new:
        return {"row": number, "before": clip("\n".join(old), _MOST_SHOWN_CHARACTERS), "after": None}
    pairs = [(one, other) for one, other in zip(old, new, strict=False) if one != other]
    one, other = pairs[0] if pairs else ("", new[len(old)] if len(new) > len(old) else "")
    start = max(0, _first_difference(one, other) - _MOST_SHOWN_CHARACTERS // 3)
    return {"row": number, "before": _around(one, start), "after": _around(other, start)}


def _first_difference(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _around(text: str, start: int) -> str:
    return ("…" if start else "") + clip(text[start:], _MOST_SHOWN_CHARACTERS)

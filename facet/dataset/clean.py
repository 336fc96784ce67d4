"""Cleaning that a person chooses: each choice is off until it is switched on, counted, and shown before it is done.

Code between backticks, line breaks and digits are never changed.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from facet.dataset.conversation import Conversation, Example, texts_of
from facet.dataset.languages import language_of
from facet.dataset.problem import RowProblem
from facet.dataset.values import is_missing
from facet.errors import SettingError

_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)
_HARD_SPACES = re.compile("(?<!\\d)[\u00a0\u2007\u202f]|[\u00a0\u2007\u202f](?!\\d)")  # not those that group digits
_ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff]")  # joiners stay: emoji and whole languages need them
_OUTER = " \t\n\r\v\f\u00a0\u2007\u202f\u200b\u2060\ufeff\u2003\u2002\u2009\u3000"
_RUNS = re.compile(_CODE.pattern + r"|(?<=\S) {2,}(?=\S)", re.DOTALL)


class Cleaning(BaseModel):
    """What is done to every example while it is prepared. Nothing, unless asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trim: bool = False
    unicode: bool = False
    spaces: bool = False
    collapse: bool = False
    duplicates: bool = False
    min_characters: int | None = Field(None, ge=1)
    max_characters: int | None = Field(None, ge=1)
    languages: tuple[str, ...] = Field(default=(), max_length=97)
    missing: str | None = Field(None, min_length=1, max_length=1_000)  # stands in for empty cells; None: left out

    @field_validator("languages", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


CHOICES: tuple[dict[str, str], ...] = (
    {"name": "trim", "kind": "switch", "label": "Trim outer white space",
     "words": "Spaces, line breaks and invisible characters before and after a text are removed."},
    {"name": "unicode", "kind": "switch", "label": "One way to write each letter",
     "words": "Letters with accents that are made of two characters become one (Unicode NFC)."},
    {"name": "spaces", "kind": "switch", "label": "Plain spaces",
     "words": "Non-breaking spaces become plain ones, characters of no width are removed."},
    {"name": "collapse", "kind": "switch", "label": "Single spaces",
     "words": "Several spaces between two words become one. Indentation stays."},
    {"name": "duplicates", "kind": "switch", "label": "Remove copies",
     "words": "Of equal examples, the first is kept."},
    {"name": "min_characters", "kind": "number", "label": "Shortest example",
     "words": "Examples with fewer characters are left out."},
    {"name": "max_characters", "kind": "number", "label": "Longest example",
     "words": "Examples with more characters are left out."},
    {"name": "languages", "kind": "languages", "label": "Only these languages",
     "words": "Examples that are clearly in another language are left out; short ones stay."},
    {"name": "missing", "kind": "text", "label": "Instead of an empty cell",
     "words": "This text stands in where a cell is empty. Without it, such rows are left out."},
)  # fmt: skip
_LABELS = {choice["name"]: choice["label"] for choice in CHOICES}


def parse_cleaning(data: Cleaning | dict[str, Any] | None) -> Cleaning:
    """Raises: `SettingError` for a choice that is not known, or not possible."""
    if isinstance(data, Cleaning):
        return data
    try:
        cleaning = Cleaning.model_validate(data or {}, strict=True)
    except ValidationError as error:
        label = _LABELS.get(str(error.errors()[0]["loc"][0]), "Cleaning")
        raise SettingError(
            "This choice of cleaning cannot be used.", f"“{label}” has a value it cannot have.", f"Correct “{label}”."
        ) from None
    low, high = cleaning.min_characters, cleaning.max_characters
    if low is not None and high is not None and low > high:
        raise SettingError(
            "No example could stay.",
            f"The shortest may have {low:,} characters and the longest {high:,}.",
            "Correct “Shortest example” or “Longest example”.",
        )
    return cleaning


class Cleaner:
    """Applies one `Cleaning`, and counts in how many examples each choice changed something."""

    def __init__(self, cleaning: Cleaning, columns: list[str] = ()) -> None:
        self.cleaning, self.columns = cleaning, columns
        self.steps = [(name, step) for name, step in _STEPS.items() if getattr(cleaning, name)]
        self.is_idle = cleaning.model_copy(update={"duplicates": False}) == Cleaning()
        self.filters = cleaning.min_characters or cleaning.max_characters or cleaning.languages
        self.changed: Counter[str] = Counter()

    def row(self, row: dict[str, Any] | RowProblem, columns: list[str] | None = None) -> dict[str, Any] | RowProblem:
        """The row with a text in its empty cells, where one was chosen; in `columns` alone, where they are given."""
        if self.cleaning.missing is None or isinstance(row, RowProblem):
            return row
        named = self.columns if columns is None else columns
        empty = {name: self.cleaning.missing for name in named if is_missing(row.get(name))}
        self.changed["missing"] += bool(empty)
        return row | empty

    def example(self, example: Example) -> Example:
        """Raises: `RowProblem` when it is to be left out."""
        if self.is_idle:
            return example
        if self.steps:
            example = self._rewritten(example)
        if self.filters:
            self._filter(texts_of(example))
        return example

    def _rewritten(self, example: Example) -> Example:
        done: set[str] = set()
        made: dict[str, Any] = dict(example)
        for name in ("messages", "chosen", "rejected"):
            if name in made:
                made[name] = self._turns(made[name], done)
        for name in ("text", "reference"):
            if made.get(name):
                made[name] = self._text(made[name], done)
        self.changed.update(done)
        return cast(Example, made)

    def _turns(self, turns: Conversation, done: set[str]) -> Conversation:
        return [turn | {"content": self._text(turn["content"], done)} for turn in turns]  # type: ignore[misc]

    def _text(self, text: str, done: set[str]) -> str:
        before = text
        for name, step in self.steps:
            if (made := step(text)) != text:
                done.add(name)
                text = made
        if before and not text.strip():
            raise RowProblem("nothing after cleaning", "nothing is left of a text after cleaning")
        return text

    def _filter(self, texts: list[str]) -> None:
        size, chosen = sum(map(len, texts)), self.cleaning
        if chosen.min_characters and size < chosen.min_characters:
            raise RowProblem("too short", f"the example has fewer than {chosen.min_characters:,} characters")
        if chosen.max_characters and size > chosen.max_characters:
            raise RowProblem("too long", f"the example has more than {chosen.max_characters:,} characters")
        if chosen.languages and (found := language_of(texts)) and found not in chosen.languages:
            raise RowProblem("other language", "the example is in another language than those chosen")


def _outside_code(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        if "`" not in text and "~~~" not in text:
            return change(text)
        pieces = _CODE.split(text)
        return "".join(piece if number % 2 else change(piece) for number, piece in enumerate(pieces))

    return changed


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _plain_spaces(text: str) -> str:
    return text if text.isascii() else _ZERO_WIDTH.sub("", _HARD_SPACES.sub(" ", text))


def _trimmed(text: str) -> str:
    return text.strip(_OUTER)


_STEPS: dict[str, Callable[[str], str]] = {
    "unicode": _outside_code(_composed),
    "spaces": _outside_code(_plain_spaces),
    "collapse": lambda text: _RUNS.sub(lambda found: found[1] or " ", text),
    "trim": _trimmed,
}

"""Texts with `{column}` in them, filled from a row.

This is no formatting language: a name in braces stands for the value of that column and for nothing else, so nothing
behind a value can be reached. `{{` and `}}` are plain braces.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from facet.dataset.problem import RowProblem
from facet.dataset.values import clip, is_missing, to_text
from facet.errors import SettingError

MOST_TEMPLATE_CHARACTERS = 20_000
_MOST_FIELDS = 100
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class Filling:
    """One text with names of columns in braces. Raises: `SettingError` when its braces do not make sense."""

    def __init__(self, text: str) -> None:
        if len(text) > MOST_TEMPLATE_CHARACTERS:
            raise _too_long(text)
        self.pieces = _pieces(text)
        self.columns = tuple(dict.fromkeys(piece for piece, is_column in self.pieces if is_column))
        if len(self.columns) > _MOST_FIELDS:
            raise _broken(f"It names {len(self.columns)} columns and may name {_MOST_FIELDS}.")

    def fill(self, row: dict[str, Any], what: str, repairs: set[str]) -> str:
        """The text for one row; `what` names it in the reason when the row has nothing for it.

        Raises: `RowProblem` when every column that is named is empty, or one holds no text.
        """
        values = {name: _value(row.get(name), what, repairs) for name in self.columns}
        if values and not any(values.values()):
            raise RowProblem(f"empty {what}", f"the {what} is empty")
        return "".join(values[piece] if is_column else piece for piece, is_column in self.pieces).strip()


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Literal texts and names of columns, in order; the second of each pair says which it is."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for token in _TOKEN.finditer(text):
        pieces.append((text[at : token.start()], False))
        at = token.end()
        if token[0] in ("{{", "}}"):
            pieces.append((token[0][0], False))
        elif token[1] is None:
            raise _broken(f"A “{token[0]}” has no partner. To write a brace itself, write it twice: “{token[0] * 2}”.")
        elif not token[1].strip() or ".__" in token[1]:
            raise _broken(f"In “{token[0][:60]}” the braces do not hold the name of a column.")
        else:
            pieces.append((token[1], True))
    return [*pieces, (text[at:], False)]


def _value(value: Any, what: str, repairs: set[str]) -> str:
    """A value as text: several are joined by commas, a missing one is nothing."""
    if isinstance(value, list):
        return ", ".join(to_text(each, what, repairs) for each in value if not is_missing(each))
    return "" if is_missing(value) else to_text(value, what, repairs)


def unknown_column(name: str, names: Sequence[str]) -> SettingError:
    """What to say about a column that is not there, with those that are meant most likely."""
    folded = {" ".join(each.lower().split()): each for each in reversed(names)}
    alike = difflib.get_close_matches(" ".join(name.lower().split()), list(folded), n=1, cutoff=0.75)
    known = f"Its columns are {', '.join(clip(each, 60) for each in names[:8])}."
    if alike:
        known = f"Did you mean “{clip(folded[alike[0]], 60)}”? {known}"
    return SettingError(
        f"This file has no column “{clip(name, 60)}”.", known, "Choose the columns again above the preview."
    )


def _broken(why: str) -> SettingError:
    return SettingError("This text with columns in braces cannot be used.", why, "Correct it above the preview.")


def _too_long(text: str) -> SettingError:
    return SettingError(
        "This text with columns in braces is too long.",
        f"It has {len(text):,} characters and may have {MOST_TEMPLATE_CHARACTERS:,}.",
        "Shorten it above the preview.",
    )

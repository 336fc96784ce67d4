"""Single values of a row: as text for the model, and as small JSON for the page."""

import datetime
import decimal
import json
import math
import re
from typing import Any

from facet.dataset.problem import RowProblem

MOST_SHOWN_CHARACTERS = 2000
_MOST_SHOWN_DEPTH = 8
_MOST_SHOWN_ITEMS = 100
# NUL, other control characters but tab and newline, carriage returns, and halves of surrogate pairs.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_REMOVED = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")

LINE_ENDS = "Windows line ends were made plain"
CONTROLS = "invisible control characters were removed"
NUMBERS = "numbers were turned into text"
_MEDIA_KEYS = {"bytes", "path", "image", "url", "array", "sampling_rate"}
OBJECTS = "answers that were objects became JSON"


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def to_text(value: Any, what: str, repairs: set[str]) -> str:
    """One value as text without outer white space; `what` names it in the reason when it cannot be.

    The indentation of the first of several lines stays. An answer that is an object becomes JSON.

    Raises: `RowProblem` for a missing value, NaN, lists, objects, bytes and broken characters.
    """
    if not isinstance(value, str):
        value = _plain(value, what, repairs)
    if _ODD.search(value):
        value = _cleaned(value, what, repairs)
    stripped = value.strip()
    if not stripped:
        raise RowProblem(f"empty {what}", f"the {what} is empty")
    return _indented(value, stripped) if "\n" in stripped and not value.startswith(stripped[0]) else stripped


def _indented(value: str, stripped: str) -> str:
    """Several lines keep the indentation of the first: it may be code, and would be wrong without."""
    start = len(value) - len(value.lstrip())
    return value[value.rfind("\n", 0, start) + 1 : start] + stripped


def _plain(value: Any, what: str, repairs: set[str]) -> str:
    if value is None:
        raise RowProblem(f"empty {what}", f"the {what} is empty")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        raise RowProblem("not a number", f"the {what} is not a number (NaN or infinity)")
    if isinstance(value, int | float | decimal.Decimal):
        repairs.add(NUMBERS)
        return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict) and what == "answer" and not value.keys() <= _MEDIA_KEYS:
        repairs.add(OBJECTS)
        return json.dumps(value, ensure_ascii=False, default=str)
    kind = {list: "a list", dict: "an object", bytes: "binary data"}.get(type(value), "not text")
    raise RowProblem("not text", f"the {what} is {kind}, not text")


def _cleaned(text: str, what: str, repairs: set[str]) -> str:
    if "\0" in text:
        raise RowProblem("NUL", f"the {what} contains NUL characters")
    for letter in _ODD.findall(text):
        if "\udc80" <= letter <= "\udcff":
            raise RowProblem("encoding", f"the {what} contains bytes that do not fit the file's encoding")
        if letter >= "\ud800":
            raise RowProblem("half character", f"the {what} contains half of a character (a lone surrogate)")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        repairs.add(LINE_ENDS)
    text, removed = _REMOVED.subn("", text)
    if removed:
        repairs.add(CONTROLS)
    return text


def to_json(value: Any, depth: int = 0) -> Any:
    """A value as small, valid JSON to show: long texts, lists and deep nesting are cut and say so."""
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, dict | list | tuple) and depth >= _MOST_SHOWN_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {clip(str(key), 200): to_json(each, depth + 1) for key, each in list(value.items())[:_MOST_SHOWN_ITEMS]}
    if isinstance(value, list | tuple):
        return [to_json(each, depth + 1) for each in value[:_MOST_SHOWN_ITEMS]]
    return clip(value if isinstance(value, str) else str(value), MOST_SHOWN_CHARACTERS)


def clip(text: str, most: int = MOST_SHOWN_CHARACTERS) -> str:
    """Text that can be shown: no broken characters, and not longer than `most` and a note."""
    shown = text[:most].encode("utf-8", "replace").decode() if not text.isascii() else text[:most]
    return shown if len(text) <= most else f"{shown}… ({len(text) - most:,} more characters)"


def is_whole(text: str) -> bool:
    """Whether every character is one: half of a pair, as broken JSON has it, can be written into no file."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def is_plain(value: Any) -> bool:
    """Whether all its texts are in ASCII letters, which look the same in nearly every encoding."""
    if isinstance(value, str):
        return value.isascii()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return all(map(is_plain, inner))


def is_too_deep(value: Any, most: int = 50) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def size_of(value: Any) -> int:
    """About how many characters a value has, with all that is in it."""
    if isinstance(value, str | bytes):
        return len(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return 8 + sum(map(size_of, inner))

"""One JSON value per line, read fast: by orjson where its answer is certain, by Python's own reader where it is not.

orjson keeps the last of two equal names without a word and makes floats of numbers beyond 64 bits; both are noticed
here, and the line is read again. What it refuses (NaN, halves of characters, foreign bytes) is read again as well.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from facet.dataset import budget
from facet.dataset.encoding import UNFIT

_UTF8 = ("utf-8", "utf-8-sig", "ascii")
_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_LARGEST_EXACT = 2.0**53
_MOST_OPEN = 50  # brackets; fewer cannot be nested too deeply


def is_utf8(encoding: str) -> bool:
    return encoding in _UTF8


def values(file: Path, encoding: str, slowly: Callable[[str], Any]) -> Iterator[tuple[Any, bool]]:
    """Each line's value, and whether it may be nested deeply. `slowly` decodes the lines orjson is not sure of."""
    for raw in _lines(file):
        try:
            value = orjson.loads(raw)
        except ValueError:
            value = slowly(raw.decode(encoding, UNFIT))
        else:
            if type(value) is dict and not _is_certain(raw, value):
                value = slowly(raw.decode(encoding, UNFIT))
        yield value, raw.count(b"[") + raw.count(b"{") >= _MOST_OPEN


def _lines(file: Path) -> Iterator[bytes]:
    """Lines that are not blank, without their ends; carriage returns alone end lines too."""
    number = 0
    with open(file, "rb", buffering=2**18) as content:
        while raw := content.readline(budget.MOST_LINE_CHARACTERS):
            number += 1
            if len(raw) >= budget.MOST_LINE_CHARACTERS:
                raise budget.line_too_long(number)
            raw = raw.strip(_BLANKS)
            if raw.startswith(_MARK):
                raw = raw.removeprefix(_MARK).strip(_BLANKS)
            if b"\r" in raw:
                yield from filter(None, (part.strip(_BLANKS) for part in raw.split(b"\r")))
            elif raw:
                yield raw


def _is_certain(raw: bytes, value: dict[str, Any]) -> bool:
    """Whether every text in the line is in the value, so that no name stood there twice, and no number lost its end.

    Each name and each text stands between two quotation marks, and no other mark is without a backslash.
    """
    marks = raw.count(b'"')
    if b"\\" in raw:
        if b"\\\\" in raw:
            return False  # the next mark may or may not be a part of the text
        marks -= raw.count(b'\\"')
    return marks == 2 * _texts(value)


def _texts(value: dict[str, Any]) -> int:
    """How many names and texts a value holds at all depths; negative when a number may have lost digits."""
    count = len(value)
    for each in value.values():
        kind = type(each)
        if kind is str:
            count += 1
        elif kind is dict:
            count += _texts(each)
        elif kind is list:
            count += _texts_in_list(each)
        elif kind is float and not -_LARGEST_EXACT < each < _LARGEST_EXACT:
            return -(2**40)
    return count


def _texts_in_list(value: list[Any]) -> int:
    count = 0
    for each in value:
        kind = type(each)
        if kind is str:
            count += 1
        elif kind is dict:
            count += _texts(each)
        elif kind is list:
            count += _texts_in_list(each)
        elif kind is float and not -_LARGEST_EXACT < each < _LARGEST_EXACT:
            return -(2**40)
    return count

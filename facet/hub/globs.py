"""Patterns of file names, as pages of datasets write them: matched in steady time, whoever wrote them."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Final

MOST_COMPARISONS: Final = 2_000_000  # of one pattern with one name, for a whole page
_WILD: Final = re.compile(r"[*?\[]")


class TooManyComparisons(Exception):
    """The patterns of a page and the files of its repository are too many to be matched in good time."""


class Names:
    """The files of a repository, in order."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = sorted(names)
        self._known = frozenset(self.names)
        self._compared = 0

    def matching(self, pattern: str) -> list[str]:
        """Those a pattern means, in order: `*`, `?` and `[…]` stay within a folder, `**` crosses folders."""
        pattern = pattern.removeprefix("./")
        wild = _WILD.search(pattern)
        if wild is None or pattern in self._known:
            return [pattern] if pattern in self._known else []
        start = pattern[: wild.start()]
        first = bisect_left(self.names, start)
        candidates = self.names[first : bisect_left(self.names, start + "\U0010ffff", first)]
        self._compared += len(candidates)
        if self._compared > MOST_COMPARISONS:
            raise TooManyComparisons
        segments = _segments(pattern)
        return [name for name in candidates if _matches(segments, tuple(name.split("/")))]


def _segments(pattern: str) -> tuple[str, ...]:
    """The folders of a pattern; `**` always stands alone.

    >>> _segments("data/**.csv")
    ('data', '**', '*.csv')
    """
    segments: list[str] = []
    for segment in pattern.split("/"):
        first, *others = re.split(r"\*\*+", segment)
        if not others or set(segment) == {"*"}:
            segments.append("**" if others else segment)
            continue
        segments += [f"{first}*"] if first else []
        segments += [each for other in others[:-1] for each in ("**", f"*{other}*")]
        segments += ["**", f"*{others[-1]}"]
    return tuple(segments)


def _matches(pattern: tuple[str, ...], name: tuple[str, ...]) -> bool:
    """Whether a name fits, folder by folder; `ends` are the places in the name reached so far."""
    ends = {0}
    for segment in pattern:
        if segment == "**":
            ends = set(range(min(ends), len(name) + 1)) if ends else ends
        else:
            fits = _expression(segment).match
            ends = {place + 1 for place in ends if place < len(name) and fits(name[place])}
    return len(name) in ends


@lru_cache(4096)
def _expression(segment: str) -> re.Pattern[str]:
    """What the standard library makes of `*` never goes back over what it has read."""
    return re.compile(translate(segment))

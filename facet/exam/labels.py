"""Which of the labels an answer names, if it names exactly one."""

import functools
import re
from collections.abc import Callable, Iterator

from facet.exam.spoken import after_cue, bare, folded, spoken

_NOT = re.compile(
    r"(?:\b(?:not|isnt|isn t|never|neither|nor|kein|keine|nicht|no longer|n est pas|non)\s+(?:an? |the )?)\Z"
)
_LEAD = re.compile(r"\A(.{1,80}?)\s*(?:[,.:;!\n–—]|\s-\s|\Z)", re.DOTALL)


def label_of(expected: str, labels: tuple[str, ...]) -> int | None:
    """The index of the label that a right answer is."""
    places, fold = _lookup(labels)
    return places.get(fold(spoken(expected)))


def named(text: str, labels: tuple[str, ...]) -> int | None:
    """The index of the label an answer names, however it is written; None for none of them, or several.

    The whole answer counts first, then what stands after "The answer is", then its first or last line, then a word at
    the very beginning, and at last the only label that is mentioned at all and not denied.
    """
    places, fold = _lookup(labels)
    answer = spoken(text)
    for piece in _pieces(answer):
        found = places.get(fold(piece))
        if found is not None:
            return found
    cue = after_cue(answer)
    for piece in (cue, answer):
        mentioned = _mentioned(fold(piece), labels) if piece else set()
        if len(mentioned) == 1:
            return mentioned.pop()
    return None


def _pieces(answer: str) -> Iterator[str]:
    yield answer
    if cue := after_cue(answer):
        yield cue
    lines = [line for line in answer.splitlines() if line.strip()]
    if lines:
        yield lines[0]
        yield lines[-1]
    if lead := _LEAD.match(answer):
        yield lead.group(1)


@functools.lru_cache(maxsize=16)
def _lookup(labels: tuple[str, ...]) -> tuple[dict[str, int], Callable[[str], str]]:
    """Labels by how they are written. Where letters and digits do not tell them apart, signs count as well."""
    fold = folded if len({folded(label) for label in labels} - {""}) == len(labels) else bare
    places = {fold(label): place for place, label in reversed(list(enumerate(labels)))}
    return places, fold


@functools.lru_cache(maxsize=16)
def _pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """All labels as whole words, the longest first, so that "not urgent" is not read as "urgent".

    Labels of one letter are words of the language too and count only where they stand alone.
    """
    places, _ = _lookup(labels)
    known = sorted((label for label in places if len(label) > 1 or label.isdigit()), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)" if known else r"(?!)")


def _mentioned(text: str, labels: tuple[str, ...]) -> set[int]:
    places, _ = _lookup(labels)
    found = _pattern(labels).finditer(text)
    return {places[each.group()] for each in found if not _NOT.search(text[max(0, each.start() - 24) : each.start()])}

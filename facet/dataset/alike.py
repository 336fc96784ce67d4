"""When two texts say the same: the words and numbers that are compared, and how much of them may differ.

Two texts are near-duplicates when their numbers and arithmetic signs are the same, in the same order, and

- only letter case, punctuation and white space differ, or
- a word is misspelled in one of them (one letter, or two swapped; one word in eight at the most), or
- words were added at the start or the end, a quarter of the text at the most, and none to a very short text, or
- one word in twelve was exchanged, which is neither a name nor turns the sentence into its opposite.

Where several rows fill the same place in a sentence with different words, it is a template: they are different rows.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

_FEWEST_WORDS = 3  # of a text, to have a misspelled twin
_FEWEST_WORDS_TO_EXTEND = 6
_FEWEST_LETTERS = 4  # of a word that can be a misspelling of another
_MOST_WORDS_OF_A_FILLER = 5
_LONG_TEXT = 12  # words, among which one that is nearly the same is a slip and no other filler of a template
_CONTEXT = 8  # words on either side that tell one place in a text from another
_MOST_PLACES = 200_000
_MOST_FILLERS = 16
_OPPOSITES = frozenset(
    "no not never none without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt "
    "hasnt havent nicht kein keine keinen nie ohne ne pas jamais sans nunca jamás sin não nem sem non mai senza niet "
    "geen nooit least most less more true false before after all any".encode().split()
)

_WORDS = bytes(c if c >= 0x80 or chr(c).isalnum() else 0x20 for c in range(256))
_LOWER_WORDS = bytes(ord(chr(c).lower()) if c < 0x80 else c for c in _WORDS)
_DELETED = b"'`_"  # inside of words: “don't”, “card_lost”
_MONEY = {"€": "\x01", "£": "\x02", "¥": "\x03", "₹": "\x04"}
_SIGNS = b"+-*/=<>^%$\x01\x02\x03\x04"
_NUMBERS = bytes(c if (c < 0x80 and chr(c).isdigit()) or c in _SIGNS else 0x20 for c in range(256))
_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_REPEATED = re.compile(rb"[-*=<>/+]{2,}")  # rules and marks of Markdown, not arithmetic
_SIGN = re.compile(b"[" + re.escape(_SIGNS) + b"]")
_BARE = re.compile(rb"[-*/<>]")  # which are punctuation where there are no numbers
_ALONE = (  # letters of scripts that put no spaces between words
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0x20000, 0x323AF),
)  # fmt: skip

Slot = tuple[bytes, bytes, bytes]  # the words around a place in a sentence, the word there, and the other text's word


class _Folding(dict[int, str]):
    """Letters outside of ASCII as they are compared; the others as ASCII, or a space."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        self[code] = folded = _MONEY.get(letter) or _folded(letter)
        return folded


def _folded(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind.startswith("N"):
        digit = unicodedata.digit(letter, None)
        return letter if digit is None else str(digit)
    if kind[0] in "LM":
        return f" {letter} " if any(first <= ord(letter) <= last for first, last in _ALONE) else letter
    if letter in "’‘ʼ`´\xad\u200b\u200c\u200d\ufeff":
        return ""
    return {"×": "*", "÷": "/", "−": "-", "–": "-", "≤": "<=", "≥": ">=", "≠": "/="}.get(letter, " ")


_folding = _Folding()


def prepared(text: str) -> bytes:
    """The text with everything outside of ASCII brought to one form; letter case is kept."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = _NOT_ASCII.sub(lambda found: found[0].translate(_folding), text)
    return text.encode("utf-8", "replace")


def words_of(text: bytes) -> list[bytes]:
    """The words of a prepared text in small letters."""
    words = text.translate(_LOWER_WORDS, _DELETED).split()
    return words if text.isascii() else b" ".join(words).decode("utf-8", "replace").casefold().encode().split()


def numbers_of(text: bytes) -> bytes:
    """Numbers and arithmetic signs of a prepared text, in order: what tells “12 + 7” from “12 - 7” and “13 + 7”."""
    found = text.translate(_NUMBERS).split()
    if not found:
        return b""
    numbers = _SIGN.sub(rb" \g<0> ", _REPEATED.sub(b" ", b" ".join(found)))
    if not any(0x30 <= each <= 0x39 for each in numbers):
        numbers = _BARE.sub(b" ", numbers)
    return b" ".join(numbers.split())


@dataclass
class Likeness:
    """How two texts with the same numbers compare."""

    is_near: bool
    slots: list[Slot] = field(default_factory=list)


@dataclass
class _Differences:
    misspelled: int = 0
    exchanged: float = 0
    added: float = 0  # at the start or the end
    slots: list[Slot] = field(default_factory=list)
    is_other: bool = False  # a name or a "not" tells them apart


def compare(left: bytes, right: bytes, threshold: float) -> Likeness:
    """Compare two prepared texts whose numbers are the same. At 0.8, the shares are those named above."""
    a, b = words_of(left), words_of(right)
    if a == b or b"".join(a) == b"".join(b):
        return Likeness(bool(a))
    mine, other = set(a), set(b)
    if min(len(mine - other), len(other - mine)) > max(2, max(len(a), len(b)) * (1 - threshold) * 1.05):
        return Likeness(False)  # more words are misspelled or exchanged than may be; the costly look is spared
    found = _differences(a, b, left, right)
    size = min(_size(a), _size(b))
    is_near = (
        not found.is_other
        and found.misspelled <= (max(1, size * (1 - threshold) / 1.6) if size >= _FEWEST_WORDS else 0)
        and found.exchanged <= size * (1 - threshold) / 2.4 + 1e-9
        and (found.added == 0 or (size >= _FEWEST_WORDS_TO_EXTEND and size / (size + found.added) >= threshold - 1e-9))
    )
    return Likeness(is_near, found.slots)


def _differences(a: list[bytes], b: list[bytes], left: bytes, right: bytes) -> _Differences:
    found = _Differences()
    for i1, i2, j1, j2 in _changes(a, b):
        mine, other = a[i1:i2], b[j1:j2]
        if b"".join(mine) == b"".join(other):
            continue
        if _OPPOSITES.intersection(mine).symmetric_difference(_OPPOSITES.intersection(other)):
            found.is_other = True
        if not mine or not other:
            at_an_end = (i1 == 0 and j1 == 0) or (i2 == len(a) and j2 == len(b))
            if at_an_end:
                found.added += _size(mine or other)
            else:
                found.exchanged += max(1, _size(mine or other))
            continue
        is_other_word = _exchange(found, mine, other)
        if is_other_word and not found.is_other:
            found.is_other = _are_names(left, right, i1, j1)
        is_short = min(len(a), len(b)) < _LONG_TEXT
        if max(len(mine), len(other)) <= _MOST_WORDS_OF_A_FILLER and (is_other_word or is_short):
            place = b" ".join([*a[max(0, i1 - _CONTEXT) : i1], b"\0", *a[i2 : i2 + _CONTEXT]])
            found.slots.append((place, b" ".join(mine), b" ".join(other)))
    return found


def _exchange(found: _Differences, a: list[bytes], b: list[bytes]) -> bool:
    """Whether a word was exchanged for another one, and not only misspelled."""
    if len(a) != len(b):
        found.exchanged += max(1, _size(a), _size(b))
        return True
    apart = [mine for mine, other in zip(a, b, strict=True) if mine != other and not is_misspelled(mine, other)]
    found.misspelled += sum(mine != other for mine, other in zip(a, b, strict=True)) - len(apart)
    found.exchanged += max(1, _size(apart)) if apart else 0
    return bool(apart)


def _changes(a: list[bytes], b: list[bytes]) -> Iterator[tuple[int, int, int, int]]:
    """Where two lists of words differ: from and to in each."""
    start, most = 0, min(len(a), len(b))
    while start < most and a[start] == b[start]:
        start += 1
    end = 0
    while end < most - start and a[-1 - end] == b[-1 - end]:
        end += 1
    mine, other = a[start : len(a) - end], b[start : len(b) - end]
    if len(mine) <= 1 or len(other) <= 1:
        yield start, start + len(mine), start, start + len(other)
        return
    if len(mine) == len(other):
        apart = [at for at, (left, right) in enumerate(zip(mine, other, strict=True), start) if left != right]
        if len(apart) * 2 <= len(mine) + 2:
            yield from ((at, at + 1, at, at + 1) for at in apart)
            return
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, mine, other, autojunk=False).get_opcodes():
        if kind != "equal":
            yield start + i1, start + i2, start + j1, start + j2


def _size(words: list[bytes]) -> float:
    """How many words these are, where two letters of Chinese, Japanese or Thai count as one."""
    if all(map(bytes.isascii, words)):
        return len(words)
    return sum(0.5 if len(word) in (3, 4) and word[0] >= 0xE0 else 1 for word in words)


def _are_names(left: bytes, right: bytes, mine: int, other: int) -> bool:
    """Whether both words begin with a capital; of a text all in capitals or Titles, no word counts."""
    return all(
        words[number][:1].isupper() and sum(word[:1].isupper() for word in words) * 2 <= len(words)
        for words, number in ((_written(left), mine), (_written(right), other))
    )


@functools.lru_cache(4)  # of one pair, many words are looked at
def _written(text: bytes) -> list[bytes]:
    return text.translate(_WORDS, _DELETED).split()


def is_misspelled(a: bytes, b: bytes) -> bool:
    """Whether one letter was added, dropped or exchanged, or two neighbours were swapped, in a word of some length."""
    if abs(len(a) - len(b)) > 1 or min(len(a), len(b)) < _FEWEST_LETTERS or a.isdigit() or b.isdigit():
        return False
    start, most = 0, min(len(a), len(b))
    while start < most and a[start] == b[start]:
        start += 1
    end = 0
    while end < most - start and a[-1 - end] == b[-1 - end]:
        end += 1
    mine, other = a[start : len(a) - end], b[start : len(b) - end]
    return max(len(mine), len(other)) <= 1 or (len(mine) == 2 and mine == other[::-1])


class Templates:
    """Which words fill which place in a sentence, over all the pairs that were compared."""

    def __init__(self) -> None:
        self.fillers: dict[bytes, set[bytes]] = {}

    def note(self, slots: list[Slot]) -> None:
        for place, mine, other in slots:
            fillers = self.fillers.get(place)
            if fillers is None:
                if len(self.fillers) >= _MOST_PLACES:
                    continue
                fillers = self.fillers[place] = set()
            if len(fillers) < _MOST_FILLERS:
                fillers.update((mine, other))

    def is_template(self, slot: Slot) -> bool:
        """Whether at least two more words stand there, which are no misspellings of these two."""
        place, mine, other = slot
        more = (each for each in self.fillers.get(place, ()) if each not in (mine, other))
        return sum(not is_misspelled(each, mine) and not is_misspelled(each, other) for each in more) >= 2

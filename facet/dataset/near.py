"""Rows that say almost the same, found among millions without comparing each with each.

Rows are sorted 32 times by different bytes of their sketches; those which come to lie beside each other are compared
word by word, as `alike` describes.

Source: to sort and look at neighbours is the way of Bawa, Condie and Ganesan, “LSH Forest” (2005).
"""

import hashlib
import os
import tempfile
from array import array
from collections.abc import Iterable

import numpy as np

from facet.dataset.alike import Templates, compare, numbers_of, prepared, words_of
from facet.dataset.sketch import PLACES, mixed, sketch

_BAND = 4  # bytes two sketches must share to be neighbours
_BANDS = PLACES // _BAND
_NEIGHBOURS = 3
_BATCH_ROWS = 512
_BATCH_LETTERS = 2**18
_MOST_KEPT_BYTES = 2_000  # of a text, to be compared word by word; longer ones are judged by their sketches
_LEAST_LIKENESS = 0.4, 0.5  # of the sketches of short texts and of longer ones, to look closer
_SHORT = 80  # bytes
_MOST_REFUSED = 8  # pairs of one row that turn out to be different, until it is let be
_AT_ONCE = 2**12
_HIGH, _LOW = np.uint64(2**64 - 2**32), np.uint64(2**32 - 1)
_LOWEST_HIGH = np.uint64(2**32)


class Sketches:
    """Takes texts and says which of them belong together. About 152 bytes of memory a text, whatever its length.

    The texts themselves, as far as they are short, wait in a temporary file to be compared word by word.
    """

    def __init__(self) -> None:
        self.count = 0
        self._columns: tuple[list[np.ndarray], ...] = ([], [], [], [])  # sketches, hashes, hashes of numbers, places
        self._waiting: list[str] = []
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        self._end = 0

    def add(self, text: str) -> None:
        self._waiting.append(text)
        if len(self._waiting) >= _BATCH_ROWS:
            self._flush()

    def add_many(self, texts: Iterable[str]) -> None:
        self._flush()
        letters = 0
        for text in texts:
            self._waiting.append(text)
            letters += len(text)
            if len(self._waiting) >= _BATCH_ROWS or letters >= _BATCH_LETTERS:
                self._flush()
                letters = 0
        self._flush()

    def clusters(self, threshold: float = 0.8) -> np.ndarray:
        """For each text, the smallest index among those that say almost the same; its own where it is alone.

        The same texts in another order give the same clusters. Shapes: int64 (N,).
        """
        self._flush()
        if not self.count:
            return np.zeros(0, dtype=np.int64)
        sketches, whole, numbers, places = map(_joined, self._columns)
        _, first, same = np.unique(whole, return_index=True, return_inverse=True)
        self._file.flush()
        texts = _Texts(self._file.fileno(), places, self._end)
        near = _Search(texts, sketches, numbers, first, threshold).groups()
        return _smallest(near[same])

    def _flush(self) -> None:
        if not self._waiting:
            return
        texts = [prepared(text) for text in self._waiting]
        self._waiting = []
        numbers = [numbers_of(text) for text in texts]
        plain = [b" ".join(words_of(text)) or text.strip() for text in texts]
        kept = [text if len(text) <= _MOST_KEPT_BYTES else b"" for text in texts]
        places = self._end + np.cumsum([0, *map(len, kept)])
        self._file.write(b"".join(kept))
        self._end = int(places[-1])
        whole = [_hash(number + b"\0" + text) for number, text in zip(numbers, plain, strict=True)]
        made = (
            sketch(plain),
            np.array(whole, dtype=np.uint64),
            np.array([_hash(number) if number else _NO_NUMBERS for number in numbers], dtype=np.uint64),
            places[:-1].astype(np.int64),
        )
        for column, values in zip(self._columns, made, strict=True):
            column.append(values)
        self.count += len(texts)


def _joined(column: list[np.ndarray]) -> np.ndarray:
    column[:] = [np.concatenate(column)]
    return column[0]


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


_NO_NUMBERS = _hash(b"")


def _smallest(groups: np.ndarray) -> np.ndarray:
    """For each element, the index of the first one in its group."""
    first = np.full(groups.max() + 1, len(groups), dtype=np.int64)
    np.minimum.at(first, groups, np.arange(len(groups), dtype=np.int64))
    return first[groups]


def _pairs(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left.astype(np.uint64) << np.uint64(32)) | right.astype(np.uint64)


def _is_among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    return ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values


def _equal_places(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """In how many places two sketches agree. Shapes: uint8 (N, 128) twice, result uint8 (N,)."""
    counts = np.bitwise_count(np.packbits(left == right).view(np.uint64))
    return counts[::2] + counts[1::2]


class _Texts:
    """The texts kept on disk."""

    def __init__(self, file: int, places: np.ndarray, end: int) -> None:
        self.file, self.places, self.end = file, places, end

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """Bytes of each; 0 where a text was too long to be kept."""
        following = np.minimum(rows + 1, len(self.places) - 1)
        after = np.where(rows + 1 < len(self.places), self.places[following], self.end)
        return after - self.places[rows]

    def read(self, row: int) -> bytes:
        start = int(self.places[row])
        end = int(self.places[row + 1]) if row + 1 < len(self.places) else self.end
        return os.pread(self.file, end - start, start)


class _Search:
    """Looks for pairs among different texts and joins them to groups."""

    def __init__(
        self, texts: _Texts, sketches: np.ndarray, numbers: np.ndarray, rows: np.ndarray, threshold: float
    ) -> None:
        self.texts, self.sketches, self.rows, self.threshold = texts, sketches, rows, threshold
        self.words = sketches.view(np.uint32)  # (N, 32)
        self.fewest_equal = int(min(threshold, *_LEAST_LIKENESS) * PLACES)  # places of two sketches, to look closer
        self.numbers = numbers[rows]
        self.lengths = texts.lengths(rows)
        self.parent = array("q", range(len(rows)))
        self.refused = np.zeros(len(rows), dtype=np.uint8)
        self.seen = np.zeros(0, dtype=np.uint64)
        self.templates = Templates()
        self.waiting = array("Q")  # pairs which differ in a word, until it is known what else stands there

    def groups(self) -> np.ndarray:
        """A number for each text, the same for those that belong together."""
        for band in range(_BANDS):
            for found in self._alike(self._neighbours(band)):
                self._judge(*self._worth_a_look(*found))
        for pair in sorted(set(self.waiting)):
            self._join_if_no_template(pair >> 32, pair & 0xFFFFFFFF)
        return self._roots()

    def _neighbours(self, band: int) -> tuple[np.ndarray, np.ndarray]:
        """Texts in the order of their sketches, only those that share a band; and a number for what each shares."""
        head = self.words[self.rows, band].astype(np.uint64)
        key = mixed(head ^ self.numbers) & _HIGH
        ordered = np.sort(key | np.arange(len(key), dtype=np.uint64))
        equal = (ordered[1:] ^ ordered[:-1]) < _LOWEST_HIGH
        order = (ordered[np.r_[equal, False] | np.r_[False, equal]] & _LOW).astype(np.int64)
        key = key[order] | self.words[self.rows[order], (band + 1) % _BANDS]
        again = np.argsort(key, kind="stable")
        return order[again], key[again] >> np.uint64(32)

    def _alike(self, neighbours: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Pairs whose sketches agree in enough places to look closer, with their likeness: next neighbours first."""
        order, key = neighbours
        rows = self.rows[order]
        found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(_NEIGHBOURS)]
        for start in range(0, len(order), _AT_ONCE):
            sketches = np.take(self.sketches, rows[start : start + _AT_ONCE + _NEIGHBOURS], axis=0)
            for step, pairs in enumerate(found, start=1):
                end = min(len(order) - step, start + _AT_ONCE)
                if end <= start:
                    continue
                equal = _equal_places(sketches[: end - start], sketches[step : step + end - start])
                equal[key[start:end] != key[start + step : end + step]] = 0
                at = np.flatnonzero(equal >= self.fewest_equal)
                pairs.append((at + start, equal[at]))
        return [self._pairs_of(order, step, pairs) for step, pairs in enumerate(found, start=1) if pairs]

    def _pairs_of(
        self, order: np.ndarray, step: int, pairs: list[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        at, equal = (np.concatenate(each) for each in zip(*pairs, strict=True))
        left, right = order[at], order[at + step]
        likeness = (equal / PLACES - 1 / 256) / (1 - 1 / 256)  # equal bytes by chance are taken off
        return np.minimum(left, right), np.maximum(left, right), likeness

    def _worth_a_look(
        self, left: np.ndarray, right: np.ndarray, likeness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        roots = self._roots()
        small, large = (
            np.minimum(self.lengths[left], self.lengths[right]),
            np.maximum(self.lengths[left], self.lengths[right]),
        )
        keep = (roots[left] != roots[right]) & (self.numbers[left] == self.numbers[right])
        keep &= (self.refused[left] < _MOST_REFUSED) | (self.refused[right] < _MOST_REFUSED)
        keep &= (small == 0) | (small >= large * self.threshold * 0.75)
        keep &= ~_is_among(_pairs(left, right), self.seen)
        return left[keep], right[keep], likeness[keep]

    def _judge(self, left: np.ndarray, right: np.ndarray, likeness: np.ndarray) -> None:
        by_sketch = (self.lengths[left] == 0) | (self.lengths[right] == 0)
        is_short = np.minimum(self.lengths[left], self.lengths[right]) < _SHORT
        keep = likeness >= np.where(by_sketch, self.threshold, np.where(is_short, *_LEAST_LIKENESS))
        order = np.flatnonzero(keep)[np.argsort(-likeness[keep], kind="stable")]
        left, right, by_sketch = left[order], right[order], by_sketch[order]
        compared = np.zeros(len(order), dtype=bool)
        for at, (a, b, is_long) in enumerate(zip(left.tolist(), right.tolist(), by_sketch.tolist(), strict=True)):
            if is_long:
                self._join(a, b)
            elif self._find(a) != self._find(b) and min(self.refused[a], self.refused[b]) < _MOST_REFUSED:
                compared[at] = not self._compare(a, b)
        if compared.any():
            self.seen = np.sort(np.concatenate([self.seen, _pairs(left[compared], right[compared])]))

    def _compare(self, a: int, b: int) -> bool:
        """Whether the two were joined."""
        found = compare(self._text(a), self._text(b), self.threshold)
        self.templates.note(found.slots)
        if found.is_near and not found.slots:
            self._join(a, b)
            return True
        if found.is_near:
            self.waiting.append(a << 32 | b)
        for row in (a, b):
            self.refused[row] = min(int(self.refused[row]) + 1, _MOST_REFUSED)
        return False

    def _join_if_no_template(self, a: int, b: int) -> None:
        if self._find(a) != self._find(b):
            slots = compare(self._text(a), self._text(b), self.threshold).slots
            if not any(self.templates.is_template(slot) for slot in slots):
                self._join(a, b)

    def _text(self, row: int) -> bytes:
        return self.texts.read(int(self.rows[row]))

    def _find(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = row = self.parent[self.parent[row]]
        return row

    def _join(self, a: int, b: int) -> None:
        a, b = self._find(a), self._find(b)
        self.parent[max(a, b)] = min(a, b)

    def _roots(self) -> np.ndarray:
        roots = np.frombuffer(self.parent, dtype=np.int64)
        while True:
            above = roots[roots]
            if np.array_equal(above, roots):
                return above
            roots = above

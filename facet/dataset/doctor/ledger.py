"""Every example as a few numbers, so that copies, contradictions and overlaps are found without holding the texts."""

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facet.dataset.digests import digest, matter, prompt_key
from facet.dataset.doctor.view import PARTS, View, views
from facet.dataset.near import Sketches

_SKETCHED_CHARACTERS = 20_000
_SHORT_ANSWER = 80  # characters; two such answers are the same or they are not
_IDENTIFYING = 0.5  # so many different questions for each different example, and a question tells examples apart
TRAIN, VALIDATION, EXAM = range(3)


@dataclass
class Ledger:
    """One entry for each example, in the order train, validation, exam. Shapes: all (N,)."""

    part: np.ndarray  # uint8, index into PARTS
    row: np.ndarray  # int64, in the source
    whole: np.ndarray  # uint64: equal for equal examples
    question: np.ndarray  # uint64: equal for the same question; 0 where there is none
    matter: np.ndarray  # uint64: what an answer is an answer to; of a pair, the question and both answers
    answer: np.ndarray  # uint64
    length: np.ndarray  # int64, characters of the answer
    near: np.ndarray | None = None  # int64: equal for examples that say almost the same

    @property
    def mended(self) -> np.ndarray:
        """The examples that repairs may touch. Shapes: bool (N,)."""
        return self.part != EXAM

    def repeats(self) -> np.ndarray:
        """Examples that are equal to an earlier one. Shapes: bool (N,)."""
        return self._is_later(self.whole) & self.mended

    def near_repeats(self) -> np.ndarray:
        """Examples that say almost the same as an earlier one, and are not equal to it. Shapes: bool (N,)."""
        assert self.near is not None
        short = np.where(self.length <= _SHORT_ANSWER, self.answer, np.uint64(0))
        _, group = np.unique(np.stack([self.near.astype(np.uint64), short]), axis=1, return_inverse=True)
        first = self._first(group)
        return (
            self.mended
            & (first < np.arange(len(group)))
            & (self.whole != self.whole[np.minimum(first, len(group) - 1)])
        )

    def contradictions(self, most_answers: int | None = None) -> np.ndarray:
        """Examples whose question has another answer elsewhere. Shapes: bool (N,).

        A question with more than `most_answers` answers is an open one, and is left out.
        """
        asked = self.mended & (self.matter != 0)
        _, group = np.unique(self.matter, return_inverse=True)
        pairs = np.unique(np.stack([group[asked], self.answer[asked].astype(np.int64)]), axis=1)
        answers = np.bincount(pairs[0].astype(np.int64), minlength=group.max(initial=0) + 1)[group]
        return asked & (answers > 1) & (answers <= (most_answers or len(group)))

    def overlap(self, other: int, near: bool = True) -> np.ndarray:
        """Examples of the earlier parts that part number `other` has too, or almost. Shapes: bool (N,)."""
        theirs, mine = self.part == other, self.part < other
        keys = [self.whole, self.question] if self._questions_identify() else [self.whole]
        if near and self.near is not None:
            keys.append(self.near)
        found = np.zeros(len(self.part), dtype=bool)
        for key in keys:
            found |= np.isin(key, key[theirs & (key != 0 if key is self.question else True)])
        return found & mine

    def _questions_identify(self) -> bool:
        different = len(np.unique(self.question[self.question != 0]))
        return different >= _IDENTIFYING * len(np.unique(self.whole))

    def _is_later(self, keys: np.ndarray) -> np.ndarray:
        _, group = np.unique(keys, return_inverse=True)
        return self._first(group) < np.arange(len(group))

    def _first(self, group: np.ndarray) -> np.ndarray:
        """For each example, the first of its group among those that may be repaired. Shapes: int64 (N,)."""
        first = np.full(group.max(initial=0) + 1, len(group), dtype=np.int64)
        at = np.flatnonzero(self.mended)
        np.minimum.at(first, group[at], at)
        return first[group]


class Writing:
    """Fills a ledger while examples pass by."""

    def __init__(self, near: bool) -> None:
        self.part, self.row, self.length = array("B"), array("q"), array("q")
        self.whole, self.question, self.matter, self.answer = array("Q"), array("Q"), array("Q"), array("Q")
        self.sketches = Sketches() if near else None
        self.waiting: list[str] = []

    def note(self, part: str, row: int, seen: View) -> None:
        example = seen.example
        answer = str(example["label"]) if "label" in example else seen.answer
        asked = matter(example) if example.get("images") else seen.question
        question = prompt_key(asked) | 1 if asked else 0
        self.part.append(PARTS.index(part))
        self.row.append(row)
        self.length.append(len(answer))
        self.whole.append(int.from_bytes(digest(example)[:8], "big"))
        self.question.append(question)
        self.matter.append(_matter(seen, question))
        self.answer.append(prompt_key(answer) | 1)
        if self.sketches is not None:
            self.waiting.append(f"{asked}\n{seen.answer}"[:_SKETCHED_CHARACTERS])
            if len(self.waiting) >= 512:
                self._sketch()

    def _sketch(self) -> None:
        if self.sketches is not None:
            self.sketches.add_many(self.waiting)
        self.waiting = []

    def ledger(self) -> Ledger:
        self._sketch()
        keys = [np.array(each, dtype=np.uint64) for each in (self.whole, self.question, self.matter, self.answer)]
        near = self.sketches.clusters() if self.sketches is not None else None
        row, length = np.array(self.row, dtype=np.int64), np.array(self.length, dtype=np.int64)
        return Ledger(np.array(self.part, dtype=np.uint8), row, *keys, length, near)


def _matter(seen: View, question: int) -> int:
    example = seen.example
    if "label" in example:
        return prompt_key(f"{seen.question}\0{seen.answer}") | 1
    if "chosen" in example:
        rejected = "\n".join(turn["content"] for turn in example.get("rejected", ()))
        return prompt_key("\0".join([seen.question, *sorted([seen.answer, rejected])])) | 1
    return question if seen.answer else 0


def read_ledger(folder: Path, kind: str, near: bool) -> Ledger:
    writing = Writing(near)
    for part, row, seen in views(folder, kind):
        writing.note(part, row, seen)
    return writing.ledger()

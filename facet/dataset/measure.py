"""Counts, lengths and hashes of examples: the same for those being prepared and for those read back from disk."""

from array import array
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.conversation import Example, texts_of
from facet.dataset.digests import DIGEST_BYTES, answered, digest, whole_fingerprint
from facet.dataset.split import PARTS
from facet.dataset.store import part_file, whole_examples

_MOST_LABELS = 100
_MOST_COUNTED_LABELS = 10_000


class Measure:
    """Takes examples one by one and keeps twenty-four bytes of each."""

    def __init__(self, counts_labels: bool = False) -> None:
        self.digests = bytearray()
        self.prompts, self.answers = array("I"), array("I")  # lengths in characters
        self.labels: Counter[str] | None = Counter() if counts_labels else None
        self.characters = self.count = 0

    def add(self, example: Example, digest: bytes, answer: str) -> int:
        """How many characters the example has."""
        if len(example) == 1:
            size = sum([len(turn["content"]) for turn in example["messages"]])
        else:
            size = sum(map(len, texts_of(example)))
        self.digests += digest
        self.prompts.append(max(0, size - len(answer)))
        self.answers.append(len(answer))
        self.characters += size
        self.count += 1
        if self.labels is not None and (answer in self.labels or len(self.labels) < _MOST_COUNTED_LABELS):
            self.labels[answer] += 1
        return size

    def keys(self) -> np.ndarray:
        """The first eight bytes of each digest as numbers. Shape: uint64 (N,)."""
        return np.frombuffer(self.digests, dtype=">u8")[:: DIGEST_BYTES // 8].astype(np.uint64)

    def lengths(self, used: np.ndarray | None = None) -> dict[str, int]:
        """In characters. Shape: `used` bool (N,), all without it."""
        prompts, answers = np.frombuffer(self.prompts, np.uint32), np.frombuffer(self.answers, np.uint32)
        if used is not None:
            prompts, answers = prompts[used], answers[used]
        if not len(prompts):
            return {"median_prompt_characters": 0, "median_answer_characters": 0, "longest_characters": 0}
        return {
            "median_prompt_characters": int(np.median(prompts)),
            "median_answer_characters": int(np.median(answers)),
            "longest_characters": int((prompts + answers).max()),
        }

    def most_common_labels(self) -> dict[str, int] | None:
        return None if self.labels is None else dict(self.labels.most_common(_MOST_LABELS))


def measured(folder: Path, counts_labels: bool = False) -> dict[str, Any]:
    """The same of a prepared dataset: entries of its `dataset.json` that follow from what is in its parts."""
    measure = Measure(counts_labels)
    digests: dict[str, bytes] = {}
    splits: dict[str, int] = {}
    for part in PARTS:
        before = measure.count
        for _, example in whole_examples(part_file(folder, part)):
            measure.add(example, digest(example), answered(example))
        splits[part] = measure.count - before
        digests[part] = bytes(measure.digests[before * DIGEST_BYTES :])
    return {
        "used": measure.count,
        "duplicates": measure.count - len(np.unique(measure.keys())),
        "lengths": measure.lengths(),
        "labels": measure.most_common_labels(),
        "splits": splits,
        "fingerprint": whole_fingerprint(digests),
    }

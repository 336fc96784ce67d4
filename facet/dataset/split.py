"""Which examples the model learns from, which are watched while it learns, and which are kept for the exam."""

import hashlib
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from facet.errors import SettingError

Part = Literal["train", "validation", "exam"]
PARTS: tuple[Part, ...] = ("train", "validation", "exam")
FEWEST_TO_SPLIT = 10  # different examples; with fewer, all of them are learned from
MOST_SHARE = 0.5
MOST_SHARES = 0.8
EXACT_UP_TO = 10_000


def split(fingerprints: Sequence[bytes], validation_share: float, exam_share: float, seed: int) -> list[Part]:
    """The part of every example, by its content alone, so that the order of rows changes nothing.

    Examples with the same fingerprint stay together. From ten different examples on, each part that was asked for
    gets at least one. Up to 10,000 examples the counts are exact; above, each example's part depends on nothing but
    itself and the seed.
    """
    keys = np.array([int.from_bytes(each[:8], "big") for each in fingerprints], dtype=np.uint64)
    return [PARTS[number] for number in split_keys(keys, validation_share, exam_share, seed)]


def split_keys(keys: np.ndarray, validation_share: float, exam_share: float, seed: int) -> np.ndarray:
    """The same for the first eight bytes of each fingerprint, as numbers; returns indices into `PARTS`.

    Shapes: `keys` uint64 (N,), result uint8 (N,).
    """
    validation_share, exam_share = checked_shares(validation_share, exam_share)
    unique, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    if len(unique) < FEWEST_TO_SPLIT:
        return np.zeros(len(keys), dtype=np.uint8)
    places = _shuffled(unique, seed)
    if len(keys) <= EXACT_UP_TO:
        parts = _by_rank(places, counts, validation_share, exam_share)
    else:
        parts = _by_threshold(places, validation_share, exam_share)
    return parts[inverse]


def _by_rank(places: np.ndarray, counts: np.ndarray, validation_share: float, exam_share: float) -> np.ndarray:
    """The first in shuffled order sit the exam, the next are for validation, until each has its count of rows."""
    order = np.argsort(places, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    total = int(counts.sum())
    exam = max(1, round(total * exam_share)) if exam_share else 0
    validation = max(1, round(total * validation_share)) if validation_share else 0
    parts = np.zeros(len(places), dtype=np.uint8)
    is_exam = before < exam
    start = int(counts[order][is_exam].sum())
    is_validation = ~is_exam & (before < start + validation)
    parts[order[is_exam]] = PARTS.index("exam")
    parts[order[is_validation]] = PARTS.index("validation")
    if not (parts == 0).any():
        parts[order[-1]] = 0
    return parts


def _by_threshold(places: np.ndarray, validation_share: float, exam_share: float) -> np.ndarray:
    position = places / 2.0**64
    parts = np.zeros(len(places), dtype=np.uint8)
    parts[position < exam_share + validation_share] = PARTS.index("validation")
    parts[position < exam_share] = PARTS.index("exam")
    return parts


def _shuffled(keys: np.ndarray, seed: int) -> np.ndarray:
    """Each key at an even, unforeseeable place between 0 and 2**64 (splitmix64, salted by the seed)."""
    salt = int.from_bytes(hashlib.blake2b(str(int(seed)).encode(), digest_size=8).digest(), "big")
    with np.errstate(over="ignore"):
        mixed = keys ^ np.uint64(salt)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def checked_shares(validation_share: float, exam_share: float) -> tuple[float, float]:
    """Both shares as numbers. Raises: `SettingError` unless each is from 0 to 0.5 and together at most 0.8."""
    shares = (
        ("Set aside for validation", validation_share),
        ("Set aside for the exam", exam_share),
    )
    for label, share in shares:
        if isinstance(share, bool) or not isinstance(share, int | float) or not math.isfinite(share):
            raise SettingError("This is not a number.", f"“{label}” has to be from 0 to 0.5.", f"Correct “{label}”.")
        if not 0 <= share <= MOST_SHARE:
            raise SettingError(
                "This share is out of range.",
                f"“{label}” is {share:g} and has to be from 0 to {MOST_SHARE:g}.",
                f"Choose another value for “{label}”.",
            )
    if validation_share + exam_share > MOST_SHARES:
        raise SettingError(
            "Too few examples would be left to learn from.",
            f"The two parts together are {validation_share + exam_share:.0%} and may be {MOST_SHARES:.0%}.",
            "Lower “Set aside for the exam” or “Set aside for validation”.",
        )
    return float(validation_share), float(exam_share)

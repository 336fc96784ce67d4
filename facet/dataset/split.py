"""Which examples the model learns from, which are watched while it learns, and which are kept for the exam."""

import hashlib
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from facet.errors import SettingError

Part = Literal["train", "validation", "exam"]
PARTS: tuple[Part, ...] = ("train", "validation", "exam")
TRAIN, VALIDATION, EXAM = range(3)
FEWEST_TO_SPLIT = 10  # different examples; with fewer, all of them are learned from
FEWEST_OF_A_STRATUM = 3  # one for each part
MOST_SHARE = 0.5
MOST_SHARES = 0.8
EXACT_UP_TO = 10_000
_LARGE_PIECE = 0.1  # of all rows: what is larger, and larger than the part to fill, is learned from


def split(fingerprints: Sequence[bytes], validation_share: float, exam_share: float, seed: int) -> list[Part]:
    """The part of every example, by its content alone, so that the order of rows changes nothing.

    Examples with the same fingerprint stay together. From ten different examples on, each part that was asked for
    gets at least one. Up to 10,000 examples the counts are exact; above, each example's part depends on nothing but
    itself and the seed.
    """
    keys = np.array([int.from_bytes(each[:8], "big") for each in fingerprints], dtype=np.uint64)
    return [PARTS[number] for number in split_keys(keys, validation_share, exam_share, seed)]


def split_keys(
    keys: np.ndarray,
    validation_share: float,
    exam_share: float,
    seed: int,
    units: np.ndarray | None = None,
    strata: np.ndarray | None = None,
) -> np.ndarray:
    """The same for the first eight bytes of each fingerprint, as numbers; returns indices into `PARTS`.

    Rows with the same number in `units` stay together; without it, those with the same key. Each part gets its share
    of every number in `strata`. Shapes: `keys` uint64 (N,), `units` and `strata` integers (N,), result uint8 (N,).
    """
    validation_share, exam_share = checked_shares(validation_share, exam_share)
    if len(np.unique(keys)) < FEWEST_TO_SPLIT:
        return np.zeros(len(keys), dtype=np.uint8)
    inverse, counts, firsts = _pieces(keys, keys if units is None else units)
    places = _shuffled(keys[firsts], seed)
    if strata is not None:
        parts = _by_stratum(places, counts, strata[firsts], validation_share, exam_share)
    elif len(keys) <= EXACT_UP_TO:
        parts = _by_rank(places, counts, *_targets(len(keys), validation_share, exam_share))
    else:
        parts = _by_threshold(places, counts, validation_share, exam_share)
    return parts[inverse]


def sample(keys: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Which rows are drawn: by content, and so that a smaller sample lies within a larger one.

    Shapes: `keys` uint64 (N,), result bool (N,) with `size` True, or all where there are no more.
    """
    drawn = np.zeros(len(keys), dtype=bool)
    drawn[np.argsort(_shuffled(keys, seed, "sample"), kind="stable")[:size]] = True
    return drawn


def fits(units: np.ndarray, validation_share: float, exam_share: float) -> bool:
    """Whether these pieces are small enough to fill the parts that are kept aside. Shape: (N,)."""
    counts = np.unique(units, return_counts=True)[1]
    validation, exam = _targets(len(units), validation_share, exam_share)
    small = counts[counts <= _largest(int(counts.sum()), max(validation, exam))]
    return len(counts) >= FEWEST_TO_SPLIT and int(small.sum()) >= min(validation + exam, len(units) - 1)


def _pieces(keys: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row its piece; for each piece its number of rows, and the row with the smallest key to stand for it."""
    order = np.lexsort((keys, units))
    starts = np.flatnonzero(np.r_[True, units[order][1:] != units[order][:-1]])
    counts = np.diff(np.r_[starts, len(units)])
    inverse = np.empty(len(units), dtype=np.int64)
    inverse[order] = np.repeat(np.arange(len(starts)), counts)
    return inverse, counts, order[starts]


def _targets(rows: int, validation_share: float, exam_share: float) -> tuple[int, int]:
    exam = max(1, round(rows * exam_share)) if exam_share else 0
    return (max(1, round(rows * validation_share)) if validation_share else 0), exam


def _largest(rows: int, wanted: int) -> int:
    """The most rows of one piece that may be kept aside."""
    return max(wanted, int(rows * _LARGE_PIECE))


def _by_rank(places: np.ndarray, counts: np.ndarray, validation: int, exam: int) -> np.ndarray:
    """The first in shuffled order sit the exam, the next are for validation, until each has its count of rows."""
    order = np.argsort(places, kind="stable")
    parts = np.zeros(len(places), dtype=np.uint8)
    for part, wanted in ((EXAM, exam), (VALIDATION, validation)):
        free = order[parts[order] == TRAIN]
        if wanted and len(free) > 1:
            parts[_first(free, counts, wanted, _largest(int(counts.sum()), wanted))] = part
    return parts


def _first(free: np.ndarray, counts: np.ndarray, wanted: int, largest: int) -> np.ndarray:
    """Pieces for one part: the first that are not too large, or the smallest of all; never everything there is."""
    small = free[counts[free] <= largest]
    if not len(small):
        return free[np.argmin(counts[free])][None]
    before = np.cumsum(counts[small]) - counts[small]
    taken = small[before < wanted]
    return taken[:-1] if len(taken) == len(free) else taken


def _by_threshold(places: np.ndarray, counts: np.ndarray, validation_share: float, exam_share: float) -> np.ndarray:
    position, rows = places / 2.0**64, int(counts.sum())
    largest = _largest(rows, round(rows * max(validation_share, exam_share)))
    parts = np.zeros(len(places), dtype=np.uint8)
    parts[position < exam_share + validation_share] = VALIDATION
    parts[position < exam_share] = EXAM
    parts[counts > largest] = TRAIN
    return parts


def _by_stratum(
    places: np.ndarray, counts: np.ndarray, strata: np.ndarray, validation_share: float, exam_share: float
) -> np.ndarray:
    """Each stratum divided on its own, so that every category is in every part in its proportion."""
    parts = np.zeros(len(places), dtype=np.uint8)
    order = np.argsort(strata, kind="stable")
    numbers, starts = np.unique(strata[order], return_index=True)
    members = np.split(order, starts[1:])
    rows = np.array([counts[each].sum() for each in members])
    exams, validations = _quotas(rows, exam_share), _quotas(rows, validation_share)
    for place in range(len(numbers)):
        mine = members[place]
        least = int(len(mine) >= FEWEST_OF_A_STRATUM)
        exam = max(int(exams[place]), least if exam_share else 0)
        validation = max(int(validations[place]), least if validation_share else 0)
        parts[mine] = _by_rank(places[mine], counts[mine], validation, exam)
    return parts


def _quotas(rows: np.ndarray, share: float) -> np.ndarray:
    """Whole numbers for each stratum that add up to the share of all (largest remainders). Shapes: (S,)."""
    exact = rows * share
    quotas = np.floor(exact).astype(np.int64)
    missing = round(float(exact.sum())) - int(quotas.sum())
    quotas[np.argsort(quotas - exact, kind="stable")[: max(0, missing)]] += 1
    return quotas


def _shuffled(keys: np.ndarray, seed: int, what: str = "") -> np.ndarray:
    """Each key at an even, unforeseeable place between 0 and 2**64 (splitmix64, salted by the seed)."""
    salt = int.from_bytes(hashlib.blake2b(f"{int(seed)}{what}".encode(), digest_size=8).digest(), "big")
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

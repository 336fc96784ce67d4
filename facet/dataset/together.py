"""Which rows must stay on one side of a split, because one of them would give another one away."""

from collections.abc import Callable

import numpy as np

Grouping = Callable[[], np.ndarray]
Fits = Callable[[np.ndarray], bool]


def components(groupings: list[np.ndarray]) -> np.ndarray:
    """Rows that are linked by any of the groupings, also through other rows, get one number.

    Shapes: each grouping (N,), equal values belong together; result int64 (N,), the smallest index of the linked rows.
    """
    found = np.arange(len(groupings[0]), dtype=np.int64)
    sorted_ones = [_sorted(grouping) for grouping in groupings]
    while True:
        before = found
        for order, starts, inverse in sorted_ones:
            if len(starts):
                found = np.minimum.reduceat(found[order], starts)[inverse]
        found = found[found]
        if np.array_equal(found, before):
            return found


def _sorted(grouping: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows in the order of their groups, where each group starts, and the group of each row."""
    _, inverse, counts = np.unique(grouping, return_inverse=True, return_counts=True)
    return np.argsort(inverse, kind="stable"), np.cumsum(counts) - counts, inverse


def alone_where(missing: np.ndarray, grouping: np.ndarray) -> np.ndarray:
    """The grouping with rows that have no value each in a group of their own. Shapes: (N,) bool, (N,) uint64."""
    _, inverse = np.unique(grouping, return_inverse=True)
    return np.where(missing, len(grouping) + np.arange(len(grouping)), inverse)


def units(hard: list[np.ndarray], soft: list[list[Grouping]], fits: Fits) -> tuple[np.ndarray, list[bool]]:
    """Linked rows, and which of the `soft` groupings could be kept.

    `hard` groupings always hold. Of each soft one, a list from loose to strict, the first is taken that leaves pieces
    small enough to fill every part (`fits`): rows that all say nearly the same cannot be kept apart from one another.
    """
    found = components(hard)
    kept: list[bool] = []
    for choices in soft:
        for grouping in choices:
            wider = components([found, grouping()])
            if fits(wider):
                found = wider
                kept.append(True)
                break
        else:
            kept.append(False)
    return found, kept

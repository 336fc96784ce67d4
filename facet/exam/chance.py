"""Could it be chance? Tests of paired differences: exact for right or wrong, resampled for scores.

Both are made so that two equal models are told apart at most as often as the level says, in a dozen questions too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
_SEED = 20_241
_CELLS = 4_000_000  # numbers drawn at once: memory stays small however many the questions
_ROUNDING = 1e-12
Weights = Callable[[np.random.Generator, int, int], Iterator[np.ndarray]]


@dataclass(frozen=True)
class Finding:
    """What a test says of the mean difference."""

    p: float  # two-sided
    low: float
    high: float


def mcnemar(wins: int | np.ndarray, losses: int | np.ndarray) -> np.ndarray:
    """Exact two-sided p that two equal models come apart at least this far. Numbers or arrays.

    Only questions on which they differ count; of equal models each wins half of them (binomial, doubled tail). The
    mid-p variant finds a little more, but may exceed the level, and the exact test finds enough.
    Source: McNemar 1947, https://doi.org/10.1007/BF02295996.
    """
    from scipy import special

    wins, losses = np.asarray(wins), np.asarray(losses)
    tail = special.bdtr(np.minimum(wins, losses), wins + losses, 0.5)
    return np.where(wins + losses > 0, np.minimum(1.0, 2 * tail), 1.0)


def right_or_wrong(differences: np.ndarray, level: float) -> Finding:
    """McNemar's p, and the interval of Bonett and Price for the difference of two paired shares.

    Source: Bonett and Price 2012, https://doi.org/10.3102/1076998611411915.
    """
    from scipy import special

    wins, losses, rows = int((differences > 0).sum()), int((differences < 0).sum()), len(differences)
    won, lost = (wins + 1) / (rows + 2), (losses + 1) / (rows + 2)
    half = -special.ndtri(level / 2) * np.sqrt((won + lost - (won - lost) ** 2) / (rows + 2))
    return Finding(
        float(mcnemar(wins, losses)), max(-1.0, float(won - lost - half)), min(1.0, float(won - lost + half))
    )


def scored(differences: np.ndarray, level: float) -> Finding:
    """Paired bootstrap of the mean difference. Its p is the larger one of bootstrap and sign flips.

    A bootstrap of few questions is too sure of itself twice: its spread is too narrow, which the t quantiles mend, and
    it takes four equal signs among many ties for proof, which the sign flips do not.
    """
    from scipy import special

    rows = len(differences)
    if rows < 2:
        reach = max(1.0, float(np.abs(differences).max(initial=0.0)))
        return Finding(1.0, -reach, reach)
    means = _means(differences[None], RESAMPLES, _drawn)[0]
    tail = special.ndtr(special.stdtrit(rows - 1, level / 2) * _narrow(rows))
    low, high = np.quantile(means, [tail, 1 - tail])
    p = max(bootstrap_p(differences[None])[0], sign_flip_p(differences[differences != 0][None])[0])
    return Finding(float(p), float(low), float(high))


def bootstrap_p(differences: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Two-sided p of a mean difference of nought, for many sets of pairs at once.

    The share of resampled means beyond nought, read as a normal quantile and taken to the t distribution: the expanded
    percentile interval of Hesterberg 2015 (https://doi.org/10.1080/00031305.2015.1089789), turned round.
    Shapes: `differences` is (S, n), the result (S,).
    """
    from scipy import special

    rows = differences.shape[1]
    means = _means(differences, resamples, _drawn)  # (S, B)
    beyond = np.minimum((means <= _ROUNDING).sum(1), (means >= -_ROUNDING).sum(1))
    t = special.ndtri((beyond + 1) / (resamples + 1)) / _narrow(rows)
    return np.minimum(1.0, 2 * special.stdtr(rows - 1, np.minimum(t, 0.0)))


def sign_flip_p(differences: np.ndarray, resamples: int = RESAMPLES) -> np.ndarray:
    """Share of the ways to swap the two models question by question that give a difference as large. (S, n) → (S,).

    All ways if they are few, a sample of them otherwise.
    """
    rows = differences.shape[1]
    observed = np.abs(differences.mean(1, keepdims=True)) if rows else np.zeros((len(differences), 1))
    if 2**rows <= resamples:
        ways = 1 - 2.0 * (np.arange(2**rows)[:, None] >> np.arange(rows) & 1)  # (2^n, n)
        means = differences @ ways.T / max(1, rows)
        return (np.abs(means) >= observed - _ROUNDING).mean(1)
    means = _means(differences, resamples, _flipped)
    return ((np.abs(means) >= observed - _ROUNDING).sum(1) + 1) / (resamples + 1)


def _narrow(rows: int) -> float:
    """How much too narrow the bootstrap of so many values is: it divides by n where n - 1 would be right."""
    return float(np.sqrt(rows / (rows - 1)))


def _means(differences: np.ndarray, resamples: int, weights: Weights) -> np.ndarray:
    """Means of every set of pairs under so many drawings of weights: (S, n) → (S, B)."""
    rows = differences.shape[1]
    drawn = weights(np.random.default_rng(_SEED), resamples, rows)
    return np.concatenate([differences @ chunk.T / rows for chunk in drawn], axis=1)


def _drawn(rng: np.random.Generator, resamples: int, rows: int) -> Iterator[np.ndarray]:
    """How often each question is drawn when as many as there are are drawn with replacement, (b, n) at a time."""
    for size in _chunks(resamples, rows):
        places = rng.integers(rows, size=(size, rows)) + rows * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * rows).reshape(size, rows).astype(float)


def _flipped(rng: np.random.Generator, resamples: int, rows: int) -> Iterator[np.ndarray]:
    """Signs of each question, (b, n) at a time."""
    for size in _chunks(resamples, rows):
        yield rng.integers(2, size=(size, rows)) * 2.0 - 1.0


def _chunks(resamples: int, rows: int) -> Iterator[int]:
    most = max(1, _CELLS // rows)
    for start in range(0, resamples, most):
        yield min(most, resamples - start)

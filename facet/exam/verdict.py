"""Is one contestant better than another? A test that is right about chance, and its result in one sentence.

Of two equal models it says "better" or "worse" at most once in twenty times, however few the questions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from facet.exam import chance, scores
from facet.exam.chance import Finding, mcnemar
from facet.exam.outcome import Better, ExamType, Verdict
from facet.exam.verdict_words import sentence

__all__ = ["LEVEL", "compare", "mcnemar"]

LEVEL = 0.05  # how often "better" or "worse" may be said of two equal models
_SAME = 1e-9  # scores closer than this are a tie


def compare(
    type: ExamType,
    part: str,
    a_key: str,
    b_key: str,
    names: Mapping[str, str],
    a_scores: Sequence[Mapping[str, float]],
    b_scores: Sequence[Mapping[str, float]],
    comparisons: int = 1,
    *,
    metric: str | None = None,
) -> Verdict:
    """Is `b` better than `a` on the same questions? Rests on `scores.main(type)`, or on another `metric`.

    `names` are the contestants' by key. `comparisons` says how many verdicts are given at once: p and the interval are
    corrected for them (Bonferroni). A question on which one of the two has no such score is left out.
    """
    metric = metric or scores.main(type)
    pairs = _pairs(metric, a_scores, b_scores)  # (n, 2)
    differences = np.where(np.abs(pairs[:, 1] - pairs[:, 0]) > _SAME, pairs[:, 1] - pairs[:, 0], 0.0)
    comparisons = max(1, comparisons)
    counts = scores.is_right_or_wrong(metric)
    found = (chance.right_or_wrong if counts else chance.scored)(differences, LEVEL / comparisons)
    found = replace(found, p=min(1.0, found.p * comparisons))
    better = _better(found)
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    verdict = Verdict(
        part=part,
        a=a_key,
        b=b_key,
        metric=metric,
        better=better,
        wins=wins,
        losses=losses,
        ties=len(differences) - wins - losses,
        difference=float(differences.mean()) if len(differences) else 0.0,
        low=min(found.low, 0.0) if better == "cannot_tell" else found.low,
        high=max(found.high, 0.0) if better == "cannot_tell" else found.high,
        p=found.p,
        comparisons=comparisons,
        words="",
    )
    averages = tuple(pairs.mean(0)) if len(pairs) else (math.nan, math.nan)
    return replace(verdict, words=sentence(verdict, names[a_key], names[b_key], averages, counts))


def _pairs(metric: str, a: Sequence[Mapping[str, float]], b: Sequence[Mapping[str, float]]) -> np.ndarray:
    both = [(one[metric], other[metric]) for one, other in zip(a, b, strict=True) if metric in one and metric in other]
    return np.array([pair for pair in both if all(map(math.isfinite, pair))], dtype=float).reshape(-1, 2)


def _better(found: Finding) -> Better:
    """A verdict only where test and interval agree, so that the picture never contradicts the sentence."""
    if found.p > LEVEL or found.low <= 0 <= found.high:
        return "cannot_tell"
    return "better" if found.low > 0 else "worse"

"""Which save point a run ends with, and when more steps are of no use: read from the validation curve alone.

Every slice sees the same curve, however often the run was killed, so every slice decides the same. No torch here.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from facet.recipe.recipes import TrainingRecipe

NOISE = 0.002  # a loss this share lower is no better: looks at models that answer alike differ by less
Looks = Sequence[tuple[int, float]]  # (step, validation loss), in order of step


def looks_of(curve: Looks, until: int) -> list[tuple[int, float]]:
    """Looks at what was learned up to a step. The one before step 1 saw the starting model, which nobody keeps."""
    return [(step, loss) for step, loss in curve if 1 <= step <= until and math.isfinite(loss)]


def lowest(looks: Looks, among: Collection[int] | None = None) -> int | None:
    """The first step with the lowest loss, where given only among some steps."""
    found = [(loss, step) for step, loss in looks if among is None or step in among]
    return min(found)[1] if found else None


def is_lowest(looks: Looks) -> bool:
    """Did the newest look see the lowest loss so far?"""
    return bool(looks) and lowest(looks) == looks[-1][0]


def without_gain(looks: Looks, least: float = 0.0) -> int:
    """How many looks in a row, up to the newest, brought no clear gain: not one of `least` nats."""
    return _last_gain(looks, least)[2]


def _last_gain(looks: Looks, least: float) -> tuple[int, float, int]:
    """The newest look that brought a clear gain: its step, its loss, and how many came after it."""
    at, best, count = 0, math.inf, 0
    for step, loss in looks:
        gained = math.isinf(best) or loss < best - max(least, NOISE * abs(best))
        at, best, count = (step, loss, 0) if gained else (at, best, count + 1)
    return at, best, count


def is_enough(looks: Looks, recipe: TrainingRecipe, total_steps: int) -> bool:
    """Shall the run end before its last step, because too many looks in a row brought nothing?"""
    patience = recipe.early_stopping_patience
    if not patience or not looks or looks[-1][0] >= total_steps:
        return False
    return without_gain(looks, recipe.early_stopping_threshold) >= patience


@dataclass(frozen=True)
class Kept:
    """The save point a run ends with, and why."""

    step: int
    words: str = ""  # empty where it is the newest one and nothing has to be explained


def kept(looks: Looks, newest: int, saved: Collection[int], recipe: TrainingRecipe) -> Kept:
    """Where the newest is as good as the lowest, up to noise, it is kept: it has learned from more examples."""
    best = lowest(looks, saved) if recipe.keep_best else None
    seen = dict(looks)
    if best is None or best == newest or (newest in seen and seen[newest] <= seen[best] + NOISE * abs(seen[best])):
        return Kept(newest)
    words = f"Validation loss was lowest at step {best:,} ({seen[best]:.3g}). The model of that step is kept"
    if newest not in seen:
        return Kept(best, f"{words}: what came after it was not checked any more.")
    return Kept(best, f"{words}, for by step {newest:,} it had risen to {seen[newest]:.3g}: learning by heart.")


def why_enough(looks: Looks, least: float = 0.0) -> str:
    """The loss that the checks were compared with; a later one may be a little lower, but not clearly."""
    step, loss, count = _last_gain(looks, least)
    return (
        f"It stopped at step {looks[-1][0]:,}, because {count} checks in a row brought no clearly lower validation "
        f"loss than {loss:.3g} at step {step:,}. “Stop when it gets no better” sets how many."
    )

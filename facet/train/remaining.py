"""How long a run still takes: from what its newest steps and looks took, so it is the same wherever one looks."""

import statistics

from facet.recipe.recipes import TrainingRecipe
from facet.train.to_trl import evaluation_steps
from facet.work.log import Progress

NEWEST_STEPS = 50  # their median: one long example more or less changes nothing
FEWEST_STEPS = 3
NEWEST_LOOKS = 3


def seconds_left(progress: Progress, recipe: TrainingRecipe) -> float | None:
    """Until the last step, looks on the way included; None while that cannot be known yet."""
    taken = [seconds for _, seconds in progress.curves.get("step_seconds", [])][-NEWEST_STEPS:]
    if progress.stage != "running" or not progress.total_steps or len(taken) < FEWEST_STEPS:
        return None
    looked = [seconds for _, seconds in progress.curves.get("look_seconds", [])][-NEWEST_LOOKS:]
    looks = sum(step > progress.step for step in evaluation_steps(recipe, progress.total_steps)) if looked else 0
    steps = (progress.total_steps - progress.step) * statistics.median(taken)
    return steps + (looks * statistics.median(looked) if looks else 0.0)

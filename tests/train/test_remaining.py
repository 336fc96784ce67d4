"""How long a run still takes: the middle of its newest steps, and the looks that are still to come."""

import pytest

from facet.recipe.recipes import SftRecipe
from facet.train.remaining import seconds_left
from facet.work.log import Progress

RECIPE = SftRecipe(evaluations=4)


def at_work(step: int, seconds: list[float], looks: list[float] = [], **more) -> Progress:  # noqa: B006
    curves = {
        "step_seconds": list(enumerate(seconds, start=step - len(seconds) + 1)),
        "look_seconds": [(0, taken) for taken in looks],
    }
    return Progress(stage="running", step=step, total_steps=100, curves=curves, **more)


def test_nothing_is_promised_before_the_first_steps():
    assert seconds_left(at_work(2, [1.0, 1.0]), RECIPE) is None
    assert seconds_left(Progress(stage="paused"), RECIPE) is None


def test_one_slow_step_changes_nothing():
    assert seconds_left(at_work(20, [2.0] * 10), RECIPE) == seconds_left(at_work(20, [2.0] * 9 + [60.0]), RECIPE) == 160


def test_looks_that_are_still_to_come_take_their_time():
    steps = seconds_left(at_work(30, [1.0] * 9), RECIPE)
    assert seconds_left(at_work(30, [1.0] * 9, [5.0, 7.0, 60.0]), RECIPE) == pytest.approx(steps + 3 * 7.0)


def test_at_the_last_step_nothing_is_left():
    assert seconds_left(at_work(100, [1.0] * 9, [5.0]), RECIPE) == 0.0

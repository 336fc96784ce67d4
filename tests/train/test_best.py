"""Which save point a run ends with, and when more steps are of no use: from the validation curve alone."""

import pytest

from facet.recipe.knobs import settings
from facet.recipe.recipes import SftRecipe
from facet.train import best

RECIPE = SftRecipe()
FALLS_AND_RISES = [(10, 2.0), (20, 1.5), (30, 1.23), (40, 1.4), (50, 1.6), (60, 1.8)]


def test_the_look_before_step_1_saw_the_starting_model_which_nobody_keeps():
    assert best.looks_of([(0, 0.5), (10, 1.0), (20, float("nan")), (30, 0.9)], 25) == [(10, 1.0)]


def test_the_lowest_is_kept_and_the_sentence_says_why():
    found = best.kept(FALLS_AND_RISES, 60, {30, 50, 60}, RECIPE)

    assert found.step == 30
    assert "lowest at step 30 (1.23)" in found.words and "risen to 1.8" in found.words


def test_of_those_that_were_saved():
    assert best.kept(FALLS_AND_RISES, 60, {50, 60}, RECIPE).step == 50


def test_the_newest_is_kept_where_it_is_as_good_up_to_noise():
    looks = [(10, 1.0), (20, 0.9000), (30, 0.9005)]
    assert best.kept(looks, 30, {20, 30}, RECIPE) == best.Kept(30)


def test_without_a_validation_part_or_without_the_wish_the_newest_is_kept():
    assert best.kept([], 60, {30, 60}, RECIPE) == best.Kept(60)
    assert best.kept(FALLS_AND_RISES, 60, {30, 60}, RECIPE.model_copy(update={"keep_best": False})).step == 60


def test_a_newest_that_nobody_looked_at_is_not_preferred_to_a_best_that_was():
    found = best.kept(FALLS_AND_RISES[:3], 35, {30, 35}, RECIPE)
    assert found.step == 30 and "not checked" in found.words


@pytest.mark.parametrize(("patience", "expected"), [(1, [40, 50]), (2, [50]), (3, []), (None, [])])
def test_it_is_enough_after_so_many_looks_without_a_gain_and_never_at_the_very_end(patience, expected):
    recipe = RECIPE.model_copy(update={"early_stopping_patience": patience})
    ends = [
        step
        for at, (step, _) in enumerate(FALLS_AND_RISES, start=1)
        if best.is_enough(FALLS_AND_RISES[:at], recipe, 60)
    ]
    assert ends == expected


def test_equal_losses_are_no_gain_and_a_slow_fall_is_one():
    assert best.without_gain([(1, 1.0), (2, 1.0), (3, 0.999), (4, 1.0)]) == 3
    assert best.without_gain([(step, 1.0 - 0.0015 * step) for step in range(1, 9)]) <= 1


def test_the_reason_for_an_early_end_has_its_numbers_and_the_name_of_the_setting():
    words = best.why_enough(FALLS_AND_RISES)
    assert "step 60" in words and "3 checks in a row" in words and "1.23 at step 30" in words
    assert "“Stop when it gets no better”" in words


def test_the_reason_quotes_the_loss_that_the_checks_were_compared_with():
    looks = [(10, 1.0), (20, 0.96), (30, 0.94), (40, 0.93)]  # ever a little lower, and never by a tenth
    words = best.why_enough(looks, least=0.1)
    assert "3 checks in a row brought no clearly lower validation loss than 1 at step 10" in words


def test_the_setting_says_how_much_a_fall_has_to_be_at_least():
    knob = next(one.knob for one in settings(SftRecipe) if one.name == "early_stopping_threshold")
    least = f"{100 * best.NOISE:g} %"

    assert least in knob.plain and least in knob.expert and least in knob.source
    assert best.without_gain([(1, 1.0), (2, 0.9985)]) == 1 and best.without_gain([(1, 1.0), (2, 0.997)]) == 0

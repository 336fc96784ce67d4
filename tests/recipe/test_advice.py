"""Advice follows the data and the model, and says why with their numbers."""

from dataclasses import replace

import pytest

from facet.errors import SettingError
from facet.recipe.advice import DataFacts, ModelFacts, advise, as_given, asked_on_the_way, notes_on, require_fit
from facet.recipe.goals import GOALS
from facet.recipe.knobs import complaints
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.starting import _estimated

SMALL = ModelFacts("Gemma 3 270M", 268_000_000, 32_768)


def data(train: int, longest: int, most: int | None = None, validation: int = 10) -> DataFacts:
    return DataFacts(train, validation, longest, most or longest, measured=True)


def test_three_different_datasets_get_three_different_recipes():
    recipes = {advise(facts, SMALL).recipe for facts in (data(64, 40), data(900, 700), data(50_000, 3000, 900))}
    assert len(recipes) == 3


def test_nothing_is_cut_when_the_longest_example_is_not_far_from_the_rest():
    advice = advise(data(500, 700, 500), SMALL)

    assert advice.recipe.max_length > 700
    assert any("700" in reason.words for reason in advice.reasons)


def test_a_few_giants_do_not_set_the_length_for_everybody_and_this_is_said():
    advice = advise(data(500, 9000, 300), SMALL)

    assert 300 < advice.recipe.max_length <= 384
    assert any("9,000" in reason.words and "cut" in reason.words for reason in advice.reasons)


def test_a_quick_taste_takes_few_steps_and_says_how_much_it_reads():
    advice = advise(data(10_000, 100), SMALL, "quick")

    assert advice.recipe.steps(10_000) == 40
    assert any("10,000" in reason.words for reason in advice.reasons)


@pytest.mark.parametrize("train", [1, 8, 64, 999, 100_000])
@pytest.mark.parametrize("longest", [5, 300, 100_000])
@pytest.mark.parametrize("preset", ["quick", "balanced", "thorough"])
def test_advice_is_always_within_the_bounds_and_has_a_reason_for_what_it_says(train, longest, preset):
    advice = advise(data(train, longest), SMALL, preset)

    assert complaints(SftRecipe, advice.recipe.model_dump()) == {}
    assert all(getattr(advice.recipe, reason.setting) == reason.value for reason in advice.reasons)


def test_without_a_validation_part_there_is_nothing_to_check_on():
    assert advise(data(20, 50, validation=0), SMALL).recipe.evaluations == 0


ANY = data(500, 300)
TEXTS = DataFacts(40, 4, 90_000, 60_000, measured=True, method="cpt", tokens=800_000)


def test_plain_text_is_read_as_it_stands_by_continued_pre_training():
    advice = advise(TEXTS, SMALL, "balanced", "facts")

    assert isinstance(advice.recipe, PretrainRecipe) and advice.recipe.packing
    assert "continued pre-training" in advice.words
    assert advice.rows == -(-800_000 // advice.recipe.max_length)


def test_facts_from_conversations_point_to_plain_text():
    assert "plain text" in advise(ANY, SMALL, "balanced", "facts").words


@pytest.mark.parametrize("goal", [goal for goal in GOALS if goal != "any"])
@pytest.mark.parametrize("facts", [data(64, 40), TEXTS], ids=["conversations", "texts"])
def test_every_goal_is_within_the_bounds_and_has_a_reason_for_all_it_changes(goal, facts):
    usual, advice = advise(facts, SMALL).recipe, advise(facts, SMALL, "balanced", goal)
    changed = {name for name in type(usual).model_fields if getattr(usual, name) != getattr(advice.recipe, name)}

    assert complaints(type(advice.recipe), advice.recipe.model_dump()) == {}
    assert [clash for clash in advice.recipe.clashes() if clash.is_fatal] == []
    assert changed <= {reason.setting for reason in advice.reasons}
    assert changed


def test_the_goals_differ_from_each_other():
    recipes = {goal: advise(data(64, 40), SMALL, "balanced", goal).recipe for goal in GOALS}
    assert len(set(recipes.values())) == len(GOALS)


def test_a_model_that_was_never_taught_to_answer_reads_the_conversations_once_more():
    taught, untaught = advise(ANY, SMALL), advise(ANY, replace(SMALL, is_pretrained=True))

    assert untaught.recipe.num_train_epochs == taught.recipe.num_train_epochs + 1
    assert any("never held a conversation" in reason.words for reason in untaught.reasons)


def test_at_most_five_questions_are_asked_on_the_way():
    assert asked_on_the_way(["", "  "], SftRecipe()) is None
    assert asked_on_the_way(["one", "", *"abcdef"], SftRecipe()) == {"samples": ["one", *"abcd"]}


def test_questions_that_could_have_no_answer_are_refused_and_not_ignored():
    silent = SftRecipe(sample_max_tokens=0)
    assert asked_on_the_way([" "], silent) is None
    with pytest.raises(SettingError, match="Length of the answers on the way"):
        asked_on_the_way(["one"], silent)


def test_all_weights_take_a_tenth_of_the_rate_of_an_adapter_and_it_is_said():
    advice = advise(ANY, SMALL)
    whole = as_given(advice.recipe, {"tuning": "full"})

    assert whole.learning_rate == pytest.approx(advice.recipe.learning_rate / 10)
    assert any("a tenth of what an adapter takes" in note for note in notes_on(whole, advice, {"tuning": "full"}))
    assert as_given(advice.recipe, {"lora_rank": 4}).learning_rate == advice.recipe.learning_rate


def test_a_rate_that_was_named_stays_and_that_it_is_an_adapters_is_said():
    advice = advise(ANY, SMALL)
    given = {"tuning": "full", "learning_rate": advice.recipe.learning_rate}
    whole = as_given(advice.recipe, given)

    assert whole.learning_rate == advice.recipe.learning_rate
    assert any("is that of an adapter" in note for note in notes_on(whole, advice, given))
    require_fit(whole, ANY, SMALL)
    gentle = given | {"learning_rate": 3e-5}
    assert not any("adapter" in note for note in notes_on(as_given(advice.recipe, gentle), advice, gentle))


@pytest.mark.parametrize("train", [4, 16, 100, 400])
def test_a_taste_of_texts_that_were_not_measured_is_never_more_than_all_their_times_through(train):
    guess = DataFacts(train, 2, 40_000, 40_000, measured=False, method="cpt", tokens=train * 40_000)
    quick, usual = advise(guess, SMALL, "quick").recipe, advise(guess, SMALL).recipe

    for rows in (1, 24, 3_000, 100_000):
        assert quick.steps(rows) <= usual.steps(rows)
    assert quick.steps(advise(guess, SMALL).rows) <= 42
    assert complaints(PretrainRecipe, quick.model_dump()) == {}


def test_texts_that_were_not_measured_are_counted_by_a_usual_one_and_not_by_the_longest():
    lengths = {"median_prompt_characters": 0, "median_answer_characters": 700, "longest_characters": 90_000}

    facts = _estimated(lengths, 24, 2, "cpt")

    assert facts.tokens == 24 * 216 and facts.longest_tokens > 25_000
    quick = advise(facts, SMALL, "quick").recipe
    assert quick.max_steps is None, "two times through are fewer steps than a taste has"

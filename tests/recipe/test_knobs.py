"""One declaration of a setting: words that cannot be left out, bounds that hold, and five readers that agree."""

import argparse

import pytest

from facet.errors import SettingError
from facet.recipe.knobs import add_arguments, complaints, read_number, read_recipe, settings
from facet.recipe.methods import recipe_of
from facet.recipe.recipes import SftRecipe
from facet.recipe.reference import reference

ALL = settings(SftRecipe)
NAMES = {setting.name for setting in ALL}
JUNK = [float("nan"), float("inf"), float("-inf"), -1, 1e308, 2**63, "", True, [1], {}, "abc", "1; rm"]


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.name)
def test_every_setting_has_words_and_a_default_within_its_own_bounds(setting):
    assert complaints(SftRecipe, {setting.name: setting.default}) == {}
    assert setting.knob.plain.endswith(".") and len(setting.knob.label) < 40


NUMBERS = [setting for setting in ALL if setting.type in (int, float)]
CASES = [(setting, junk) for setting in NUMBERS for junk in JUNK if not (junk == "" and setting.optional)]


@pytest.mark.parametrize(("setting", "junk"), CASES, ids=lambda part: getattr(part, "name", repr(part)))
def test_no_junk_gets_past_a_number(setting, junk):
    sentence = complaints(SftRecipe, {setting.name: junk})[setting.name]

    assert setting.knob.label in sentence and "must be" in sentence
    with pytest.raises(SettingError):
        read_recipe(SftRecipe, {setting.name: junk})


@pytest.mark.parametrize(
    ("text", "number"),
    [("2e-4", 2e-4), ("0.0002", 2e-4), ("0,0002", 2e-4), ("1,024", 1024), (" 16 ", 16), ("", None), ("1E-3", 1e-3),
     ("0,001", 1e-3), ("-0,050", -0.05), ("1,5", 1.5), ("2,5e3", 2500.0), ("131,072", 131_072),
     ("1,234,567", 1_234_567),
     ("1,234.5", 1234.5), ("1.234,5", "1.234,5"), ("1,02,4", "1,02,4")],
)  # fmt: skip
def test_numbers_can_be_typed_as_people_write_them(text, number):
    assert read_number(text) == number


def test_a_decimal_comma_before_three_digits_is_not_a_thousand_times_as_much():
    read = read_recipe(SftRecipe, {"weight_decay": "0,001", "lora_dropout": "0,050", "max_length": "1,024"})
    assert (read.weight_decay, read.lora_dropout, read.max_length) == (0.001, 0.05, 1024)


def test_what_can_be_read_in_two_ways_is_asked_for_again():
    wrong = complaints(SftRecipe, {"num_train_epochs": "1,500", "max_length": "1,500"})

    assert wrong == {
        "num_train_epochs": "“Times through the data” is 1,500, which can be read in two ways: write 1.500 or 1500."
    }
    with pytest.raises(SettingError, match="two ways"):
        read_recipe(SftRecipe, {"num_train_epochs": "1,500"})


def test_a_learning_rate_typed_as_text_becomes_the_same_recipe():
    assert read_recipe(SftRecipe, {"learning_rate": "2e-4"}) == SftRecipe(learning_rate=0.0002)


def test_a_setting_nobody_knows_is_refused_by_name():
    with pytest.raises(SettingError, match="lerning_rate"):
        read_recipe(SftRecipe, {"lerning_rate": 1e-3})


def test_two_settings_that_do_not_go_together_are_refused_with_the_number():
    with pytest.raises(SettingError, match="65536"):
        read_recipe(SftRecipe, {"per_device_train_batch_size": 256, "gradient_accumulation_steps": 256})


def test_the_command_line_with_no_flags_is_the_untouched_form():
    parser = argparse.ArgumentParser()
    add_arguments(parser, SftRecipe)

    given = {name: value for name, value in vars(parser.parse_args([])).items() if value is not None}

    assert read_recipe(SftRecipe, given) == SftRecipe()


def test_the_reference_page_names_every_setting():
    written = reference("sft")
    assert all(f"`{name}`" in written for name in NAMES)


def test_a_run_of_an_earlier_facet_goes_on_in_its_order_and_to_its_end():
    written = {"learning_rate": 1e-3, "seed": 1, "evaluations": 8, "lora_scale": 2.0}

    recipe = recipe_of({"recipe": written})

    assert (recipe.train_sampling_strategy, recipe.early_stopping_patience, recipe.keep_best) == ("random", None, False)
    assert recipe_of({"recipe": {"seed": 1}}) == SftRecipe(seed=1)

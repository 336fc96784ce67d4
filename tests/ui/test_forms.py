"""One declaration of a setting, read by the form: shown, filled, checked and turned back into a recipe."""

from html import unescape
from html.parser import HTMLParser

import gradio as gr
import pytest

from facet.errors import SettingError
from facet.recipe.knobs import settings
from facet.recipe.methods import RECIPES
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.recipe.together import Situation
from facet.ui.forms import describe_form, found_in, read, recipe_form

KINDS = pytest.mark.parametrize("kind", RECIPES.values(), ids=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def form():
    with gr.Blocks():
        return recipe_form()


def untouched(recipe, **typed) -> dict:
    """What the browser holds of a form that was filled with this recipe, with some fields typed anew."""
    with gr.Blocks():
        value = recipe_form().filled(recipe, {}).value
    return value | {"values": value["values"] | typed}


class Fields(HTMLParser):
    """Every field of the form by the setting it belongs to, with its attributes and the label that names it."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.ids, self.labelled, self.fields, self.options = [], set(), {}, {}
        self._select = ""
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.ids += [told["id"]] if "id" in told else []
        if tag == "label":
            self.labelled.add(told["for"])
        if "data-value" in told:
            self._select = told["id"].removeprefix("input-")
            self.fields[self._select] = told
        if tag == "option":
            self.options.setdefault(self._select, []).append(told["value"])


@KINDS
def test_the_untouched_form_is_the_recipe_it_was_filled_with(kind):
    for recipe in (kind(), kind(learning_rate=0.002, max_steps=40, use_dora=True, optim="sgd")):
        assert read(untouched(recipe)) == recipe


def test_a_form_that_nobody_filled_is_the_usual_recipe():
    assert read(None) == SftRecipe() and found_in(None) == {}


@KINDS
def test_every_setting_has_one_labelled_field_with_its_plain_words_and_the_experts(kind):
    markup = str(describe_form(kind(), {}))
    made, words = Fields(markup), unescape(markup)
    every = settings(kind)
    assert list(sorted(made.fields)) == sorted(setting.name for setting in every)
    assert len(set(made.ids)) == len(made.ids)
    for setting in every:
        field = made.fields[setting.name]
        assert field["id"] in made.labelled
        assert set(field["aria-describedby"].split()) <= set(made.ids)
        assert setting.knob.plain in words and setting.knob.expert in words and setting.knob.source in words
        if setting.choices:
            assert made.options[setting.name] == list(setting.choices)


@KINDS
def test_every_choice_has_a_name_of_its_own(kind):
    for setting in settings(kind):
        if setting.choices:
            assert len(set(setting.knob.words)) == len(setting.choices), setting.name


@pytest.mark.parametrize(
    ("typed", "rate"), [("2e-4", 0.0002), ("0.0002", 0.0002), ("0,0002", 0.0002), (" 2E-4 ", 0.0002)]
)
def test_the_learning_speed_can_be_typed_in_several_ways(typed, rate):
    assert read(untouched(SftRecipe(), learning_rate=typed)).learning_rate == rate


@pytest.mark.parametrize("typed", ["five", "NaN", "inf", "-1", "1e9", "", "true", "0x10"])
def test_a_wrong_value_has_a_complaint_at_its_own_field_and_no_other(typed):
    held = untouched(SftRecipe(), learning_rate=typed)
    wrong = found_in(held)
    assert list(wrong) == ["learning_rate"] and "“Learning speed” must be" in wrong["learning_rate"][0]
    with pytest.raises(SettingError):
        read(held)


def test_what_does_not_go_together_is_said_at_both_fields():
    held = untouched(SftRecipe(), tuning="full", base_precision="4bit")
    wrong = found_in(held)
    assert set(wrong) == {"tuning", "base_precision"} and {look for _, look in wrong.values()} == {"error"}
    assert all("“What learns”" in words and "“Precision of the frozen model”" in words for words, _ in wrong.values())
    with pytest.raises(SettingError, match="do not go together"):
        read(held)


def test_what_does_nothing_is_said_and_does_not_stop_the_run():
    held = untouched(SftRecipe(), num_cycles="5")
    assert found_in(held)["num_cycles"] == ("“Restarts” does nothing as “How the speed falls” is set.", "warn")
    assert read(held).num_cycles == 5


def test_what_the_model_cannot_read_is_said_before_the_start(form):
    value = form.filled(SftRecipe(), {}, Situation(context_length=2048, model="The starter")).value
    held = value | {"values": value["values"] | {"max_length": "4096"}}
    assert "The starter reads 2,048 at most" in found_in(held)["max_length"][0]


def test_advice_comes_with_its_reasons_escaped(form):
    made = form.filled(PretrainRecipe(learning_rate=0.002), {"learning_rate": "Because <it> is small."})
    assert "Because &lt;it&gt; is small." in made.props["markup"] and 'id="setting-packing"' in made.props["markup"]
    assert made.value["method"] == "cpt" and made.value["values"]["learning_rate"] == "0.002"

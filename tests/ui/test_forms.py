"""One declaration of a setting, read by the form: shown, filled, checked and turned back into a recipe."""

from html import unescape

import gradio as gr
import pytest

from facet.errors import SettingError
from facet.recipe.knobs import settings
from facet.recipe.recipes import SftRecipe
from facet.ui.forms import recipe_form


@pytest.fixture(scope="module")
def form():
    with gr.Blocks():
        return recipe_form(SftRecipe)


def untouched(form) -> dict:
    return {name: control.value for name, control in form.controls.items()}


def test_the_untouched_form_is_the_default_recipe(form):
    assert form.read(untouched(form)) == SftRecipe()


def test_every_setting_has_a_control_with_its_plain_words(form):
    for setting in settings(SftRecipe):
        control = form.controls[setting.name]
        assert control.label == setting.knob.label and control.info == setting.knob.plain
        assert setting.knob.expert in unescape(str(form.notes[setting.name].value))


@pytest.mark.parametrize(
    ("typed", "rate"), [("2e-4", 0.0002), ("0.0002", 0.0002), ("0,0002", 0.0002), (" 2E-4 ", 0.0002)]
)
def test_the_learning_speed_can_be_typed_in_several_ways(form, typed, rate):
    assert form.read(untouched(form) | {"learning_rate": typed}).learning_rate == rate


@pytest.mark.parametrize("typed", ["five", "NaN", "inf", "-1", "1e9", "", "true", "0x10"])
def test_a_wrong_value_has_a_complaint_at_its_own_field_and_no_other(form, typed):
    verdicts = dict(zip(form.controls, form.verdicts(untouched(form) | {"learning_rate": typed}), strict=True))
    wrong = {name: verdict["message"] for name, verdict in verdicts.items() if not verdict["is_valid"]}
    assert list(wrong) == ["learning_rate"] and "“Learning speed” must be" in wrong["learning_rate"]
    with pytest.raises(SettingError):
        form.read(untouched(form) | {"learning_rate": typed})


def test_filling_in_advice_changes_values_and_says_why(form):
    recipe = SftRecipe(learning_rate=0.002, max_steps=40)
    values = dict(zip([*form.controls, *[f"note {name}" for name in form.notes]],
                      form.filled(recipe, {"learning_rate": "Because <it> is small."}), strict=True))  # fmt: skip
    assert values["learning_rate"] == "0.002" and values["max_steps"] == "40"
    assert "Because &lt;it&gt; is small." in values["note learning_rate"]
    assert form.read({name: values[name] for name in form.controls}) == recipe

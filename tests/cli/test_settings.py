"""A setting given as a flag, typed into the form, or written in a run file is the same recipe."""

import functools
import json

import gradio as gr
import pytest
import yaml

from facet.cli.main import main, parser
from facet.cli.train import given_in, recipe_with
from facet.errors import SettingError
from facet.recipe.knobs import settings, show
from facet.recipe.methods import RECIPES
from facet.ui.forms import read, recipe_form
from tests.train.test_to_trl import another

KINDS = pytest.mark.parametrize("kind", RECIPES.values(), ids=lambda kind: kind.__name__)


@functools.cache
def known():
    return parser()  # hundreds of flags: it takes a while to make


def by_flag(kind, setting, value):
    switch = [setting.flag if value else "--no-" + setting.flag[2:]]
    words = switch if setting.type is bool else [setting.flag, show(value)]
    options = known().parse_args(["train", "--data", "x", *words])
    return recipe_with(kind(), given_in(options, kind))


@KINDS
def test_flag_form_and_run_file_give_the_same_recipe(kind):
    with gr.Blocks():
        held = recipe_form().filled(kind(), {}).value
    for setting in settings(kind):
        value = another(setting)
        wanted = kind(**{setting.name: value})
        typed = value if setting.type is bool or setting.choices else show(value)
        written = yaml.safe_load(yaml.safe_dump(wanted.model_dump()))

        assert by_flag(kind, setting, value) == wanted, setting.name
        assert read(held | {"values": held["values"] | {setting.name: typed}}) == wanted, setting.name
        assert recipe_with(kind(), written) == wanted, setting.name
        assert kind(**json.loads(json.dumps(wanted.model_dump()))) == wanted, setting.name


def test_a_flag_of_another_method_is_refused_by_its_name():
    options = known().parse_args(["train", "--data", "x", "--no-packing"])
    with pytest.raises(SettingError, match="--packing is for another way"):
        given_in(options, RECIPES["sft"])


def test_the_settings_are_printed_for_one_method_or_for_all(capsys):
    assert main(["settings", "--method", "cpt"]) == 0
    only = capsys.readouterr().out
    assert main(["settings"]) == 0
    both = capsys.readouterr().out
    assert "`packing`" in only and "`train_on`" not in only
    assert "`packing`" in both and "`train_on`" in both

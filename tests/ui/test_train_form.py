"""The form of a new run: what it proposes, what it was made for, and that no other run is started with it."""

import re

import gradio as gr
import pytest

from facet.errors import SettingError
from facet.identity import LOCAL, Grant
from facet.ui import train
from facet.ui.train_advice import DECIDED, advised, not_yet
from facet.ui.train_words import Start, meant_for
from tests.adapters import small_lab
from tests.journeys import prepared_example

ME = Grant(LOCAL)


@pytest.fixture
def lab(tmp_path):
    return small_lab(tmp_path)


@pytest.fixture
def tab(lab):
    with gr.Blocks():
        return train.layout(lab.studio)


def test_of_an_adapter_that_goes_on_learning_the_form_shows_what_it_is(lab, tab):
    dataset = prepared_example(lab.studio)
    run_id = lab.bring(base=lab.base)
    begin = Start("starter", run_id, "an adapter")  # its own model is not on this machine

    *_, form = advised(tab, lab.studio, ME, dataset, begin, "any", "balanced")

    assert (form.value["values"]["lora_rank"], form.value["values"]["lora_targets"]) == ("4", "attention")
    assert form.value["meant"] == meant_for(dataset, begin, "any", "balanced")
    told = re.search(r'id="setting-lora_rank".*?</details></div>', form.props["markup"], re.DOTALL)
    assert told and DECIDED in told[0]


def test_an_adapter_larger_than_any_that_is_offered_does_not_make_a_form_that_cannot_be_sent(lab, tab, monkeypatch):
    dataset, huge = prepared_example(lab.studio), {"lora_rank": 512, "lora_targets": "attention"}
    monkeypatch.setattr(lab.studio, "as_decided", lambda person, recipe, *_: recipe.model_copy(update=huge))

    *_, form = advised(tab, lab.studio, ME, dataset, Start("starter", "a run", "an adapter"), "any", "balanced")

    assert form.props["problems"] == {} and form.value["values"]["lora_rank"] != "512"


def test_a_form_that_was_made_for_something_else_is_told_from_the_one_that_cannot_be_made(lab):
    dataset = prepared_example(lab.studio)
    begin = Start("starter")
    chosen = [(goal, preset) for goal in ("any", "style") for preset in ("quick", "balanced")]
    assert len({meant_for(dataset, begin, *each) for each in chosen}) == 4
    on_its_way = not_yet(lab.studio, ME, dataset, begin, "any", "quick")
    assert isinstance(on_its_way, SettingError) and "still being worked out" in on_its_way.what
    gone = not_yet(lab.studio, ME, "2026-01-01-no-such-data-abcd", begin, "any", "quick")
    assert "still being worked out" not in gone.what
    unknown = not_yet(lab.studio, ME, dataset, Start("no/such/model"), "any", "quick")
    assert "still being worked out" not in unknown.what

"""Where bitsandbytes cannot be, as on a Mac, it is said when a run is started, and not after a download."""

import pytest

from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.recipes import SftRecipe
from tests.gemma.folders import CONFIG, model_folder
from tests.journeys import a_studio, prepared_example


@pytest.fixture
def without_it(monkeypatch):
    monkeypatch.setattr("facet.recipe.bits.find_spec", lambda name: None)


def test_a_run_that_needs_it_is_refused_with_what_to_choose_instead(tmp_path, without_it):
    studio = a_studio(tmp_path / "home")
    dataset_id = prepared_example(studio)
    for settings, remedy in (
        ({"base_precision": "4bit"}, "“Precision of the frozen model” to 16 or 32 bits"),
        ({"base_precision": "8bit"}, "“Precision of the frozen model” to 16 or 32 bits"),
        ({"optim": "adamw_8bit"}, "“Way of stepping” to AdamW"),
        ({"optim": "lion_32bit"}, "“Way of stepping” to AdamW"),
    ):
        with pytest.raises(SettingError, match="bitsandbytes") as refused:
            studio.start(LOCAL, dataset_id, "starter", SftRecipe(max_steps=2, **settings), "a run")
        assert remedy in refused.value.next
    assert studio.runs(LOCAL) == []
    assert studio.start(LOCAL, dataset_id, "starter", SftRecipe(max_steps=2), "a run")


def test_a_copy_squeezed_beforehand_is_refused_when_it_is_chosen(tmp_path, monkeypatch):
    squeezed = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    shapes = {"model.embed_tokens.weight": [100, 16]}
    folder = model_folder(tmp_path / "a copy", CONFIG | squeezed, shapes)
    studio = a_studio(tmp_path / "home")

    assert studio.check_model(LOCAL, str(folder)).facts.packed == "4bit"
    assert not isinstance(studio.check_model(LOCAL, str(folder)).problem, SettingError)
    monkeypatch.setattr("facet.recipe.bits.find_spec", lambda name: None)

    problem = studio.check_model(LOCAL, str(folder)).problem
    assert isinstance(problem, SettingError) and "bitsandbytes" in problem.why
    assert "Choose the whole model" in problem.next

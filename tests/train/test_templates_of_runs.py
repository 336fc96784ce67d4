"""A pre-trained model is taught in a chat template of a person's choice, and keeps it wherever it goes."""

import json
import os
import tempfile

import pytest

from facet.dataset.model_files import chat_format
from facet.dataset.render import Renderer
from facet.dataset.templates import source_of
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.model.company import Company
from facet.model.dressed import dressed
from facet.model.source import BaseSource
from facet.model.tuned import tuned_in
from facet.recipe.knobs import read_recipe
from facet.recipe.methods import RECIPES
from facet.work import worker
from tests.journeys import TASTE, a_studio, prepared_example, progress
from tests.tiny_models import pretrained, tiny_gemma3
from tests.train.weights_lab import SHORT

pytestmark = pytest.mark.tiny
OWN = "{# our own #}" + source_of("plain")
ASKED = [{"role": "user", "content": "What is the capital of Peru?"}]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return pretrained(tiny_gemma3(tmp_path_factory.mktemp("base") / "tiny-pt"))


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("home"))


def started(studio, base, method="sft", **more):
    data = prepared_example(studio, *(["repair_handbook"] if method == "cpt" else []))
    recipe = read_recipe(RECIPES[method], TASTE | SHORT | {"max_steps": 2, "evaluations": 1})
    return studio.runs_shelf.task(LOCAL, studio.start(LOCAL, data, str(base), recipe, "", more=more))


def finished(studio, task):
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return BaseSource.of(task.request["base"]).folder(studio.workspace.models)


def test_what_was_chosen_is_trained_spoken_and_kept(studio, base):
    task = started(studio, base, template=OWN)
    folder = finished(studio, task)
    assert task.request["template"] == task.request["base"]["template"] == OWN
    assert (folder / "chat_template.jinja").read_text("utf-8") == OWN
    prompt = Renderer(chat_format(base, OWN)).prompt(ASKED)
    company = Company.load(folder)
    company.add("tuned", tuned_in(task.folder))
    assert company.renderer.prompt(ASKED) == prompt
    with company.speaking_as("tuned") as model:
        assert model is not None
    assert OWN in studio.run_file(LOCAL, task.folder.name) or "our own" in studio.run_file(LOCAL, task.folder.name)


def test_without_a_choice_it_is_the_siblings_and_for_raw_text_nothing(studio, base):
    assert started(studio, base).request["template"] == source_of("gemma3")
    task = started(studio, base, "cpt")
    assert task.request["template"] == source_of("continuation")
    renderer = Renderer.load(finished(studio, task))
    assert renderer.tokenizer.decode(renderer.prompt(ASKED)) == ASKED[0]["content"]


def test_a_model_with_a_template_of_its_own_keeps_it(studio, tmp_path):
    task = started(studio, tiny_gemma3(tmp_path / "tuned"))
    assert "template" not in task.request and task.request["base"]["template"] is None


def test_one_that_cannot_be_used_starts_nothing(studio, base):
    before = len(studio.runs(LOCAL))
    with pytest.raises(SettingError, match="This chat template cannot be used"):
        started(studio, base, template="{{ messages[0].content }}")
    assert len(studio.runs(LOCAL)) == before


def test_the_folder_of_a_model_with_a_template_comes_back_and_stops_where_the_template_does(base, tmp_path):
    (base / "generation_config.json").write_text(json.dumps({"eos_token_id": 1}))
    place = dressed(base, source_of("gemma3"), tmp_path)
    end = Renderer.load(place).tokenizer.token_to_id("<end_of_turn>")
    assert json.loads((place / "generation_config.json").read_text())["eos_token_id"] == [1, end]
    assert place == dressed(base, source_of("gemma3"), tmp_path) != dressed(base, OWN, tmp_path)
    (place / "chat_template.jinja").unlink()
    assert (dressed(base, source_of("gemma3"), tmp_path) / "chat_template.jinja").is_file()
    assert not (base / "chat_template.jinja").exists()
    (tmp_path / "shelf").write_text("a file where a folder should be")
    elsewhere = dressed(base, OWN, tmp_path / "shelf")
    assert elsewhere.is_dir() and tmp_path not in elsewhere.parents


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows keeps what is temporary for each user")
@pytest.mark.parametrize("trap", ["a link", "open to all"])
def test_a_shelf_that_somebody_else_may_write_to_is_not_used(base, tmp_path, monkeypatch, trap):
    """In the folder for what is temporary the name of the shelf can be guessed."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    (tmp_path / "shelf").write_text("a file where a folder should be")
    guessed, elsewhere = tmp_path / "temporary" / f"facet-templates-{os.getuid()}", tmp_path / "elsewhere"
    guessed.parent.mkdir()
    elsewhere.mkdir()
    guessed.symlink_to(elsewhere) if trap == "a link" else guessed.mkdir()
    guessed.chmod(0o777)
    with pytest.raises(OSError, match="no folder can be made"):
        dressed(base, OWN, tmp_path / "shelf")
    assert not list(elsewhere.iterdir())


def test_a_template_of_ones_own_goes_with_the_last_run_that_names_it(studio, base):
    kept = BaseSource.of(started(studio, base, template=OWN).request["base"]).folder(studio.workspace.models)
    left = dressed(base, OWN + "{# nobody's #}", studio.workspace.models)
    for folder in (kept, left):
        os.utime(folder / "chat_template.jinja", (0, 0))

    studio.janitor()

    assert kept.is_dir() and not left.exists()
    assert (base / "config.json").is_file(), "the model itself stays"

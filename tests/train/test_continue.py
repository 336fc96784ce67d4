"""Training further begins exactly where the adapter stood, and keeps every promise of an ordinary run."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from facet.cli.run_file import continued_run, read_run_file
from facet.errors import DataError, NotFoundError, SettingError
from facet.export import bundle
from facet.gemma.inspect import read_header
from facet.identity import LOCAL
from facet.model.source import BaseSource
from facet.publish.card import card
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.train import imports
from facet.train.continued import same_model
from facet.work import log, worker
from facet.work.policy import append_unless_busy
from facet.work.task import Task
from facet.workspace import read_json
from tests.adapters import adapter_folder
from tests.journeys import TASTE, a_studio, curve, prepared_example, progress, queued_run, until

STARTER = BaseSource("starter", "starter")
WEIGHTS = "adapter/adapter_model.safetensors"


def queued(studio, dataset_id: str, run: Path, base: BaseSource = STARTER, **settings) -> Task:
    data = studio.shelf.folder(LOCAL, dataset_id)
    recipe = read_recipe(SftRecipe, TASTE | settings)
    run_id = studio.runs_shelf.create(LOCAL, data, base, recipe, "further", "starter", start_from=run)
    return studio.runs_shelf.task(LOCAL, run_id)


def finished(studio, task: Task) -> Task:
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished", progress(task).failure
    return task


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A first run, and a second that went on from it without interruption."""
    studio = a_studio(tmp_path_factory.mktemp("further") / "home")
    dataset_id = prepared_example(studio)
    first = finished(studio, queued_run(studio, dataset_id))
    return studio, dataset_id, first, finished(studio, queued(studio, dataset_id, first.folder))


@pytest.mark.tiny
def test_it_begins_where_the_first_run_ended_and_goes_lower(lab):
    _studio, _dataset_id, first, second = lab
    before, after = curve(first)["validation_loss"], curve(second)["validation_loss"]

    assert after[0] == (0, before[-1][1]), "the same number to the last digit, before the first step"
    assert after[-1][1] < before[-1][1]
    assert curve(second)["loss"][-1][1] < curve(first)["loss"][-1][1]


@pytest.mark.tiny
def test_killed_and_paused_it_ends_with_the_same_adapter_to_the_last_bit(lab):
    studio, dataset_id, first, second = lab
    task = queued(studio, dataset_id, first.folder)
    for step in (2, 9):
        process = studio.backend.begin(task)
        until(task, lambda now, step=step: now.stage == "running" and now.step >= step)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        append_unless_busy(task, log.Interrupted())
    finished(studio, task)

    assert curve(task) == curve(second)
    assert progress(task).outputs["adapter_sha256"] == progress(second).outputs["adapter_sha256"]


@pytest.mark.tiny
def test_rank_and_strength_are_the_adapters_and_dropout_is_as_chosen(lab):
    studio, dataset_id, first, _second = lab
    task = queued(studio, dataset_id, first.folder, lora_rank=64, lora_scale=4.0, lora_dropout=0.3, max_steps=1)
    recipe = studio.run(LOCAL, task.id).recipe
    assert (recipe.lora_rank, recipe.lora_scale, recipe.lora_dropout) == (16, 2.0, 0.3)
    finished(studio, task)

    config = read_json(task.folder / "adapter" / "adapter_config.json")
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (16, 32.0, 0.3)
    assert config["base_model_name_or_path"] == "starter"


@pytest.mark.tiny
def test_it_says_what_it_went_on_from_and_the_run_file_finds_it_again(lab, tmp_path):
    studio, _dataset_id, first, second = lab
    digest = progress(first).outputs["adapter_sha256"]
    run = studio.run(LOCAL, second.id)
    assert studio.runs_shelf.model_of(LOCAL, second.id) == ("starter", None)
    assert (run.continues["run"], run.continues["adapter_sha256"]) == (first.id, digest)

    folder = studio.export(LOCAL, second.id, tmp_path / "exported")
    described = read_run_file(folder / "facet-run.yaml")
    assert described["continues"] == {"adapter_sha256": digest, "from": None}
    assert continued_run(studio, described) == first.id
    assert (
        continued_run(studio, read_run_file(studio.export(LOCAL, first.id, tmp_path / "1") / "facet-run.yaml")) is None
    )
    with pytest.raises(NotFoundError, match="not here"):
        continued_run(a_studio(tmp_path / "elsewhere"), described)
    text = card(replace(bundle.card_facts(studio._bundle(LOCAL, second.id)), continues=run.continues))
    assert digest in text and "the adapter it began with" in text


@pytest.mark.tiny
def test_what_it_went_on_from_may_be_deleted(lab):
    studio, dataset_id, _first, second = lab
    doomed = finished(studio, queued(studio, dataset_id, second.folder, max_steps=1))
    task = queued(studio, dataset_id, doomed.folder, max_steps=2)
    studio.delete(LOCAL, "runs", doomed.id)
    finished(studio, task)


@pytest.mark.tiny
def test_an_imported_adapter_of_a_few_layers_is_trained_on_those_layers_only(lab, tmp_path):
    studio, dataset_id, _first, _second = lab
    shapes = {}
    for layer in range(6):
        for name, out in (("q_proj", 256), ("v_proj", 64)):
            place = f"base_model.model.model.layers.{layer}.self_attn.{name}"
            shapes |= {f"{place}.lora_A.weight": [4, 256], f"{place}.lora_B.weight": [out, 4]}
    theirs = adapter_folder(tmp_path / "a", {"base_model_name_or_path": "starter", "use_rslora": True}, shapes, "F16")
    _random_first_halves(theirs / "adapter_model.safetensors")
    with imports.taken(studio.workspace, LOCAL, theirs) as taken:
        base_folder = STARTER.folder(studio.workspace.models)
        run_id = imports.create(studio.workspace, LOCAL, taken, STARTER, "starter", base_folder)
    task = queued(studio, dataset_id, studio.runs_shelf.folder(LOCAL, run_id), max_steps=8)
    finished(studio, task)

    losses = [loss for _, loss in curve(task)["validation_loss"]]
    assert losses[-1] < losses[0]
    assert {name: tensor["shape"] for name, tensor in read_header(task.folder / WEIGHTS).items()} == shapes
    config = read_json(task.folder / "adapter" / "adapter_config.json")
    assert config["use_rslora"] and config["target_modules"] == sorted(config["target_modules"])
    recipe = studio.run(LOCAL, task.id).recipe
    assert recipe.use_rslora and recipe.lora_scale == 2.0, "alpha / r, which its kind multiplies by the root of r"


def _random_first_halves(file: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(0)
    weights = load_file(file)
    save_file({name: torch.randn_like(w) / 16 if "lora_A" in name else w for name, w in weights.items()}, file)


@pytest.mark.tiny
def test_a_file_that_changed_in_between_is_noticed(lab):
    studio, dataset_id, first, _second = lab
    task = queued(studio, dataset_id, first.folder)
    link = task.folder / "start" / "adapter_model.safetensors"
    whole = link.read_bytes()
    link.unlink()
    link.write_bytes(whole[:-1] + b"\x01")
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "failed" and "not the one this run was started with" in progress(task).failure["why"]


@pytest.mark.tiny
def test_what_cannot_be_gone_on_from_is_refused_before_anything_is_queued(lab):
    studio, dataset_id, first, _second = lab
    before = [run.id for run in studio.runs(LOCAL)]
    with pytest.raises(SettingError, match="do not go together"):
        queued(studio, dataset_id, first.folder, BaseSource("google/gemma-3-270m-it", "hub", "a" * 40, "x"))
    whole = (first.folder / WEIGHTS).read_bytes()
    (first.folder / WEIGHTS).write_bytes(whole[:-1] + b"\x01")
    try:
        with pytest.raises(DataError, match="damaged"):
            queued(studio, dataset_id, first.folder)
    finally:
        (first.folder / WEIGHTS).write_bytes(whole)
    assert [run.id for run in studio.runs(LOCAL)] == before
    waiting = queued_run(studio, dataset_id)
    with pytest.raises(SettingError, match="no model to go on from yet"):
        queued(studio, dataset_id, waiting.folder)
    studio.delete(LOCAL, "runs", waiting.id)


GEMMA = BaseSource("google/gemma-3-270m-it", "hub", "a" * 40, "google--gemma/a")
MIRROR = BaseSource("unsloth/gemma-3-270m-it", "hub", "b" * 40, "unsloth--gemma/b")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (STARTER, STARTER, True),
        (GEMMA, GEMMA, True),
        (GEMMA, replace(GEMMA, id="Google/Gemma-3-270m-it"), True),
        (GEMMA, replace(GEMMA, revision=None), True),
        (GEMMA, replace(GEMMA, revision="c" * 40), False),
        (GEMMA, MIRROR, True),
        (GEMMA, replace(GEMMA, id="google/gemma-3-1b-it"), False),
        (GEMMA, STARTER, False),
        (GEMMA, BaseSource(GEMMA.id, "folder", path="/x"), False),
        (BaseSource("x", "folder", path="/a/x"), BaseSource("x", "folder", path="/a/x"), True),
        (BaseSource("x", "folder", path="/a/x"), BaseSource("x", "folder", path="/b/x"), False),
        (BaseSource("ann/a", "hub", "a" * 40), BaseSource("ann/b", "hub", "a" * 40), False),
    ],
)
def test_which_starting_models_are_the_same(one, other, same):
    assert same_model(one, other) is same_model(other, one) is same


@pytest.mark.parametrize("continues", [None, "x", {}, {"adapter_sha256": 3}, {"adapter_sha256": "A" * 64}, ["a" * 64]])
def test_a_run_file_that_goes_on_from_nothing_it_names_is_refused(tmp_path, continues):
    file = tmp_path / "facet-run.yaml"
    file.write_text(
        yaml.safe_dump({"facet_run": 1, "model": {"id": "starter"}, "data": {}, "recipe": {}, "continues": continues})
    )
    with pytest.raises(SettingError, match="not a run file"):
        read_run_file(file)

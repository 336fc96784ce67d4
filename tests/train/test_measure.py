"""Measuring on a machine, and what is kept of a forecast: the starter, a few steps, nothing left but numbers."""

from dataclasses import replace

import pytest

from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL, Person
from facet.model.choose import Chooser
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.train import measure
from facet.train.known import known
from facet.work import log, worker
from facet.work.task import Task
from tests.journeys import TASTE, a_studio, prepared_example, progress, queued_run

pytestmark = pytest.mark.tiny
RECIPE = read_recipe(SftRecipe, TASTE)
STRANGER = Person("visitor-0123456789abcdef", "visitor", "visitor")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("measure") / "home")
    return studio, prepared_example(studio)


@pytest.fixture(scope="module")
def measured(lab) -> Task:
    studio, dataset_id = lab
    assert studio.plan(LOCAL, dataset_id, "starter", RECIPE).here.how == "rough"
    measure_id = studio.start_measuring(LOCAL, dataset_id, "starter", RECIPE)
    task = Task(studio.workspace.find(LOCAL, "measures", measure_id))
    worker.advance(task, studio.workspace.models)
    return task


def test_a_measurement_tells_the_planner_how_fast_this_machine_is(lab, measured):
    studio, dataset_id = lab
    done = progress(measured)
    assert done.stage == "finished", done.failure
    assert {"seconds_per_step", "seconds_per_token", "memory_gb", "clock_load"} <= set(done.outputs)
    there = studio.plan(LOCAL, dataset_id, "starter", RECIPE).here
    assert there.how == "measured"
    assert there.seconds_per_step == pytest.approx(float(done.outputs["seconds_per_step"]), rel=1.0)
    assert studio.measuring(LOCAL, measured.id).is_over and studio.latest_measuring(LOCAL).id == measured.id


def test_nothing_is_left_of_the_data_that_was_measured(measured):
    left = {path.name for path in measured.folder.iterdir()}
    assert not left & {"data", "longest", "usual", "checkpoints", "adapter"}


def test_what_was_measured_is_one_persons_and_holds_for_the_same_way_of_training_only(lab, measured):
    studio, dataset_id = lab
    with pytest.raises(NotFoundError):
        studio.measuring(STRANGER, measured.id)
    other = RECIPE.model_copy(update={"use_dora": True})
    assert studio.plan(LOCAL, dataset_id, "starter", other).here.how == "rough"
    more = RECIPE.model_copy(update={"max_length": 64, "per_device_train_batch_size": 2})
    assert studio.plan(LOCAL, dataset_id, "starter", more).here.how == "measured"


def test_a_measurement_of_an_older_facet_is_passed_by(lab, measured):
    facts = lab[0].check_model(LOCAL, "starter").facts
    old = log.Progress(stage="finished", outputs={"per_gflop": 1.0})
    base = measured.request["base"]
    assert known(facts, base, RECIPE, "cpu", [measured.folder], [], lambda folder: old) is None


def test_a_press_on_measure_takes_the_place_of_the_one_before(lab, measured):
    studio, dataset_id = lab
    first = studio.start_measuring(LOCAL, dataset_id, "starter", RECIPE)
    second = studio.start_measuring(LOCAL, dataset_id, "starter", RECIPE)
    shelf = [folder.name for folder in studio.workspace.all(LOCAL, "measures")]
    assert first not in shelf and {second, measured.id} <= set(shelf)
    studio.delete(LOCAL, "measures", second)


def begun(lab, **settings) -> Task:
    studio, dataset_id = lab
    measure_id = studio.start_measuring(LOCAL, dataset_id, "starter", RECIPE.model_copy(update=settings))
    return Task(studio.workspace.find(LOCAL, "measures", measure_id))


def test_a_measurement_is_tried_again_with_the_same_rows(lab, monkeypatch):
    task, seen = begun(lab), []

    def fails(part):
        seen.append((part.task.folder / "data" / "train.parquet").read_bytes())
        raise RuntimeError("for whatever reason")

    monkeypatch.setattr(measure, "read_job", fails)
    for _ in range(2):
        worker.advance(task, lab[0].workspace.models)
        assert progress(task).stage == "interrupted", "it is tried again"

    assert seen[0] == seen[1]
    assert {path.name for path in task.folder.iterdir()} & {"data", *measure.PARTS} == {"data"}


@pytest.mark.parametrize(
    ("settings", "why", "lower"),
    [
        ({}, "8 examples at once", "“Examples at once”"),
        ({"per_device_train_batch_size": 1}, "one example at a time", "“Longest example”"),
    ],
)
def test_a_measurement_without_enough_memory_says_what_did_not_fit_and_is_not_tried_again(
    lab, monkeypatch, settings, why, lower
):
    task = begun(lab, **settings)

    def fills_the_memory(part):
        raise RuntimeError("CUDA out of memory.")

    monkeypatch.setattr(measure, "read_job", fills_the_memory)

    worker.advance(task, lab[0].workspace.models)

    done = progress(task)
    assert done.stage == "failed" and done.failure["kind"] == "CapacityError"
    assert why in done.failure["why"] and lower in done.failure["next"]
    assert not (task.folder / "data").exists()


def test_neither_a_run_nor_a_measurement_begins_where_no_layer_would_learn(lab, monkeypatch):
    studio, dataset_id = lab
    check = studio.check_model(LOCAL, "starter")
    mixture = replace(check, facts=replace(check.facts, model_type="qwen3_moe"))
    monkeypatch.setattr(Chooser, "check", lambda *_, **__: mixture)
    recipe = RECIPE.model_copy(update={"lora_targets": "feed_forward"})
    with pytest.raises(SettingError, match="Kinds of layers"):
        studio.start(LOCAL, dataset_id, "starter", recipe, "a run")
    with pytest.raises(SettingError, match="Kinds of layers"):
        studio.start_measuring(LOCAL, dataset_id, "starter", recipe)


def test_a_run_keeps_its_forecast_and_what_really_came(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=8, evaluations=0)
    kept = studio.forecast_of(LOCAL, task.id)
    assert kept["gb"] > 0 and kept["minutes"] > 0 and kept["how"] in ("rough", "measured")
    worker.advance(task, studio.workspace.models)
    done = progress(task)
    assert done.stage == "finished", done.failure
    assert done.outputs["memory_gb"] > 0 and done.outputs["processor_seconds"] > 0
    facts = studio.check_model(LOCAL, "starter").facts
    found = known(facts, task.request["base"], RECIPE, "cpu", [], [task.folder], studio.looking)
    assert found is not None and found.how == "earlier runs" and found.clock.per_gflop + found.clock.per_pass > 0

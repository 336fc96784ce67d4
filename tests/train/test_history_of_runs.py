"""Runs compared: only what differs, in the words of the page; notes, clones and the summary of one run."""

import math
from dataclasses import replace

import pytest

from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.train.history import LONGEST_NOTE, MISSING, along, clean_note, compare
from facet.work import log
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("history") / "home")


@pytest.fixture(scope="module")
def dataset_id(studio):
    return prepared_example(studio)


def a_run(studio, dataset_id, name="a run", finished=True, **settings) -> Task:
    """A run with a log and without a training."""
    base = studio.check_model(LOCAL, "starter").base
    recipe = SftRecipe(**({"max_steps": 20} | settings))
    run_id = studio.runs_shelf.create(LOCAL, studio.shelf.folder(LOCAL, dataset_id), base, recipe, name, "gemma3")
    task = studio.runs_shelf.task(LOCAL, run_id)
    log.append(task.events_file, log.Started(total_steps=20, where="the processor"))
    for step in range(1, 21):
        log.append(task.events_file, log.Logged(step=step, values={"loss": 2 / step}))
        if step % 5 == 0:
            log.append(task.events_file, log.Logged(step=step, values={"validation_loss": 1 + abs(step - 10) / 10}))
            log.append(task.events_file, log.Saved(step=step))
    if finished:
        outputs = {"adapter_sha256": "a" * 64, "rows": 80, "trained_tokens_per_epoch": 1600}
        log.append(task.events_file, log.Finished(step=20, outputs=outputs))
    return task


def test_only_what_differs_is_told_under_its_label(studio, dataset_id):
    first = a_run(studio, dataset_id, learning_rate=1e-3, lora_rank=8)
    second = a_run(studio, dataset_id, learning_rate=2e-3, lora_rank=8)

    compared = studio.compare_runs(LOCAL, [first.id, second.id])

    assert {row.name: row.values for row in compared.differences} == {"learning_rate": ("0.001", "0.002")}
    assert [row.label for row in compared.differences] == ["Learning speed"]
    numbers = {row.label: row.values[0] for row in compared.numbers}
    assert numbers["Lowest validation loss"] == "1.000 at step 10" and numbers["Steps"] == "20 of 20"
    assert compared.curves[:2] == ("loss", "validation_loss")


def test_a_setting_that_one_method_does_not_know_is_a_dash(studio, dataset_id):
    card = studio.run(LOCAL, a_run(studio, dataset_id).id)
    other = type(card)(**{**vars(card), "recipe": PretrainRecipe(max_steps=20)})

    rows = {row.name: row.values for row in compare([card, other], [None, None]).differences}

    assert rows["train_on"][1] == MISSING and rows["packing"][0] == MISSING


def test_one_run_or_seven_cannot_be_compared_and_a_stranger_sees_nothing(studio, dataset_id):
    task = a_run(studio, dataset_id)
    card = studio.run(LOCAL, task.id)

    for cards in ([card], [card] * 7):
        with pytest.raises(SettingError, match="two to 6"):
            compare(cards, [None] * len(cards))
    with pytest.raises(NotFoundError):
        studio.compare_runs(LOCAL, [task.id, "2026-01-01-somebody-elses"])


def test_a_curve_over_epochs_and_tokens_is_the_same_curve_stretched(studio, dataset_id):
    card = studio.run(LOCAL, a_run(studio, dataset_id).id)
    batch = card.recipe.effective_batch_size

    steps, epochs, tokens = (along(card, "loss", axis) for axis in ("step", "epoch", "tokens"))

    assert [value for _, value in steps] == [value for _, value in epochs] == [value for _, value in tokens]
    assert epochs[-1][0] == pytest.approx(20 * batch / 80) and tokens[-1][0] == pytest.approx(20 * batch * 1600 / 80)
    assert along(studio.run(LOCAL, a_run(studio, dataset_id, finished=False).id), "loss", "tokens") == []


def test_the_last_group_of_each_time_through_the_data_is_a_whole_step(studio, dataset_id):
    """81 examples in groups of 8 take 11 steps; 8 / 81 of a time each would end a run of 22 steps at 2.17."""
    card = studio.run(LOCAL, a_run(studio, dataset_id).id)
    other = replace(card, progress=replace(card.progress, outputs=card.progress.outputs | {"rows": 81}))

    assert along(other, "loss", "epoch")[10][0] == pytest.approx(1.0)
    assert along(other, "loss", "tokens")[10][0] == pytest.approx(1600)


def test_times_through_the_data_are_those_that_the_run_told(studio, dataset_id):
    """Of texts, a run that goes on knows how many blocks there are, and the data only how many texts."""
    card = studio.run(LOCAL, a_run(studio, dataset_id, finished=False).id)
    texts = replace(card, recipe=PretrainRecipe(max_steps=20))
    told = [(step, step / 40) for step in range(1, 21)]
    running = replace(texts, progress=replace(card.progress, curves=card.progress.curves | {"epoch": told}))

    assert along(texts, "loss", "epoch") == [], "nothing rather than a guess from the number of texts"
    assert along(running, "loss", "epoch")[-1][0] == pytest.approx(0.5)
    assert along(running, "validation_loss", "epoch")[0][0] == pytest.approx(5 / 40)


def test_a_note_is_kept_whole_and_a_longer_one_is_refused_and_takes_nothing_away(studio, dataset_id):
    task = a_run(studio, dataset_id)
    studio.note(LOCAL, task.id, "  <b>Try</b>\r\na smaller rate\x00 ")
    with pytest.raises(SettingError, match="4,000"):
        studio.note(LOCAL, task.id, "x" * (LONGEST_NOTE + 1))
    studio.rename(LOCAL, "runs", task.id, "another name")

    assert studio.run(LOCAL, task.id).note == "<b>Try</b>\na smaller rate"
    assert clean_note("\n \t") == ""


def test_the_summary_says_what_it_was_and_the_settings_unlike_the_advice(studio, dataset_id):
    task = a_run(studio, dataset_id, learning_rate=7e-3, use_dora=True)

    lines = dict(studio.run_summary(LOCAL, task.id))
    than, unusual = studio.unusual_settings(LOCAL, task.id)

    assert lines["Starting model"].startswith("Facet starter") and "DoRA" in lines["What learns"]
    assert "80 examples" in lines["Data"] and lines["Where it computed"] == "the processor"
    assert than == "the balanced advice"
    assert ("Learning speed", "0.007") in [one[:2] for one in unusual]


def test_a_clone_has_every_setting_and_its_data_comes_back_when_it_was_deleted(tmp_path):
    studio = a_studio(tmp_path / "home")
    dataset_id = prepared_example(studio)
    before = studio.dataset(LOCAL, dataset_id).summary["fingerprint"]
    task = a_run(studio, dataset_id, learning_rate=7e-3, lora_rank=4)
    studio.delete(LOCAL, "datasets", dataset_id)

    again = studio.again(LOCAL, task.id)
    once_more = studio.again(LOCAL, task.id)

    assert again.recipe == studio.run(LOCAL, task.id).recipe and again.base_model == "starter"
    assert studio.dataset(LOCAL, again.dataset_id).summary["fingerprint"] == before
    assert once_more.dataset_id == again.dataset_id and len(studio.datasets(LOCAL)) == 1


def test_a_loss_that_is_no_number_is_not_drawn(studio, dataset_id):
    task = a_run(studio, dataset_id, finished=False)
    log.append(task.events_file, log.Logged(step=21, values={"loss": math.nan}))

    assert along(studio.run(LOCAL, task.id), "loss", "step")[-1][0] == 20

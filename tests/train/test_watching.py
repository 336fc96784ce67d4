"""What is seen of a run while it learns, and which save point it ends with: the same however often it is cut."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from facet.identity import LOCAL
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.train import looking as train_looking
from facet.train import samples
from facet.train import slice as train_slice
from facet.train.looking import Looking
from facet.train.samples import Samples, times
from facet.train.watched import described, in_words
from facet.work import log, worker
from facet.work.task import Task
from tests.journeys import TASTE, a_studio, curve, prepared_example, progress

pytestmark = pytest.mark.tiny
PROMPTS = ["Where can I print a page?", "  ", "Where can I print a page?", "Do you have canary books?"]
RISES = {2: 2.0, 4: 1.5, 6: 1.6, 8: 1.7, 10: 1.8, 12: 1.9, 14: 2.0, 16: 2.1}
SMALL = TASTE | {"max_steps": 12, "max_length": 256, "per_device_train_batch_size": 2}
LONG = {"max_steps": 16, "evaluations": 8}


def test_memory_is_given_back_before_an_answer_and_not_after_every_step(monkeypatch):
    given_back = []
    monkeypatch.setattr(train_looking, "trim_memory", lambda: given_back.append(step))
    asked = Samples([samples.Asked("Who?", [1])], frozenset(), str, frozenset({4, 8}))
    looking, told = Looking(SftRecipe(), 8, frozenset(), asked), []
    for step in range(1, 9):
        looking.more(None, step, step == 8, told.append)

    assert given_back == [4], "without a model the first answer fails, and no other is asked"
    assert "left out from here" in told[0].words


class Killed(BaseException):
    """The process is gone: nothing in it may answer to this."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("watching") / "home")
    return studio, prepared_example(studio, "library_topics")


def begun(lab, prompts: list[str], **settings: Any) -> Task:
    studio, dataset_id = lab
    recipe = read_recipe(SftRecipe, SMALL | settings)
    run_id = studio.start(LOCAL, dataset_id, "starter", recipe, "a run", more={"samples": prompts})
    return studio.runs_shelf.task(LOCAL, run_id)


@pytest.fixture(autouse=True, scope="module")
def patience():
    """On a slow machine answers are left out; here none may be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "ANSWER_SECONDS", float("inf"))
        yield


def advance(lab, task: Task) -> log.Progress:
    worker.advance(task, lab[0].workspace.models)
    return progress(task)


@pytest.fixture(scope="module")
def watched(lab) -> Task:
    task = begun(lab, PROMPTS)
    assert advance(lab, task).stage == "finished", progress(task).failure
    return task


def test_every_curve_is_there(watched):
    curves = progress(watched).curves

    assert {step for step, _ in curves["validation_loss"]} == {0, 4, 8, 12}
    for name in ("accuracy", "macro_f1", "validation_token_accuracy", "look_seconds"):
        assert [step for step, _ in curves[name]] == [0, 4, 8, 12], name
    for name in ("loss", "token_accuracy", "learning_rate", "grad_norm", "step_seconds", "memory_gb", "epoch"):
        assert [step for step, _ in curves[name]] == list(range(1, 13)), name
    assert all(0 <= share <= 1 for name in ("accuracy", "macro_f1") for _, share in curves[name])
    assert all(0.05 < held < 200 for _, held in curves["memory_gb"])


def test_the_persons_own_prompts_are_answered_at_the_start_at_each_look_and_at_the_end(watched):
    said = progress(watched).samples

    assert list(said) == ["Where can I print a page?", "Do you have canary books?"]
    for answers in said.values():
        assert [step for step, _ in answers] == [0, 4, 8, 12]
        assert answers[0][1] != answers[-1][1], "one sees that it learned"
    assert not watched.output_log.exists() or "canary" not in watched.output_log.read_text()


def test_the_answers_cost_the_run_nothing_but_time(lab, watched, monkeypatch):
    monkeypatch.setattr(Looking, "more", lambda self, *_: None)
    silent = begun(lab, [])
    advance(lab, silent)

    assert progress(silent).samples == {}
    assert curve(silent) == curve(watched)
    assert progress(silent).outputs["adapter_sha256"] == progress(watched).outputs["adapter_sha256"]


def test_a_run_that_shall_be_asked_nothing_is_asked_nothing(lab, watched):
    unasked = begun(lab, PROMPTS, sample_max_tokens=0)
    advance(lab, unasked)

    assert progress(unasked).samples == {}
    assert curve(unasked) == curve(watched)
    assert progress(unasked).outputs["adapter_sha256"] == progress(watched).outputs["adapter_sha256"]


def test_without_own_prompts_two_of_the_validation_part_are_asked(lab, monkeypatch):
    monkeypatch.setattr(train_slice, "build", stopped_before_training)
    task = begun(lab, [])
    with pytest.raises(Killed):
        advance(lab, task)
    asked = Samples.read(task.folder, frozenset()).asked
    assert len(asked) == 2 and all(each.shown.endswith(("?", ".", "!")) and each.ids for each in asked)


def stopped_before_training(*_: Any) -> None:
    raise Killed


def test_what_is_said_of_a_run_can_be_read_by_people_and_machines(watched):
    told = progress(watched)
    recipe = SftRecipe(**watched.request["recipe"])

    found = described(told, recipe)
    assert found["kept_step"] in (4, 8, 12) and found["health"]["words"] and found["seconds_left"] is None
    assert found["samples"][0]["answers"][0]["step"] == 0
    words = "\n".join(in_words(told, recipe))
    assert "health: " in words and "best step: " in words and "canary books" in words


@pytest.mark.parametrize(
    ("total", "per_epoch", "looks", "expected"),
    [
        (12, 5, {4, 8, 12}, {4, 5, 8, 10, 12}),
        (3, 10, set(), {1, 2, 3}),
        (40, 30, set(), {5, 10, 15, 20, 25, 30, 35, 40}),
    ],
)
def test_they_are_asked_at_each_look_at_the_end_of_each_epoch_and_of_the_run(total, per_epoch, looks, expected):
    assert times(total, per_epoch, frozenset(looks)) == expected


def test_a_hundred_epochs_are_not_a_hundred_answers():
    found = times(1000, 10, frozenset({500, 1000}))
    assert len(found) == 24 and 1000 in found


# ---- the best save point, and an early end
def seeing(losses: dict[int, float], dies: Callable[[str, int], bool] = lambda when, step: False) -> Any:
    """A trainer whose validation part says what a table says, in a process that may die."""
    build = train_slice.build

    def built(job, watch):
        trainer = build(job, watch)
        saved = watch.on_save

        def evaluate(*_: Any, **__: Any) -> dict[str, float]:
            step, metrics = trainer.state.global_step, {"eval_loss": losses.get(trainer.state.global_step, 3.0)}
            trainer.log(metrics)
            trainer.control = trainer.callback_handler.on_evaluate(
                trainer.args, trainer.state, trainer.control, metrics
            )
            if dies("looked", step):
                raise Killed
            return metrics

        def save(*given: Any, **more: Any) -> None:
            saved(*given, **more)
            if dies("saved", trainer.state.global_step):
                raise Killed

        trainer.evaluate, watch.on_save = evaluate, save
        return trainer

    return built


@pytest.fixture(scope="module")
def early(lab) -> Task:
    task = begun(lab, ["Hello!"], **LONG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_slice, "build", seeing(RISES))
        assert advance(lab, task).stage == "finished", progress(task).failure
    return task


def test_it_stops_by_itself_ends_with_the_best_and_says_why(early):
    ended = progress(early)

    assert ended.early and ended.step == 10 and ended.outputs["kept_step"] == 4
    assert ended.outputs["ended"] == "no gain"
    stopped, kept = ended.notes
    assert "stopped at step 10" in stopped and "3 checks in a row" in stopped
    assert "lowest at step 4 (1.5)" in kept and "risen to 1.8" in kept
    assert (early.checkpoints / "000004").is_dir(), "the best is never pruned"
    weights = (early.checkpoints / "000004" / "adapter_model.safetensors").read_bytes()
    assert (early.folder / "adapter" / "adapter_model.safetensors").read_bytes() == weights


DEATHS = [("looked", 4), *([("saved", 10), ("looked", 10)] if os.environ.get("FACET_SOAK") else [])]


@pytest.mark.parametrize("moment", DEATHS, ids=lambda moment: f"{moment[0]} {moment[1]}")
def test_however_it_is_killed_it_ends_with_the_same(lab, early, monkeypatch, moment):
    task, deaths = begun(lab, ["Hello!"], **LONG), [moment]

    def dies(when: str, step: int) -> bool:
        return (when, step) in deaths and not deaths.clear()

    monkeypatch.setattr(train_slice, "build", seeing(RISES, dies))
    with pytest.raises(Killed):
        advance(lab, task)
    ended = advance(lab, task)

    assert ended.stage == "finished" and curve(task) == curve(early)
    assert {name: ended.outputs[name] for name in ("adapter_sha256", "kept_step")} == {
        name: progress(early).outputs[name] for name in ("adapter_sha256", "kept_step")
    }
    assert ended.samples == progress(early).samples and ended.notes == progress(early).notes


def test_who_stops_and_keeps_while_it_rests_gets_the_best_so_far_after_a_look_at_the_newest(lab, monkeypatch):
    task = begun(lab, ["Hello!"], **LONG | {"early_stopping_patience": None})

    def dies(when: str, step: int) -> bool:
        return when == "looked" and step == 8

    monkeypatch.setattr("facet.train.watch.Watch._save_is_due", lambda self, step, total: step == 7)
    monkeypatch.setattr(train_slice, "build", seeing(RISES | {7: 1.9}, dies))
    with pytest.raises(Killed):
        advance(lab, task)
    task.ask_to_stop("keep")
    monkeypatch.setattr(train_slice, "build", seeing(RISES | {7: 1.9}))
    ended = advance(lab, task)

    assert ended.stage == "finished" and ended.early and ended.step == 7
    assert ended.outputs["kept_step"] == 4 and "by step 7 it had risen to 1.9" in ended.notes[-1]

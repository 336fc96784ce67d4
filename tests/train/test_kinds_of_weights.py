"""Every kind of weights learns, and goes on exactly after a fault.

In the default run the cheapest of each; the whole matrix, and real kills, with FACET_SOAK=1.
"""

import os
import signal
from pathlib import Path

import pytest

from facet.identity import LOCAL
from facet.model.tuned import is_whole, tuned_in
from facet.recipe.methods import RECIPES
from facet.work import log, worker
from facet.work.policy import append_unless_busy
from facet.work.task import Task
from facet.workspace import read_json
from tests.journeys import curve, progress, until
from tests.train.weights_lab import KINDS, SOAK, Lab, tensors

pytestmark = pytest.mark.tiny
LONG = pytest.mark.skipif(not SOAK, reason="long: set FACET_SOAK=1 to run it")
CHEAP = [("dora", "sft"), ("4bit", "sft"), ("full", "sft"), ("lora", "cpt")]
ALL = [(kind, method) for method in RECIPES for kind in KINDS]
CUT_AT = (2, 4) if SOAK else (4,)


class Cut(BaseException):
    """Ends a slice where it stands, as a kill does: nobody handles it."""


@pytest.fixture(scope="module")
def lab(lab_of_weights) -> Lab:
    return lab_of_weights


def cut_at(monkeypatch, task: Task, models: Path, step: int) -> None:
    """Advance a task until it has logged this step, and end there without a word."""
    append = log.append

    def listening(file: Path, event: log.Event) -> None:
        append(file, event)
        if isinstance(event, log.Logged) and event.step == step and "loss" in event.values:
            raise Cut

    with monkeypatch.context() as patched, pytest.raises(Cut):
        patched.setattr(log, "append", listening)
        worker.advance(task, models)
    append_unless_busy(task, log.Interrupted())


@pytest.mark.parametrize(("kind", "method"), ALL if SOAK else CHEAP)
def test_cut_off_twice_it_ends_with_the_same_weights_to_the_last_bit(lab, monkeypatch, kind, method):
    undisturbed, task = lab.run(kind, method), lab.queued(kind, method)
    for step in CUT_AT:
        cut_at(monkeypatch, task, lab.studio.workspace.models, step)
    lab.finished(task)

    assert curve(task) == curve(undisturbed)
    assert lab.digest(task) == lab.digest(undisturbed)
    losses = [loss for _, loss in curve(task)["validation_loss"]]
    assert losses[-1] < losses[0], "it learns"


@LONG
@pytest.mark.parametrize(("kind", "method"), ALL)
def test_killed_and_paused_it_ends_with_the_same_weights_to_the_last_bit(lab, kind, method):
    undisturbed, task = lab.run(kind, method), lab.queued(kind, method)
    for step, how in ((2, "kill"), (4, "pause")):
        process = lab.studio.backend.begin(task)
        until(task, lambda now, step=step: now.stage == "running" and now.step >= step)
        if how == "kill":
            os.kill(process.pid, signal.SIGKILL)
        else:
            lab.studio.pause(LOCAL, task.id)
        process.wait()
        append_unless_busy(task, log.Interrupted())
        lab.studio.runs_shelf.resume(LOCAL, task.id) if how == "pause" else None
    lab.finished(task)
    assert curve(task) == curve(undisturbed) and lab.digest(task) == lab.digest(undisturbed)


def test_a_quantised_base_passes_the_gradient_as_the_whole_one_does(lab):
    """bitsandbytes packs 4-bit weights anew when they are first read without a gradient, which is before step one."""
    whole, squeezed = (curve(lab.run(kind))["validation_loss"][-1][1] for kind in ("lora", "4bit"))
    assert abs(squeezed - whole) < 0.1


def test_all_weights_are_left_as_a_model_of_its_own(lab):
    task = lab.run("full")
    place = tuned_in(task.folder)
    assert is_whole(place) and place.name == "model"
    assert progress(task).outputs["model_sha256"] == lab.digest(task) and "adapter_sha256" not in progress(task).outputs
    theirs = {file.name for file in lab.model.iterdir()}
    assert theirs == {file.name for file in place.iterdir()}
    config = read_json(place / "config.json")
    assert config["dtype"] == "float32" and config["use_cache"] == read_json(lab.model / "config.json")["use_cache"]
    names = {name for name in tensors(place)}
    assert names == set(tensors(lab.model)), "the tied output layer is not stored beside the embedding"
    changed = [name for name, values in tensors(place).items() if (values != tensors(lab.model)[name]).any()]
    assert set(changed) == names, "every weight of the language model learned"

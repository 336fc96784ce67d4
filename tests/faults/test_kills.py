"""Killed at any instant, a run ends with every loss and the adapter identical to the one nobody touched."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from facet.compute import warm
from facet.compute.child import PACKAGE_ROOT
from facet.identity import LOCAL
from facet.work import log
from facet.work.policy import append_unless_busy, next_action
from facet.work.task import Task
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run, until

pytestmark = [pytest.mark.faults, pytest.mark.tiny]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("kills") / "home")
    return studio, prepared_example(studio)


@pytest.fixture(scope="module")
def untouched(lab):
    """The run that nobody interrupts: what all others must equal."""
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished", progress(task).failure
    return task


def kill(worker: subprocess.Popen) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL, "the fault must have fired"


def during_start_up(task: Task, worker: subprocess.Popen, number: int) -> None:
    time.sleep(1.0 + number)
    kill(worker)


def at_a_step(task: Task, worker: subprocess.Popen, number: int) -> None:
    step = progress(task).step + 2 + 2 * number
    until(task, lambda now: (now.stage == "running" and now.step >= step) or now.is_over)
    kill(worker)


def inside_a_save(task: Task, worker: subprocess.Popen, number: int) -> None:
    end = time.time() + 120
    seen = progress(task).step
    while time.time() < end and worker.poll() is None:
        if _has_unsealed(task) and progress(task).step > seen:
            kill(worker)
            return
    raise AssertionError("no save was met")


def _has_unsealed(task: Task) -> bool:
    try:
        return any((task.folder / "staging").glob("checkpoint-*/adapter_model.safetensors"))
    except FileNotFoundError:  # the worker makes that folder anew just now
        return False


def go_on_after_a_kill(task: Task) -> None:
    """What the conductor does, step by step, so that the test decides when the next kill comes."""
    assert next_action(progress(task), task.is_busy()) in ("mark interrupted", "start")
    if next_action(progress(task), False) == "mark interrupted":
        append_unless_busy(task, log.Interrupted())


def at_any_instant(task: Task, worker: subprocess.Popen, seconds: float) -> None:
    """Loading takes most of these seconds; a run that was over by then, or in that very instant, was not killed."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        assert worker.wait(seconds) == 0, progress(task).failure
        return
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL or progress(task).is_over, "the fault must have fired"


def test_four_kills_leave_no_trace_in_the_losses_or_the_adapter(lab, untouched):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)

    for number, way in enumerate((during_start_up, at_a_step, inside_a_save, at_a_step)):
        worker = studio.backend.begin(task)
        way(task, worker, number % 2)
        go_on_after_a_kill(task)
    list(studio.backend.advance(task))

    must_equal(task, untouched)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(50))
def test_four_kills_at_any_instant_leave_no_trace(lab, untouched, seed):
    studio, dataset_id = lab
    task, dice = queued_run(studio, dataset_id), random.Random(seed)

    in_vain = 0  # a run that is ended three times before it learned anything is given up
    for _ in range(4):
        worker, before = studio.backend.begin(task), progress(task).step
        if in_vain == 2:
            until(task, lambda now, before=before: now.step > before or now.is_over)
        at_any_instant(task, worker, dice.uniform(0.1, 14.0 if in_vain < 2 else 1.0))
        in_vain = 0 if progress(task).step > before else in_vain + 1
        if progress(task).is_over:
            break
        go_on_after_a_kill(task)
    if not progress(task).is_over:
        list(studio.backend.advance(task))

    must_equal(task, untouched)
    studio.delete(LOCAL, "runs", task.id)


def must_equal(task: Task, untouched: Task) -> None:
    assert progress(task).stage == "finished"
    assert curve(task) == curve(untouched)
    assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]


@pytest.mark.long
def test_a_worker_that_was_a_spare_is_killed_like_any_other(lab, untouched, monkeypatch):
    studio, dataset_id = lab
    monkeypatch.setenv("FACET_WARM", "1")
    monkeypatch.setattr(warm, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr(warm, "CALM_PERCENT", 101.0)
    keeper = studio.backend.warm
    monkeypatch.setattr(keeper, "free_gb", lambda: 99.0)
    task = queued_run(studio, dataset_id)
    try:
        for _ in range(2):
            keeper.expect()
            keeper._starter.join(timeout=60)
            spare = keeper._spare.pid
            worker = studio.backend.begin(task)
            assert worker.pid == spare
            at_a_step(task, worker, 0)
            go_on_after_a_kill(task)
    finally:
        monkeypatch.setenv("FACET_WARM", "0")
        keeper._give_up()
    list(studio.backend.advance(task))

    assert curve(task) == curve(untouched)
    assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]


@pytest.mark.long  # what is paused goes on exactly in tests/train/test_continue.py, too
def test_pause_and_resume_by_button_leave_no_trace_either(lab, untouched):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    assert studio.open()
    try:
        for step in (3, 9):
            until(task, lambda now, step=step: now.step >= step)
            studio.pause(LOCAL, task.id)
            assert until(task, lambda now: now.stage == "paused").step < 24
            studio.resume(LOCAL, task.id)
        until(task, lambda now: now.is_over)
    finally:
        studio.conductor.halt()

    assert curve(task) == curve(untouched)
    assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]


def test_the_app_is_killed_and_the_run_goes_on_and_is_found_again(lab, untouched):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    app = conducting(studio.workspace.home)
    until(task, lambda now: now.step >= 2)
    worker = psutil.Process(int(__import__("json").loads((task.folder / "worker.json").read_text())["pid"]))

    app.kill()
    app.wait()
    assert worker.is_running()
    second = conducting(studio.workspace.home)
    until(task, lambda now: now.is_over)
    second.wait(timeout=60)

    assert curve(task) == curve(untouched)
    starts = [event for event, _ in log.read(task.events_file) if isinstance(event, log.Started)]
    assert len(starts) == 1, "the worker was adopted, not doubled"


def conducting(home: Path) -> subprocess.Popen:
    environment = os.environ | {"FACET_HOME": str(home), "PYTHONPATH": PACKAGE_ROOT}
    return subprocess.Popen([sys.executable, "-m", "facet", "conduct"], env=environment)


def test_stop_and_keep_gives_a_model_that_says_it_was_stopped_early(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    assert studio.open()
    try:
        until(task, lambda now: now.step >= 3)
        studio.stop(LOCAL, task.id)
        ended = until(task, lambda now: now.is_over)
    finally:
        studio.conductor.halt()

    assert ended.stage == "finished" and ended.early and ended.step < 24
    assert (task.folder / "adapter" / "adapter_model.safetensors").is_file()


def test_a_spoiled_newest_save_point_is_said_and_the_one_before_it_used(lab, untouched):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    worker = studio.backend.begin(task)
    until(task, lambda now: now.checkpoint is not None and now.checkpoint >= 5)
    kill(worker)
    newest = sorted(path for path in task.checkpoints.iterdir() if path.name.isdigit())[-1]
    (newest / "optimizer.pt").write_bytes(b"spoiled")
    go_on_after_a_kill(task)

    list(studio.backend.advance(task))

    assert any("damaged" in words for words in progress(task).notes)
    assert curve(task) == curve(untouched)

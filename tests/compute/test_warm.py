"""A spare worker: one task each, only while it pays, and never left behind."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from facet.compute import child, warm
from facet.compute.local import Local
from facet.compute.warm import Warm
from facet.work.task import Task
from tests.journeys import a_studio, progress

PARENT = """
import sys, time
from facet.compute import warm
warm.AFTER_SECONDS, warm.CALM_PERCENT = 0.0, 101.0
keeper = warm.Warm(lambda: 99.0)
keeper.expect()
while not keeper._is_there(): time.sleep(0.02)
print(keeper._spare.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def keeper(monkeypatch):
    """Starts its spare at once, without libraries."""
    monkeypatch.setenv("FACET_WARM", "1")
    monkeypatch.setattr(warm, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr(warm, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(warm, "CALM_PERCENT", 101.0)
    keeper = Warm(lambda: 99.0)
    yield keeper
    keeper.close()


def there(keeper: Warm) -> psutil.Process:
    keeper._starter.join(timeout=20)
    return psutil.Process(keeper._spare.pid)


def gone(process: psutil.Process) -> bool:
    return not psutil.wait_procs([process], timeout=20)[1]


def broken_task(folder: Path) -> Task:
    folder.mkdir()
    return Task.create(folder, "train", {"imported": True, "base": {"where": "starter", "path": "starter", "id": "x"}})


def test_a_spare_becomes_the_worker_of_one_task_and_ends_with_it(keeper, tmp_path):
    task = broken_task(tmp_path / "run")
    place = Local(tmp_path, warm=keeper)
    keeper.expect()
    spare = there(keeper)

    worker = place.begin(task)

    assert worker.pid == spare.pid and worker.wait(timeout=60) == 0
    assert json.loads((task.folder / "worker.json").read_text())["pid"] == spare.pid
    assert progress(task).repeated_faults == 1, "this task is broken, and the spare found that out"
    assert "unexpected" in task.output_log.read_text(), "what it says is in the log of the task"
    assert keeper.take([], task.output_log) is None


def test_a_spare_ends_when_the_one_who_started_it_is_killed():
    environment = child.environment(FACET_WARM="1")
    parent = subprocess.Popen([sys.executable, "-c", PARENT], env=environment, stdout=subprocess.PIPE)
    spare = psutil.Process(int(parent.stdout.readline()))
    assert spare.is_running()

    parent.kill()
    parent.wait()

    assert gone(spare)


def test_half_an_order_is_no_order(keeper):
    keeper.expect()
    spare = there(keeper)

    keeper._spare.stdin.write(b'{"worker": ["/tmp')
    keeper._spare.stdin.close()

    assert keeper._spare.wait(timeout=20) == 0 and gone(spare)


def test_a_spare_that_died_is_done_without(keeper, tmp_path):
    keeper.expect()
    there(keeper).kill()
    keeper._spare.wait(timeout=20)

    assert keeper.take([], tmp_path / "log") is None
    keeper.expect()
    assert there(keeper).is_running(), "and there is another one for the next"


def test_a_spare_with_other_surroundings_is_not_used(keeper, tmp_path, monkeypatch):
    keeper.expect()
    spare = there(keeper)
    monkeypatch.setenv("FACET_THREADS", "7")

    assert keeper.take([], tmp_path / "log") is None
    assert gone(spare)


def test_two_presses_at_once_get_one_spare(keeper, tmp_path, monkeypatch):
    monkeypatch.setattr(warm, "_is_told", lambda spare, orders: True)
    keeper.expect()
    there(keeper)
    taken = []
    threads = [threading.Thread(target=lambda: taken.append(keeper.take([], tmp_path / "log"))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = [spare for spare in taken if spare]
    assert len(found) == 1
    found[0].kill()
    found[0].wait()


@pytest.mark.parametrize(
    "why_not",
    [
        lambda keeper, monkeypatch: monkeypatch.setenv("FACET_WARM", "0"),
        lambda keeper, monkeypatch: monkeypatch.setattr(keeper, "free_gb", lambda: 2.0),
        lambda keeper, monkeypatch: monkeypatch.setattr(warm, "CALM_PERCENT", -1.0),
        lambda keeper, monkeypatch: keeper.close(),
    ],
    ids=["switched off", "too little memory", "the machine is busy", "the app ends"],
)
def test_no_spare_is_started(keeper, monkeypatch, why_not):
    started = []
    monkeypatch.setattr(warm, "spawn", lambda *arguments, **streams: started.append(arguments))
    monkeypatch.setattr(keeper, "idle_seconds", 0.2)
    why_not(keeper, monkeypatch)

    keeper.expect()
    if keeper._starter:
        keeper._starter.join(timeout=20)

    assert not started


def test_its_memory_is_given_back_when_nobody_comes_or_others_need_it(keeper, monkeypatch):
    keeper.expect()
    spare = there(keeper)
    keeper.close_if_idle()
    assert spare.is_running(), "somebody may still press Start"

    monkeypatch.setattr(keeper, "free_gb", lambda: 0.5)
    keeper.close_if_idle()
    assert gone(spare)

    monkeypatch.setattr(keeper, "free_gb", lambda: 99.0)
    keeper.expect()
    spare = there(keeper)
    monkeypatch.setattr(keeper, "idle_seconds", 0.0)
    keeper.close_if_idle()
    assert gone(spare)


def test_a_studio_keeps_one_only_for_who_is_there_and_takes_it_along(keeper, tmp_path):
    studio = a_studio(tmp_path / "home")
    studio.backend.warm.ready, studio.backend.warm.free_gb = (), lambda: 99.0
    assert studio.open()
    try:
        time.sleep(0.1)
        assert studio.backend.warm._spare is None, "nobody has come"
        studio.expect_start()
        spare = there(studio.backend.warm)
        studio.janitor()
        assert spare.is_running()
    finally:
        studio.close()
    assert gone(spare)


def test_one_who_stands_by_keeps_none(keeper, tmp_path):
    first, second = a_studio(tmp_path / "home"), a_studio(tmp_path / "home")
    assert first.open() and not second.open()
    try:
        second.expect_start()
        assert second.backend.warm._starter is None
    finally:
        second.close()
        first.close()


def test_there_is_none_beside_lent_cards(monkeypatch, tmp_path):
    monkeypatch.setattr("facet.places.is_here", lambda: True)
    monkeypatch.setenv("FACET_WARM", "1")
    monkeypatch.setattr(warm, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr(warm, "LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(Warm, "_is_wanted", lambda self: next(wanted))
    wanted = iter([True, True, False, False, False])
    studio = a_studio(tmp_path / "home")

    with studio.conductor.lock:
        studio.expect_start()
        studio.backend.warm._starter.join(timeout=20)

    assert studio.backend.warm._spare is None and studio.backend.warm.free_gb() == 0

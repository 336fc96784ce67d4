"""The policy as a table, and the conductor walking over real task folders with a small fake place to compute."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facet.errors import TrainingError
from facet.work import log
from facet.work.conductor import Conductor
from facet.work.log import MOST_TRIES, Progress
from facet.work.policy import next_action
from facet.work.task import Task

FAULT = log.Failed.of(TrainingError("It broke.", "Somehow.", "Try again."), retry=True)


@pytest.mark.parametrize(
    ("progress", "busy", "stop", "expected"),
    [
        (Progress(), False, False, "start"),
        (Progress(), False, True, "mark paused"),
        (Progress(stage="interrupted"), False, True, "mark paused"),
        (Progress(stage="running"), True, False, "wait"),
        (Progress(stage="running"), False, False, "mark interrupted"),
        (Progress(stage="preparing"), False, False, "mark interrupted"),
        (Progress(stage="interrupted"), False, False, "start"),
        (Progress(stage="interrupted", interruptions=MOST_TRIES), False, False, "give up"),
        (Progress(stage="paused"), False, False, "done"),
        (Progress(stage="failed"), False, False, "done"),
        (log.fold([log.Paused(step=1, out_of_time=True)]), False, False, "start"),
        (log.fold([log.Paused(step=1, out_of_time=True)]), False, True, "mark paused"),
        (log.fold([FAULT]), False, False, "start"),
        (log.fold([FAULT] * MOST_TRIES), False, False, "done"),
        (log.fold([FAULT] * MOST_TRIES + [log.Queued()]), False, False, "start"),
        (Progress(stage="finished"), False, False, "done"),
    ],
)
def test_what_to_do_next_with_one_task(progress, busy, stop, expected):
    assert next_action(progress, busy, stop) == expected


class Place:
    """A place to compute whose slices end as a script says."""

    unattended = True

    def __init__(self, *endings: list[log.Event]) -> None:
        self.endings = list(endings)

    def advance(self, task: Task, grant: None) -> Iterator[log.Event]:
        for event in self.endings.pop(0):
            log.append(task.events_file, event)
            yield event


def conducted(folder: Path, place: Place, rounds: int) -> log.Progress:
    conductor = Conductor(place, lambda: [folder], folder.parent / "conductor.lock")
    for _ in range(rounds):
        conductor.round()
    return log.progress_of(Task(folder).events_file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    Task.create(folder, "train", {})
    return folder


START, SAVE, DONE = log.Started(total_steps=2), log.Saved(step=1), log.Finished(step=2)


def test_a_worker_that_vanishes_is_started_again_until_the_work_is_done(folder):
    place = Place([START, SAVE], [START, log.Resumed(step=1)], [START, DONE])

    assert conducted(folder, place, rounds=6).stage == "finished"


def test_a_worker_that_keeps_vanishing_before_it_saves_is_given_up_with_the_reason(folder):
    progress = conducted(folder, Place(*[[START]] * 5), rounds=12)

    assert progress.stage == "failed"
    assert "memory" in progress.failure["why"]


def test_a_worker_that_dies_before_its_first_word_is_not_started_for_ever(folder):
    progress = conducted(folder, Place(*[[]] * 5), rounds=12)

    assert progress.stage == "failed" and "interrupted again and again" in progress.failure["what"]


def test_a_place_that_breaks_down_is_told_and_not_tried_for_ever(folder):
    class Broken(Place):
        def advance(self, task, grant):
            raise OSError("no more processes")
            yield

    assert "OSError" in conducted(folder, Broken(), rounds=2).failure["why"]


def test_a_paused_task_goes_on_only_when_a_person_asks(folder):
    place = Place([START, SAVE, log.Paused(step=1)], [START, DONE])
    assert conducted(folder, place, rounds=3).stage == "paused"

    Task(folder).ask_to_resume()

    assert conducted(folder, place, rounds=2).stage == "finished"


def test_two_conductors_never_share_a_folder(tmp_path):
    first, second = (Conductor(Place(), lambda: [], tmp_path / "conductor.lock") for _ in range(2))
    assert first.start()
    assert not second.start()
    first.halt()
    for _ in range(500):
        if second.lock.is_locked:
            break
        time.sleep(0.01)
    assert second.lock.is_locked, "who stands by takes over"
    second.halt()


def test_resume_pressed_twice_neither_repeats_a_finished_run_nor_is_lost(folder):
    task = Task(folder)
    place = Place([START, SAVE, log.Paused(step=1)], [START, DONE])
    conducted(folder, place, rounds=2)
    task.ask_to_resume()
    with task.lock():
        assert conducted(folder, place, rounds=1).stage == "paused", "somebody holds the task for a moment"
    assert conducted(folder, place, rounds=2).stage == "finished"
    task.ask_to_resume()

    assert conducted(folder, place, rounds=2).stage == "finished"
    assert not task.resume_asked()


def test_a_conductor_that_was_halted_can_be_started_again_and_works(folder):
    conductor = Conductor(Place([START, DONE]), lambda: [folder], folder.parent / "conductor.lock")
    conductor.start()
    conductor.halt()
    log.append(Task(folder).events_file, log.Queued())
    conductor.backend = Place([START, DONE])
    conductor.start()
    for _ in range(200):
        if log.progress_of(Task(folder).events_file).stage == "finished":
            break
        time.sleep(0.02)
    conductor.halt()

    assert log.progress_of(Task(folder).events_file).stage == "finished"

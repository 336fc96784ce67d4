"""The log: whole lines only, a pure fold, and a curve that is right after any number of resumes."""

import math

import pytest

from facet.errors import TrainingError
from facet.work import log


def logged(step: int, loss: float) -> log.Logged:
    return log.Logged(step=step, values={"loss": loss})


def test_what_came_after_the_save_point_leaves_the_curve_when_a_run_resumes():
    events = [
        log.Started(total_steps=4),
        logged(1, 3.0),
        log.Saved(step=1),
        logged(2, 2.9),
        log.Started(total_steps=4, step=1),
        log.Resumed(step=1),
        logged(2, 2.8),
    ]

    progress = log.fold(events)

    assert progress.curves["loss"] == [(1, 3.0), (2, 2.8)]
    assert (progress.step, progress.checkpoint, progress.stage) == (2, 1, "running")


def test_a_run_that_begins_anew_forgets_also_what_was_measured_before_its_first_step():
    before = log.Logged(step=0, values={"validation_loss": 4.0})

    progress = log.fold([log.Started(total_steps=4), before, logged(1, 3.0), log.Resumed(step=0), before])

    assert progress.curves == {"validation_loss": [(0, 4.0)]}


def test_every_prefix_of_a_log_can_be_read(tmp_path):
    file = tmp_path / "events.jsonl"
    for event in (log.Started(total_steps=2), logged(1, 3.0), log.Saved(step=1), log.Finished(step=1)):
        log.append(file, event)
    whole = file.read_bytes()

    for end in range(len(whole) + 1):
        file.write_bytes(whole[:end])
        assert log.progress_of(file).step in (0, 1)
    assert log.progress_of(file).stage == "finished"


def test_a_line_torn_by_a_kill_spoils_only_itself(tmp_path):
    file = tmp_path / "events.jsonl"
    log.append(file, logged(1, 3.0))
    with open(file, "ab") as torn:
        torn.write(b'{"kind":"logged","step":2,"val')

    log.append(file, logged(2, 2.5))

    assert log.progress_of(file).curves["loss"] == [(1, 3.0), (2, 2.5)]


def test_a_follower_reads_only_what_is_new_and_agrees_with_the_whole_fold(tmp_path):
    file = tmp_path / "events.jsonl"
    follower = log.Follower(file)
    assert follower.look().stage == "waiting"
    for step in range(1, 6):
        log.append(file, logged(step, 1.0 / step))
        assert follower.look() == log.progress_of(file)
    assert follower.offset == file.stat().st_size


def test_a_loss_that_is_no_number_survives_the_log(tmp_path):
    file = tmp_path / "events.jsonl"
    log.append(file, logged(1, math.nan))

    assert math.isnan(log.progress_of(file).curves["loss"][0][1])


def test_a_failure_crosses_the_log_as_three_sentences(tmp_path):
    file = tmp_path / "events.jsonl"
    error = TrainingError("It stopped.", "It was too much.", "Lower it.")
    log.append(file, log.Failed.of(error))

    assert TrainingError.from_dict(log.progress_of(file).failure).args == error.args


def test_a_fault_that_comes_back_is_counted_and_a_save_point_forgives_it():
    error = log.Failed.of(TrainingError("It stopped.", "Why.", "Next."), retry=True)
    start = log.Started(total_steps=9)

    assert log.fold([start, error, start, error]).repeated_faults == 2
    assert log.fold([start, error, start, log.Saved(step=1), error]).repeated_faults == 1


@pytest.mark.parametrize("gap", [0.0, 3600.0])
def test_time_between_slices_is_not_working_time(gap):
    events = [
        log.Started(at=100, total_steps=2),
        log.Paused(at=110, step=1),
        log.Started(at=110 + gap, total_steps=2),
        log.Finished(at=115 + gap, step=2),
    ]

    assert log.fold(events).working_seconds == pytest.approx(15)

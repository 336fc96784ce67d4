"""Waiting for a test or a batch in a terminal: how long it may take, how far it is, and what ended it."""

import sys
import time
from collections.abc import Callable

from facet.cli.people import machine_grant
from facet.errors import TrainingError
from facet.exam.forecast import Forecast
from facet.identity import LOCAL
from facet.studio import Studio
from facet.work.log import Progress
from facet.work.task import Task

LOOK_EVERY_SECONDS = 0.5
SAY_EVERY_SECONDS = 10.0


def wait(studio: Studio, object_id: str, progress: Callable[[], Progress]) -> None:
    """Until it is over. Raises: `TrainingError` with what went wrong, or that it rests and nobody makes it go on."""
    studio.open()
    task = Task(studio.workspace.find(LOCAL, "exams", object_id))
    try:
        if task.where == "zerogpu":
            for _ in studio.drive(machine_grant()):
                pass
            now = progress()
        else:
            now = _watch(task, progress)
    finally:
        studio.close()
    if now.failure:
        raise TrainingError.from_dict(now.failure)
    if not now.is_over:
        raise _rests(object_id, now)


def _watch(task: Task, progress: Callable[[], Progress]) -> Progress:
    said = began = time.monotonic()
    first: int | None = None
    while not (now := progress()).is_over:
        if now.stage == "paused" and not task.resume_asked():
            return now
        time.sleep(LOOK_EVERY_SECONDS)
        first = now.step if first is None and now.stage == "running" else first
        if now.total_steps and time.monotonic() - said > SAY_EVERY_SECONDS:
            said = time.monotonic()
            print(so_far(now, first, said - began), file=sys.stderr, flush=True)
    return now


def _rests(object_id: str, now: Progress) -> TrainingError:
    because = now.words if now.until else "It was paused, here or in another place."
    done = f"{now.step:,} of {now.total_steps:,} answers are there" if now.total_steps else "No answer is there yet"
    return TrainingError(
        because if now.stage == "paused" else "It waits for a graphics card.",
        f"{done}, and what is there is kept.",
        f"Let it go on with: python -m facet exams {object_id} --resume.",
    )


def so_far(now: Progress, first: int | None, seconds: float) -> str:
    """`first` is the step it was at when the waiting began."""
    gained = now.step - (now.step if first is None else first)
    left = (now.total_steps - now.step) * seconds / gained if gained > 0 else 0.0
    return f"{now.step:,} of {now.total_steps:,}{f', about {_about(left)} to go' if left else ''}"


def say_forecast(found: Forecast | None) -> None:
    """How long it will take, on stderr."""
    if found is not None and found.seconds is not None and found.answers:
        how = "about" if found.measured else "very roughly"
        print(f"{found.answers:,} answers to give, {how} {_about(found.seconds)}.", file=sys.stderr, flush=True)


def _about(seconds: float) -> str:
    return f"{max(1, round(seconds))} seconds" if seconds < 100 else f"{round(seconds / 60):,} minutes"

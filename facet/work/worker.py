"""The one way to advance a task, anywhere: `python -m facet.work.worker TASK_FOLDER --models FOLDER [--seconds N]`.

With `--prepare` it does what needs no device (tokens), so that the time of a rented one goes into the work itself.

A slice reads and writes only the task folder; may be killed at any instant and called again; returns when finished,
asked to stop, or out of time, always after a verified save point; appends each event before going on; and returns
failures as data.
"""

import argparse
import functools
import importlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import Timeout

from facet.errors import CapacityError, FacetError, TrainingError
from facet.work import log
from facet.work.task import Kind, Task

ENTRY_POINTS: dict[Kind, str] = {
    "train": "facet.train.slice",
    "exam": "facet.exam.exam",
    "batch": "facet.exam.batch",
    "measure": "facet.train.measure",
}
ALREADY_BUSY = 3  # exit status: another process works on this task
log_to = logging.getLogger("facet.worker")


@dataclass(frozen=True)
class Slice:
    """What an entry point is given: the task, where base models lie, and until when it may work."""

    task: Task
    models: Path
    deadline: float | None  # on the monotonic clock, in seconds: a wall clock may jump
    emit: Callable[[log.Event], None]
    hurry: threading.Event = field(default_factory=threading.Event)  # set: save now, whatever the deadline says
    memory_was_short: bool = False  # the last slice was ended by the system for want of it

    def seconds_left(self) -> float:
        if self.hurry.is_set():
            return 0.0
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()


def advance(
    task: Task,
    models: Path,
    seconds: float | None = None,
    hurry: threading.Event | None = None,
    prepare: bool = False,
) -> int:
    """Work on a task for at most `seconds`. Returns the exit status: 0 unless somebody else holds the task."""
    try:
        held = task.lock().acquire(timeout=10)  # a predecessor that is just ending needs a moment
    except Timeout:
        return ALREADY_BUSY
    with held:
        task.clear_turn()  # of an earlier slice, which ended before it was noticed
        deadline = time.monotonic() + seconds if seconds else None
        emit = functools.partial(log.append, task.events_file)
        piece = Slice(task, models, deadline, emit, hurry or threading.Event(), task.memory_was_short())
        task.clear_short_memory()
        task.set_room_aside()
        try:
            entry = importlib.import_module(ENTRY_POINTS[task.kind])
            entry.prepare(piece) if prepare else entry.advance(piece)
        except Exception as error:
            _say_at_last(piece, _as_event(error))
    return 0


def _say_at_last(piece: Slice, failure: log.Failed) -> None:
    """On a disk that is full to the last byte the words about it find their place in the room set aside for them."""
    try:
        piece.emit(failure)
    except OSError:
        piece.task.use_room_aside()
        piece.emit(failure)


def _as_event(error: Exception) -> log.Failed:
    if isinstance(error, FacetError):
        log_to.warning("stopped: %s", type(error).__name__)
        return log.Failed.of(error)
    stack = "".join(traceback.format_tb(error.__traceback__))  # without the message, which may quote a person's text
    log_to.error("unexpected %s\n%s", type(error).__name__, stack)
    if is_out_of_memory(error):
        return log.Failed.of(out_of_memory(), retry=True)
    if is_disk_full(error):
        return log.Failed.of(disk_full())
    where = traceback.extract_tb(error.__traceback__)[-1]
    fault = TrainingError(
        "The work stopped because of an unexpected fault.",
        f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}; the last save point is kept.",
        "Press “Resume” to try once more, and report this line if it comes back.",
    )
    return log.Failed(
        error=fault.as_dict(), signature=f"{type(error).__name__} {where.filename}:{where.lineno}", retry=True
    )


def is_out_of_memory(error: BaseException) -> bool:
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in text
        or "out of memory" in text.lower()
    )


def is_disk_full(error: BaseException) -> bool:
    """torch reports a full disk as a RuntimeError from its file writer."""
    text = str(error)
    full = isinstance(error, OSError) and error.errno == 28
    return full or "iostream error" in text or "inline_container" in text or "No space left" in text


def out_of_memory() -> CapacityError:
    return CapacityError(
        "The memory of this machine was not enough.",
        "Even one example at a time did not fit beside the model.",
        "Lower “Longest example” or choose a smaller starting model, then start again.",
    )


def disk_full() -> CapacityError:
    return CapacityError(
        "The disk is full.",
        "The newest save point could not be written; the one before it is kept.",
        "Free some space, then press “Resume”.",
    )


@functools.cache
def step_back() -> None:
    """The page stays quick beside a training. Once in a process."""
    if hasattr(os, "nice"):
        os.nice(5)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m facet.work.worker", description=__doc__)
    parser.add_argument("task", type=Path)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--prepare", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    step_back()
    task, models = Task(options.task.resolve()), options.models.resolve()
    return advance(task, models, options.seconds, prepare=options.prepare)


if __name__ == "__main__":
    sys.exit(main())

"""What to do with one task now, and how it is written down. For whoever drives tasks: the conductor, an open page."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import Timeout

from facet.errors import TrainingError
from facet.work import log
from facet.work.log import MOST_TRIES, Progress
from facet.work.task import Task

TELL_EVERY_SECONDS = 3.0
Action = Literal["start", "wait", "mark interrupted", "mark paused", "give up", "done"]


def next_action(progress: Progress, busy: bool, stop_asked: bool = False) -> Action:
    """What to do with one task now. Pure: this table is the whole policy."""
    if busy:
        return "wait"
    match progress.stage:
        case "finished" | "failed" | "paused":
            return "done"
        case "running" | "preparing":
            return "mark interrupted"
        case "interrupted":
            return "mark paused" if stop_asked else "give up" if progress.interruptions >= MOST_TRIES else "start"
        case "waiting":
            return "mark paused" if stop_asked else "start"


def queue_again(task: Task, progress: Progress) -> None:
    """Answer a person's wish to go on, once nobody works on the task. A finished one has nothing to go on with."""
    if progress.stage == "finished" or append_unless_busy(task, log.Queued()):
        task.clear_resume()


def settle(task: Task, action: Action, look: Callable[[Path], Progress]) -> None:
    """Write down what became of a task that nobody works on any more."""
    match action:
        case "mark interrupted":
            short = "The system ended the worker, because memory ran out."
            words = short if task.memory_was_short() else "The worker ended without a word."
            append_unless_busy(task, log.Interrupted(words=words))
        case "mark paused":
            append_unless_busy(task, log.Paused(step=look(task.folder).step, words="Paused."))
        case "give up":
            append_unless_busy(task, log.Failed.of(_keeps_vanishing()))


def append_unless_busy(task: Task, event: log.Event) -> bool:
    if not (task.folder / "task.json").exists():
        return False  # deleted meanwhile; a lock would make its folder anew
    try:
        held = task.lock().acquire(timeout=0)
    except Timeout:
        return False
    with held:
        log.append(task.events_file, event)
    return True


def _keeps_vanishing() -> TrainingError:
    return TrainingError(
        "The work was interrupted again and again.",
        f"The worker vanished {MOST_TRIES} times before it could save; most often the machine ran out of memory.",
        "Lower “Longest example” or “Examples at once”, then start again.",
    )


@dataclass
class Telling:
    """Tells a task's log, every few seconds, how far something is that happens before its worker starts."""

    task: Task
    words: str
    last: float = 0.0

    def report(self, done_gb: float, total_gb: float) -> None:
        if time.monotonic() - self.last > TELL_EVERY_SECONDS:
            self.last = time.monotonic()
            if not (self.task.folder / "task.json").exists():
                raise TrainingError("This run is gone.", "It was deleted meanwhile.", "Start a new run.")
            if self.task.stop_asked():
                raise TrainingError(
                    "The download was stopped.", "You asked for it.", "Press “Resume” to go on with it."
                )
            append_unless_busy(self.task, log.Staged(words=f"{self.words}: {done_gb:.1f} of {total_gb:.1f} GB"))

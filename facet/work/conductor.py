"""Keeps unattended work going without a page: starts slices, notices vanished workers, stops after repeated faults."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from filelock import FileLock, Timeout

from facet.errors import FacetError, TrainingError
from facet.work import log
from facet.work.log import MOST_TRIES, Progress
from facet.work.task import Task

EVERY_SECONDS = 1.0
TELL_EVERY_SECONDS = 3.0
Action = Literal["start", "wait", "mark interrupted", "mark paused", "give up", "done"]
log_to = logging.getLogger("facet.conductor")


class Advances(Protocol):
    """The part of a backend that the conductor needs."""

    unattended: bool

    def advance(self, task: Task, grant: None) -> Iterable[log.Event]: ...


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


class Conductor:
    """One thread that walks over all tasks; one slice at a time on this machine, in the order they came.

    Several processes may open the same folder: the one that holds the lock conducts, the others stand by and take
    over when it ends.
    """

    def __init__(
        self,
        backend: Advances,
        tasks: Callable[[], list[Path]],
        lock_file: Path,
        look: Callable[[Path], Progress] | None = None,
    ) -> None:
        """`look` gives the progress of a task's folder; one that remembers spares reading long logs again."""
        self.backend = backend
        self.look = look or Looking()
        self.tasks = tasks
        self.lock = FileLock(lock_file, thread_local=False)
        self._wake = threading.Event()
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Begin to conduct, or to stand by. False when another process on the same folder conducts now."""
        conducting = self._take_the_lock()
        self._halt = threading.Event()
        self._thread = threading.Thread(target=self._conduct, args=(self._halt,), name="conductor", daemon=True)
        self._thread.start()
        return conducting

    def _take_the_lock(self) -> bool:
        if self.lock.is_locked:
            return True
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def wake(self) -> None:
        self._wake.set()

    def halt(self) -> None:
        """Stop conducting. Workers go on: they belong to themselves."""
        self._halt.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=10)
        self.lock.release()

    def _conduct(self, halt: threading.Event) -> None:
        while not halt.is_set():
            try:
                if self._take_the_lock():
                    self.round()
            except Exception as error:
                log_to.error("a round failed: %s", type(error).__name__)
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()

    def round(self) -> None:
        """Look at every task once, in the order they came, and drive the first that wants it."""
        for folder in sorted(self.tasks(), key=_came):
            if self._halt.is_set():
                return
            task = Task(folder)
            if task.resume_asked():
                queue_again(task, self.look(folder))
            if next_action(self.look(folder), False) == "done":
                continue
            busy = task.is_busy()  # before the look: what a worker wrote at its very end must be seen
            action = next_action(self.look(folder), busy, task.stop_asked() == "pause")
            if action == "wait":
                return  # the device is taken, by a worker that was here before us
            self.act(task, action)

    def has_work(self) -> bool:
        """Is anything running, waiting or asked to go on?"""
        return any(
            Task(folder).resume_asked() or next_action(self.look(folder), False) != "done" for folder in self.tasks()
        )

    def act(self, task: Task, action: Action) -> None:
        match action:
            case "start":
                self._drive(task)
            case "mark interrupted":
                append_unless_busy(task, log.Interrupted(words="The worker ended without a word."))
                self.wake()
            case "mark paused":
                append_unless_busy(task, log.Paused(step=self.look(task.folder).step, words="Paused."))
            case "give up":
                append_unless_busy(task, log.Failed.of(_keeps_vanishing()))

    def _drive(self, task: Task) -> None:
        """Follow one slice to its end. Whatever goes wrong becomes an event, or the same fault would come for ever."""
        seen = False
        try:
            for _ in self.backend.advance(task, None):
                seen = True
                if self._halt.is_set():
                    return
        except FacetError as error:
            paused = log.Paused(step=self.look(task.folder).step, words="Paused.")
            append_unless_busy(task, paused if task.stop_asked() == "pause" else log.Failed.of(error))
            return
        except Exception as error:
            log_to.error("a slice could not be driven: %s", type(error).__name__)
            append_unless_busy(task, log.Failed.of(_cannot_start(error)))
            return
        if not seen:
            append_unless_busy(task, log.Interrupted(words="The worker ended before it could say anything."))


class Looking:
    """Progress of task folders, each log read only as far as it has grown. For several threads."""

    def __init__(self) -> None:
        self._followers: dict[Path, log.Follower] = {}
        self._lock = threading.Lock()

    def __call__(self, folder: Path) -> Progress:
        with self._lock:
            follower = self._followers.get(folder)
            if follower is None:
                follower = self._followers[folder] = log.Follower(Task(folder).events_file)
            return follower.look()

    def forget(self, folder: Path) -> None:
        with self._lock:
            self._followers.pop(folder, None)


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


def queue_again(task: Task, progress: Progress) -> None:
    """Answer a person's wish to go on, once nobody works on the task. A finished one has nothing to go on with."""
    if progress.stage == "finished" or append_unless_busy(task, log.Queued()):
        task.clear_resume()


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


def _cannot_start(error: Exception) -> TrainingError:
    return TrainingError(
        "The work could not be started.",
        f"This machine answered with {type(error).__name__}.",
        "Press “Resume” to try once more, or start Facet anew.",
    )


def _came(folder: Path) -> float:
    try:
        return (folder / "task.json").stat().st_mtime
    except OSError:
        return 0.0

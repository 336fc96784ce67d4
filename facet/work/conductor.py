"""Keeps unattended work going without a page: starts slices, notices vanished workers, stops after repeated faults."""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, Protocol

from filelock import FileLock, Timeout

from facet.errors import FacetError, TrainingError
from facet.work import log
from facet.work.log import Progress
from facet.work.task import Task

MOST_TRIES = 3
EVERY_SECONDS = 1.0
Action = Literal["start", "wait", "mark interrupted", "give up", "done"]
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
        case "finished":
            return "done"
        case "failed":
            return "start" if progress.retry and progress.repeated_faults < MOST_TRIES else "done"
        case "paused":
            return "start" if progress.out_of_time and not stop_asked else "done"
        case "running" | "preparing":
            return "mark interrupted"
        case "interrupted":
            return "give up" if progress.starts_without_saving >= MOST_TRIES else "start"
        case "waiting":
            return "start"


class Conductor:
    """One thread that walks over all tasks; one slice at a time on this machine, in the order they came."""

    def __init__(self, backend: Advances, tasks: Callable[[], list[Path]], lock_file: Path) -> None:
        self.backend = backend
        self.tasks = tasks
        self.lock = FileLock(lock_file)
        self._followers: dict[Path, log.Follower] = {}
        self._wake = threading.Event()
        self._halt = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Begin conducting. False when another process on the same folder already does."""
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            return False
        self._thread = threading.Thread(target=self._conduct, name="conductor", daemon=True)
        self._thread.start()
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

    def _conduct(self) -> None:
        while not self._halt.is_set():
            try:
                self.round()
            except Exception:
                log_to.exception("a round failed")
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()

    def round(self) -> None:
        """Look at every task once, and drive the first that wants it."""
        folders = sorted(self.tasks())
        self._followers = {folder: self._follower(folder) for folder in folders}
        for folder, follower in self._followers.items():
            if self._halt.is_set():
                return
            task, progress = Task(folder), follower.look()
            if (folder / "resume").exists() and not task.is_busy():
                task.take_resume()
                append_unless_busy(task, log.Queued())
                progress = follower.look()
            if next_action(progress, False) != "done":
                self.act(task, next_action(progress, task.is_busy(), task.stop_asked() is not None))

    def has_work(self) -> bool:
        """Is anything running, waiting or asked to go on?"""
        for folder in self.tasks():
            progress = log.progress_of(Task(folder).events_file)
            if (folder / "resume").exists() or next_action(progress, Task(folder).is_busy()) != "done":
                return True
        return False

    def _follower(self, folder: Path) -> log.Follower:
        return self._followers.get(folder) or log.Follower(Task(folder).events_file)

    def act(self, task: Task, action: Action) -> None:
        match action:
            case "start":
                self._drive(task)
            case "mark interrupted":
                append_unless_busy(task, log.Interrupted(words="The worker ended without a word."))
                self.wake()
            case "give up":
                append_unless_busy(task, log.Failed.of(_keeps_vanishing()))
            case "wait":
                self._drive(task)  # re-adopt: follow the worker that is already there
            case "done":
                pass

    def _drive(self, task: Task) -> None:
        try:
            for _ in self.backend.advance(task, None):
                if self._halt.is_set():
                    return
        except FacetError as error:
            append_unless_busy(task, log.Failed.of(error))


def append_unless_busy(task: Task, event: log.Event) -> bool:
    lock = task.lock()
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    with lock:
        log.append(task.events_file, event)
    return True


def _keeps_vanishing() -> TrainingError:
    return TrainingError(
        "The work was interrupted again and again.",
        f"The worker vanished {MOST_TRIES} times before it could save; most often the machine ran out of memory.",
        "Lower “Longest example” or “Examples at once”, then start again.",
    )

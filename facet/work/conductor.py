"""Keeps unattended work going without a page: starts slices, notices vanished workers, stops after repeated faults."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from facet.errors import FacetError, TrainingError
from facet.work import log
from facet.work.fairness import Turn
from facet.work.log import Progress
from facet.work.policy import append_unless_busy, next_action, queue_again, settle
from facet.work.queue import Queue
from facet.work.slots import Slot, Slots, came, key_of
from facet.work.task import Task

EVERY_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.3
HALT_SECONDS = 10.0
log_to = logging.getLogger("facet.conductor")


class Advances(Protocol):
    """The part of a backend that the conductor needs."""

    unattended: bool

    def advance(self, task: Task, grant: None) -> Iterable[log.Event | None]: ...


class Conductor:
    """One thread that walks over all tasks and begins slices; each is followed in a thread of its own.

    As many work at once as there are slots, in the order of the line. Several processes may open the same folder: the
    one that holds the lock conducts, the others stand by and take over when it ends.
    """

    def __init__(
        self,
        backend: Advances,
        tasks: Callable[[], list[Path]],
        lock_file: Path,
        look: Callable[[Path], Progress] | None = None,
        queue: Queue | None = None,
        fetch: Callable[[Task], None] | None = None,
    ) -> None:
        """`look` gives the progress of a task's folder; one that remembers spares reading long logs again.

        `fetch` brings what a task needs from elsewhere, before it stands in line: a download keeps nobody waiting.
        """
        self.backend = backend
        self.look = look or Looking()
        self.tasks = tasks
        self.lock = FileLock(lock_file, thread_local=False)
        self.slots = Slots(queue or Queue(lock_file.with_name("queue.sqlite")), self.look)
        self.fetch = fetch
        self._fetching: dict[str, threading.Thread] = {}
        self._fetched: set[str] = set()
        self._following: list[threading.Thread] = []
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
        """Stop conducting. Workers go on: they belong to themselves, and keep their slots."""
        self._halt.set()
        self._wake.set()
        end = time.monotonic() + HALT_SECONDS
        for thread in [self._thread, *self._following]:
            if thread:
                thread.join(timeout=max(0.0, end - time.monotonic()))
        self.lock.release()

    def _conduct(self, halt: threading.Event) -> None:
        while not halt.is_set():
            try:
                if self._take_the_lock():
                    self._look_around()
            except Exception as error:
                log_to.error("a round failed: %s", type(error).__name__)
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()

    def round(self) -> None:
        """Look at everything once, and follow to its end what that began."""
        is_more = True
        while is_more:
            self._look_around()
            is_more = bool(self._fetching)  # what they fetched can be worked with now
            for thread in [*self._fetching.values(), *self._following]:
                thread.join()

    def _look_around(self) -> None:
        """Notice what has ended, and begin what may begin. Waits for nothing."""
        halt = self._halt
        self._following = [thread for thread in self._following if thread.is_alive()]
        waiting = {}
        for folder in sorted(self.tasks(), key=came):
            if halt.is_set():
                return
            task = Task(folder)
            is_ours = task.where == "local"  # its owner's open page drives it elsewhere
            if is_ours and not self._is_in_hand(task) and self._wants_a_slot(task) and self._is_fetched(task):
                waiting[key_of(task)] = task
        self.slots.line_up(waiting)
        while slot := self.slots.take(waiting):
            del waiting[key_of(slot.task)]  # should it end at once, it is looked at again before it begins again
            self._follow(slot, self._drive)
        self.slots.share()

    def _is_in_hand(self, task: Task) -> bool:
        return self.slots.has(task) or key_of(task) in self._fetching

    def _wants_a_slot(self, task: Task) -> bool:
        """Is it ready to be worked on, by someone who is not there yet? What else has to be done about it is done."""
        if task.resume_asked():
            queue_again(task, self.look(task.folder))
        stage = self.look(task.folder).stage
        busy = stage in ("preparing", "running") and task.is_busy()
        for _ in range(2):  # settled once, it may go on at once
            # looked at again: what a worker wrote at its very end must be seen
            action = next_action(self.look(task.folder), busy, task.stop_asked() == "pause")
            if action in ("start", "wait", "done"):
                break
            settle(task, action, self.look)
        if action == "wait":
            self._follow(self.slots.adopt(task), self._stand_by)
        return action == "start"

    def _is_fetched(self, task: Task) -> bool:
        """Whether everything is here; if not, it begins to be fetched."""
        key = key_of(task)
        if self.fetch is None or key in self._fetched:
            return True
        thread = threading.Thread(target=self._bring, args=(task,), name="fetch", daemon=True)
        self._fetching[key] = thread
        thread.start()
        return False

    def _bring(self, task: Task) -> None:
        try:
            if self._try(task, lambda: self.fetch(task)):
                self._fetched.add(key_of(task))
        finally:
            self._fetching.pop(key_of(task), None)
            self.wake()

    def has_work(self) -> bool:
        """Is anything running, waiting or asked to go on?"""
        ours = [folder for folder in self.tasks() if Task(folder).where == "local"]
        return any(Task(folder).resume_asked() or next_action(self.look(folder), False) != "done" for folder in ours)

    def turn(self, folder: Path) -> Turn | None:
        """Where a task stands in the line, also when another process conducts; None when it does not wait."""
        return self.slots.turn(Task(folder))

    # ---- one slice
    def _follow(self, slot: Slot, how: Callable[[Task, threading.Event], None]) -> None:
        def follow(halt: threading.Event) -> None:
            try:
                how(slot.task, halt)
            finally:
                goes_on = next_action(self.look(slot.task.folder), False) != "done"
                self.slots.let_go(slot, halt.is_set() and _works(slot.task), goes_on)
                self.wake()

        thread = threading.Thread(target=follow, args=(self._halt,), name="slice", daemon=True)
        self._following.append(thread)
        thread.start()

    def _drive(self, task: Task, halt: threading.Event) -> None:
        """A slice from its beginning to its end."""
        seen = False

        def advance() -> None:
            nonlocal seen
            for event in self.backend.advance(task, None):
                seen = seen or event is not None
                if halt.is_set():
                    return

        if self._try(task, advance) and not seen and not halt.is_set():
            append_unless_busy(task, log.Interrupted(words="The worker ended before it could say anything."))

    def _stand_by(self, task: Task, halt: threading.Event) -> None:
        """A worker that somebody else began."""
        while _works(task) and not halt.wait(LOOK_EVERY_SECONDS):
            pass

    def _try(self, task: Task, act: Callable[[], None]) -> bool:
        """Whatever goes wrong becomes an event, or the same fault would come for ever."""
        try:
            act()
            return True
        except FacetError as error:
            paused = log.Paused(step=self.look(task.folder).step, words="Paused.")
            append_unless_busy(task, paused if task.stop_asked() == "pause" else log.Failed.of(error))
        except Exception as error:
            log_to.error("a slice could not be driven: %s", type(error).__name__)
            append_unless_busy(task, log.Failed.of(_cannot_start(error)))
        return False


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


def _cannot_start(error: Exception) -> TrainingError:
    return TrainingError(
        "The work could not be started.",
        f"This machine answered with {type(error).__name__}.",
        "Press “Resume” to try once more, or start Facet anew.",
    )


def _works(task: Task) -> bool:
    """Is somebody at it? A deleted task is not asked: its lock would make the folder anew."""
    return (task.folder / "task.json").exists() and task.is_busy()

"""A person's open page drives the work that needs them: on ZeroGPU every slice is asked for in their name."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.compute.zero_words import LEFT_THE_PAGE
from facet.compute.zerogpu import Zerogpu
from facet.errors import FacetError
from facet.identity import Grant, Person
from facet.work import log
from facet.work.log import Progress
from facet.work.policy import Action, append_unless_busy, next_action, queue_again, settle
from facet.work.task import Task

OVER = object()
HEARTBEAT_SECONDS = 1.0
FEWEST_GAINS = 2  # slices in a row without a step, before the person is asked


@dataclass
class Driving:
    """One slice at a time for each person, whichever of their pages asks first; the others stand by."""

    backend: Zerogpu
    tasks: Callable[[Person], list[Path]]
    look: Callable[[Path], Progress]
    _driven: set[str] = field(default_factory=set)
    _idle: dict[Path, int] = field(default_factory=dict)  # slices in a row that gained nothing
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def drive(self, grant: Grant) -> Iterator[log.Event | None]:
        """Slice after slice of this person's waiting work, until there is none, or no time for it. None: still working.

        The work is done in a thread of its own, in the name of whoever asks. Closing the generator returns at once;
        the slice saves and ends behind it, and until it has, nobody else drives.
        """
        with self._lock:
            if grant.person.key in self._driven:
                return
            self._driven.add(grant.person.key)
        news: queue.Queue[Any] = queue.Queue()
        gone = threading.Event()
        here = contextvars.copy_context()
        threading.Thread(target=here.run, args=(self._pump, grant, news, gone), name="lent card", daemon=True).start()
        try:
            while (event := _next(news)) is not OVER:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            gone.set()

    def _pump(self, grant: Grant, news: queue.Queue, gone: threading.Event) -> None:
        try:
            while not gone.is_set() and (task := self.next(grant.person)) is not None:
                for event in self._slice(task, grant):
                    news.put(event)
                    if gone.is_set():
                        self.backend.stop(task, grant)
        except Exception as error:
            news.put(error)
        finally:
            with self._lock:
                self._driven.discard(grant.person.key)
            news.put(OVER)

    def is_driven(self, person: Person) -> bool:
        return person.key in self._driven

    def next(self, person: Person) -> Task | None:
        """The first of this person's tasks that can use a card now; the others are settled on the way."""
        for folder in self.tasks(person):
            task = Task(folder)
            if task.where == "zerogpu" and self._action(task) == "start":
                return task
        return None

    def _action(self, task: Task) -> Action:
        if task.resume_asked():
            queue_again(task, self.look(task.folder))
        progress = self.look(task.folder)
        if progress.until and progress.until > time.time():
            return "wait"
        if progress.stage == "paused" and progress.until and task.stop_asked() is None:
            append_unless_busy(task, log.Queued())  # there may be minutes again
            self.backend.quotas.forget(task.owner)
        if progress.stage == "preparing" and not task.is_busy():  # whoever waited for a card for it has gone
            append_unless_busy(task, log.Paused(step=progress.step, words=LEFT_THE_PAGE, out_of_time=True))
        for _ in range(2):  # settled once, it may be ready to start
            action = next_action(self.look(task.folder), task.is_busy(), task.stop_asked() == "pause")
            if action in ("start", "wait", "done"):
                break
            settle(task, action, self.look)
        return action

    def _slice(self, task: Task, grant: Grant) -> Iterator[log.Event | None]:
        before = self.look(task.folder).step
        try:
            yield from self.backend.advance(task, grant)
        except FacetError as error:
            append_unless_busy(task, log.Failed.of(error))
        after = self.look(task.folder)
        if after.stage == "waiting" and after.until is None and after.step == before:
            self._no_gain(task, after)
        else:
            self._idle.pop(task.folder, None)

    def _no_gain(self, task: Task, progress: Progress) -> None:
        """A slice that was over before its first step may be bad luck. Two are a waste of minutes."""
        count = self._idle[task.folder] = self._idle.get(task.folder, 0) + 1
        if count < FEWEST_GAINS:
            return
        self._idle.pop(task.folder)
        words = (
            "The time on the graphics card was over before a single step was done. Choose a smaller model or a shorter "
            "“Longest example”, or go on where there is more time."
        )
        append_unless_busy(task, log.Paused(step=progress.step, words=words))


def _next(news: queue.Queue) -> Any:
    """The next thing that happened; None when nothing has for a while."""
    try:
        return news.get(timeout=HEARTBEAT_SECONDS)
    except queue.Empty:
        return None

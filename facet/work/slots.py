"""The tasks of one conductor in the line: they stand in it, are given slots, and give way to others."""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from facet.errors import CapacityError
from facet.work.fairness import Ticket, Turn
from facet.work.log import Progress
from facet.work.queue import Queue
from facet.work.task import Task
from facet.workspace import read_about

WORTH_LOADING: Final = 2.0  # a turn is at least so many times as long as it took to get to work


@dataclass
class Slot:
    """One slice that is being followed to its end."""

    task: Task
    holder: str
    began: float = field(default_factory=time.monotonic)
    works_since: float | None = None
    is_asked: bool = False  # to give way

    def has_had_its_turn(self, stage: str, turn_seconds: float) -> bool:
        """Time is counted from where it has loaded everything and works."""
        now = time.monotonic()
        if self.works_since is None:
            self.works_since = now if stage == "running" else None
            return False
        return now - self.works_since >= max(turn_seconds, WORTH_LOADING * (self.works_since - self.began))


class Slots:
    """Long work on this machine. Used by the conductor's thread, and by those that follow slices when these end."""

    def __init__(self, queue: Queue, look: Callable[[Path], Progress]) -> None:
        self.queue, self.look = queue, look
        self._held: dict[str, Slot] = {}
        self._guard = threading.Lock()

    def has(self, task: Task) -> bool:
        return key_of(task) in self._held

    def line_up(self, waiting: Mapping[str, Task]) -> None:
        """Make the line say what is so: these wait, what is followed holds a slot, and nothing else is there."""
        with self._guard:
            there = set()
            for ticket in self.queue.line().tickets:
                if ticket.key in self._held or (ticket.key in waiting and ticket.since is None):
                    there.add(ticket.key)
                else:
                    self._drop(ticket)
            self.queue.join_all(ticket_of(task) for key, task in waiting.items() if key not in there)
            for key, slot in self._held.items():
                if key not in there:  # the line was begun anew
                    self.queue.adopt(ticket_of(slot.task), slot.holder)

    def _drop(self, ticket: Ticket) -> None:
        """Its worker ended while nobody looked: what it did until its last sign of life counts."""
        if ticket.since is None:
            self.queue.leave(ticket.key)
            return
        silent = time.time() - self.look(Path(ticket.key)).last_at
        self.queue.leave(ticket.key, max(0.0, self.queue.clock() - ticket.since - silent))

    def take(self, waiting: Mapping[str, Task]) -> Slot | None:
        """A slot for whoever of these is next, if one is free and it is their turn."""
        first = self.queue.line().next()
        if first is None or first.key not in waiting:
            return None
        slot = Slot(waiting[first.key], secrets.token_hex(8))
        if not self.queue.take(first.key, slot.holder):
            return None
        self._held[first.key] = slot
        return slot

    def adopt(self, task: Task) -> Slot:
        """A worker that was here before us has its slot already, whatever the line says."""
        slot = Slot(task, secrets.token_hex(8))
        self.queue.adopt(ticket_of(task), slot.holder)
        self._held[key_of(task)] = slot
        return slot

    def let_go(self, slot: Slot, still_working: bool, goes_on: bool) -> None:
        """Nobody follows it any more. It keeps its slot if it is `still_working`, and its place if it `goes_on`."""
        with self._guard:
            if not still_working:
                with contextlib.suppress(CapacityError):  # then the next round finds it out
                    self.queue.give_back(key_of(slot.task), slot.holder, stays=goes_on)
            self._held.pop(key_of(slot.task), None)

    def share(self) -> None:
        """Ask one of those that have had their turn to let somebody else have theirs; one at a time."""
        with self._guard:
            held = dict(self._held)
        if any(slot.is_asked for slot in held.values()):
            return
        turn = self.queue.turn_seconds
        ready = {key for key, slot in held.items() if slot.has_had_its_turn(self._stage(slot), turn)}
        chosen = self.queue.line().gives_way(ready) if ready else None
        if chosen:
            held[chosen.key].task.ask_to_stop("turn")
            held[chosen.key].is_asked = True

    def _stage(self, slot: Slot) -> str:
        return self.look(slot.task.folder).stage

    def turn(self, task: Task) -> Turn | None:
        """Where a task stands in the line; None when it does not wait, or that cannot be read now."""
        with contextlib.suppress(CapacityError):
            return self.queue.turn(key_of(task), lambda key: seconds_left(self.look(Path(key))))
        return None


def key_of(task: Task) -> str:
    return str(task.folder)


def ticket_of(task: Task) -> Ticket:
    """A visitor who signed in is the same person as before."""
    person = read_about(task.folder.parent.parent).get("claimed_by", task.owner)
    return Ticket(key_of(task), person, task.kind, came(task.folder))


def came(folder: Path) -> float:
    try:
        return (folder / "task.json").stat().st_mtime
    except OSError:
        return 0.0


def seconds_left(progress: Progress) -> float | None:
    """At the pace so far; None before the first step."""
    if not progress.step or progress.stage not in ("running", "waiting", "preparing"):
        return None
    return max(0, progress.total_steps - progress.step) * progress.working_seconds / progress.step

"""Whose turn it is. Pure: one lane of a device at one moment, and who in it comes next, waits, or gives way."""

import heapq
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

WorkKind = Literal["train", "exam", "batch", "measure", "export", "chat"]
Lane = Literal["long", "short"]
LANES: Final[Mapping[WorkKind, Lane]] = {
    "train": "long",
    "exam": "long",
    "batch": "long",
    "measure": "long",
    "export": "short",
    "chat": "short",
}
START_SECONDS: Final = 10.0  # a worker loads its libraries before anything else


@dataclass(frozen=True)
class Ticket:
    """Some work of a person that waits for a slot, or holds one since a moment."""

    key: str
    person: str
    kind: WorkKind
    came: float  # seconds since 1970
    since: float | None = None  # seconds on the queue's clock
    process: str = ""  # whose end is also the end of this; a task waits for itself


@dataclass(frozen=True)
class Turn:
    """A place in the line, for the person who has it."""

    position: int  # 1: next
    ahead: int  # other people who come before
    seconds: float | None = None  # until it starts, where that can be told

    @property
    def words(self) -> str:
        """`next in line`, `2nd in line, starts in about 3 minutes`."""
        place = f"{'next' if self.position == 1 else ordinal(self.position)} in line"
        return place + (f", starts in {about(self.seconds)}" if self.seconds is not None else "")

    @property
    def before_you(self) -> str:
        """`2 people before you, about 20 seconds`: for who waits at the page."""
        people = f"{self.ahead} {'person' if self.ahead == 1 else 'people'} before you"
        first = people if self.ahead else "Something else of yours comes first"
        return first + (f", {about(self.seconds)}" if self.seconds is not None else "")


@dataclass(frozen=True)
class Line:
    """`used` has seconds by person, without what is being used now. `typical` says how long a kind of short work takes
    here, and a "turn" of long work with loading and saving.
    """

    tickets: tuple[Ticket, ...]
    used: Mapping[str, float]
    slots: int
    now: float
    typical: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def waiting(self) -> list[Ticket]:
        """In the order in which they would be served if slots came free now."""
        return sorted((ticket for ticket in self.tickets if ticket.since is None), key=self._claim)

    @cached_property
    def held(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.since is not None]

    @cached_property
    def _slots_of(self) -> dict[str, int]:
        count: dict[str, int] = {}
        for ticket in self.held:
            count[ticket.person] = count.get(ticket.person, 0) + 1
        return count

    @cached_property
    def _seconds(self) -> dict[str, float]:
        """What everybody has used, with what is being used now."""
        seconds = {ticket.person: self.used.get(ticket.person, 0.0) for ticket in self.tickets}
        for ticket in self.held:
            seconds[ticket.person] += self._held_for(ticket)
        return seconds

    def _held_for(self, ticket: Ticket) -> float:
        return 0.0 if ticket.since is None else max(0.0, self.now - ticket.since)  # the machine may have been restarted

    def _claim(self, ticket: Ticket) -> tuple[int, float, float, str]:
        """Who holds fewer slots, then who has used fewer seconds, then who came first. The smallest goes first."""
        person = ticket.person
        return self._slots_of.get(person, 0), self._seconds[person], ticket.came, ticket.key

    def admit(self, person: str) -> dict[str, float]:
        """What everybody counts as having used, once this person joins.

        While nobody had to wait, nobody took anything from anybody: all are level. Otherwise who joins is level with
        those who wait and have used the most, so that a stream of new people cannot keep the others waiting for ever.
        """
        if person in self._seconds:
            return dict(self.used)
        kept_out = {ticket.person for ticket in self.waiting} - self._slots_of.keys()
        if kept_out:
            behind = max(self._seconds[other] for other in kept_out)
            return dict(self.used) | {person: max(self.used.get(person, 0.0), behind)}
        level = max(self._seconds.values(), default=0.0)
        taken = {other: seconds - self.used.get(other, 0.0) for other, seconds in self._seconds.items()}
        return {other: level - seconds for other, seconds in taken.items()} | {person: level}

    def next(self) -> Ticket | None:
        """Who gets a slot now; None while all are taken, or nobody waits."""
        return self.waiting[0] if self.waiting and len(self.held) < self.slots else None

    def gives_way(self, ready: Collection[str]) -> Ticket | None:
        """Who of the `ready` should end its turn for somebody with a better claim.

        Nobody for work of the same person, nor for one who holds as many slots or has used as much.
        """
        if not self.waiting or len(self.held) < self.slots:
            return None
        after = self.waiting[0].person
        has_less = [
            ticket
            for ticket in self.held
            if ticket.key in ready
            and self._slots_of[ticket.person] > self._slots_of.get(after, 0)
            and self._seconds[ticket.person] > self._seconds[after]
        ]
        return max(has_less, key=lambda ticket: (self._claim(ticket)[:2], self._held_for(ticket)), default=None)

    def turn(
        self, key: str, turn_seconds: float = math.inf, left: Callable[[str], float | None] = lambda key: None
    ) -> Turn | None:
        """The place of one that waits. `left` tells how many seconds of work something still has, if that is known."""
        mine = next((ticket for ticket in self.waiting if ticket.key == key), None)
        if mine is None:
            return None
        before = self._before(mine)
        people = {ticket.person for ticket in [*self.held, *before]} - {mine.person}
        seconds = self._wait(mine, before, turn_seconds, left)
        return Turn(len(before) + 1, len(people), None if math.isinf(seconds) else seconds)

    def _before(self, mine: Ticket) -> list[Ticket]:
        """Own work that came earlier, and one turn of everybody who has a better claim to the next one."""
        earlier: list[Ticket] = []
        others: dict[str, Ticket] = {}
        for ticket in self.waiting:
            if ticket.key == mine.key:
                break
            if ticket.person == mine.person:
                earlier.append(ticket)
            else:
                others.setdefault(ticket.person, ticket)
        if earlier:  # while those are worked on, everybody else gets a turn too
            for ticket in self.waiting:
                if ticket.person != mine.person:
                    others.setdefault(ticket.person, ticket)
        return [*others.values(), *earlier]

    def _wait(
        self, mine: Ticket, before: list[Ticket], turn_seconds: float, left: Callable[[str], float | None]
    ) -> float:
        """Seconds until a slot is free for `mine`; infinite when that cannot be told."""
        waiting_people = {ticket.person for ticket in self.waiting}
        turn = max(START_SECONDS + turn_seconds, self.typical.get("turn", 0.0))

        def rest(ticket: Ticket) -> float:
            so_far = self._held_for(ticket)
            known = left(ticket.key)
            if known is None and ticket.kind in self.typical:
                known = max(0.0, self.typical[ticket.kind] - so_far)
            loads = LANES[ticket.kind] == "long" and ticket.since is None
            whole = math.inf if known is None else known + (START_SECONDS if loads else 0.0)
            if LANES[ticket.kind] == "short" or waiting_people <= {ticket.person}:
                return whole
            if ticket.person == mine.person and ticket.since is None:
                return math.inf  # it is worked on in turns, and must be done first
            return min(whole, max(0.0, turn - so_far))

        free_at = [rest(ticket) for ticket in self.held] + [0.0] * (self.slots - len(self.held))
        heapq.heapify(free_at)
        for ticket in before:
            heapq.heapreplace(free_at, free_at[0] + rest(ticket))
        return free_at[0]


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def about(seconds: float) -> str:
    """`a few seconds`, `about 40 seconds`, `about 3 minutes`, `about 2 hours`."""
    if seconds < 8:
        return "a few seconds"
    for unit, length, most in (("second", 5, 55), ("minute", 60, 90 * 60), ("hour", 3600, math.inf)):
        if seconds < most:
            number = max(1, round(seconds / length)) * (5 if unit == "second" else 1)
            return f"about {number} {unit}{'s' if number != 1 else ''}"
    return "a long time"

"""The line before each device: who waits, who holds a slot, what everybody has used. For all processes of a home.

The work itself is never in here. Without its file the order of those who wait is lost, and the seconds they have used.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

from facet.work.fairness import LANES, Lane, Line, Ticket, Turn, WorkKind
from facet.work.store import Store

TURN_SECONDS: Final = 60.0  # of work, before others may ask for the slot
KEPT_SECONDS: Final = 2 * 86_400.0  # uses are looked at for a day at most
VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE tickets (
    key TEXT PRIMARY KEY, person TEXT NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL, lane TEXT NOT NULL,
    came REAL NOT NULL, process TEXT NOT NULL, since REAL, holder TEXT
) WITHOUT ROWID;
CREATE TABLE shares (
    person TEXT NOT NULL, device TEXT NOT NULL, lane TEXT NOT NULL, seconds REAL NOT NULL,
    PRIMARY KEY (person, device, lane)
) WITHOUT ROWID;
CREATE TABLE uses (person TEXT NOT NULL, device TEXT NOT NULL, at REAL NOT NULL, seconds REAL NOT NULL);
CREATE INDEX uses_of ON uses (person, device, at);
CREATE INDEX uses_at ON uses (at);
CREATE TABLE typical (device TEXT NOT NULL, kind TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (device, kind));
"""
COLUMNS: Final = "key, person, kind, came, since, process"


class Queue:
    """Slots of devices, handed out in a fair order. For several threads and processes.

    `long_slots` (default: FACET_SLOTS, else 1) is for trainings and tests; `short_slots` for chat and downloads.
    """

    def __init__(
        self,
        file: Path,
        long_slots: int | None = None,
        short_slots: int = 1,
        turn_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,  # one for the whole machine, and nobody can put it forward
    ) -> None:
        self.store = Store(file, SCHEMA, VERSION)
        long_slots = long_slots or max(1, int(_number("FACET_SLOTS", 1)))
        self.slots: Mapping[Lane, int] = {"long": long_slots, "short": short_slots}
        self.turn_seconds = _number("FACET_TURN_SECONDS", TURN_SECONDS) if turn_seconds is None else turn_seconds
        self.clock = clock
        self.moved = threading.Condition()  # somebody of this process left or gave a slot back

    # ---- to wait and to hold
    def join(
        self,
        key: str,
        person: str,
        kind: WorkKind,
        device: str = "local",
        came: float | None = None,
        process: str = "",
    ) -> None:
        """Stand in line. Once in it, joining again changes nothing. `process`: leaves the line when that ends."""
        ticket = Ticket(key, person, kind, time.time() if came is None else came, process=process)
        self.join_all([ticket], device)

    def join_all(self, tickets: Iterable[Ticket], device: str = "local") -> None:
        joining = list(tickets)

        def act(store: sqlite3.Connection) -> None:
            for ticket in joining:
                self._insert(store, ticket, device)

        if joining:
            self.store.do(act)

    def leave(self, key: str, seconds: float | None = None) -> None:
        """Out of the line, and out of the slot where one is held. `seconds` count, if not all the time it was held."""
        self._remove(lambda store: [(key, seconds)])

    def take(self, key: str, holder: str) -> bool:
        """Take a slot, if one is free and it is this one's turn. `holder` is needed to give it back."""

        def act(store: sqlite3.Connection) -> bool:
            found = store.execute("SELECT device, lane, holder FROM tickets WHERE key = ?", (key,)).fetchone()
            if found is None or found[2]:
                return found is not None and found[2] == holder
            device, lane, _ = found
            first = self._line(store, device, lane).next()
            if first is None or first.key != key:
                return False
            self._hold(store, key, holder)
            return True

        return self.store.do(act)

    def give_back(self, key: str, holder: str, stays: bool = False) -> None:
        """Leave a slot, and the line too unless it `stays` for another turn. The seconds it was held count."""
        query = "SELECT key, NULL FROM tickets WHERE key = ? AND holder = ?"
        self._remove(lambda store: store.execute(query, (key, holder)), stays)

    def adopt(self, ticket: Ticket, holder: str, device: str = "local") -> None:
        """Work that was found going on: its slot counts, from when it was taken, and has a new holder."""

        def act(store: sqlite3.Connection) -> None:
            self._insert(store, ticket, device)
            self._hold(store, ticket.key, holder)

        self.store.do(act)

    def reap(self, is_alive: Callable[[str], bool] | None = None) -> list[str]:
        """Remove what waited or held for processes that are gone. Tasks are not among it: their locks tell."""
        rows = self.store.do(
            lambda store: store.execute("SELECT key, process FROM tickets WHERE process != ''").fetchall()
        )
        gone = [(key, process) for key, process in rows if not (is_alive or process_is_alive)(process)]
        same = "SELECT key, 0.0 FROM tickets WHERE key = ? AND process = ?"
        if gone:
            self._remove(lambda store: [row for one in gone for row in store.execute(same, one)])
        return [key for key, _ in gone]

    # ---- to look
    def line(self, device: str = "local", lane: Lane = "long") -> Line:
        return self.store.do(lambda store: self._line(store, device, lane), write=False)

    def waiting(self, device: str = "local", lane: Lane = "long") -> list[Ticket]:
        return self.line(device, lane).waiting

    def turn(self, key: str, left: Callable[[str], float | None] = lambda key: None) -> Turn | None:
        """Position and expected wait of one that waits; None for all else. `left`: see `Line.turn`."""

        def act(store: sqlite3.Connection) -> Line | None:
            found = store.execute("SELECT device, lane FROM tickets WHERE key = ?", (key,)).fetchone()
            return self._line(store, *found) if found else None

        line = self.store.do(act, write=False)
        return line.turn(key, self.turn_seconds, left) if line else None

    # ---- what was used
    def note_use(self, person: str, device: str, seconds: float) -> None:
        self.store.do(lambda store: self._note(store, person, device, seconds))

    def used(self, person: str, device: str, since: float) -> float:
        """Seconds of a device that a person used after a moment (seconds since 1970)."""
        query = "SELECT TOTAL(seconds) FROM uses WHERE person = ? AND device = ? AND at >= ?"
        return self.store.do(lambda store: store.execute(query, (person, device, since)).fetchone()[0], write=False)

    # ---- inside an operation
    def _line(self, store: sqlite3.Connection, device: str, lane: Lane) -> Line:
        here = (device, lane)
        rows = store.execute(f"SELECT {COLUMNS} FROM tickets WHERE device = ? AND lane = ?", here)
        tickets = tuple(Ticket(*row) for row in rows)
        used = store.execute("SELECT person, seconds FROM shares WHERE device = ? AND lane = ?", here)
        typical = store.execute("SELECT kind, seconds FROM typical WHERE device = ?", (device,))
        return Line(tickets, dict(used.fetchall()), self.slots[lane], self.clock(), dict(typical.fetchall()))

    def _insert(self, store: sqlite3.Connection, ticket: Ticket, device: str) -> None:
        lane = LANES[ticket.kind]
        line, here = self._line(store, device, lane), (device, lane)
        if any(other.key == ticket.key for other in line.tickets):
            return
        store.execute("DELETE FROM shares WHERE device = ? AND lane = ?", here)
        shares = [(person, *here, seconds) for person, seconds in line.admit(ticket.person).items()]
        store.executemany("INSERT INTO shares VALUES (?, ?, ?, ?)", shares)
        row = (ticket.key, ticket.person, ticket.kind, device, lane, ticket.came, ticket.process)
        store.execute("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)", row)

    def _hold(self, store: sqlite3.Connection, key: str, holder: str) -> None:
        query = "UPDATE tickets SET since = COALESCE(since, ?), holder = ? WHERE key = ?"
        store.execute(query, (self.clock(), holder, key))

    def _remove(
        self, which: Callable[[sqlite3.Connection], Iterable[tuple[str, float | None]]], stays: bool = False
    ) -> None:
        """Out of the line; what was held counts. `which` gives keys, and seconds where they are known better."""

        def act(store: sqlite3.Connection) -> None:
            for key, seconds in list(which(store)):
                query = "SELECT device, lane FROM tickets WHERE key = ?"
                if here := store.execute(query, (key,)).fetchone():
                    self._remove_one(store, key, here, seconds, stays)

        self.store.do(act)
        with self.moved:
            self.moved.notify_all()

    def _remove_one(
        self, store: sqlite3.Connection, key: str, here: tuple[str, Lane], seconds: float | None, stays: bool
    ) -> None:
        ticket = next(ticket for ticket in self._line(store, *here).tickets if ticket.key == key)
        leave = "UPDATE tickets SET since = NULL, holder = NULL" if stays else "DELETE FROM tickets"
        store.execute(f"{leave} WHERE key = ?", (key,))
        if ticket.since is not None:
            held = max(0.0, self.clock() - ticket.since if seconds is None else seconds)
            share = "UPDATE shares SET seconds = seconds + ? WHERE person = ? AND device = ? AND lane = ?"
            store.execute(share, (held, ticket.person, *here))
            self._note(store, ticket.person, here[0], held)
            if here[1] == "short" or stays:  # how long other long work takes, its own progress tells
                self._learn(store, here[0], "turn" if stays else ticket.kind, held)

    def _note(self, store: sqlite3.Connection, person: str, device: str, seconds: float) -> None:
        now = time.time()
        store.execute("INSERT INTO uses VALUES (?, ?, ?, ?)", (person, device, now, seconds))
        store.execute("DELETE FROM uses WHERE at < ?", (now - KEPT_SECONDS,))

    @staticmethod
    def _learn(store: sqlite3.Connection, device: str, what: str, seconds: float) -> None:
        """How long something takes here, the newest counting most."""
        store.execute(
            "INSERT INTO typical VALUES (?, ?, ?)"
            " ON CONFLICT (device, kind) DO UPDATE SET seconds = 0.8 * seconds + 0.2 * excluded.seconds",
            (device, what, seconds),
        )


def _number(name: str, default: float) -> float:
    """A positive number from the environment."""
    try:
        given = float(os.environ.get(name, ""))
    except ValueError:
        return default
    return given if given > 0 else default


def this_process() -> str:
    return f"{os.getpid()}:{psutil.Process().create_time():.2f}"


def process_is_alive(process: str) -> bool:
    """The same process, and not another that was given its number."""
    pid, _, started = process.partition(":")
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 2.0
    except (psutil.Error, ValueError):
        return False

"""What a tracker may be told: points of a run that no resume takes back, each of them once."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.work import log
from facet.workspace import read_json, write_json


@dataclass(frozen=True)
class Point:
    """What was measured at one step. `at` is in seconds since 1970."""

    step: int
    at: float
    values: dict[str, float]


@dataclass
class Feed:
    """Reads the events of one run for one tracker, and remembers in `state` how far it has been told.

    A run goes on from its newest save point, and what came behind it is measured once more. So a point is told only
    when a save point has passed it, or when the run is over: the tracker sees one curve however often it was resumed.
    """

    events: Path
    state: Path
    offset: int = 0  # bytes of the events behind which nothing has been told
    told: dict[str, int] = field(default_factory=dict)  # the last step of each curve
    more: dict[str, Any] = field(default_factory=dict)  # what the writer wants to find again
    over: bool = False  # the run is over, and all of it has been read

    @classmethod
    def of(cls, events: Path, state: Path) -> "Feed":
        feed = cls(events, state)
        try:
            kept = read_json(state)
            feed.offset, feed.told, feed.more = int(kept["offset"]), dict(kept["told"]), dict(kept["more"])
            feed.over = bool(kept["over"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(events, state)  # nothing was told yet, or the note of it is damaged: all is told anew
        return feed

    def news(self) -> list[Point]:
        """Points that are certain and new, in order. Nothing is remembered before `keep`."""
        pending: list[Point] = []
        certain: list[Point] = []
        self._next, self._over = self.offset, self.over
        for event, end in log.read(self.events, self.offset):
            match event:
                case log.Logged():
                    pending.append(Point(event.step, event.at, event.values))
                case log.Resumed():
                    pending = [point for point in pending if point.step <= event.step]
                case log.Saved() | log.Finished():
                    last = math.inf if isinstance(event, log.Finished) else event.step
                    certain += [point for point in pending if point.step <= last]
                    pending = [point for point in pending if point.step > last]
                    self._next = self._next if pending else end
                    self._over = isinstance(event, log.Finished)
        return self._fresh(certain)

    def _fresh(self, points: list[Point]) -> list[Point]:
        """Only what is new, and a number: a save point that was damaged makes a run go back behind what was told."""
        last, fresh = dict(self.told), []
        for point in points:
            values = {
                name: value
                for name, value in point.values.items()
                if math.isfinite(value) and point.step > last.get(name, -1)
            }
            if values:
                last |= dict.fromkeys(values, point.step)
                fresh.append(Point(point.step, point.at, values))
        self._last = last
        return fresh

    def keep(self, **more: Any) -> None:
        """The tracker has what `news` gave."""
        self.offset, self.told, self.over = self._next, self._last, self._over
        self.more |= more
        kept = {"offset": self.offset, "told": self.told, "more": self.more, "over": self.over}
        self.state.parent.mkdir(parents=True, exist_ok=True)
        write_json(self.state, kept)

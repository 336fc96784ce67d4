"""What every place that can compute promises, so that nothing above it needs to know which one it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from facet.identity import Grant
from facet.work.log import Event
from facet.work.task import Task


@dataclass(frozen=True)
class Capacity:
    """What a place offers right now."""

    device: str  # "cpu", "cuda", "mps"
    words: str  # "this computer: 2 processor cores"
    memory_gb: float  # free for a model now
    slice_seconds: float | None = None  # None: as long as it takes
    price_usd_per_hour: float = 0.0


class Backend(Protocol):
    """Somewhere a slice of a task can run."""

    unattended: bool  # may the conductor call it with no person present?

    def capacity(self, grant: Grant | None) -> Capacity: ...

    def advance(self, task: Task, grant: Grant | None) -> Iterator[Event | None]:
        """One slice: yields the events as they come home (None: nothing new), and ends when the slice ends."""
        ...

    def stop(self, task: Task, grant: Grant | None) -> None:
        """Free the device now. The task keeps its last save point."""
        ...

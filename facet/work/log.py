"""What happened to a task: events, only ever appended, and `Progress`, a pure fold over them."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from facet.errors import FacetError


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")
    at: float = Field(default_factory=time.time)  # seconds since 1970


class Staged(_Event):
    """What is being done now, in words a person understands."""

    kind: Literal["staged"] = "staged"
    words: str


class Queued(_Event):
    """A person asked for it to go on: it waits for its turn, and earlier faults are forgiven."""

    kind: Literal["queued"] = "queued"


class Started(_Event):
    """A slice began. `step` is where it goes on from."""

    kind: Literal["started"] = "started"
    total_steps: int
    step: int = 0
    where: str = ""  # device and precision, in words


class Resumed(_Event):
    """The log after `step` does not count any more: the work goes on from there."""

    kind: Literal["resumed"] = "resumed"
    step: int


class Logged(_Event):
    """Numbers measured at one step; a name seen before adds a point to its curve."""

    kind: Literal["logged"] = "logged"
    step: int  # steps done, 1-based
    values: dict[str, float]


class Sampled(_Event):
    """What was written at one step in answer to each of some prompts: the texts by which a person sees the change."""

    kind: Literal["sampled"] = "sampled"
    step: int
    answers: dict[str, str]  # by prompt


class Saved(_Event):
    kind: Literal["saved"] = "saved"
    step: int


class Noted(_Event):
    """Something a person should know, which changes nothing in the numbers."""

    kind: Literal["noted"] = "noted"
    words: str
    step: int = 0


class Paused(_Event):
    kind: Literal["paused"] = "paused"
    step: int
    words: str = ""
    out_of_time: bool = False  # the slice ended by itself; whoever drives it may ask for the next one at once
    until: float | None = None  # seconds since 1970: there is no computing time for it before


class Interrupted(_Event):
    """The worker vanished without a word: killed, or the machine went down."""

    kind: Literal["interrupted"] = "interrupted"
    words: str = ""


class Finished(_Event):
    kind: Literal["finished"] = "finished"
    step: int
    outputs: dict[str, str | int | float] = {}
    early: bool = False  # a person pressed stop-and-keep, or there was nothing more to gain


class Failed(_Event):
    kind: Literal["failed"] = "failed"
    error: dict[str, str]  # FacetError.as_dict()
    signature: str = ""  # equal for equal causes, to recognise a fault that comes back
    retry: bool = False  # may be tried again without a person

    @classmethod
    def of(cls, error: FacetError, retry: bool = False) -> "Failed":
        return cls(error=error.as_dict(), signature=f"{type(error).__name__}: {error.what}", retry=retry)


Event = Annotated[
    Queued | Staged | Started | Resumed | Logged | Sampled | Saved | Noted | Paused | Interrupted | Finished | Failed,
    Field(discriminator="kind"),
]
EVENT: TypeAdapter[Event] = TypeAdapter(Event)

MOST_TRIES = 3  # how often the same fault may end a slice before a person is asked
Stage = Literal["waiting", "preparing", "running", "paused", "interrupted", "finished", "failed"]


@dataclass(frozen=True)
class Progress:
    """Where a task stands. `curves` maps a name to its (step, value) points, in order of step."""

    stage: Stage = "waiting"
    words: str = ""  # what is being done now
    where: str = ""
    step: int = 0
    total_steps: int = 0
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    samples: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # a prompt's answers, in order of step
    checkpoint: int | None = None  # step of the newest save point
    notes: tuple[str, ...] = ()
    failure: dict[str, str] | None = None
    outputs: dict[str, str | int | float] = field(default_factory=dict)
    early: bool = False
    out_of_time: bool = False
    until: float | None = None  # paused for want of computing time, which is expected back then (seconds since 1970)
    retry: bool = False
    interruptions: int = 0  # times the worker vanished since the last save point
    repeated_faults: int = 0  # times in a row the same fault ended a slice
    signature: str = ""
    first_at: float = 0.0
    last_at: float = 0.0
    working_seconds: float = 0.0  # time spent inside slices

    @property
    def is_over(self) -> bool:
        return self.stage in ("finished", "failed")

    @property
    def is_active(self) -> bool:
        return self.stage in ("waiting", "preparing", "running", "interrupted")

    def latest(self, name: str) -> float | None:
        curve = self.curves.get(name)
        return curve[-1][1] if curve else None


def advance(before: Progress, event: Event) -> Progress:
    """Progress after one more event."""
    p = _later(before, [event.at])
    match event:
        case Queued():
            return replace(p, stage="waiting", words="", failure=None, repeated_faults=0, interruptions=0, until=None)
        case Staged():
            return replace(p, stage="preparing", words=event.words, failure=None, until=None)
        case Started():
            running = replace(p, stage="running", words="", failure=None, out_of_time=False)
            return replace(running, where=event.where, total_steps=event.total_steps)
        case Resumed():
            curves, samples = _until(p.curves, event.step), _until(p.samples, event.step)
            return replace(p, step=event.step, curves=curves, samples=samples)
        case Logged():
            return _measured(before, [event])
        case Sampled():
            added = {prompt: [*p.samples.get(prompt, []), (event.step, text)] for prompt, text in event.answers.items()}
            return replace(p, samples=p.samples | added)
        case Saved():
            return replace(p, checkpoint=event.step, interruptions=0, repeated_faults=0, signature="")
        case Noted():
            said = event.words in p.notes  # by an earlier slice, or before the work came back from a copy
            return p if said else replace(p, notes=(*p.notes, event.words))
        case Paused():
            stage = "waiting" if event.out_of_time else "paused"  # the next slice is asked for without a person
            return replace(p, stage=stage, words=event.words, out_of_time=event.out_of_time, until=event.until)
        case Interrupted():
            return replace(p, stage="interrupted", words=event.words, interruptions=p.interruptions + 1)
        case Finished():
            return replace(p, stage="finished", words="", outputs=event.outputs, early=event.early, step=event.step)
        case Failed():
            repeated = p.repeated_faults + 1 if event.signature == p.signature else 1
            again = event.retry and repeated < MOST_TRIES
            return replace(
                p,
                stage="interrupted" if again else "failed",
                words="Something went wrong; it is tried again." if again else "",
                failure=None if again else event.error,
                retry=event.retry,
                repeated_faults=repeated,
                signature=event.signature,
            )


def _until(points: dict[str, list[tuple[int, Any]]], step: int) -> dict[str, list[tuple[int, Any]]]:
    """What is left of curves after going back to a step. From the very start: also nothing of before step 1."""
    return {name: [point for point in line if point[0] <= step] for name, line in points.items()} if step else {}


def _later(before: Progress, moments: list[float]) -> Progress:
    """The clock moved on. Time counts as work only inside a slice, and a clock that jumps back counts nothing."""
    working = before.stage in ("preparing", "running") and before.last_at > 0
    steps = zip([before.last_at, *moments], moments, strict=False)
    spent = sum(max(0.0, now - then) for then, now in steps) if working else 0.0
    return replace(
        before,
        first_at=before.first_at or moments[0],
        last_at=moments[-1],
        working_seconds=before.working_seconds + spent,
    )


def _measured(before: Progress, batch: list[Logged]) -> Progress:
    """Many points at once: copying every curve for each of its points would make long runs slow to read."""
    added: dict[str, list[tuple[int, float]]] = {}
    for event in batch:
        for name, value in event.values.items():
            added.setdefault(name, []).append((event.step, value))
    curves = before.curves | {name: before.curves.get(name, []) + points for name, points in added.items()}
    p = _later(before, [event.at for event in batch])
    return replace(p, step=max(p.step, *(event.step for event in batch)), curves=curves)


def fold(events: Iterable[Event], before: Progress | None = None) -> Progress:
    progress = before or Progress()
    batch: list[Logged] = []
    for event in events:
        if isinstance(event, Logged):
            batch.append(event)
            continue
        progress = advance(_measured(progress, batch) if batch else progress, event)
        batch = []
    return _measured(progress, batch) if batch else progress


def append(file: Path, event: Event) -> None:
    """Add one whole line. The caller holds the task's lock.

    A line that a killed process left without its end is closed first, so it spoils only itself.
    """
    line = event.model_dump_json().encode() + b"\n"
    with open(file, "ab+") as log:
        if log.tell() and not _ends_with_newline(log):
            line = b"\n" + line
        log.write(line)
        log.flush()


def _ends_with_newline(log) -> bool:
    log.seek(-1, 2)
    return log.read(1) == b"\n"


def read(file: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """Every whole line from a byte offset, with the offset behind it; a half-written last line waits."""
    try:
        log = open(file, "rb")  # noqa: SIM115
    except FileNotFoundError:
        return
    with log:
        log.seek(offset)
        for line in log:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            try:
                yield EVENT.validate_json(line), offset
            except ValidationError:  # a line torn by a kill, closed by the next writer
                continue


def progress_of(file: Path) -> Progress:
    return fold(event for event, _ in read(file))


class Follower:
    """Progress of one task, kept up to date by reading only what was added since the last look."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.offset = 0
        self.progress = Progress()

    def look(self) -> Progress:
        news = list(read(self.file, self.offset))
        if news:
            self.progress, self.offset = fold((event for event, _ in news), self.progress), news[-1][1]
        return self.progress

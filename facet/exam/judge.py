"""A judge at work: question after question, each answer kept at once. It may be cut at any moment and called again."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from facet.exam import rubric
from facet.exam.asking import Judge, Reply, Trial, patiently
from facet.exam.assignment import Call, Material, json_line

Status = Literal["judged", "unparsable", "refused"]
MOST_OF_A_REPLY = 300  # characters kept of one that could not be read
MOST_IN_VAIN = 12  # questions in a row without a judgement, before money is spent on more


@dataclass(frozen=True)
class Judgement:
    """What came of one question. `score` from 1 to 10, or `better`: a contestant's key, or "tie"."""

    call: str
    row: int
    a: str
    b: str = ""
    first: str = ""
    wording: int = 0
    status: Status = "judged"
    score: float | None = None
    better: str = ""
    reason: str = ""  # or, without a judgement, what it said instead
    tokens_in: int = 0
    tokens_out: int = 0


class Judgements:
    """The file they are kept in. One process writes it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "judgements.jsonl"

    def read(self) -> Iterator[Judgement]:
        """Whole lines; one that a kill tore is left out."""
        try:
            lines = self.file.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return
        for line in lines:
            try:
                yield Judgement(**json.loads(line))
            except (ValueError, TypeError):
                continue

    def count(self) -> int:
        """How many whole lines there are."""
        return self.file.read_bytes().count(b"\n") if self.file.exists() else 0

    def add(self, judgement: Judgement) -> None:
        with open(self.file, "ab") as out:
            out.write(json_line(asdict(judgement)))

    def mend(self) -> None:
        """Take a torn last line away, so that the next one does not hang on it."""
        if self.file.exists() and not (kept := self.file.read_bytes()).endswith(b"\n") and kept:
            with open(self.file, "r+b") as out:
                out.truncate(kept.rfind(b"\n") + 1)


class InVain(Exception):
    """Many questions in a row brought nothing that can be used."""


def work(
    folder: Path,
    material: Material,
    judge: Judge,
    stop: threading.Event,
    *,
    say: Callable[[int, int], None] = lambda done, of: None,
    give_up: bool = True,
    pause: Callable[[float], object] | None = None,
) -> bool:
    """Ask whatever has no judgement yet. True when all is done, False when it was asked to stop.

    `say` hears how many are done, and of how many. `give_up` after many in vain, where each costs something.
    Raises: `Trial` once patience is over, `InVain`, `FacetError`; what was judged is kept.
    """
    kept = Judgements(folder)
    kept.mend()
    calls = material.assignment.calls()
    known = {each.call for each in kept.read()}
    open_calls = iter([call for call in calls if call.id not in known and call.row in material.examples])
    done, in_vain = len(known), 0
    trouble: Exception | None = None
    say(done, len(calls))
    with _Asking(judge, material, stop, pause) as asking:
        while True:
            if trouble is None:
                asking.fill(open_calls)
            if not asking.waits:
                break
            for call, future in asking.finished():
                try:
                    judgement = _judgement(call, future)
                except Exception as error:  # what others in the same moment brought home is still kept
                    trouble = trouble or error
                    asking.halt.set()
                    continue
                if judgement is not None:
                    kept.add(judgement)
                    done, in_vain = done + 1, 0 if judgement.status == "judged" else in_vain + 1
                    say(done, len(calls))
            if give_up and in_vain >= MOST_IN_VAIN and trouble is None:
                trouble = InVain()
                asking.halt.set()
    if trouble is not None:
        raise trouble
    return not stop.is_set()


class _Asking:
    """The questions that are on their way."""

    def __init__(
        self, judge: Judge, material: Material, stop: threading.Event, pause: Callable[[float], object] | None
    ) -> None:
        self.judge, self.material, self.pause = judge, material, pause
        self.halt = threading.Event()  # of this work alone, once something went wrong
        self.stop = _Either(stop, self.halt)
        self.waits: dict[Future[Reply], Call] = {}
        self.pool = ThreadPoolExecutor(judge.at_once, "judge")

    def __enter__(self) -> "_Asking":
        return self

    def __exit__(self, *_: object) -> None:
        self.halt.set()
        self.pool.shutdown(wait=True)

    def fill(self, calls: Iterator[Call]) -> None:
        """As many at once as the judge takes; none any more after a stop."""
        while len(self.waits) < self.judge.at_once and not self.stop.is_set() and (call := next(calls, None)):
            asked = self.material.messages(call)
            self.waits[self.pool.submit(patiently, self.judge, asked, self.stop, self.pause)] = call

    def finished(self) -> list[tuple[Call, "Future[Reply]"]]:
        done, _ = wait(self.waits, return_when=FIRST_COMPLETED)
        return [(self.waits.pop(future), future) for future in done]


class _Either(threading.Event):
    """Set when either of two is."""

    def __init__(self, one: threading.Event, other: threading.Event) -> None:
        super().__init__()
        self.one, self.other = one, other

    def is_set(self) -> bool:
        return self.one.is_set() or self.other.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Looks twice a second."""
        left = timeout
        while not self.is_set() and (left is None or left > 0):
            self.one.wait(0.5 if left is None else min(0.5, left))
            left = None if left is None else left - 0.5
        return self.is_set()


def _judgement(call: Call, future: "Future[Reply]") -> Judgement | None:
    """What came of a question; None when it was stopped. An answer that makes no sense counts, as no vote."""
    about = {"call": call.id, **asdict(call)}
    try:
        reply = future.result()
    except Trial as trial:
        if trial.name == "stopped":
            return None
        if trial.name == "garbled":
            return Judgement(**about, status="unparsable")
        raise
    return read(about, call, reply)


def read(about: dict, call: Call, reply: Reply) -> Judgement:
    tokens = {"tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out}
    if reply.refused:
        return Judgement(**about, **tokens, status="refused")
    if call.b:
        chosen = rubric.read_choice(reply.text)
        if chosen:
            second = call.b if call.first == call.a else call.a
            better = {"first": call.first, "second": second, "tie": "tie"}[chosen[0]]
            return Judgement(**about, **tokens, better=better, reason=chosen[1])
    elif scored := rubric.read_score(reply.text):
        return Judgement(**about, **tokens, score=scored[0], reason=scored[1])
    status: Status = "refused" if rubric.is_refusal(reply.text) else "unparsable"
    return Judgement(**about, **tokens, status=status, reason=reply.text.strip()[:MOST_OF_A_REPLY])

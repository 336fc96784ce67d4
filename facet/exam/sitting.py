"""One slice of answering: a model in memory, answers kept as they come, an end when a person or the time wants it."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facet.exam.answers import Said
from facet.exam.outcome import Answer, Contestant
from facet.model.decoding import Decoding
from facet.model.load import Execution, decide, device_here, versions
from facet.model.source import BaseSource
from facet.work import log
from facet.work.worker import Slice

if TYPE_CHECKING:
    from facet.model.company import Company

SAID_EVERY_SECONDS = 2.0
SAVED_EVERY_SECONDS = 15.0  # every answer is kept; this is how often copies elsewhere are told
LEAST_SECONDS = 2.0  # that a slice must have left for anything new


class Cut(Exception):
    """The slice ends here, as a person or the time wanted it."""


@dataclass
class Sitting:
    """Models are loaded only when something is left to do. Every method may raise `Cut`."""

    piece: Slice
    total: int  # steps: answers to be given, and answers to be measured
    done: int = 0  # steps there are, those of earlier slices and tests too
    given: int = 0  # answers that were given in this slice
    _loaded: "Company | None" = None
    _said_at: float = 0.0
    _saved_at: float = 0.0

    @property
    def folder(self) -> Path:
        return self.piece.task.folder

    # ---- models
    def company(self, contestant: Contestant) -> "Company":
        """The contestant's starting model in memory, with its adapter beside it."""
        from facet.model.company import Company

        base = BaseSource.of(contestant.base).folder(self.piece.models)
        if self._loaded is None or self._loaded.base != base:
            self.close()
            self.piece.emit(log.Staged(words="Loading the model"))
            self._loaded = Company.load(base, self._execution(base))
            self._start()
        if contestant.adapter:
            self._loaded.add(contestant.key, self.folder / "adapters" / contestant.key)
        return self._loaded

    def close(self) -> None:
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None

    def _execution(self, base: Path) -> Execution:
        """How to compute, decided in the first slice for the first model; precision is each model's own."""
        known = self.piece.task.execution()
        if known is None:
            known = asdict(decide(base, 1))
            self.piece.task.decide_execution(known)
        execution = Execution(**known)
        if execution.device != device_here() or execution.versions != versions():
            words = "It goes on with another device or other software; answers may differ from those before."
            self.piece.emit(log.Noted(words=words))
        return replace(decide(base, 1), threads=execution.threads)

    # ---- answers
    def ask(self, contestant: Contestant, said: Said, prompts: Mapping[int, list[int]], decoding: Decoding) -> None:
        """Let a contestant answer every row of `said` that is still open."""
        from facet.model import batch

        self.done += len(said.answers)
        rows = said.open_rows
        if not rows:
            return

        def on_done(place: int, reply: Any) -> None:
            said.add(Answer(rows[place], reply.text, reply.tokens, reply.ended, repeating=reply.repeating))
            self.given += 1
            self.step()

        company = self.company(contestant)
        with company.speaking_as(contestant.key if contestant.adapter else None) as model:
            asked = [prompts[row] for row in rows]
            batch.generate(model, company.renderer, asked, decoding, on_done=on_done, should_stop=self.must_stop)
        if any(row not in said.answers for row in rows):
            raise Cut

    def step(self, count: int = 1) -> None:
        """So much more is done; it is said from time to time."""
        self.done += count
        now = time.monotonic()
        if now - self._said_at > SAID_EVERY_SECONDS:
            self._said_at = now
            self.piece.emit(log.Logged(step=self.done, values={}))
        if now - self._saved_at > SAVED_EVERY_SECONDS:
            self._saved_at = now
            self.piece.emit(log.Saved(step=self.done))

    def breathe(self) -> None:
        """Raises: `Cut` when nothing else should be begun in this slice."""
        if self.must_stop():
            raise Cut

    def must_stop(self) -> bool:
        task = self.piece.task
        return bool(task.stop_asked() or task.turn_asked() or self.piece.seconds_left() < LEAST_SECONDS)

    # ---- words
    def _start(self) -> None:
        where = Execution(**known).words if (known := self.piece.task.execution()) else ""
        self.piece.emit(log.Started(total_steps=self.total, step=self.done, where=where))

    def paused(self) -> None:
        by_itself = self.piece.task.stop_asked() is None
        self.piece.task.clear_turn()
        self.piece.emit(log.Logged(step=self.done, values={}))
        self.piece.emit(log.Paused(step=self.done, words="Paused.", out_of_time=by_itself))

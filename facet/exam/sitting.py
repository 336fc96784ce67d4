"""One slice of answering: a model in memory, answers kept as they come, an end when a person or the time wants it."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facet.exam import engine as chosen
from facet.exam.answers import Said
from facet.exam.outcome import Answer, Contestant
from facet.model.decoding import ENGINES, TRANSFORMERS, Decoding
from facet.model.load import Execution, decide, device_here, versions
from facet.model.source import BaseSource
from facet.work import log
from facet.work.worker import Slice

if TYPE_CHECKING:
    from facet.model.company import Company
    from facet.model.engine import Engine
    from facet.model.engines import Engines

ANSWERED_AT_ONCE = 4  # by another engine: each holds memory for a whole context
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
    engine: str = TRANSFORMERS  # who answers
    _loaded: "Company | None" = None
    _engines: "Engines | None" = None
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
        if self._engines is not None:
            self._engines.close()
            shutil.rmtree(self.folder / "engine", ignore_errors=True)
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None

    def choose_engine(self, contestants: Sequence[Contestant]) -> None:
        """Decide who answers: the engine that was asked for, if it is held to transformers for every contestant.

        Otherwise transformers answers for all of them, never for some. Decided in the first slice, and written down.
        """
        self.engine = chosen.asked(self.piece.task.request)
        known = chosen.known(self.folder)
        if known or self.engine == TRANSFORMERS:
            self.engine = known.name if known and known.name in ENGINES else TRANSFORMERS
            return
        words = f"{self.engine} computed the answers; first it was held to transformers for every model."
        for contestant in contestants:
            self.breathe()
            self._engine_of(contestant, TRANSFORMERS)
            if self.engine == TRANSFORMERS:
                chosen.forget_reused(self.folder)
                return
        self._decided(chosen.Chosen(self.engine, words))

    def _engine_of(self, contestant: Contestant, instead: str) -> "Engine | None":
        """None where transformers answers, from now on for everybody; `instead` is how that is written down."""
        from facet.model.engine import Refused
        from facet.model.engines import Engines

        if self.engine == TRANSFORMERS:
            return None
        if self._engines is None:
            self._engines = Engines(lambda: self.folder / "engine", ANSWERED_AT_ONCE)
        company = self.company(contestant)
        adapter = self.folder / "adapters" / contestant.key if contestant.adapter else None
        try:
            return self._engines.get(self.engine, company, contestant.key if adapter else None, adapter)
        except Refused as refused:
            self.engine = TRANSFORMERS
            self._decided(chosen.Chosen(instead, str(refused)))
            return None

    def _say_long(self, room: int) -> None:
        before = chosen.known(self.folder)
        words = f" Questions of more than {room:,} tokens are answered by {TRANSFORMERS}."
        if before and words not in before.words:
            self._decided(chosen.Chosen(before.name, before.words + words))

    def _decided(self, what: chosen.Chosen) -> None:
        chosen.write(self.folder, what)
        self.piece.emit(log.Noted(words=what.words))

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
        engine = self._engine_of(contestant, f"{self.engine}, then {TRANSFORMERS}")
        room = engine.context - decoding.max_new_tokens if engine else 0  # transformers answers what is longer
        places = range(len(rows))
        short = [place for place in places if engine and len(prompts[rows[place]]) <= room]
        long = sorted(set(places) - set(short))
        if engine and long:
            self._say_long(room)
        how: dict[str, Any] = {"should_stop": self.must_stop}
        with company.speaking_as(contestant.key if contestant.adapter else None) as model:
            for mine in (short, long):
                asked = [prompts[rows[place]] for place in mine]
                how["on_done"] = lambda at, reply, mine=mine: on_done(mine[at], reply)
                if engine and mine is short:
                    batch.generate_with(engine, company.renderer, asked, decoding, **how)
                else:
                    batch.generate(model, company.renderer, asked, decoding, **how)
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

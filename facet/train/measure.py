"""Two real steps on the longest examples and a few on ordinary ones: how fast this machine is, and what it needs.

The task's folder holds a few rows of the person's data, the longest apart; nothing is kept but numbers.
"""

import contextlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq

from facet.dataset.render import Renderer
from facet.errors import CapacityError, FacetError
from facet.gemma.inspect import inspect
from facet.recipe.forecast import Machine, checkpoints, needs_of
from facet.recipe.methods import recipe_of
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.workload import Lengths, work_of
from facet.train import rows, samples
from facet.train.asked import FROM_VALIDATION
from facet.train.cost import peak_gb
from facet.train.job import Job, read_job
from facet.train.passes import line
from facet.work import log
from facet.work.task import Task
from facet.work.worker import Slice, is_out_of_memory

LONG_PASSES: Final = 3  # the first is not counted: memory is asked for, and the loss is compared with the usual one
USUAL_PASSES: Final = 3
PROMPT_TOKENS, ANSWER_TOKENS = 64, 8  # to find out how long one token of an answer takes
PARTS: Final = ("longest", "usual")


@dataclass
class Pass:
    """One group of examples, forwards and backwards."""

    tokens: int  # filled up to the longest
    learned: int
    length: int
    seconds: "Times"


@dataclass(frozen=True)
class Times:
    """Seconds by the clock, and of the processor."""

    clock: float
    processor: float

    @classmethod
    def now(cls) -> "Times":
        return cls(time.perf_counter(), time.process_time())

    def since(self, began: "Times") -> "Times":
        return Times(self.clock - began.clock, self.processor - began.processor)


@dataclass
class Clock:
    """Times every pass of a trainer, and what its optimizer takes between them."""

    passes: list[Pass] = field(default_factory=list)
    updates: list[Times] = field(default_factory=list)
    token: Times | None = None  # one of an answer
    peak: float = 0.0  # GB, before that token was timed

    def watch(self, trainer: Any) -> None:
        step = trainer.training_step

        def timed(model: Any, inputs: dict[str, Any], *rest: Any, **more: Any) -> Any:
            began = Times.now()
            loss = step(model, inputs, *rest, **more)
            loss.item()  # a card answers before it is done
            took = Times.now().since(began)
            shape, labels = inputs["input_ids"].shape, inputs["labels"]
            self.passes.append(Pass(shape[0] * shape[1], int((labels != -100).sum()), shape[1], took))
            return loss

        trainer.training_step = timed


def prepare(piece: Slice) -> None:
    """Nothing is to be done ahead."""


def advance(piece: Slice) -> None:
    """Measure, and finish with the numbers. The rows go with the last try: an unexpected fault is tried again."""
    recipe = recipe_of(piece.task.request)
    try:
        _measure(piece, recipe)
    except FacetError:
        _forget(piece, "data")
        raise
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        _forget(piece, "data")
        raise _did_not_fit(recipe) from error  # the same examples would not fit the next time either
    finally:
        _forget(piece, *PARTS)
    _forget(piece, "data")


def _measure(piece: Slice, recipe: TrainingRecipe) -> None:
    piece.emit(log.Staged(words="Loading the libraries, about ten seconds"))
    began = Times.now()
    long, usual = (_part(piece, name) for name in PARTS)
    job = read_job(long)
    _rows_of(usual, job)
    samples.prepare(long.task, Renderer.load(job.folder), job.recipe)
    asked = samples.Samples.read(long.task.folder, frozenset(), ANSWER_TOKENS)
    piece.emit(log.Staged(words="Loading the starting model"))
    clock = Clock()
    load = _train(piece, job, usual, clock, began, asked)
    piece.emit(log.Finished(step=len(clock.passes), outputs=_numbers(recipe, job, clock, load)))


def _forget(piece: Slice, *names: str) -> None:
    for name in names:
        shutil.rmtree(piece.task.folder / name, ignore_errors=True)


def _did_not_fit(recipe: TrainingRecipe) -> CapacityError:
    count = recipe.per_device_train_batch_size
    held, lower = f"It did not fit with {count} examples at once.", "“Longest example” or “Examples at once”"
    if count == 1:
        held, lower = "Even one example at a time did not fit beside the model.", "“Longest example”"
    return CapacityError(
        "The memory of this machine was not enough to measure.",
        held,
        f"Lower {lower}, then measure again.",
    )


def _part(piece: Slice, name: str) -> Slice:
    """A run of its own inside the task's folder, of a few rows: what builds a trainer takes nothing else."""
    folder = piece.task.folder / name
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    recipe = recipe_of(piece.task.request)
    few = {"max_steps": LONG_PASSES, "gradient_accumulation_steps": 1, "evaluations": 0, "warmup_share": 0.0}
    changed = recipe.model_copy(update=few)
    request = piece.task.request | {"recipe": changed.model_dump()}
    request.pop("start_from", None)
    task = Task.create(folder, "train", request)
    source = piece.task.folder / "data" / "train.parquet"
    _choose(source, data / "train.parquet", name, recipe.per_device_train_batch_size)
    _choose(source, data / "validation.parquet", "none", 0)
    return replace(piece, task=task, emit=lambda event: None)


def _choose(source: Path, into: Path, which: str, batch: int) -> None:
    """The longest rows, as often as passes want them; or ordinary ones, evenly spread."""
    table = pq.read_table(source)
    if which == "none":
        pq.write_table(table.slice(0, 0), into)
        return
    sizes = np.array([len(str(row)) for row in table.column(_text_column(table)).to_pylist()])
    order = np.argsort(sizes, kind="stable")
    if which == "longest":
        chosen = np.tile(order[-batch:][::-1], LONG_PASSES)
    else:
        chosen = order[np.linspace(0, len(order) - 1, min(len(order), batch * USUAL_PASSES)).astype(int)]
    pq.write_table(table.take(chosen), into)


def _text_column(table: Any) -> str:
    return next(name for name in ("messages", "text", *table.column_names) if name in table.column_names)


def _rows_of(usual: Slice, job: Job) -> None:
    rows.tokens(usual, job.folder, job.recipe)


def _train(piece: Slice, job: Job, usual: Slice, clock: Clock, began: Times, asked: samples.Samples) -> Times:
    """Take the passes. Returns how long it took to get to work: by the clock since the task came, of the processor
    since the process began, because a spare one has its libraries already, and their cost counts all the same.
    """
    from transformers import TrainerCallback

    from facet.train.trainer import build

    class Updates(TrainerCallback):
        def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
            self.began = Times.now()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            clock.updates.append(Times.now().since(self.began))
            piece.emit(log.Logged(step=len(clock.passes), values={"seconds": clock.passes[-1].seconds.clock}))
            control.should_training_stop = bool(piece.task.stop_asked()) or state.global_step >= state.max_steps

    trainer = build(job, Updates())
    load = replace(Times.now(), clock=Times.now().since(began).clock)
    total = LONG_PASSES + USUAL_PASSES
    piece.emit(log.Started(total_steps=total, step=0, where=job.execution.words))
    clock.watch(trainer)
    if asked.asked:  # as a run does at its beginning; what it needs for that it holds to the end
        _without_answers_if_need_be(lambda: asked.take(trainer.model, 0))
    trainer.train()
    clock.peak = peak_gb()
    if not piece.task.stop_asked():
        trainer.train_dataset = rows.dataset(usual.task, "train")
        with contextlib.suppress(AttributeError):
            trainer.args.max_steps = USUAL_PASSES
        trainer.train()
        clock.peak = peak_gb()
        clock.token = _without_answers_if_need_be(lambda: _time_of_a_token(trainer))
    return load


def _time_of_a_token(trainer: Any) -> Times:
    """Of the answers on the way, which are written one token after the other."""
    rows = [trainer.train_dataset[at]["input_ids"] for at in range(min(FROM_VALIDATION, len(trainer.train_dataset)))]
    prompts = [ids[:PROMPT_TOKENS] for ids in rows]
    samples.greedy(trainer.model, prompts, frozenset(), 1)
    few = _timed(lambda: samples.greedy(trainer.model, prompts, frozenset(), 1))
    many = _timed(lambda: samples.greedy(trainer.model, prompts, frozenset(), 1 + ANSWER_TOKENS))
    clock, processor = ((getattr(many, one) - getattr(few, one)) / ANSWER_TOKENS for one in ("clock", "processor"))
    return Times(max(0.0, clock), max(0.0, processor))


def _without_answers_if_need_be(act: Callable[[], Any]) -> Any:
    """A run that cannot answer on the way, for whatever reason, goes on without; so does its measurement."""
    try:
        return act()
    except Exception:
        return None


def _timed(act: Callable[[], object]) -> Times:
    began = Times.now()
    act()
    return Times.now().since(began)


def _numbers(recipe: TrainingRecipe, job: Job, clock: Clock, load: Times) -> dict[str, str | int | float]:
    """What the planner needs, from the passes: seconds for each GFLOP, for each pass, and the peak of memory."""
    facts, execution = inspect(job.folder), job.execution
    here = Machine("local", "", execution.device, 0.0, 1.0, execution.dtype)
    on, counted = checkpoints(recipe, here), clock.passes[1:]
    works = [work_of(facts, recipe, one.tokens, one.learned, one.length, on) for one in counted]
    found: dict[str, str | int | float] = {}
    for kind in ("clock", "processor"):
        per_gflop, per_pass = line(works, [getattr(one.seconds, kind) for one in counted])
        update = float(np.median([getattr(one, kind) for one in clock.updates]))
        values = {"per_gflop": per_gflop, "per_pass": per_pass, "per_update": update, "load": getattr(load, kind)}
        if clock.token is not None:
            values["per_token"] = getattr(clock.token, kind)
        found |= {f"{kind}_{name}": value for name, value in values.items()}
    long = clock.passes[: min(LONG_PASSES, len(clock.passes))]
    timed = long[1:] or long
    return found | {
        "seconds_per_step": float(np.mean([one.seconds.clock for one in timed])),
        "seconds_per_token": sum(one.seconds.clock for one in timed) / max(1, sum(one.tokens for one in timed)),
        "memory_gb": round(clock.peak, 3),
        "memory_ratio": clock.peak
        / needs_of(facts, recipe, _as_lengths(max(long, key=lambda one: one.tokens)), here).gb,
        "longest": long[0].length,
        "dtype": execution.dtype,
        "device": execution.device,
    }


def _as_lengths(one: Pass) -> Lengths:
    """The group that was measured, as examples all alike."""
    rows = max(1, one.tokens // one.length)
    return Lengths(rows, (one.length,), (max(1, one.learned // rows),))

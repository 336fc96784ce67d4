"""Everything one slice of a run works with, read from its folder."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from facet.gemma.inspect import inspect
from facet.model.load import DEVICE_WORDS, Execution, decide, device_here, versions
from facet.model.source import BaseSource
from facet.model.tokens import TokenCounts
from facet.recipe.methods import recipe_of
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.workload import AT_ONCE
from facet.train import rows
from facet.train.probe import UNDECIDED, precision
from facet.train.to_trl import evaluation_steps
from facet.work import checkpoint, log
from facet.work.checkpoint import Checkpoint
from facet.work.worker import Slice


@dataclass(frozen=True)
class Job:
    """Everything one slice works with."""

    piece: Slice
    recipe: TrainingRecipe
    base: BaseSource
    folder: Path  # of the base model
    execution: Execution
    counts: TokenCounts
    start: Checkpoint | None

    @property
    def total_steps(self) -> int:
        return self.recipe.steps(self.counts.rows)

    @property
    def evaluate_at(self) -> frozenset[int]:
        return evaluation_steps(self.recipe, self.total_steps)

    def settle(self, **decided: Any) -> None:
        """Write down what was decided after the first slice had begun; no later slice decides it again."""
        self.piece.task.decide_execution((self.piece.task.execution() or {}) | decided)

    def owes_a_look(self, step: int) -> bool:
        """Did a slice end after this step, for want of time, before it could look at the validation part?"""
        if step not in self.evaluate_at or not (self.piece.task.folder / "tokens" / "validation.arrow").exists():
            return False
        curve = log.progress_of(self.piece.task.events_file).curves.get("validation_loss", [])
        return bool(curve) and all(looked_at != step for looked_at, _ in curve)


def read_job(piece: Slice) -> Job:
    import torch  # noqa: F401 - the slow imports happen under the words just shown
    import trl  # noqa: F401

    request = piece.task.request
    recipe = recipe_of(request)
    base = BaseSource.of(request["base"])
    folder = base.folder(piece.models)
    execution = _execution(piece, folder, recipe)
    counts = rows.tokens(piece, folder, recipe)
    start, spoiled = checkpoint.newest(piece.task.checkpoints)
    for step in spoiled:
        piece.emit(log.Noted(words=f"The save point of step {step} was damaged; the one before it is used."))
    return Job(piece, recipe, base, folder, execution, counts, start)


def _execution(piece: Slice, folder: Path, recipe: TrainingRecipe) -> Execution:
    decided = piece.task.execution()
    if decided is None:
        usual = decide(folder, recipe.per_device_train_batch_size)
        usual = replace(usual, threads=recipe.threads or usual.threads, at_once=AT_ONCE.get(usual.device, 0))
        decided = asdict(replace(usual, dtype=precision(recipe, inspect(folder), usual), loss=UNDECIDED))
        piece.task.decide_execution(decided)
    execution = Execution(**decided)
    if execution.device != (here := device_here()):
        piece.emit(log.Noted(words=f"It goes on with {DEVICE_WORDS[here]}; numbers may differ in the last digits."))
        execution = replace(execution, device=here, at_once=execution.at_once or AT_ONCE.get(here, 0))
    if execution.versions != versions():
        piece.emit(log.Noted(words="The software changed since this run began; numbers may differ in the last digits."))
    return execution

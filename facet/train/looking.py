"""When a run is looked at on its way, and by what: the validation part, the right labels, answers to prompts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.dataset.render import Renderer
from facet.model.load import give_memory_back, trim_memory
from facet.recipe.recipes import TrainingRecipe
from facet.train import best, labelled, rows, samples
from facet.train.health import AROUND, spike
from facet.train.job import Job
from facet.train.labelled import Labelled
from facet.train.samples import Samples
from facet.work import log
from facet.work.log import Progress
from facet.work.task import Task

JUMPED = "At step {:,} the loss jumped to {:.1f} times what it was before. One such jump is nothing to worry about."
MOST_JUMPS = 3  # that are told of; the health sentence counts them all
LEFT_OUT = "The answers on the way are left out from here: they did not fit beside the training ({})."


def prepare(task: Task, base: Path, recipe: TrainingRecipe) -> None:
    """Tokens of what is asked on the way, made once."""
    if (task.folder / "tokens" / samples.FILE).exists():
        return
    renderer = Renderer.load(base)
    labelled.prepare(task, renderer)
    samples.prepare(task, renderer, recipe)
    del renderer
    give_memory_back()


def read(job: Job) -> "Looking":
    folder = job.piece.task.folder
    per_epoch = -(-job.counts.rows // job.recipe.effective_batch_size)
    sees = job.recipe.evaluations > 0 and rows.dataset(job.piece.task, "validation") is not None
    looks = job.evaluate_at if sees else frozenset()
    at = samples.times(job.total_steps, per_epoch, looks)
    most = rows.validation_rows(job.recipe, job.total_steps) // 2
    asked = Samples.read(folder, at, job.recipe.sample_max_tokens)
    return Looking(job.recipe, job.total_steps, looks, asked, Labelled.read(folder, most))


@dataclass
class Looking:
    """`seen` are the looks at the validation part, those of earlier slices too."""

    recipe: TrainingRecipe
    total_steps: int
    at: frozenset[int]  # steps after which the validation part is looked at
    samples: Samples
    labelled: Labelled | None = None
    seen: list[tuple[int, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)  # the newest of training
    jumps: set[int] = field(default_factory=set)  # steps that were told of

    def recall(self, progress: Progress) -> None:
        """What earlier slices saw, and this one does not see again."""
        self.seen = list(progress.curves.get("validation_loss", []))
        self.losses = [loss for _, loss in progress.curves.get("loss", [])][-AROUND:]
        self.samples.answered = {step for answers in progress.samples.values() for step, _ in answers}

    def has_seen(self, step: int, ended: str | None) -> bool:
        """Is there nothing to compare? Who stops and keeps gets the best, so the newest is looked at as well."""
        return ended != "keep" or not self.recipe.keep_best or not self.seen or step in dict(self.seen)

    def jump(self, step: int, loss: float) -> str:
        """The sentence about a loss out of the ordinary; empty for all others. A run that is killed tells the same."""
        self.losses = [*self.losses, loss][-AROUND - 1 :]
        times = spike(self.losses) if self.recipe.loss_type == "nll" else None
        if times is None or len(self.jumps) >= MOST_JUMPS:
            return ""
        self.jumps.add(step)
        return JUMPED.format(step, times)

    def best_of(self, until: int) -> best.Looks:
        return best.looks_of(self.seen, until)

    def is_enough(self) -> bool:
        return best.is_enough(self.best_of(self.total_steps), self.recipe, self.total_steps)

    def more(self, model: Any, step: int, last: bool, emit: Callable[[log.Event], None]) -> None:
        """What costs nothing when it fails: a run never ends for want of an answer on the way."""
        labelled, answers = step in (0, *self.at) and bool(self.labelled), self.samples.is_due(step, last)
        if labelled or answers:  # either needs a copy of the head, which should not stand beside what steps left behind
            trim_memory()
        try:
            if labelled:
                emit(log.Logged(step=step, values=self.labelled.look(model)))
            if answers:
                emit(self.samples.take(model, step))
        except Exception as error:
            self.labelled, self.samples.asked = None, []
            emit(log.Noted(words=LEFT_OUT.format(type(error).__name__), step=step))

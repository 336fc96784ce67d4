"""The one callback: tells the log what happens, saves what can be trusted, and stops when asked or out of time."""

import math
import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from facet.errors import TrainingError
from facet.train import best
from facet.train.looking import Looking
from facet.train.room import Room
from facet.train.used import memory_gb
from facet.work import checkpoint, log
from facet.work.task import StopHow
from facet.work.worker import Slice, disk_full

SAVES_PER_RUN = 20
NAMES = {
    "loss": "loss",
    "eval_loss": "validation_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "mean_token_accuracy": "token_accuracy",
    "eval_mean_token_accuracy": "validation_token_accuracy",
    "epoch": "epoch",
}
LEFT_OUT = ("training_args.bin", "README.md", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


@dataclass
class Pace:
    """How long things take here, in seconds; kept beside each save point, for the next slice to start with."""

    step: float = 0.0
    save: float = 0.0
    look: float = 0.0  # at the validation part, answers to prompts included

    def to_end_well(self, look: bool = False) -> float:
        """What a slice needs before its end: to save, with as much again in reserve, and to look where that is due."""
        return 2 * max(0.5, self.save) + 1.0 + (1.25 * self.look if look else 0.0)


class Watch(TrainerCallback):
    """`ended` says why training returned: None when it ran to its last step, or `enough` of them."""

    def __init__(self, piece: Slice, looking: Looking, facts: dict[str, Any], pace: Pace) -> None:
        self.piece, self.looking, self.facts, self.pace = piece, looking, facts, pace
        self.ended: StopHow | None = None
        self.out_of_time = self.enough = False
        self.room = Room(piece.task)
        self._saved_at = self._began = time.monotonic()
        self._tokens = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = self._began = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        step = state.global_step
        state.log_history.clear()  # the task's own log holds it; here it would grow every save point
        self.pace.step = self._since_last()
        self.ended = self.piece.task.stop_asked()
        left, look = self.piece.seconds_left(), self._is_look_due(step)
        self.out_of_time = self.piece.task.turn_asked() or left < self.pace.to_end_well(look) + 1.25 * self.pace.step
        last = step >= state.max_steps
        control.should_training_stop = bool(self.ended) or self.out_of_time or last
        # a look that does not fit any more is made up for at the start of the next slice
        control.should_evaluate = look and left > self.pace.to_end_well(look)
        control.should_save = control.should_training_stop or self._save_is_due(step, state.max_steps)
        if control.should_save and not self.room.is_enough(more.get("model")):
            self._do_without_saving(step, control)
        if step not in self.looking.at and left > self.pace.to_end_well(look=True):
            self.answer(more.get("model"), step)

    def _is_look_due(self, step: int) -> bool:
        """Whoever stops and keeps gets the best: the newest has to be compared with what came before."""
        compared = self.ended == "keep" and self.looking.recipe.keep_best and bool(self.looking.seen)
        return step in self.looking.at or compared

    def _do_without_saving(self, step: int, control: TrainerControl) -> None:
        """Raises: `CapacityError` where the slice ends here, for nothing of it would stay."""
        if control.should_training_stop:
            raise disk_full()
        control.should_save = False
        if self.room.once():
            words = "The disk is nearly full: no save points are written until there is room. The training goes on."
            self.piece.emit(log.Noted(words=words, step=step))

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        model, step = more["model"], state.global_step
        self.answer(model, step)
        self.pace.look = self._since_last()
        self.piece.emit(log.Logged(step=step, values={"look_seconds": round(self.pace.look, 3)}))
        self._decide(step, control, model)

    def answer(self, model: Any, step: int) -> None:
        """What is asked beside the validation part, where its turn has come."""
        last = step >= self.looking.total_steps or self.ended == "keep" or self.looking.is_enough()
        self.looking.more(model, step, last, self.piece.emit)

    def _decide(self, step: int, control: TrainerControl, model: Any) -> None:
        """The best so far gets a save point of its own; after too many looks without a gain it is enough."""
        self.enough = self.looking.is_enough()
        control.should_training_stop = control.should_training_stop or self.enough
        is_best = self.looking.recipe.keep_best and best.is_lowest(self.looking.best_of(step))
        if step and (is_best or self.enough) and not control.should_save:
            control.should_save = True
            if not self.room.is_enough(model):
                self._do_without_saving(step, control)

    def _since_last(self) -> float:
        began, self._began = self._began, time.monotonic()
        return self._began - began

    def _save_is_due(self, step: int, total: int) -> bool:
        """Every so many minutes, or every twentieth of the run if that is sooner, as long as it costs little."""
        since = time.monotonic() - self._saved_at
        often = step % max(1, total // SAVES_PER_RUN) == 0 and since > 20 * self.pace.save
        return since > 60 * self.looking.recipe.save_minutes or often

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, float], **_: Any
    ) -> None:
        values = {ours: float(logs[theirs]) for theirs, ours in NAMES.items() if theirs in logs}
        if "eval_loss" in logs:
            values.pop("epoch", None)
            self.looking.seen.append((state.global_step, values["validation_loss"]))
        if not values or "train_runtime" in logs:
            return
        if "loss" in logs:
            values |= self._effort(float(logs.get("num_tokens", self._tokens)))
        self.piece.emit(log.Logged(step=state.global_step, values=values))
        if "loss" in values and (words := self.looking.jump(state.global_step, values["loss"])):
            self.piece.emit(log.Noted(words=words, step=state.global_step))
        bad = [name for name in ("loss", "grad_norm") if not math.isfinite(values.get(name, 0.0))]
        if bad:
            raise not_a_number(state.global_step, float(args.learning_rate), self.piece.task.checkpoints.exists())

    def _effort(self, tokens: float) -> dict[str, float]:
        """What the step took. `tokens` are those read in this slice."""
        new, self._tokens = tokens - self._tokens, tokens
        speed = {"tokens_per_second": round(new / max(1e-6, self.pace.step), 1)} if new > 0 else {}
        return speed | {"step_seconds": round(self.pace.step, 4), "memory_gb": memory_gb()}

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        staged = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        for name in LEFT_OUT:
            (staged / name).unlink(missing_ok=True)
        with open(self.piece.task.events_file, "rb+") as events:
            os.fsync(events.fileno())  # the curve must be on disk before the save point that ends it
        facts, points = self.facts | {"pace": asdict(self.pace)}, self.piece.task.checkpoints
        checkpoint.seal(staged, points, state.global_step, facts)
        checkpoint.prune(points, self.looking.recipe.save_total_limit, self._best_saved())
        self.piece.emit(log.Saved(step=state.global_step))
        self.pace.save = self._since_last() + 0.05
        self._saved_at = self._began

    def _best_saved(self) -> list[int]:
        if not self.looking.recipe.keep_best:
            return []
        looks = self.looking.best_of(self.looking.total_steps)
        found = best.lowest(looks, checkpoint.steps(self.piece.task.checkpoints))
        return [] if found is None else [found]


def not_a_number(step: int, learning_rate: float, saved: bool) -> TrainingError:
    kept = " Your last good save point is kept." if saved else ""
    return TrainingError(
        f"Training stopped at step {step}, because the model had begun to forget everything.",
        f"The error was no longer a number; the learning speed {learning_rate:g} was too high for this data.",
        f"Start again with “Learning speed” {learning_rate / 4:g}.{kept}",
    )


def clear_staging(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

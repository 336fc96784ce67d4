"""The one callback: tells the log what happens, saves what can be trusted, and stops when asked or out of time."""

import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from facet.errors import TrainingError
from facet.work import checkpoint, log
from facet.work.task import StopHow
from facet.work.worker import Slice

SAVE_EVERY_SECONDS = 60.0
SAVES_PER_RUN = 20
NAMES = {
    "loss": "loss",
    "eval_loss": "validation_loss",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
    "mean_token_accuracy": "token_accuracy",
    "epoch": "epoch",
}
LEFT_OUT = ("training_args.bin", "README.md", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


class Watch(TrainerCallback):
    """`ended` says why training returned: None when it ran to its last step."""

    def __init__(self, piece: Slice, evaluate_at: frozenset[int], facts: dict[str, Any]) -> None:
        self.piece, self.evaluate_at, self.facts = piece, evaluate_at, facts
        self.ended: StopHow | None = None
        self.out_of_time = False
        self._saved_at = self._logged_at = time.monotonic()
        self._save_seconds = 0.0
        self._tokens = 0.0

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._saved_at = self._logged_at = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        step = state.global_step
        state.log_history.clear()  # the task's own log holds it; here it would grow every save point
        control.should_evaluate = step in self.evaluate_at
        self.ended = self.piece.task.stop_asked()
        self.out_of_time = self.piece.seconds_left() < 2 * self._save_seconds + 5
        last = step >= state.max_steps
        control.should_training_stop = bool(self.ended) or self.out_of_time or last
        control.should_save = control.should_training_stop or self._save_is_due(step, state.max_steps)

    def _save_is_due(self, step: int, total: int) -> bool:
        """Every minute, or every twentieth of the run if that is sooner, as long as it costs little."""
        since = time.monotonic() - self._saved_at
        often = step % max(1, total // SAVES_PER_RUN) == 0 and since > 20 * self._save_seconds
        return since > SAVE_EVERY_SECONDS or often

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, float], **_: Any
    ) -> None:
        values = {ours: float(logs[theirs]) for theirs, ours in NAMES.items() if theirs in logs}
        if "eval_loss" in logs:
            values.pop("epoch", None)
        if not values or "train_runtime" in logs:
            return
        if "num_tokens" in logs and "loss" in logs:
            values |= self._speed(float(logs["num_tokens"]))
        self.piece.emit(log.Logged(step=state.global_step, values=values))
        bad = [name for name in ("loss", "grad_norm") if not math.isfinite(values.get(name, 0.0))]
        if bad:
            raise not_a_number(state.global_step, float(args.learning_rate), self.piece.task.checkpoints.exists())

    def _speed(self, tokens: float) -> dict[str, float]:
        now = time.monotonic()
        speed = (tokens - self._tokens) / max(1e-6, now - self._logged_at)
        self._tokens, self._logged_at = tokens, now
        return {"tokens_per_second": speed}

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        began = time.monotonic()
        staged = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        for name in LEFT_OUT:
            (staged / name).unlink(missing_ok=True)
        with open(self.piece.task.events_file, "rb+") as events:
            os.fsync(events.fileno())  # the curve must be on disk before the save point that ends it
        checkpoint.seal(staged, self.piece.task.checkpoints, state.global_step, self.facts)
        checkpoint.prune(self.piece.task.checkpoints)
        self.piece.emit(log.Saved(step=state.global_step))
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began + 0.05


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

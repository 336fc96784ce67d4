"""Train from the newest save point until done, asked to stop, or out of time. The only file with a trainer."""

import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from facet.errors import TrainingError
from facet.gemma.inspect import inspect
from facet.gemma.targets import lora_targets
from facet.model.load import (
    DEVICE_WORDS,
    Execution,
    decide,
    device_here,
    load_base,
    versions,
)
from facet.model.source import BaseSource
from facet.model.tokens import TokenCounts
from facet.recipe.recipes import SftRecipe
from facet.train import continued, imports, rows
from facet.train.to_trl import evaluation_steps, to_trl
from facet.work import checkpoint, log
from facet.work.checkpoint import Checkpoint
from facet.work.worker import Slice, is_out_of_memory, out_of_memory
from facet.workspace import fsync, read_json, write_json


@dataclass(frozen=True)
class Job:
    """Everything one slice works with."""

    piece: Slice
    recipe: SftRecipe
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

    def owes_a_look(self, step: int) -> bool:
        """Did a slice end after this step, for want of time, before it could look at the validation part?"""
        if step not in self.evaluate_at or not (self.piece.task.folder / "tokens" / "validation.arrow").exists():
            return False
        curve = log.progress_of(self.piece.task.events_file).curves.get("validation_loss", [])
        return bool(curve) and all(looked_at != step for looked_at, _ in curve)


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: tokens. An imported adapter has none."""
    request = piece.task.request
    if not request.get("imported"):
        rows.tokens(piece, BaseSource.of(request["base"]).folder(piece.models), SftRecipe(**request["recipe"]))


def advance(piece: Slice) -> None:
    """One slice of a run. See `facet.work.worker` for what it promises."""
    if piece.task.request.get("imported"):  # it waited for its starting model, which is here now
        base = BaseSource.of(piece.task.request["base"])
        imports.finish(piece.task.folder, base, base.folder(piece.models), piece.emit)
        return
    piece.emit(log.Staged(words="Loading the libraries, about ten seconds"))
    job = _prepare(piece)
    if piece.task.stop_asked() == "pause":
        piece.emit(log.Paused(step=job.start.step if job.start else 0, words="Paused before the next step."))
        return
    keep = piece.task.stop_asked() == "keep"
    if job.start and (keep or (job.start.step >= job.total_steps and not job.owes_a_look(job.start.step))):
        _finish_from(job, job.start.folder, early=keep)
        return
    try:
        _train(job)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        _halve(job)


def _prepare(piece: Slice) -> Job:
    import torch  # noqa: F401 - the slow imports happen under the words just shown
    import trl  # noqa: F401

    request = piece.task.request
    recipe = SftRecipe(**request["recipe"])
    base = BaseSource.of(request["base"])
    folder = base.folder(piece.models)
    execution = _execution(piece, folder, recipe)
    counts = rows.tokens(piece, folder, recipe)
    start, spoiled = checkpoint.newest(piece.task.checkpoints)
    for step in spoiled:
        piece.emit(log.Noted(words=f"The save point of step {step} was damaged; the one before it is used."))
    return Job(piece, recipe, base, folder, execution, counts, start)


def _execution(piece: Slice, folder: Path, recipe: SftRecipe) -> Execution:
    decided = piece.task.execution()
    if decided is None:
        decided = asdict(decide(folder, recipe.per_device_train_batch_size))
        piece.task.decide_execution(decided)
    execution = Execution(**decided)
    if execution.device != (here := device_here()):
        piece.emit(log.Noted(words=f"It goes on with {DEVICE_WORDS[here]}; numbers may differ in the last digits."))
        execution = replace(execution, device=here)
    if execution.versions != versions():
        piece.emit(log.Noted(words="The software changed since this run began; numbers may differ in the last digits."))
    return execution


def _train(job: Job) -> None:
    from facet.train.watch import Pace, Watch

    job.piece.emit(log.Staged(words="Loading the starting model"))
    facts = {"versions": job.execution.versions, "threads": job.execution.threads}
    pace = Pace(**job.start.facts.get("pace", {})) if job.start else Pace()
    watch = Watch(job.piece, job.evaluate_at, facts, pace)
    trainer = _trainer(job, watch)
    step = job.start.step if job.start else 0
    again = log.progress_of(job.piece.task.events_file).where != ""
    job.piece.emit(log.Started(total_steps=job.total_steps, step=step, where=job.execution.words))
    if again:
        job.piece.emit(log.Resumed(step=step))
    if job.piece.seconds_left() < pace.to_end_well(look=True) + 1.25 * pace.step:
        job.piece.emit(log.Paused(step=step, words="There was not enough time for another step.", out_of_time=True))
        return
    _look_before(job, trainer)
    if step < job.total_steps:
        trainer.train(resume_from_checkpoint=str(job.start.folder) if job.start else None)
    step = max(step, trainer.state.global_step)
    unfinished = step < job.total_steps or job.owes_a_look(step)
    if watch.ended == "pause" or (watch.ended is None and watch.out_of_time and unfinished):
        _pause(job, step, by_itself=watch.ended is None)
        return
    newest, _ = checkpoint.newest(job.piece.task.checkpoints)
    if newest is None or newest.step != step:
        raise _last_save_is_lost()
    _finish_from(job, newest.folder, early=watch.ended == "keep")


def _pause(job: Job, step: int, by_itself: bool) -> None:
    words = "Paused. Press “Resume” to go on from here."
    if by_itself:
        for_others = job.piece.task.turn_asked()
        words = "It gives way to others; it goes on by itself." if for_others else "Out of time for now."
    job.piece.task.clear_turn()
    job.piece.emit(log.Paused(step=step, words=words, out_of_time=by_itself))


def _look_before(job: Job, trainer: Any) -> None:
    """The first point of the validation curve, or one that the last slice had no time for."""
    if trainer.eval_dataset is None or not job.recipe.evaluations:
        return
    if not job.start:
        trainer.evaluate()  # the model as training finds it
    elif job.owes_a_look(job.start.step):
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        set_peft_model_state_dict(trainer.model, load_file(job.start.folder / "adapter_model.safetensors"))
        trainer.state.global_step = job.start.step
        trainer.evaluate()


def _trainer(job: Job, watch: Any) -> Any:
    """TRL's own trainer on our tokens. It is changed by one callback and nothing else."""
    import torch
    from peft import LoraConfig
    from transformers import set_seed
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from facet.train.watch import clear_staging

    torch.set_num_threads(job.execution.threads)
    set_seed(job.recipe.seed)
    facts = inspect(job.folder)
    arguments = to_trl(
        job.recipe,
        rows=job.counts.rows,
        output=clear_staging(job.piece.task.folder / "staging"),
        device=job.execution.device,
        targets=lora_targets(facts.model_type),
        micro_batch=job.execution.micro_batch,
    )
    model = load_base(job.folder, job.execution.dtype, job.execution.device)
    model.config.use_cache = False
    adapter: LoraConfig | None = LoraConfig(**arguments.lora)
    if job.piece.task.request.get("start_from"):
        fresh = job.start is None
        model, adapter = continued.started(model, job.piece.task, job.recipe.lora_dropout, fresh), None
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**arguments.sft),
        train_dataset=rows.dataset(job.piece.task, "train"),
        eval_dataset=rows.dataset(job.piece.task, "validation", rows.validation_rows(job.recipe, job.total_steps)),
        processing_class=_padding_tokenizer(),
        peft_config=adapter,
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.processing_class = None  # it would be written into every save point
    return trainer


def _padding_tokenizer() -> Any:
    """All the trainer's collator asks of a tokenizer. Loading the model's own again would cost up to a gigabyte.

    Which id pads does not matter: padded positions are masked, and their labels are ignored.
    """
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel({"<pad>": 0}, "<pad>")), pad_token="<pad>"
    )


def _finish_from(job: Job, weights: Path, early: bool = False) -> None:
    """Write `adapter/` in one step from verified files, then say that the run is over."""
    part, place = (job.piece.task.folder / name for name in ("adapter.part", "adapter"))
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(weights / name, part / name)
    config = read_json(part / "adapter_config.json")
    config |= {"base_model_name_or_path": job.base.id, "revision": job.base.revision, "inference_mode": True}
    if isinstance(config["target_modules"], list):  # PEFT holds a set, whose order is chance
        config["target_modules"].sort()
    write_json(part / "adapter_config.json", config)
    for file in part.iterdir():
        fsync(file)
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    fsync(place.parent)
    shutil.rmtree(job.piece.task.folder / "staging", ignore_errors=True)
    done = log.progress_of(job.piece.task.events_file)
    outputs: dict[str, str | int | float] = {
        "adapter_sha256": checkpoint.sha256(place / "adapter_model.safetensors"),
        "minutes": round((done.working_seconds + time.time() - done.last_at) / 60, 2),
        "trained_tokens_per_epoch": job.counts.trained,
        "rows": job.counts.rows,
    }
    job.piece.emit(log.Finished(step=done.step, outputs=outputs, early=early))


def _last_save_is_lost() -> TrainingError:
    return TrainingError(
        "The last save point could not be read back.",
        "What was written to the disk is not what arrived there.",
        "Press “Resume”: the run goes on from the save point before it. Check the disk if this comes back.",
    )


def _halve(job: Job) -> None:
    """Half the examples at once and twice the groups: the same step with less memory.

    Raises: `CapacityError` when one example at a time is already too much.
    """
    micro, effective = job.execution.micro_batch, job.recipe.effective_batch_size
    if micro == 1:
        raise out_of_memory()
    fewer = max(count for count in range(1, micro // 2 + 1) if effective % count == 0)
    job.piece.task.decide_execution(asdict(replace(job.execution, micro_batch=fewer)))
    words = f"Memory ran out with {micro} examples at once. It goes on with {fewer}, and more groups per step."
    job.piece.emit(log.Noted(words=words))
    start = job.start.step if job.start else 0
    job.piece.emit(log.Paused(step=start, words=words, out_of_time=True))

"""Train from the newest save point until done, asked to stop, or out of time."""

from dataclasses import asdict, replace
from typing import Any

from facet.errors import TrainingError
from facet.model.source import BaseSource
from facet.recipe.methods import recipe_of
from facet.train import imports, rows
from facet.train.finish import finish_from
from facet.train.job import Job, read_job
from facet.train.trainer import build
from facet.work import checkpoint, log
from facet.work.worker import Slice, is_out_of_memory, out_of_memory


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: tokens. An imported adapter has none."""
    request = piece.task.request
    if not request.get("imported"):
        rows.tokens(piece, BaseSource.of(request["base"]).folder(piece.models), recipe_of(request))


def advance(piece: Slice) -> None:
    """One slice of a run. See `facet.work.worker` for what it promises."""
    if piece.task.request.get("imported"):  # it waited for its starting model, which is here now
        base = BaseSource.of(piece.task.request["base"])
        imports.finish(piece.task.folder, base, base.folder(piece.models), piece.emit)
        return
    piece.emit(log.Staged(words="Loading the libraries, about ten seconds"))
    job = read_job(piece)
    if piece.task.stop_asked() == "pause":
        piece.emit(log.Paused(step=job.start.step if job.start else 0, words="Paused before the next step."))
        return
    keep = piece.task.stop_asked() == "keep"
    if job.start and (keep or (job.start.step >= job.total_steps and not job.owes_a_look(job.start.step))):
        finish_from(job, job.start.folder, early=keep)
        return
    try:
        _train(job)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        _halve(job)


def _train(job: Job) -> None:
    from facet.train.watch import Pace, Watch

    job.piece.emit(log.Staged(words="Loading the starting model"))
    facts = {"versions": job.execution.versions, "threads": job.execution.threads}
    pace = Pace(**job.start.facts.get("pace", {})) if job.start else Pace()
    watch = Watch(job.piece, job.evaluate_at, facts, pace)
    trainer = build(job, watch)
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
    finish_from(job, newest.folder, early=watch.ended == "keep")


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

"""Train from the newest save point until done, asked to stop, or out of time."""

from typing import Any

from facet.errors import TrainingError
from facet.model.source import BaseSource
from facet.recipe.methods import recipe_of
from facet.recipe.workload import tokens_at_once
from facet.train import best, imports, looking, ready, rows
from facet.train.finish import finish_from
from facet.train.job import Job, read_job
from facet.train.trainer import build
from facet.train.weights import put_back
from facet.work import checkpoint, log
from facet.work.checkpoint import Checkpoint
from facet.work.worker import Slice, is_out_of_memory, out_of_memory


def prepare(piece: Slice) -> None:
    """What needs no device, done ahead of the first slice: tokens. An imported adapter has none."""
    request = piece.task.request
    if not request.get("imported"):
        base, recipe = BaseSource.of(request["base"]).folder(piece.models), recipe_of(request)
        rows.tokens(piece, base, recipe)
        looking.prepare(piece.task, base, recipe)


def advance(piece: Slice) -> None:
    """One slice of a run. See `facet.work.worker` for what it promises."""
    if piece.task.request.get("imported"):  # it waited for its starting model, which is here now
        base = BaseSource.of(piece.task.request["base"])
        imports.finish(piece.task.folder, base, base.folder(piece.models), piece.emit)
        return
    piece.emit(log.Staged(words="Loading the libraries, about ten seconds"))
    ready.load()
    job = read_job(piece)
    if piece.task.stop_asked() == "pause":
        piece.emit(log.Paused(step=job.start.step if job.start else 0, words="Paused before the next step."))
        return
    if job.start and _is_over(job, job.start.step):
        if log.progress_of(piece.task.events_file).step > job.start.step:
            piece.emit(log.Resumed(step=job.start.step))  # what came after it is lost
        _finish(job, job.start)
        return
    looking.prepare(piece.task, job.folder, job.recipe)
    shrinks = piece.memory_was_short and _at_once(job) > 1  # one at a time: others may have filled it
    try:
        if shrinks:
            raise MemoryError
        _train(job)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        _halve(job)
        if shrinks:
            piece.emit(log.Queued())  # with less at once it has all its tries again


def _is_over(job: Job, step: int) -> bool:
    """Has it learned all that it will, and was that looked at?"""
    looks = _looks(job, step)
    if _keeps(job):  # by a person's wish; the best can only be told after a look at the newest
        return not (job.recipe.keep_best and looks and step not in dict(looks))
    ends = step >= job.total_steps or best.is_enough(looks, job.recipe, job.total_steps)
    return ends and not job.owes_a_look(step)


def _keeps(job: Job) -> bool:
    return job.piece.task.stop_asked() == "keep"


def _looks(job: Job, until: int) -> list[tuple[int, float]]:
    """At the validation part, as the log has them."""
    return best.looks_of(log.progress_of(job.piece.task.events_file).curves.get("validation_loss", []), until)


def _train(job: Job) -> None:
    from facet.train.watch import Pace, Watch

    job.piece.emit(log.Staged(words="Loading the starting model"))
    facts = {"versions": job.execution.versions, "threads": job.execution.threads}
    pace = Pace(**job.start.facts.get("pace", {})) if job.start else Pace()
    watch = Watch(job.piece, looking.read(job), facts, pace)
    trainer = build(job, watch)
    step = job.start.step if job.start else 0
    again = log.progress_of(job.piece.task.events_file).where != ""
    job.piece.emit(log.Started(total_steps=job.total_steps, step=step, where=job.execution.words))
    if again:
        job.piece.emit(log.Resumed(step=step))
    watch.looking.recall(log.progress_of(job.piece.task.events_file))
    if job.piece.seconds_left() < pace.to_end_well(look=True) + 1.25 * pace.step:
        job.piece.emit(log.Paused(step=step, words="There was not enough time for another step.", out_of_time=True))
        return
    watch.ended = "keep" if job.start and _keeps(job) else None
    _look_before(job, trainer, watch)
    if step < job.total_steps and not watch.ended and not watch.enough:
        trainer.train(resume_from_checkpoint=str(job.start.folder) if job.start else None)
    step = max(step, trainer.state.global_step)
    unfinished = (step < job.total_steps and not watch.enough) or job.owes_a_look(step)
    if watch.ended == "pause" or (watch.ended is None and watch.out_of_time and unfinished):
        _pause(job, step, by_itself=watch.ended is None)
        return
    newest, _ = checkpoint.newest(job.piece.task.checkpoints)
    if newest is None or newest.step != step:
        raise _last_save_is_lost()
    _finish(job, newest)


def _finish(job: Job, newest: Checkpoint) -> None:
    """End with the best save point there is, and say why where it is not the newest."""
    points, looks = job.piece.task.checkpoints, _looks(job, newest.step)
    saved = set(checkpoint.steps(points))
    kept = best.kept(looks, newest.step, saved, job.recipe)
    while kept.step != newest.step and (point := checkpoint.at(points, kept.step)) is None:
        saved.discard(kept.step)  # damaged: the next best
        kept = best.kept(looks, newest.step, saved, job.recipe)
    enough = best.is_enough(looks, job.recipe, job.total_steps)
    for words in (best.why_enough(looks, job.recipe.early_stopping_threshold) if enough else "", kept.words):
        if words:
            job.piece.emit(log.Noted(words=words, step=newest.step))
    folder = newest.folder if kept.step == newest.step else point.folder
    more = {"kept_step": kept.step} | ({"ended": "no gain"} if enough else {})
    finish_from(job, folder, early=newest.step < job.total_steps, more=more)


def _pause(job: Job, step: int, by_itself: bool) -> None:
    words = "Paused. Press “Resume” to go on from here."
    if by_itself:
        for_others = job.piece.task.turn_asked()
        words = "It gives way to others; it goes on by itself." if for_others else "Out of time for now."
    job.piece.task.clear_turn()
    job.piece.emit(log.Paused(step=step, words=words, out_of_time=by_itself))


def _look_before(job: Job, trainer: Any, watch: Any) -> None:
    """The first point of the validation curve, or one that the last slice had no time for."""
    looks = trainer.eval_dataset is not None and job.recipe.evaluations > 0
    if not job.start:
        trainer.evaluate() if looks else watch.answer(trainer.model, 0)  # the model as training finds it
    elif looks and (job.owes_a_look(job.start.step) or not watch.looking.has_seen(job.start.step, watch.ended)):
        put_back(trainer.model, job.start.folder)
        trainer.state.global_step = job.start.step
        trainer.evaluate()


def _last_save_is_lost() -> TrainingError:
    return TrainingError(
        "The last save point could not be read back.",
        "What was written to the disk is not what arrived there.",
        "Press “Resume”: the run goes on from the save point before it. Check the disk if this comes back.",
    )


def _halve(job: Job) -> None:
    """Half the examples at once: in smaller portions, or in smaller groups and more of them. The step stays the same.

    Raises: `CapacityError` when one example at a time is already too much.
    """
    count, effective = _at_once(job), job.recipe.effective_batch_size
    if count == 1:
        raise out_of_memory()
    if job.execution.portion:
        fewer = -(-count // 2)
        job.settle(at_once=fewer * rows.longest(job.piece.task))
    else:
        fewer = max(few for few in range(1, count // 2 + 1) if effective % few == 0)
        job.settle(micro_batch=fewer)
    words = f"Memory ran out with {count} examples at once. It goes on with {fewer}, to the same result."
    job.piece.emit(log.Noted(words=words))
    start = job.start.step if job.start else 0
    job.piece.emit(log.Paused(step=start, words=words, out_of_time=True))


def _at_once(job: Job) -> int:
    """Examples that go through the model at once while the longest are worked on."""
    longest = rows.longest(job.piece.task)
    return tokens_at_once(job.execution.micro_batch, longest, job.execution.portion) // longest

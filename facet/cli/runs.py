"""`runs`, `pause`, `stop`, `resume`, `conduct`, `rename`, `delete`: everything about runs."""

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from facet.cli import history
from facet.cli.people import machine_grant
from facet.compute.child import spawn
from facet.errors import NotFoundError, TrainingError
from facet.identity import LOCAL
from facet.studio import Studio
from facet.train import watched
from facet.work.fairness import Turn
from facet.work.log import Progress
from facet.work.policy import next_action

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.5
IN_OWN_WORDS = ("losses", "health", "best_step", "seconds_left", "samples")


def import_adapter(options: argparse.Namespace) -> Answer:
    """Take in an adapter trained elsewhere, as a run to talk to, to test and to train further."""
    studio = Studio.from_environment()
    run_id = studio.import_adapter(LOCAL, options.source, options.name, machine_grant(), options.model or "")
    if not studio.run(LOCAL, run_id).has_model:  # its starting model has to be downloaded first
        return _go_on(studio, run_id, options.wait)
    words = f"{run_id}\nNext: python -m facet chat {run_id} --compare"
    return {"run_id": run_id, "stage": "finished", "words": words}


def _go_on(studio: Studio, run_id: str, wait: bool) -> Answer:
    """Conduct here while waiting, or leave it to a process of its own (or to the page, where one is open)."""
    if studio.run(LOCAL, run_id).where == "zerogpu":
        return _on_a_card(studio, run_id, wait)
    if not wait:
        _conduct_in_background()
        return {
            "run_id": run_id,
            "stage": studio.progress(LOCAL, run_id).stage,
            "words": f"{run_id}\nIt trains in the background. Next: python -m facet runs {run_id}",
        }
    studio.open()  # when a page already conducts, it does the work and we watch
    try:
        progress = _watch(studio, run_id)
    finally:
        studio.close()
    if progress.failure:
        raise TrainingError.from_dict(progress.failure)
    return _described(studio, run_id) | {
        "words": f"{run_id}\n{_ended(progress)}\nNext: python -m facet chat {run_id} --compare"
    }


def _on_a_card(studio: Studio, run_id: str, wait: bool) -> Answer:
    """A lent card is asked for by whoever is there: this command while it waits, or the person's open page."""
    if wait:
        studio.open()
        try:
            said = ""
            for _ in studio.drive(machine_grant()):
                if (line := _line(studio.progress(LOCAL, run_id))) != said:
                    print(line, file=sys.stderr, flush=True)
                    said = line
        finally:
            studio.close()
    progress = studio.progress(LOCAL, run_id)
    if progress.failure:
        raise TrainingError.from_dict(progress.failure)
    words = f"{run_id}\n{progress.words or progress.stage}\nIt goes on while its page is open, or with: "
    return _described(studio, run_id) | {"words": f"{words}python -m facet resume {run_id} --wait"}


def _conduct_in_background() -> None:
    """A process of its own works off the queue, unless a page or another command already does."""
    nothing = subprocess.DEVNULL
    spawn("facet", "conduct", trusted=True, stdin=nothing, stdout=nothing, stderr=nothing)


def _watch(studio: Studio, run_id: str) -> Progress:
    """Wait for the end of a run, with a line on stderr whenever something new is known."""
    last = ""
    while True:
        progress = studio.progress(LOCAL, run_id)
        turn = studio.turn(LOCAL, run_id) if progress.stage == "waiting" else None
        line = f"waiting, {turn.words}" if turn else _line(progress)
        if line != last:
            print(line, file=sys.stderr, flush=True)
            last = line
        if next_action(progress, busy=False) == "done":
            return progress
        time.sleep(LOOK_EVERY_SECONDS)


def _line(progress: Progress) -> str:
    if progress.stage == "running" and progress.step:
        loss, check = progress.latest("loss"), progress.latest("validation_loss")
        parts = [f"step {progress.step} of {progress.total_steps}"]
        parts += [f"loss {loss:.3f}"] if loss is not None else []
        parts += [f"validation {check:.3f}"] if check is not None else []
        return ", ".join(parts)
    return progress.words or progress.stage


def _ended(progress: Progress) -> str:
    if progress.stage == "finished":
        how = "Stopped early and kept" if progress.early else "Finished"
        return f"{how} after {progress.step} steps, {progress.working_seconds / 60:.1f} minutes."
    return f"Paused at step {progress.step}."


def runs(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    if options.compare:
        return history.compare(studio, [*([options.run] if options.run else []), *options.compare])
    if options.run:
        answer = _described(studio, options.run) | history.summary(studio, options.run)
        lines = [f"{name}: {value}" for name, value in answer.items() if name not in IN_OWN_WORDS]
        card = studio.run(LOCAL, options.run)
        return answer | {"words": "\n".join([*lines, *watched.in_words(card.progress, card.recipe)])}
    cards = studio.runs(LOCAL)
    turns = studio.turns(LOCAL, cards)
    lines = [
        f"{card.id}  {card.progress.stage}, step {card.progress.step} of {card.progress.total_steps}"
        + (f", {turns[card.id].words}" if card.id in turns else "")
        for card in cards
    ]
    return {
        "runs": [
            {"run_id": card.id, "name": card.name, "stage": card.progress.stage} | _in_line(turns.get(card.id))
            for card in cards
        ],
        "words": "\n".join(lines) or "No run yet. Next: python -m facet prepare example:pirate",
    }


def _described(studio: Studio, run_id: str) -> Answer:
    card = studio.run(LOCAL, run_id)
    progress = card.progress
    return {
        "run_id": run_id,
        "name": card.name,
        "stage": progress.stage,
        "where": card.where,
        "until": progress.until,
        **_in_line(studio.turns(LOCAL, [card]).get(run_id)),
        "step": progress.step,
        "total_steps": progress.total_steps,
        "base_model": card.base_model,
        "dataset": card.dataset_name,
        "loss": _finite(progress.latest("loss")),
        "validation_loss": progress.latest("validation_loss"),
        "losses": [(step, _finite(loss)) for step, loss in progress.curves.get("loss", [])],
        "adapter_sha256": progress.outputs.get("adapter_sha256"),
        "model_sha256": progress.outputs.get("model_sha256"),
        **watched.described(progress, card.recipe),
        "failure": progress.failure,
        "notes": list(progress.notes),
        "recipe": card.recipe.model_dump(),
    }


def _in_line(turn: Turn | None) -> Answer:
    """Its place among those who wait for this machine: 1 is next."""
    return {
        "position": turn.position if turn else None,
        "starts_in_seconds": round(turn.seconds) if turn and turn.seconds is not None else None,
    }


def _finite(number: float | None) -> float | None:
    """JSON knows no NaN."""
    return number if number is not None and math.isfinite(number) else None


def stop(options: argparse.Namespace) -> Answer:
    return _ask(
        options,
        lambda studio: studio.stop(LOCAL, options.run),
        ("finished", "failed"),
        "It ends after the step it is in.",
    )


def pause(options: argparse.Namespace) -> Answer:
    return _ask(
        options,
        lambda studio: studio.pause(LOCAL, options.run),
        ("paused", "finished", "failed"),
        "It pauses after the step it is in.",
    )


def resume(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.resume(LOCAL, options.run, where=options.where)
    if options.wait and studio.run(LOCAL, options.run).where == "local":
        _until(studio, options.run, lambda stage, task: not (task / "resume").exists())
    return _go_on(studio, options.run, options.wait)


def _ask(options: argparse.Namespace, ask: Callable[[Studio], None], ends: tuple[str, ...], words: str) -> Answer:
    studio = Studio.from_environment()
    ask(studio)
    _conduct_in_background()
    if options.wait:
        _until(studio, options.run, lambda stage, task: stage in ends)
    return _described(studio, options.run) | {"words": f"{options.run}\n{words}"}


def _until(studio: Studio, run_id: str, reached: Callable[[str, Path], bool], seconds: float = 300) -> None:
    folder, end = studio.runs_shelf.folder(LOCAL, run_id), time.time() + seconds
    studio.open()
    try:
        while time.time() < end and not reached(studio.progress(LOCAL, run_id).stage, folder):
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.close()


def conduct(options: argparse.Namespace) -> Answer:
    """Work off the queue in this process; end when nothing is left to do, or when a page already conducts."""
    studio = Studio.from_environment()
    if not studio.open():
        return {"words": "Another Facet on this folder is already at work."}
    try:
        while studio.conductor.has_work():
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.close()
    return {"words": "Nothing is left to do."}


def delete(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.delete(LOCAL, _kind(studio, options.object), options.object)
    return {"deleted": options.object, "words": f"Deleted {options.object}."}


def rename(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.rename(LOCAL, _kind(studio, options.object), options.object, options.name)
    return {"renamed": options.object, "words": f"{options.object} is now called {options.name}."}


def _is_test(studio: Studio, object_id: str) -> bool:
    try:
        studio.workspace.find(LOCAL, "exams", object_id)
    except NotFoundError:
        return False
    return True


def _kind(studio: Studio, object_id: str) -> Literal["runs", "datasets", "exams"]:
    if _is_test(studio, object_id):
        return "exams"
    try:
        studio.runs_shelf.folder(LOCAL, object_id)
    except NotFoundError:
        return "datasets"
    return "runs"

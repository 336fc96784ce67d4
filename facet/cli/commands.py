"""What each command does: a few calls of the studio, and an answer as JSON with words for a person."""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from facet.cli.run_file import dataset_for, read_run_file
from facet.compute.child import spawn
from facet.errors import NotFoundError, SettingError, TrainingError
from facet.identity import LOCAL
from facet.model.speak import Decoding
from facet.recipe.knobs import read_recipe, settings
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.work.log import Progress

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.5


def prepare(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    correction = {name: getattr(options, name) for name in ("encoding", "delimiter") if getattr(options, name)} or None
    upload_id = studio.bring(LOCAL, options.source)
    try:
        look = studio.look(LOCAL, upload_id, correction)
        mapping = _mapping(options.map) or (look["shape"] or {}).get("mapping")
        if mapping is None:
            raise _unclear(look)
        dataset_id = studio.prepare(
            LOCAL,
            upload_id,
            options.name,
            mapping,
            correction=correction,
            test_size=options.test_size,
            validation_size=options.validation_size,
            seed=options.seed,
        )
    finally:
        studio.delete(LOCAL, "uploads", upload_id)
    summary = studio.dataset(LOCAL, dataset_id).summary
    guess = "" if options.map else f"Guessed: {look['shape']['words']}\n"
    return {
        "dataset_id": dataset_id,
        "mapping": mapping,
        "guessed": not options.map,
        "shape": look["shape"],
        **{name: summary[name] for name in ("rows_in", "used", "unusable", "reasons", "splits", "fingerprint")},
        "words": guess
        + describe_dataset(summary)
        + f"\n{dataset_id}\nNext: python -m facet train --data {dataset_id} --wait",
    }


def _mapping(pairs: list[str]) -> Answer | None:
    mapping: Answer = {}
    for pair in pairs:
        role, separator, column = pair.partition("=")
        if not separator or not role or not column:
            raise SettingError(
                "A mapping is not right.",
                f"“{pair[:60]}” has no role and column.",
                "Write it like --map user=question --map assistant=answer.",
            )
        mapping[role.strip()] = column
    return {"kind": "columns"} | mapping if mapping else None


def _unclear(look: Answer) -> SettingError:
    names = ", ".join(column["name"] for column in look["columns"][:12])
    return SettingError(
        "We could not tell the questions from the answers.",
        f"The file has the columns {names}.",
        "Say which is which: --map user=COLUMN --map assistant=COLUMN.",
    )


def describe_dataset(summary: Answer) -> str:
    splits = summary["splits"]
    lines = [
        f"{summary['rows_in']:,} rows: {summary['used']:,} usable, {summary['unusable']:,} not.",
        f"{splits['train']:,} to learn from, {splits['validation']:,} to check on, {splits['exam']:,} for the exam.",
    ]
    return "\n".join(lines + [f"  not used, {count:,} rows: {words}" for words, count in summary["reasons"].items()])


def datasets(options: argparse.Namespace) -> Answer:
    cards = Studio.from_environment().datasets(LOCAL)
    lines = [f"{card.id}  {card.name}  {card.summary['used']:,} rows" for card in cards]
    listed = [{"dataset_id": card.id, "name": card.name, "used": card.summary["used"]} for card in cards]
    return {
        "datasets": listed,
        "words": "\n".join(lines) or "No dataset yet. Next: python -m facet prepare example:pirate",
    }


def models(options: argparse.Namespace) -> Answer:
    offered = Studio.from_environment().models()
    lines = [f"{model.id:26} {model.name}: {model.words}" for model in offered]
    return {"models": [{"id": model.id, "name": model.name} for model in offered], "words": "\n".join(lines)}


def train(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    given = {s.name: getattr(options, s.name) for s in settings(SftRecipe) if getattr(options, s.name) is not None}
    if options.file:
        run_id = _train_from_file(studio, options, given)
    else:
        if not options.data:
            raise SettingError(
                "There is no data to learn from.",
                "Neither --data nor --file was given.",
                "Name a dataset: python -m facet datasets lists them.",
            )
        advised = studio.advise(LOCAL, options.data, options.model or "starter", options.preset or "balanced").recipe
        recipe = read_recipe(SftRecipe, advised.model_dump() | given)
        run_id = studio.start(LOCAL, options.data, options.model or "starter", recipe, options.name)
    return _go_on(studio, run_id, options.wait)


def _train_from_file(studio: Studio, options: argparse.Namespace, given: Answer) -> str:
    described = read_run_file(Path(options.file))
    recipe = read_recipe(SftRecipe, described["recipe"] | given)
    dataset_id = options.data or dataset_for(studio, described)
    return studio.start(
        LOCAL, dataset_id, options.model or described["model"]["id"], recipe, options.name or described.get("name", "")
    )


def _go_on(studio: Studio, run_id: str, wait: bool) -> Answer:
    """Conduct here while waiting, or leave it to a process of its own (or to the page, where one is open)."""
    if not wait:
        spawn(
            "facet",
            "conduct",
            trusted=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return {
            "run_id": run_id,
            "stage": studio.progress(LOCAL, run_id).stage,
            "words": f"{run_id}\nIt trains in the background. Next: python -m facet runs {run_id}",
        }
    studio.open()  # when a page already conducts, it does the work and we watch
    try:
        progress = _watch(studio, run_id)
    finally:
        studio.conductor.halt()
    if progress.failure:
        raise TrainingError.from_dict(progress.failure)
    return _described(studio, run_id) | {
        "words": f"{run_id}\n{_ended(progress)}\nNext: python -m facet chat {run_id} --compare"
    }


def _watch(studio: Studio, run_id: str) -> Progress:
    """Wait for the end of a run, with a line on stderr whenever something new is known."""
    last = ""
    while True:
        progress = studio.progress(LOCAL, run_id)
        line = _line(progress)
        if line != last:
            print(line, file=sys.stderr, flush=True)
            last = line
        waiting = (
            progress.is_active
            or (progress.stage == "paused" and progress.out_of_time)
            or (progress.stage == "failed" and progress.retry and progress.repeated_faults < 3)
        )
        if not waiting:
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
    if options.run:
        answer = _described(studio, options.run)
        return answer | {"words": "\n".join(f"{name}: {value}" for name, value in answer.items() if name != "losses")}
    cards = studio.runs(LOCAL)
    lines = [
        f"{card.id}  {card.progress.stage}, step {card.progress.step} of {card.progress.total_steps}" for card in cards
    ]
    return {
        "runs": [{"run_id": card.id, "name": card.name, "stage": card.progress.stage} for card in cards],
        "words": "\n".join(lines) or "No run yet. Next: python -m facet prepare example:pirate",
    }


def _described(studio: Studio, run_id: str) -> Answer:
    card = studio.run(LOCAL, run_id)
    progress = card.progress
    return {
        "run_id": run_id,
        "name": card.name,
        "stage": progress.stage,
        "step": progress.step,
        "total_steps": progress.total_steps,
        "base_model": card.base_model,
        "dataset": card.dataset_name,
        "loss": progress.latest("loss"),
        "validation_loss": progress.latest("validation_loss"),
        "losses": progress.curves.get("loss", []),
        "adapter_sha256": progress.outputs.get("adapter_sha256"),
        "failure": progress.failure,
        "notes": list(progress.notes),
        "recipe": card.recipe.model_dump(),
    }


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
    studio.resume(LOCAL, options.run)
    if options.wait:
        _until(studio, options.run, lambda stage, task: not (task / "resume").exists())
    return _go_on(studio, options.run, options.wait)


def _ask(options: argparse.Namespace, ask: Any, ends: tuple[str, ...], words: str) -> Answer:
    studio = Studio.from_environment()
    ask(studio)
    spawn(
        "facet", "conduct", trusted=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if options.wait:
        _until(studio, options.run, lambda stage, task: stage in ends)
    return _described(studio, options.run) | {"words": f"{options.run}\n{words}"}


def _until(studio: Studio, run_id: str, reached: Any, seconds: float = 300) -> None:
    folder, end = studio.runs_shelf.folder(LOCAL, run_id), time.time() + seconds
    studio.open()
    try:
        while time.time() < end and not reached(studio.progress(LOCAL, run_id).stage, folder):
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.conductor.halt()


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


def _kind(studio: Studio, object_id: str) -> Any:
    try:
        studio.runs_shelf.folder(LOCAL, object_id)
    except NotFoundError:
        return "datasets"
    return "runs"


def chat(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    decoding = Decoding(options.temperature, options.top_p, options.top_k, options.max_new_tokens, options.seed)
    sides = _sides(studio, options)
    histories: dict[str, list[dict[str, str]]] = {side: _system(options.system) for side in sides}
    replies: dict[str, str] = {}
    try:
        while (prompt := options.prompt or _ask_person()) is not None:
            for history in histories.values():
                history.append({"role": "user", "content": prompt})
            replies = _speak(studio, options, histories, decoding)
            for side, history in histories.items():
                history.append({"role": "assistant", "content": replies[side]})
            if options.prompt:
                break
    finally:
        studio.voices.close()
    answer = {"reply": replies.get("tuned", replies.get("base", ""))}
    return answer | ({"base_reply": replies["base"]} if options.compare and "base" in replies else {})


def _sides(studio: Studio, options: argparse.Namespace) -> list[str]:
    try:
        studio.runs_shelf.folder(LOCAL, options.target)
    except NotFoundError:
        return ["base"]
    return ["base", "tuned"] if options.compare else ["tuned"]


def _system(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": text}] if text.strip() else []


def _ask_person() -> str | None:
    try:
        return input("You: ").strip() or None
    except EOFError:
        return None


def _speak(studio: Studio, options: argparse.Namespace, histories: Any, decoding: Decoding) -> dict[str, str]:
    replies: dict[str, str] = {}
    for piece in studio.chat(LOCAL, options.target, histories, decoding):
        if isinstance(piece, str):
            print(piece, file=sys.stderr)
        elif piece.done:
            replies[piece.side] = piece.text
            if not options.json:
                print(f"{'Untouched' if piece.side == 'base' else 'Tuned'}: {piece.text}")
    return replies


def exam(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.start_exam(LOCAL, options.run)
    studio.open()
    try:
        while not (card := studio.exam(LOCAL, options.run)).progress.is_over:
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.conductor.halt()
    if card.progress.failure:
        raise TrainingError.from_dict(card.progress.failure)
    results = {
        part: {
            side: {"loss": score.loss, "perplexity": score.perplexity, "tokens": score.tokens}
            for side, score in sides.items()
        }
        for part, sides in card.results.items()
    }
    return {"exam_id": card.id, "run_id": options.run, "results": results, "words": card.words}


def export(options: argparse.Namespace) -> Answer:
    folder = Studio.from_environment().export(LOCAL, options.run, Path(options.to).expanduser().resolve())
    return {"folder": str(folder), "words": f"{folder}\nIts README.md says how to use it."}

"""`runs --compare`, `note`, `clone`, `script`, `track`: what one does with runs that were."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facet.cli.people import machine_grant
from facet.cli.train import require_no_model
from facet.errors import SettingError
from facet.history_door import Again
from facet.identity import LOCAL
from facet.recipe.knobs import add_arguments, read_recipe, settings
from facet.recipe.methods import RECIPES
from facet.recipe.recipes import TrainingRecipe
from facet.studio import Studio
from facet.track.trackers import TRACKERS
from facet.train.history import Row
from facet.workspace import write_text

Answer = dict[str, Any]


def add(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of this file; `verb` makes one of its name, its function and its words."""
    noted = verb("note", note, "Keep words of your own on a run; empty ones take the note away.")
    noted.add_argument("run", metavar="RUN")
    noted.add_argument("text", metavar="TEXT")
    again = verb("clone", clone, "Start a run again, with the settings you name changed.")
    again.add_argument("run", metavar="RUN")
    again.add_argument("--data", metavar="DATASET", help="learn from this dataset instead")
    again.add_argument("--model", help="start from this model instead")
    again.add_argument("--name", default="", help="what to call the new run")
    again.add_argument("--where", choices=["local", "zerogpu"], help="where to compute; default: what suits the model")
    again.add_argument("--wait", action="store_true", help="stay until it is finished, and say how it goes")
    add_settings(again)
    written = verb("script", script, "Write a run as a Python script of plain transformers, PEFT and TRL.")
    written.add_argument("run", metavar="RUN")
    written.add_argument("--to", metavar="FILE", help="where to write it; without it the script is printed")
    told = verb("track", track, "Tell a tracker the curves of a run. A key for Weights & Biases: WANDB_API_KEY.")
    told.add_argument("run", metavar="RUN")
    told.add_argument("--to", choices=list(TRACKERS), default="tensorboard", help="which one, default tensorboard")
    told.add_argument("--wait", action="store_true", help="go on telling it until the run is over")


def compare(studio: Studio, run_ids: list[str]) -> Answer:
    """Several runs beside each other."""
    compared = studio.compare_runs(LOCAL, run_ids)
    names = [run.name for run in compared.runs]
    return {
        "runs": [{"run_id": run.id, "name": run.name} for run in compared.runs],
        "differences": [_as_json(row) for row in compared.differences],
        "numbers": [_as_json(row) for row in compared.numbers],
        "curves": {
            name: {run.id: run.progress.curves.get(name, []) for run in compared.runs} for name in compared.curves
        },
        "words": "\n".join(
            [
                *_in_columns([Row("", "", tuple(names)), *compared.numbers]),
                "",
                *(["They differ in:"] if compared.differences else ["Their settings, data and models are the same."]),
                *_in_columns(list(compared.differences)),
            ]
        ),
    }


def summary(studio: Studio, run_id: str) -> Answer:
    """What is said of one run beyond how it stands."""
    lines, (than, unusual) = studio.run_summary(LOCAL, run_id), studio.unusual_settings(LOCAL, run_id)
    return {
        "note": studio.run(LOCAL, run_id).note,
        "summary": dict(lines),
        "unlike": {"what": than, "settings": [{"label": one[0], "value": one[1], "other": one[2]} for one in unusual]},
    }


def _as_json(row: Row) -> Answer:
    return {"group": row.group, "label": row.label, "name": row.name, "values": list(row.values)}


def _in_columns(rows: list[Row]) -> list[str]:
    """Lines of text, each column as wide as its widest cell, up to 40 letters."""
    cells = [[row.label, *row.values] for row in rows]
    widths = [min(40, max(len(line[column]) for line in cells)) for column in range(len(cells[0]))] if cells else []
    return [
        "  ".join(f"{cell[:40]:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    ]


def note(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    studio.note(LOCAL, options.run, options.text)
    kept = studio.run(LOCAL, options.run).note
    return {"run_id": options.run, "note": kept, "words": "The note is kept." if kept else "The note is gone."}


def clone(options: argparse.Namespace) -> Answer:
    """Start a run again, with whatever settings are given changed."""
    from facet.cli.runs import _go_on

    studio = Studio.from_environment()
    again = studio.again(LOCAL, options.run)
    kind = type(again.recipe)
    given = {name: value for name in _flags() if (value := getattr(options, name, None)) is not None}
    known = {setting.name for setting in settings(kind)}
    if strange := sorted(set(given) - known):
        raise SettingError(
            "A setting does not belong to this run.",
            f"Its way of training does not know {', '.join(strange)}.",
            "Leave it out and start again.",
        )
    require_no_model(options, again.start_from)
    recipe = read_recipe(kind, again.recipe.model_dump() | given)
    assert isinstance(recipe, TrainingRecipe)
    recipe = studio.as_decided(LOCAL, recipe, given, again.start_from)
    model, revision = (options.model, None) if options.model else (again.base_model, again.revision)
    changed = Again(
        options.data or again.dataset_id,
        model,
        revision,
        recipe,
        options.name or again.name,
        again.start_from,
        again.more,
    )
    run_id = studio.start_again(LOCAL, changed, machine_grant(), where=options.where)
    return _go_on(studio, run_id, options.wait)


def add_settings(verb: argparse.ArgumentParser) -> None:
    """One flag for each setting of any way of training."""
    group = _Once(verb.add_argument_group("settings to change"))
    for recipe in RECIPES.values():
        add_arguments(group, recipe)  # type: ignore[arg-type]


class _Once:
    """Takes each flag only once: most settings belong to several ways of training."""

    def __init__(self, group: Any) -> None:
        self.group, self.known = group, set()

    def add_argument(self, flag: str, **how: Any) -> None:
        if flag not in self.known:
            self.known.add(flag)
            self.group.add_argument(flag, **how)


def _flags() -> set[str]:
    return {setting.name for recipe in RECIPES.values() for setting in settings(recipe)}


def script(options: argparse.Namespace) -> Answer:
    text = Studio.from_environment().run_script(LOCAL, options.run)
    if not options.to:
        return {"run_id": options.run, "script": text, "words": text}
    file = Path(options.to).expanduser()
    if file.exists():
        raise SettingError(
            "This file is in use.", f"There is already something called {file.name}.", "Name a new file with --to."
        )
    write_text(file, text)
    words = f"{file}\nNext: python {file} --data FOLDER, with the Parquet files of `download-data --format parquet`"
    return {"run_id": options.run, "file": str(file), "words": words}


def track(options: argparse.Namespace) -> Answer:
    """Tell a tracker what is certain so far; with --wait until the run is over."""
    studio = Studio.from_environment()
    told = studio.track(LOCAL, options.run, options.to, follow=False)
    points = told.points
    while options.wait and not told.over and studio.progress(LOCAL, options.run).is_active:
        time.sleep(2)
        told = studio.track(LOCAL, options.run, options.to, follow=False)
        points += told.points
    rest = "" if told.over else " The rest follows when you call this again."
    words = f"{told.words(options.to, points)}{rest}\n{told.place}"
    return {
        "run_id": options.run,
        "tracker": options.to,
        "points": points,
        "over": told.over,
        "offline": told.offline,
        "place": str(told.place),
        "words": words,
    }

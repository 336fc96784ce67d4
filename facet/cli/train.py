"""`train` and `settings`: start a run from advice, flags and run files."""

import argparse
import sys
from pathlib import Path
from typing import Any

from facet.cli import runs
from facet.cli.people import machine_grant
from facet.cli.run_file import continued_run, dataset_for, read_run_file
from facet.dataset.templates import LONGEST, NAMES, unfit
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.advice import PRESETS, asked_on_the_way, notes_on
from facet.recipe.goals import GOALS
from facet.recipe.knobs import GROUPS, add_arguments, read_recipe, settings
from facet.recipe.methods import METHODS, RECIPES, as_meant
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.reference import reference
from facet.studio import Studio

Answer = dict[str, Any]


def add_train(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", metavar="DATASET", help="a dataset id, as `prepare` printed it")
    verb.add_argument("--model", help="starter, a Hub id, or a folder with safetensors files; default starter")
    verb.add_argument("--goal", choices=list(GOALS), help="what the model is for; decides some settings")
    verb.add_argument("--preset", choices=list(PRESETS), help="how thoroughly, default balanced")
    verb.add_argument("--file", metavar="facet-run.yaml", help="do the run that this file describes again")
    words = "train this finished or imported run further; RUN@STEP: from a save point of it"
    verb.add_argument("--from", metavar="RUN", help=words)
    verb.add_argument("--name", default="", help="what to call the run")
    words = "a question to answer on the way, to see how it changes; may be given five times"
    verb.add_argument("--sample", action="append", default=[], metavar="TEXT", help=words)
    words = f"how conversations are written for a model without a chat template: {', '.join(NAMES)}, or a Jinja file"
    verb.add_argument("--template", metavar="NAME|FILE", help=words)
    verb.add_argument("--wait", action="store_true", help="stay until it is finished, and say how it goes")
    for group in GROUPS:
        add_arguments(verb.add_argument_group(f"settings: {group.lower()}"), *RECIPES.values(), group=group)


def add_settings(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--method", choices=list(METHODS), help="only those of this method; without it all")
    verb.set_defaults(json=False)


def train(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    run_id, notes = _from_file(studio, options) if options.file else _from_advice(studio, options)
    for note in notes:
        print(note, file=sys.stderr)
    return runs._go_on(studio, run_id, options.wait) | {"notes_on_settings": notes}


def given_in(options: argparse.Namespace, recipe: type[TrainingRecipe]) -> Answer:
    """The settings that were given as flags. Raises: `SettingError` for those of another method."""
    every = {setting.name: setting for kind in RECIPES.values() for setting in settings(kind)}
    given = {name: value for name in every if (value := getattr(options, name, None)) is not None}
    foreign = next((every[name] for name in given if name not in recipe.model_fields), None)
    if foreign:
        raise SettingError(
            "A setting does not suit this data.",
            f"{foreign.flag} is for another way of training than the one this data is for.",
            "Leave it out and start again.",
        )
    return given


def _from_advice(studio: Studio, options: argparse.Namespace) -> tuple[str, list[str]]:
    """The id of the run, and notes on its settings."""
    grant, before = machine_grant(), getattr(options, "from")
    model = studio.runs_shelf.model_of(LOCAL, before)[0] if before else options.model or "starter"
    preset, goal = options.preset or "balanced", options.goal or "any"
    advice = studio.advise(LOCAL, options.data, model, preset, grant, goal)
    given = given_in(options, type(advice.recipe))
    recipe = studio.from_advice(LOCAL, advice.recipe, given, before)
    place: Answer = {"start_from": before, "where": options.where, "more": _more(options, recipe)}
    run_id = studio.start(LOCAL, options.data, model, recipe, options.name, grant=grant, **place)
    return run_id, notes_on(recipe, advice, given)


def recipe_with(known: TrainingRecipe, given: Answer) -> TrainingRecipe:
    """A recipe with what was given in its place. Raises: `SettingError`."""
    recipe = read_recipe(type(known), known.model_dump() | given)
    assert isinstance(recipe, TrainingRecipe)
    return recipe


def wrong_usage(options: argparse.Namespace) -> str | None:
    """Flags that say two different things, in one sentence."""
    if not (options.data or options.file):
        return "train needs --data DATASET or --file facet-run.yaml; `python -m facet datasets` lists the datasets"
    if options.file:
        for name in ("from", "preset", "goal"):
            if getattr(options, name):
                return f"--{name} does not go with --file, which says that itself; leave one of them out"
    return both_models(options)


def both_models(options: argparse.Namespace) -> str | None:
    if getattr(options, "from") and options.model:
        return "--model does not go with --from: a run goes on with the model it began with; leave one of them out"
    return None


def require_no_model(options: argparse.Namespace, before: str | None) -> None:
    """Raises: `SettingError` for --model where the run to be done again went on from another."""
    if before and options.model:
        raise SettingError(
            "This run cannot have another starting model.",
            "It goes on from what another run learned, and that fits the model it was made for only.",
            "Leave out --model.",
        )


def _from_file(studio: Studio, options: argparse.Namespace) -> tuple[str, list[str]]:
    """The id of the run, and notes on its settings."""
    described = read_run_file(Path(options.file))
    kind, before = RECIPES[described.get("method", "sft")], continued_run(studio, described)
    require_no_model(options, before)
    given = given_in(options, kind)
    recipe = studio.as_decided(LOCAL, recipe_with(kind(), as_meant(described["recipe"]) | given), given, before)
    model = described["model"]
    return studio.start(
        LOCAL,
        options.data or dataset_for(studio, described),
        options.model or model["id"],
        recipe,
        options.name or str(described.get("name", "")),
        None if options.model else model.get("revision"),
        machine_grant(),
        before,
        options.where,
        more={name: described[name] for name in ("template",) if described.get(name)} | _more(options, recipe),
    ), [f"{clash.words}." for clash in recipe.clashes()]


def _more(options: argparse.Namespace, recipe: TrainingRecipe) -> Answer:
    """What goes into the run beside its settings."""
    told = {"template": template_in(options.template)} if options.template else {}
    return (asked_on_the_way(options.sample, recipe) or {}) | told


def template_in(name_or_file: str) -> str:
    """The name of a ready template, or the text of a file. Raises: `SettingError`."""
    if name_or_file in NAMES:
        return name_or_file
    try:
        file = Path(name_or_file)
        if file.stat().st_size > 4 * LONGEST:
            raise unfit(f"The file has {file.stat().st_size:,} bytes, and {LONGEST:,} characters are the most.")
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise unfit(f"It is neither one of {', '.join(NAMES)} nor a text file that can be read.") from error


def settings_of(options: argparse.Namespace) -> Answer:
    return {"words": reference(*([options.method] if options.method else METHODS))}

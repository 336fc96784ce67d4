"""`plan`: what a run will need, before it starts."""

import argparse
import sys
import time
from typing import Any

from facet.cli.people import machine_grant
from facet.cli.train import given_in
from facet.errors import FacetError, TrainingError
from facet.identity import LOCAL
from facet.recipe.advice import PRESETS
from facet.recipe.forecast import Forecast
from facet.recipe.goals import GOALS
from facet.recipe.knobs import GROUPS, add_arguments
from facet.recipe.methods import RECIPES
from facet.recipe.plan import Plan
from facet.recipe.plan_words import HOW, duration, gigabytes, money, run_that_fits
from facet.studio import Studio

Answer = dict[str, Any]
LOOK_EVERY_SECONDS = 0.5


def add_plan(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--data", metavar="DATASET", required=True, help="a dataset id, as `prepare` printed it")
    verb.add_argument("--model", help="starter, a Hub id, or a folder; default starter")
    words = "a finished or imported run that would be trained further; RUN@STEP: from a save point of it"
    verb.add_argument("--from", metavar="RUN", help=words)
    verb.add_argument("--goal", choices=list(GOALS), default="any", help="what the model is for; decides some settings")
    verb.add_argument("--preset", choices=list(PRESETS), default="balanced", help="how thoroughly, default balanced")
    verb.add_argument("--measure", action="store_true", help="take a few real steps first, on this machine")
    for group in GROUPS:
        add_arguments(verb.add_argument_group(f"settings: {group.lower()}"), *RECIPES.values(), group=group)


def plan(options: argparse.Namespace) -> Answer:
    """Advice, with the settings that are given; then what that comes to."""
    studio, grant, before = Studio.from_environment(), machine_grant(), getattr(options, "from")
    model = studio.runs_shelf.model_of(LOCAL, before)[0] if before else options.model or "starter"
    advised = studio.advise(LOCAL, options.data, model, options.preset, grant, options.goal).recipe
    recipe = studio.from_advice(LOCAL, advised, given_in(options, type(advised)), before)
    if options.measure:
        _measure(studio, studio.start_measuring(LOCAL, options.data, model, recipe, grant, before))
    made = studio.plan(LOCAL, options.data, model, recipe, None, grant, before)
    return made.described() | {"words": "\n".join(lines(made))}


def _measure(studio: Studio, measure_id: str) -> None:
    """Raises: `TrainingError` with what the measurement ended in."""
    studio.open()
    said = ""
    try:
        while not (measuring := studio.measuring(LOCAL, measure_id)).is_over:
            if (words := measuring.progress.words or measuring.progress.stage) != said:
                print(words, file=sys.stderr, flush=True)
                said = words
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        studio.close()
    if measuring.progress.failure:
        raise FacetError.from_dict(measuring.progress.failure)
    if measuring.progress.stage != "finished":
        raise TrainingError(
            "Nothing was measured.", "The measurement was stopped before it was done.", "Run the command once more."
        )


def lines(made: Plan) -> list[str]:
    told = [f"{made.load.steps:,} steps, the longest example has {made.longest:,} tokens."]
    told += [_place(place) for place in made.places if place.is_here]
    if made.ladder:
        told.append("What would help:")
        told += [
            f"  {rung.words} ({gigabytes(rung.gb)}{'' if rung.fits else ', still too much'})" for rung in made.ladder
        ]
    told += [fits] if (fits := run_that_fits(made)) else []
    told.append("On a rented machine, which Facet cannot start yet:")
    told += [f"  {one.words}: {duration(one.minutes)}, {money(one.usd)}" for one in made.places if not one.is_here]
    return told


def _place(place: Forecast) -> str:
    verdict = "fits" if place.fits else "does not fit"
    quota = ""
    if place.quota_minutes is not None:
        quota = f"; {place.quota_minutes:.1f} minutes of quota, {place.quota_left:.1f} are left today"
    room = f"{gigabytes(place.gb)} of memory, {gigabytes(place.free_gb)} are free: it {verdict}"
    return f"{place.words}: {duration(place.minutes)} ({HOW[place.how]}); {room}{quota}."

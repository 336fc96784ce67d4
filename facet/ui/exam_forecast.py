"""How long a test or a batch will take, said before it is started: beside the models that are chosen."""

from typing import Any

from facet.errors import FacetError
from facet.exam.forecast import Forecast
from facet.identity import Person
from facet.studio import Studio
from facet.ui.exam_options import options_of
from facet.ui.words import count, duration

FEW = "Up to four"
NOT_NOW = (FacetError, OSError, ValueError, KeyError)  # what is wrong is said when the button is pressed


def of_run(studio: Studio, person: Person, run: str | None, chosen: dict[str, Any] | None = None) -> str:
    """`chosen` is what stands in the options of the test, where it differs from the usual."""
    try:
        if not run:
            return ""
        return words(studio.forecast_exam(person, run, **_options(chosen)))
    except NOT_NOW:
        return ""


def of_compare(
    studio: Studio, person: Person, dataset: str | None, models: list[str], chosen: dict[str, Any] | None = None
) -> str:
    try:
        if not (dataset and models):
            return "How long it takes stands here once they are chosen"
        return words(studio.forecast_compare(person, dataset, models, **_options(chosen)))
    except NOT_NOW:
        return ""


def of_prompts(studio: Studio, person: Person, dataset: str | None, base: str, tuned: str | None, ways: int) -> str:
    """`ways` to ask the untouched model, its plain one included."""
    try:
        return words(studio.forecast_prompts(person, dataset, base, tuned, ways)) if dataset and ways > 1 else ""
    except NOT_NOW:
        return ""


def of_batch(
    studio: Studio,
    person: Person,
    dataset: str | None,
    part: str,
    is_file: bool,
    models: list[str],
    longest: float | None,
) -> str:
    if is_file or not (dataset and models):
        return FEW
    try:
        found = studio.forecast_batch(person, dataset, part, models, int(longest or 1))
        return f"{FEW}. {words(found)}" if found else FEW
    except NOT_NOW:
        return FEW


def _options(chosen: dict[str, Any] | None) -> dict[str, Any]:
    return {"options": options_of(chosen)} if chosen is not None else {}


def words(found: Forecast | None) -> str:
    """One or two short sentences; how sure they are is part of them."""
    if found is None:
        return ""
    if not found.answers:
        return "Takes a moment: all answers are there from earlier tests"
    answers = f"{count(found.answers, 'answer')} to give"
    there = f", {found.known:,} are there from earlier tests" if found.known else ""
    if found.seconds is None:
        return f"{answers}{there}. How long that takes shows with the first of them"
    if found.measured:
        return f"Takes about {duration(found.seconds)}: {answers}{there}"
    return f"Takes very roughly {duration(found.seconds)}: {answers}{there}; this model was not timed here yet"

"""Lists of models that several tabs offer."""

from facet.errors import FacetError
from facet.gemma.models import STARTER, find
from facet.identity import Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.words import ago

Choices = list[tuple[str, str]]


def model_name(base_model: str) -> str:
    """What a starting model is called on the page."""
    offered = find(base_model)
    return offered.name if offered else base_model


def tuned(studio: Studio, person: Person) -> list[RunCard]:
    """Runs that have a model, newest first."""
    return [run for run in studio.runs(person) if run.has_model]


def tuned_choices(studio: Studio, person: Person) -> Choices:
    return [(f"{run.name} ({ago(run.created)})", run.id) for run in tuned(studio, person)]


def point_choices(studio: Studio, person: Person) -> Choices:
    """Save points of runs, without those that are the finished model itself."""
    return [
        (f"{run.name}, step {step:,} ({ago(run.created)})", f"{run.id}@{step}")
        for run in studio.runs(person)
        for step in _steps(studio, person, run)
    ]


def _steps(studio: Studio, person: Person, run: RunCard) -> list[int]:
    try:
        steps = studio.save_points(person, run.id)
    except FacetError:
        return []
    return [step for step in steps if not (run.has_model and step == run.progress.step)]


def further_choices(studio: Studio, person: Person) -> Choices:
    """What can go on learning: own models, save points, and what a run itself went on from, to do that run again."""
    began = [
        (f"{run.name}, as it began ({ago(run.created)})", f"{run.id}@0") for run in studio.runs(person) if run.continues
    ]
    return [*tuned_choices(studio, person), *point_choices(studio, person), *began]


def model_choices(studio: Studio, person: Person) -> Choices:
    """Everything one can talk to: own models first, then starting models that are here already."""
    return [*tuned_choices(studio, person), ("Facet starter, untouched", STARTER)]


def chosen_model(choices: Choices, wanted: str | None) -> str | None:
    """What was wanted, where it still exists; otherwise the first."""
    return next((key for _, key in choices if key == wanted), choices[0][1] if choices else None)


def came_from(run: RunCard) -> str:
    """Where a model that was not trained here came from; empty for all others."""
    where = (run.imported or {}).get("from", "")
    return where.removeprefix("hub:").partition("@")[0] if where.startswith("hub:") else f"a {where}" if where else ""

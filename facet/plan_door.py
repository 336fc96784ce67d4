"""What a run will need, and measuring it on this machine, through the studio's one door."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from facet.errors import FacetError
from facet.identity import Grant, Person
from facet.places import Places
from facet.planning import Planning
from facet.recipe.advice import as_given
from facet.recipe.methods import method_of
from facet.recipe.plan import Plan
from facet.recipe.recipes import TrainingRecipe
from facet.starting import Starting
from facet.train.continued import fitted, is_whole, require_as_decided, weights_at
from facet.train.runs import Runs
from facet.work.conductor import Conductor, Looking
from facet.work.log import Progress
from facet.work.task import Task, Where
from facet.workspace import Workspace, whole_or_gone

KEPT_MEASURES = 8  # of one person
DATA = ("train.parquet", "dataset.json")


@dataclass(frozen=True)
class Measuring:
    """A measurement: how it stands, and its numbers once it is done."""

    id: str
    progress: Progress

    @property
    def is_over(self) -> bool:
        return self.progress.stage in ("finished", "failed", "paused")


class PlanDoor:
    """A part of `Studio`."""

    workspace: Workspace
    starting: Starting
    planning: Planning
    places: Places
    conductor: Conductor
    looking: Looking
    runs_shelf: Runs

    def plan(
        self,
        person: Person,
        dataset_id: str,
        base_model: str,
        recipe: TrainingRecipe,
        where: Where | None = None,
        grant: Grant | None = None,
        start_from: str | None = None,
    ) -> Plan:
        """Memory, minutes, quota and price of a run before it starts, and what to change when it does not fit.

        `start_from` is a run to train further, as in `Studio.start`; its model then takes the place of `base_model`.
        Raises: what `check_model` reports, but not that the model is too large; `CapacityError` when `where` is not
        here.
        """
        base_model, recipe = self.as_begun(person, base_model, recipe, start_from)
        check = self.starting.chooser.check(person, base_model, grant=grant)
        if check.problem and check.facts is None:
            raise check.problem
        return self.planning.plan(person, dataset_id, check, recipe, where, grant, bool(start_from))

    def as_begun(
        self, person: Person, base_model: str, recipe: TrainingRecipe, start_from: str | None
    ) -> tuple[str, TrainingRecipe]:
        """The model and the recipe of a run that goes on from another: that one decides both in part.

        Raises: `SettingError` for another kind of weights, as the start itself would.
        """
        if not start_from:
            return base_model, recipe
        place, step = self.runs_shelf.place_of(person, start_from)
        model = self.runs_shelf.model_of(person, start_from)[0]
        trained = weights_at(place, step)
        return model, fitted(recipe, trained, self.runs_shelf.card(person, place.name).name) if trained else recipe

    def from_advice(
        self, person: Person, advised: TrainingRecipe, given: Mapping[str, Any], start_from: str | None
    ) -> TrainingRecipe:
        """What advice comes to with what a person named, and with what a run decides that it goes on from.

        Raises: `SettingError` for a value that does not suit, or that is another in that run.
        """
        trained = weights_at(*self.runs_shelf.place_of(person, start_from)) if start_from else None
        kind = {"tuning": "full"} if trained and is_whole(trained) else {}  # as good as named
        given = kind | dict(given)
        return self.as_decided(person, as_given(advised, given), given, start_from)

    def as_decided(
        self, person: Person, recipe: TrainingRecipe, given: Iterable[str], start_from: str | None
    ) -> TrainingRecipe:
        """The recipe as it will be for a run that goes on from another; `given` are settings that somebody named.

        Raises: `SettingError` when one of those is another there, or for another kind of weights.
        """
        if not start_from:
            return recipe
        _, made = self.as_begun(person, "", recipe, start_from)
        require_as_decided(given, recipe, made)
        return made

    def start_measuring(
        self,
        person: Person,
        dataset_id: str,
        base_model: str,
        recipe: TrainingRecipe,
        grant: Grant | None = None,
        start_from: str | None = None,
    ) -> str:
        """Begin to take a few real steps on the longest of these examples, here; returns an id at once.

        `start_from`: see `plan`. The weights measured with are new ones of the same kind and size.
        Raises: what `check_model` reports; `NotFoundError` for a model that is not on this machine yet; `SettingError`
        when the recipe asks for what the data or the model do not have.
        """
        base_model, recipe = self.as_begun(person, base_model, recipe, start_from)
        self.starting.folder(person, base_model)
        check = self.starting.check(person, base_model, grant)
        data = self.starting.shelf.folder(person, dataset_id)
        self.starting.require_fit(person, dataset_id, check, recipe, base_model)
        self._forget_measures(person)
        place = self.workspace.create(person, "measures", check.name)
        task = Task(place)
        with whole_or_gone(place):
            for name in DATA:
                task.link_in(data / name, f"data/{name}")
            request = {"method": method_of(recipe), "recipe": recipe.model_dump(), "base": check.base.as_dict()}
            Task.create(place, "measure", request | {"dataset_id": dataset_id})
        self.conductor.wake()
        return place.name

    def measuring(self, person: Person, measure_id: str) -> Measuring:
        folder = self.workspace.find(person, "measures", measure_id)
        return Measuring(folder.name, self.looking(folder))

    def latest_measuring(self, person: Person) -> Measuring | None:
        folders = self.workspace.all(person, "measures")
        return Measuring(folders[0].name, self.looking(folders[0])) if folders else None

    def _forget_measures(self, person: Person) -> None:
        """The newest few are kept; one that is still at work, or waits, gives way to the next press."""
        for place, folder in enumerate(self.workspace.all(person, "measures")):
            if place >= KEPT_MEASURES - 1 or not self.looking(folder).is_over:
                with contextlib.suppress(FacetError):
                    self.places.stop(Task(folder))
                    self.looking.forget(folder)
                    self.workspace.delete(person, "measures", folder.name)

    def forecast_of(self, person: Person, run_id: str) -> dict[str, Any] | None:
        """What was forecast of a run when it started; None for one that was started without."""
        request = Task(self.workspace.find(person, "runs", run_id)).request
        kept = request.get("forecast")
        return kept if isinstance(kept, dict) else None

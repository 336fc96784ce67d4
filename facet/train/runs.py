"""Runs as a person meets them: start, watch, pause, resume, stop and keep, list, rename, delete. No torch here."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import facet
from facet.errors import SettingError
from facet.gemma.models import Generation
from facet.identity import Person
from facet.model.source import BaseSource
from facet.recipe.methods import method_of, recipe_of
from facet.recipe.recipes import TrainingRecipe
from facet.train.continued import Beginning
from facet.train.run_data import described_data
from facet.work import log
from facet.work.conductor import Looking
from facet.work.log import Progress
from facet.work.policy import append_unless_busy, queue_again
from facet.work.task import Task, Where
from facet.workspace import Workspace, clean_name, read_about, read_json, update_about, whole_or_gone

log_to = logging.getLogger("facet.runs")
DATA_FILES = ("train.parquet", "validation.parquet", "exam.parquet", "dataset.json")


@dataclass(frozen=True)
class RunCard:
    """One run in a list or on its page."""

    id: str
    name: str
    created: float
    base_model: str
    dataset_name: str
    recipe: TrainingRecipe
    dataset: dict[str, Any]  # the dataset.json it learned from
    progress: Progress
    generation: Generation = "other"  # of the base model, which decides the licence
    imported: dict[str, str] | None = None  # "from" and "sha256" of an adapter that was not trained here
    where: Where = "local"  # which kind of place advances it
    forecast: dict[str, Any] | None = None  # what it was to need, told before it started
    continues: dict[str, Any] | None = None  # "run", "name", "adapter_sha256" and "from" of the adapter it began with
    note: str = ""  # the person's own words

    @property
    def has_model(self) -> bool:
        return self.progress.stage == "finished"


@dataclass
class Runs:
    """Everything about runs that needs only the disk."""

    workspace: Workspace
    look: Callable[[Path], Progress] = field(default_factory=Looking)  # progress of a run's folder

    def create(
        self,
        person: Person,
        dataset: Path,
        base: BaseSource,
        recipe: TrainingRecipe,
        name: str,
        generation: Generation,
        start_from: Path | None = None,
        where: Where = "local",
        more: Mapping[str, Any] | None = None,
        start_step: int | None = None,
    ) -> str:
        """A new run in the queue. It keeps its own name for the data, so deleting the dataset takes nothing away.

        `start_from` is the folder of a finished run to train further, or of one with a save point at `start_step`: its
        adapter gives kind, rank and scale. `more` is what else the run shall remember from its beginning: prompts to
        answer on the way, what was forecast.
        Raises: `SettingError`, `DataError` when that run cannot be gone on from with this starting model.
        """
        beginning = self.beginning(start_from, base, start_step) if start_from else None
        recipe = beginning.fitted(recipe) if beginning else recipe
        about = read_json(dataset / "dataset.json")
        folder = self.workspace.create(person, "runs", clean_name(name or about["name"]))
        task = Task(folder)
        with whole_or_gone(folder):
            for file in DATA_FILES:
                task.link_in(dataset / file, f"data/{file}")
            request = {
                "method": method_of(recipe),
                "recipe": recipe.model_dump(),
                "base": base.as_dict(),
                "dataset_id": dataset.name,
                "facet": facet.__version__,
                "generation": generation,
                **(more or {}),
            }
            if beginning:
                beginning.link_into(task)
                request["start_from"] = beginning.note()
            task.move_to(where)
            Task.create(folder, "train", request)
        return folder.name

    def beginning(self, start_from: Path, base: BaseSource, step: int | None = None) -> Beginning:
        """What a finished run learned, or had by a save point, to be trained further on this model.

        Raises: see `create`.
        """
        found = Beginning.of(start_from, self.look, step)
        found.require_same(base)
        return found

    def folder(self, person: Person, run_id: str) -> Path:
        return self.workspace.find(person, "runs", run_id)

    def task(self, person: Person, run_id: str) -> Task:
        return Task(self.folder(person, run_id))

    def progress(self, person: Person, run_id: str) -> Progress:
        return self.look(self.folder(person, run_id))

    def card(self, person: Person, run_id: str) -> RunCard:
        return self._card(self.folder(person, run_id))

    def cards(self, person: Person) -> list[RunCard]:
        """This person's runs, newest first. A folder without a task yet, or any more, is passed by."""
        cards = []
        for folder in self.workspace.all(person, "runs"):
            try:
                cards.append(self._card(folder))
            except (OSError, ValueError, KeyError) as error:  # half written, half deleted, or by a later Facet
                log_to.warning("run %s cannot be listed: %s", folder.name, type(error).__name__)
        return cards

    def _card(self, folder: Path) -> RunCard:
        about, request = read_about(folder), Task(folder).request
        data = read_json(folder / "data" / "dataset.json")
        return RunCard(
            id=folder.name,
            name=about.get("name", folder.name),
            created=about.get("created", 0.0),
            base_model=request["base"]["id"],
            dataset_name=data["name"],
            recipe=recipe_of(request),
            dataset=data,
            progress=self.look(folder),
            generation=request.get("generation", "other"),
            imported=request.get("imported"),
            where=Task(folder).where,
            forecast=request.get("forecast"),
            continues=request.get("start_from"),
            note=str(about.get("note", "")),
        )

    def place_of(self, person: Person, target: str) -> tuple[Path, int | None]:
        """The folder of a run, and the step where a save point of it is named: `RUN@STEP`.

        Raises: `NotFoundError`; `SettingError` for a step that is no number.
        """
        run_id, at, step = target.partition("@")
        if at and not (step.isascii() and step.isdecimal() and len(step) < 10):
            raise SettingError(
                "This save point cannot be found.",
                f"Its step should be a number, and it is “{step[:20]}”.",
                "Name it like the number of the run, an @ and the step, such as @40.",
            )
        return self.folder(person, run_id), int(step) if at else None

    def model_of(self, person: Person, target: str) -> tuple[str, str | None]:
        """The starting model of a run as a person names it, id or folder, with its commit: to start another from it."""
        base = BaseSource.of(Task(self.place_of(person, target)[0]).request["base"])
        return base.path if base.where == "folder" else base.id, base.revision

    def pause(self, person: Person, run_id: str) -> None:
        task = self.task(person, run_id)
        task.ask_to_stop("pause")
        progress = self.look(task.folder)
        if progress.stage in ("waiting", "interrupted"):  # it waits behind another: nobody would hear for a while
            append_unless_busy(task, log.Paused(step=progress.step, words="Paused."))

    def stop(self, person: Person, run_id: str) -> None:
        """Finish now with what has been learned.

        Raises: `SettingError` when nothing has been learned yet.
        """
        task = self.task(person, run_id)
        progress = self.look(task.folder)
        if progress.stage == "finished":
            return
        if not task.is_busy() and progress.checkpoint is None:
            raise SettingError(
                "There is nothing to keep yet.",
                "This run has no save point.",
                "Press “Resume” and let it take a few steps, or delete the run.",
            )
        task.ask_to_stop("keep")
        if not task.is_busy() and not progress.is_active:
            append_unless_busy(task, log.Queued())

    def resume(self, person: Person, run_id: str) -> None:
        """Go on from the newest save point. Pressing twice, or while it runs, changes nothing.

        Raises: `SettingError` for a finished run.
        """
        task = self.task(person, run_id)
        progress = self.look(task.folder)
        if progress.stage == "finished":
            raise SettingError(
                "This run is finished.",
                "It has taken all of its steps.",
                "Start a new run to train further.",
            )
        if progress.is_active and task.stop_asked() is None:
            return
        task.ask_to_resume()
        queue_again(task, progress)

    def rename(self, person: Person, run_id: str, name: str) -> None:
        update_about(self.folder(person, run_id), name=clean_name(name))

    def note(self, person: Person, run_id: str, text: str) -> None:
        """Keep a person's own words on a run; nothing takes the note away."""
        update_about(self.folder(person, run_id), note=text)

    def log_tail(self, person: Person, run_id: str, lines: int = 30) -> list[str]:
        """The last lines of the worker's own output."""
        file = self.task(person, run_id).output_log
        if not file.exists():
            return []
        with open(file, "rb") as output:
            output.seek(max(0, file.stat().st_size - 200 * lines))
            return output.read().decode("utf-8", "replace").splitlines()[-lines:]

    def run_file(self, person: Person, run_id: str) -> str:
        """`facet-run.yaml`: everything needed to do the same run again, or where an imported adapter came from."""
        card, task = self.card(person, run_id), self.task(person, run_id)
        described: dict[str, Any] = {
            "facet_run": 1,
            "name": card.name,
            "method": "imported" if card.imported else method_of(card.recipe),
            "model": {"id": card.base_model, "revision": task.request["base"]["revision"]},
        }
        if card.imported:
            return _yaml(described | {"imported": card.imported}, card.created)
        if card.continues:
            described["continues"] = {name: card.continues[name] for name in ("adapter_sha256", "from")}
        described |= {
            "data": described_data(card.dataset),
            "recipe": card.recipe.model_dump(),
            **({"template": template} if (template := task.request.get("template")) else {}),
            "made_with": (task.execution() or {}).get("versions", {"facet": facet.__version__}),
        }
        return _yaml(described, card.created)


def _yaml(described: dict[str, Any], when: float) -> str:
    return yaml.safe_dump(
        described | {"written": time.strftime("%Y-%m-%d", time.gmtime(when))}, sort_keys=False, allow_unicode=True
    )

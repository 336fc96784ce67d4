"""What everything shares, and the one door for the page, the command line and the tests. Holds, does not do."""

import functools
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from facet.bucket.copies import Copies
from facet.bucket.mount import Bucket
from facet.bucket.promise import promise
from facet.chat_door import ChatDoor, Present
from facet.compute.voices import Voices
from facet.data_door import DataDoor
from facet.dataset.making import Makings
from facet.dataset.shelf import Shelf
from facet.dataset.templates import Tried
from facet.errors import FacetError
from facet.exam.batches import Batches
from facet.exam.exams import Exams
from facet.exam.providers import Keys
from facet.exam.targets import Targets
from facet.exam_door import ExamDoor
from facet.gemma.memory import free_memory_gb
from facet.gemma.models import BaseModel, usual
from facet.history_door import HistoryDoor
from facet.housekeeping import Housekeeping
from facet.hub.accounts import Accounts
from facet.hub.hub import Hub
from facet.identity import Grant, Person
from facet.import_door import ImportDoor
from facet.judge_door import JudgeDoor
from facet.judging import Judgings
from facet.model.choose import ModelCheck
from facet.model.source import BaseSource
from facet.places import Places
from facet.plan_door import PlanDoor
from facet.planning import Planning
from facet.publish.publications import Publications
from facet.publish_door import PublishDoor
from facet.quota import Usage
from facet.recipe.advice import Advice, Preset
from facet.recipe.goals import Goal
from facet.recipe.recipes import TrainingRecipe
from facet.showing import Showing
from facet.sign_in import SignIn
from facet.starting import Starting
from facet.talk import Talks
from facet.track_door import Following, TrackDoor
from facet.train.runs import RunCard, Runs
from facet.work.conductor import Conductor, Looking
from facet.work.fairness import Turn
from facet.work.log import Event, Progress
from facet.work.queue import Queue
from facet.work.task import Task, Where
from facet.workspace import Kind, Workspace

log_to = logging.getLogger("facet.studio")
WORK: tuple[Kind, ...] = ("runs", "exams", "measures")  # kinds of objects that are tasks


@dataclass(frozen=True)
class Place:
    """Where this page computes, and what it promises to keep."""

    words: str
    device: str
    free_gb: float  # memory
    free_disk_gb: float
    home: Path
    keeps: str
    keeps_fine: bool = True  # False while the promise is not kept


class Studio(DataDoor, ChatDoor, JudgeDoor, ExamDoor, PublishDoor, HistoryDoor, TrackDoor, PlanDoor, ImportDoor):
    """Every call takes the person first and answers for what is theirs alone."""

    def __init__(self, workspace: Workspace, hub: Hub | None = None) -> None:
        self.workspace = workspace
        self.hub = hub or Hub(workspace.home / "hub")
        self.shelf = Shelf(workspace, self.hub)
        self.shelf.discard = self.delete
        self.makings = Makings()
        self.accounts = Accounts(self.hub.endpoint)
        self.sign_in = SignIn()
        self.publications = Publications(self.hub.endpoint)
        self.looking = Looking()
        self.queue = Queue(workspace.home / "queue.sqlite")
        self.runs_shelf = Runs(workspace, self.looking)
        self.starting = Starting(workspace, self.hub, self.shelf, self.runs_shelf)
        self.chooser = self.starting.chooser
        self.housekeeping = Housekeeping(workspace, self.chooser)
        self.copies = Copies(workspace, Bucket.here())
        self.places = Places.here(workspace, self.accounts, self.queue, self.starting.fetch_for, self.looking)
        self.backend = self.places.local
        self.starting.free_gb = self.places.memory_gb
        self.planning = Planning(workspace, self.shelf, self.places, self.looking, lambda: self.starting.free_gb())
        self.starting.foresee = self.planning.plan
        self.voices = Voices(self.queue)
        folder, zerogpu = self.starting.folder, self.places.zerogpu
        self.present, self.showing = Present(), Showing(workspace)
        self.talks = Talks(self.voices, self.runs_shelf, folder, workspace.models, zerogpu, self.showing.find)
        self.keys, self.judgings, self.following = Keys(), Judgings(), Following()
        targets, where = Targets(self.runs_shelf, self.starting.ready), functools.partial(self.places.chosen, None)
        self.exams_shelf = Exams(workspace, self.runs_shelf, targets, self.shelf.folder, where, self.looking)
        self.batches_shelf = Batches(workspace, self.shelf, targets, where, self.looking)
        self._closed = threading.Event()
        fetch, lock = self.starting.fetch_for, workspace.home / "conductor.lock"
        self.conductor = Conductor(self.backend, self._tasks, lock, self.looking, self.queue, fetch)
        self.starting.wake = self.conductor.wake

    @classmethod
    def from_environment(cls) -> "Studio":
        return cls(Workspace.from_environment())

    def open(self) -> bool:
        """Begin to conduct queued and interrupted work, or stand by: False while another Facet here does it."""
        self.places.settle(self._tasks())
        self._closed.clear()
        self.copies.start()
        if self.copies.bucket:
            threading.Thread(target=self.housekeeping.bring_models_back, daemon=True).start()
        threading.Thread(target=self._tidy_up, name="janitor", daemon=True).start()
        return self.conductor.start()

    def close(self) -> None:
        self._closed.set()
        self.conductor.halt()
        self.copies.stop()
        self.judgings.pause_all()
        self.following.stop()
        self.voices.close()
        self.backend.warm.close()

    def _tidy_up(self) -> None:
        while not self._closed.wait(60):
            try:
                self.janitor()
            except (OSError, FacetError) as error:  # something was deleted under its hands; in a minute it looks again
                log_to.warning("the janitor stopped: %s", type(error).__name__)

    def _tasks(self) -> list[Path]:
        folders = [folder for kind in WORK for folder in self.workspace.everyones(kind)]
        return [folder for folder in folders if (folder / "task.json").exists()]

    def _tasks_of(self, person: Person) -> list[Path]:
        return [folder for kind in WORK for folder in self.workspace.all(person, kind)]

    # ---- models
    def models(self) -> tuple[BaseModel, ...]:
        """The few models to be shown at first; `offered_by_family` has all that are offered by name."""
        return usual()

    def check_model(self, person: Person, base_model: str, grant: Grant | None = None) -> ModelCheck:
        return self.chooser.check(person, base_model, grant=grant)

    def try_template(
        self, person: Person, base_model: str, template: str, grant: Grant | None = None
    ) -> Tried | None:
        """A conversation as a model reads it with this chat template, or None while the model is not on this machine.

        Raises: `SettingError` that says why the template cannot be used.
        """
        check = self.starting.check(person, base_model, grant)
        return None if check.download_gb else self.starting.try_template(check, template)

    def fetch_model(self, person: Person, base_model: str, say: Callable[[], None], grant: Grant | None = None) -> None:
        """Download a model that is not here yet; `say` is called before that begins. Not for the page: it waits."""
        self.starting.fetch_now(person, base_model, say, grant)

    # ---- training
    def advise(
        self,
        person: Person,
        dataset_id: str,
        base_model: str,
        preset: Preset = "balanced",
        grant: Grant | None = None,
        goal: Goal = "any",
    ) -> Advice:
        """Recommended settings with reasons. Raises what `check_model` reports."""
        return self.starting.advise(person, dataset_id, base_model, preset, grant, goal)

    def start(
        self,
        person: Person,
        dataset_id: str,
        base_model: str,
        recipe: TrainingRecipe,
        name: str = "",
        revision: str | None = None,
        grant: Grant | None = None,
        start_from: str | None = None,
        where: Where | None = None,
        ask_first: bool = False,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """Queue a run and return its id at once; the conductor does the rest, or on ZeroGPU the person's open page.

        `start_from` is a run of theirs to train further, or `RUN@STEP` for a save point of one, in place of an
        untouched model. `where` is the place to work in, if not the usual one here. With `ask_first`, the first try to
        start what is going on already is refused. `more` goes into the run's request as it is.
        Raises: `AccessError`, `HubError`, `SettingError` about the model; `CapacityError` when it cannot fit, or the
        person has as many trainings going on as they may.
        """
        place = functools.partial(self.places.chosen, where)
        return self.starting.run(
            person, dataset_id, base_model, recipe, name, revision, grant, start_from, place, ask_first, more
        )

    def expect_start(self) -> None:
        """Somebody is here who may start a training: its libraries are loaded ahead, where that pays."""
        if self.conductor.lock.is_locked:  # else another Facet begins it
            self.backend.warm.expect()

    def pause(self, person: Person, run_id: str) -> None:
        """Save and stop for now; one that waits leaves the line."""
        self.runs_shelf.pause(person, run_id)
        self.conductor.wake()

    def stop(self, person: Person, run_id: str) -> None:
        self.runs_shelf.stop(person, run_id)
        self.conductor.wake()

    def resume(self, person: Person, run_id: str, grant: Grant | None = None, where: Where | None = None) -> None:
        """Let a run go on, in another place if one is given. Raises: `CapacityError` when that place is not here."""
        if where is not None:
            task = self.runs_shelf.task(person, run_id)
            task.move_to(self.places.chosen(where, BaseSource.of(task.request["base"])))
        self.places.ask_anew(person)
        self.starting.again(person, run_id, grant)

    def drive(self, grant: Grant) -> Iterator[Event | None]:
        """Do this person's work that needs their open page, slice after slice. None: still at it. Not for the CLI."""
        if self.places.driving is not None:
            yield from self.places.driving.drive(grant)

    def progress(self, person: Person, run_id: str) -> Progress:
        return self.runs_shelf.progress(person, run_id)

    def turn(self, person: Person, object_id: str, kind: Literal["runs", "exams"] = "runs") -> Turn | None:
        """Where a run or a test stands in the line for this machine; None when it does not wait there."""
        return self.conductor.turn(self.workspace.find(person, kind, object_id))

    def turns(self, person: Person, runs: list[RunCard]) -> dict[str, Turn]:
        """The places of those of these runs that wait in the line."""
        waiting = [run.id for run in runs if run.progress.stage == "waiting"]
        return {run_id: turn for run_id in waiting if (turn := self.turn(person, run_id))}

    def run(self, person: Person, run_id: str) -> RunCard:
        return self.runs_shelf.card(person, run_id)

    def runs(self, person: Person) -> list[RunCard]:
        return self.runs_shelf.cards(person)

    def log_tail(self, person: Person, run_id: str, lines: int = 30) -> list[str]:
        return self.runs_shelf.log_tail(person, run_id, lines)

    def run_file(self, person: Person, run_id: str) -> str:
        return self.runs_shelf.run_file(person, run_id)

    def rename(self, person: Person, kind: Literal["datasets", "runs", "exams"], object_id: str, name: str) -> None:
        shelves = {"datasets": self.shelf, "runs": self.runs_shelf, "exams": self.exams_shelf}
        shelves[kind].rename(person, object_id, name)

    def delete(self, person: Person, kind: Kind, object_id: str) -> None:
        """Remove an object for good; a run that works is stopped first."""
        folder = self.workspace.find(person, kind, object_id)
        if kind in WORK:
            self.places.stop(Task(folder))
        if kind == "exams":
            self.judgings.pause_all(exam=folder)
        if kind == "runs":
            self.following.stop(folder)
            while exam := self.exams_shelf.latest(person, object_id):
                self.delete(person, "exams", exam.id)
        self.looking.forget(folder)
        if kind in ("uploads", "exports", "measures"):  # of these there are no copies
            self.workspace.delete(person, kind, object_id)
            return
        with self.copies.forgetting(folder.parent.parent.name, kind, object_id):
            self.workspace.delete(person, kind, object_id)

    def delete_everything(self, person: Person) -> None:
        """All files, data, runs, tests and own models of a person, on this machine. What is on the Hub stays there."""
        self.stop_chat(person)
        for key in person.keys:
            self._delete_tenant(key)

    def _delete_tenant(self, key: str) -> None:
        self.starting.forget(key)
        owner = Person(key, key, "visitor")
        self.forget_judge_keys(owner)
        self.following.stop(owner=key)
        for folder in self._tasks_of(owner):
            self.places.stop(Task(folder))
            self.looking.forget(folder)
        with self.copies.forgetting(key):
            self.workspace.delete_tenant(key)

    def usage(self, person: Person) -> Usage:
        return self.workspace.usage(person)

    # ---- the place
    def place(self, person: Person | None = None) -> Place:
        """`person` is who reads it: a visitor's work is kept for a day."""
        home, device = self.workspace.home, self.backend.capacity().device
        disk = shutil.disk_usage(home).free / 1e9
        kept = promise(self.copies.state, bool(os.environ.get("SPACE_ID")), person)
        return Place(self.places.words, device, free_memory_gb(), disk, home, kept.words, kept.is_fine)

    def janitor(self) -> None:
        """Remove old uploads and downloads, visitors who are long gone, and give an idle chat's memory back."""
        self.voices.close_if_idle()
        self.backend.warm.close_if_idle()
        for visitor in self.workspace.gone_visitors():
            owner = Person(visitor, visitor, "visitor")
            if not any(Task(folder).is_busy() for folder in self._tasks_of(owner)):
                self._delete_tenant(visitor)
        self.housekeeping.remove_old()
        self.housekeeping.make_room()

"""Everything the page and the command line do with trackers: tell one what is new, and follow a run that goes on.

A key is kept in memory alone, for its person; the run's own process never sees it.
"""

import logging
import os
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from facet.errors import AccessError, FacetError, NotFoundError
from facet.exam.providers import Keys
from facet.export.bundle import zipped
from facet.identity import Person
from facet.recipe.methods import method_of
from facet.track.trackers import TRACKERS, Name, Told, Tracker, tell, tracker
from facet.train.runs import RunCard, Runs
from facet.workspace import Workspace, whole_or_gone

WANDB_ADDRESS: Final = "https://api.wandb.ai"  # what its key is kept for
FOLLOW_EVERY_SECONDS: Final = 15.0
MOST_FOLLOWED: Final = 16
log = logging.getLogger("facet.tracking")


@dataclass
class Following:
    """Runs that go on and whose trackers are told as they do, in a thread each. Gone with this process."""

    stops: dict[tuple[Path, str], threading.Event] = field(default_factory=dict)
    faults: dict[tuple[Path, str], FacetError] = field(default_factory=dict)
    owners: dict[tuple[Path, str], str] = field(default_factory=dict)

    def stop(self, folder: Path | None = None, owner: str | None = None) -> None:
        for key, stop in list(self.stops.items()):
            if (folder is None or key[0] == folder) and (owner is None or self.owners.get(key) == owner):
                stop.set()


class TrackDoor:
    """A part of `Studio`."""

    workspace: Workspace
    runs_shelf: Runs
    keys: Keys
    following: Following

    def trackers(self) -> tuple[Tracker, ...]:
        """Those that can be used here."""
        return tuple(one for one in TRACKERS.values() if one.is_here)

    def track(self, person: Person, run_id: str, name: Name, key: str = "", follow: bool = True) -> Told:
        """Tell a tracker all that is certain of a run and new to it; and go on while the run does, with `follow`.

        Raises: `AccessError` without a key where one is needed; see `facet.track.trackers.tell`.
        """
        tracker(name)
        if key.strip():
            self.keys.keep(person, WANDB_ADDRESS, key.strip())
        folder = self.runs_shelf.folder(person, run_id)
        told = self._tell(person, run_id, name)
        if follow and not told.over and self.runs_shelf.progress(person, run_id).is_active:
            self._follow(person, folder, name)
        return told

    def tracking_fault(self, person: Person, run_id: str, name: Name) -> FacetError | None:
        """Why a tracker is not told any more, since it was last asked for."""
        return self.following.faults.get((self.runs_shelf.folder(person, run_id), name))

    def has_tracker_key(self, person: Person) -> bool:
        return bool(self._key(person))

    def tracked_files(self, person: Person, run_id: str, name: Name) -> Path:
        """What TensorBoard or Trackio was told, as a zip in a folder of its own, which may be moved.

        Raises: `NotFoundError` before it has been told anything.
        """
        card = self.runs_shelf.card(person, run_id)
        place = self._tell(person, run_id, name).place if name == "tensorboard" else self._trackio(person)
        if not place.is_dir():
            raise NotFoundError.of("project")
        folder = self.workspace.create(person, "exports", card.name)
        with whole_or_gone(folder):
            copied = folder / "files"
            shutil.copytree(place, copied, ignore=shutil.ignore_patterns("state.json", "*.lock"))
            made = zipped(copied, folder / f"{name}-{card.id}.zip")
            shutil.rmtree(copied)
            return made

    # ---- inside
    def _trackio(self, person: Person) -> Path:
        return self.workspace.tenant(person.key) / "trackio"

    def _key(self, person: Person) -> str:
        own = os.environ.get("WANDB_API_KEY", "") if _at_home(person) else ""
        return self.keys.find(person, WANDB_ADDRESS) or own

    def _tell(self, person: Person, run_id: str, name: Name) -> Told:
        """One at a time for each run and tracker, whichever process asks.

        Raises: `AccessError` where the key is missing, also while it follows: it may be forgotten in between.
        """
        if name == "wandb" and not self._key(person) and not _at_home(person):
            raise AccessError(
                "A key for Weights & Biases is needed.",
                "Facet keeps it in memory only, so it is gone after a restart or some hours.",
                "Make one on wandb.ai/authorize and enter it under “Key for Weights & Biases”.",
            )
        card, folder = self.runs_shelf.card(person, run_id), self.runs_shelf.folder(person, run_id)
        place = folder / "tracking" / name
        place.mkdir(parents=True, exist_ok=True)
        key = self._key(person) if name == "wandb" else ""
        try:
            with FileLock(place.with_suffix(".lock"), timeout=60):
                return tell(name, folder, card.name, _config(card), self.workspace.tenant(person.key), key)
        except Timeout:
            raise AccessError(
                "This tracker is being told already.", "Another window or command is at it.", "Try again in a minute."
            ) from None

    def _follow(self, person: Person, folder: Path, name: Name) -> None:
        key = (folder, name)
        if key in self.following.stops or len(self.following.stops) >= MOST_FOLLOWED:
            return
        stop = self.following.stops[key] = threading.Event()
        self.following.owners[key] = person.key
        self.following.faults.pop(key, None)
        thread = threading.Thread(target=self._go_on, args=(person, folder, name, stop), name="tracking", daemon=True)
        thread.start()

    def _go_on(self, person: Person, folder: Path, name: Name, stop: threading.Event) -> None:
        key = (folder, name)
        try:
            while not stop.wait(FOLLOW_EVERY_SECONDS):
                told = self._tell(person, folder.name, name)
                if told.over or not self.runs_shelf.progress(person, folder.name).is_active:
                    return
        except FacetError as error:
            self.following.faults[key] = error
        except Exception as error:
            if folder.exists():  # or else it was deleted
                log.error("a tracker could not be told: %s", type(error).__name__)
        finally:
            self.following.stops.pop(key, None)
            self.following.owners.pop(key, None)


def _config(card: RunCard) -> dict[str, str | int | float | bool | None]:
    """What a tracker shows beside the curves: names and settings, no row and no prompt."""
    told = {"model": Path(card.base_model).name if Path(card.base_model).is_absolute() else card.base_model}
    return told | {"data": card.dataset_name, "method": method_of(card.recipe)} | card.recipe.model_dump(mode="json")


def _at_home(person: Person) -> bool:
    return person.kind == "local" and not os.environ.get("SPACE_ID")

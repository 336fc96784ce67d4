"""What nobody asks for and everybody needs: old files go, models make room, and models of restored runs come back."""

import logging
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from facet.errors import FacetError
from facet.hub.hub import COMPLETE
from facet.model.choose import Chooser
from facet.model.dressed import FOLDER, TEMPLATE
from facet.model.source import BaseSource, bases_of
from facet.work.task import Task
from facet.workspace import FREE_DISK_FLOOR_GB, Workspace

KEPT_SECONDS: Final = 86_400.0  # uploads and downloads
REST_SECONDS: Final = 3600.0  # a model that was read since then is being looked at, or talked to
log_to = logging.getLogger("facet.housekeeping")


@dataclass(frozen=True)
class Housekeeping:
    workspace: Workspace
    chooser: Chooser

    def remove_old(self) -> None:
        """Uploads and downloads after a day. What was made of them stays."""
        for kind in ("uploads", "exports"):
            for folder in self.workspace.everyones(kind):
                if time.time() - _changed(folder) > KEPT_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
        self._remove_templates()
        self.workspace.sweep()

    def _remove_templates(self) -> None:
        """Chat templates of people's own that no run names any more. Where one is missed, it comes into being again."""
        chosen = {base.template for base in self._all_bases()}
        for file in (self.workspace.models / FOLDER).glob(f"*/{TEMPLATE}"):
            if time.time() - _changed(file) > REST_SECONDS and file.read_text("utf-8") not in chosen:
                shutil.rmtree(file.parent, ignore_errors=True)

    def make_room(self) -> list[Path]:
        """When the disk is nearly full, open models that no run and no test starts from make room, the oldest first.

        They can be fetched again by anybody. Those of a run stay, also of a finished one: its chat needs them.
        """
        gone: list[Path] = []
        if self._has_room():
            return gone
        needed = {os.path.normpath(self.workspace.models / base.path) for base in self._bases()}
        models = [note.parent for note in self.workspace.models.glob(f"*/*/{COMPLETE}")]
        idle = [folder for folder in models if str(folder) not in needed and time.time() - _read(folder) > REST_SECONDS]
        for folder in sorted(idle, key=_read):
            if self._has_room():
                break
            if _evicted(folder):
                gone.append(folder)
                log_to.info("%s made room", folder.parent.name)
        return gone

    def bring_models_back(self) -> None:
        """Fetch the open models of finished runs that are not here: the runs were copied, the models were not."""
        for base in dict.fromkeys(self._bases()):
            if not (self.workspace.models / base.path / COMPLETE).is_file() and not base.path.startswith(".."):
                try:
                    self.chooser.fetch(base, lambda done, total: None)
                except FacetError as error:
                    log_to.warning("%s could not be fetched again: %s", base.id, error.what)

    def _has_room(self) -> bool:
        return shutil.disk_usage(self.workspace.home).free / 1e9 >= FREE_DISK_FLOOR_GB

    def _bases(self) -> Iterable[BaseSource]:
        """Models of the Hub that some task starts from, newest task first."""
        return (base for base in self._all_bases() if base.where == "hub")

    def _all_bases(self) -> Iterable[BaseSource]:
        tasks = [*self.workspace.everyones("runs"), *self.workspace.everyones("exams")]
        for folder in sorted(tasks, key=_changed, reverse=True):
            try:
                bases = bases_of(Task(folder).request)
            except (OSError, ValueError, KeyError, TypeError):  # being made or deleted, or by a later Facet
                continue
            yield from bases


def _evicted(folder: Path) -> bool:
    """Remove a model unless somebody downloads it just now."""
    try:
        with FileLock(folder.parent / f".{folder.name}.lock", timeout=0):
            (folder / COMPLETE).unlink(missing_ok=True)  # first: from now on it counts as not being here
            shutil.rmtree(folder, ignore_errors=True)
    except Timeout:
        return False
    return True


def _changed(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return time.time()


def _read(folder: Path) -> float:
    """When a model was last made use of, as far as the disk remembers."""
    times = [max(about.st_atime, about.st_mtime) for file in folder.iterdir() if (about := file.stat())]
    return max(times, default=0.0)

"""Old files go, models make room when the disk is nearly full, and nothing goes that somebody may still need."""

import os
import time
from collections import namedtuple
from pathlib import Path

import pytest
from filelock import FileLock

from facet import housekeeping
from facet.errors import HubError
from facet.housekeeping import Housekeeping
from facet.hub.hub import COMPLETE, Hub
from facet.identity import LOCAL
from facet.model.choose import Chooser
from facet.model.source import BaseSource
from facet.studio import Studio
from facet.work.task import Task
from facet.workspace import Workspace, write_json

Usage = namedtuple("Usage", "free")
HOUR, DAY = 3600, 86_400


@pytest.fixture
def keeper(workspace) -> Housekeeping:
    return Housekeeping(workspace, Chooser(Hub(workspace.home / "hub"), workspace))


def model(workspace: Workspace, name: str, days_ago: float) -> Path:
    folder = workspace.models / f"owner--{name}" / ("0" * 40)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    write_json(folder / COMPLETE, {"sizes": {}})
    for file in folder.iterdir():
        os.utime(file, (time.time() - days_ago * DAY,) * 2)
    return folder


def run_of(workspace: Workspace, name: str, kind: str = "runs") -> None:
    base = BaseSource(f"owner/{name}", "hub", "0" * 40, f"owner--{name}/{'0' * 40}")
    Task.create(workspace.create(LOCAL, kind, "x"), "train", {"base": base.as_dict()})


def free(monkeypatch, keeper: Housekeeping, until_only: int) -> None:
    """A disk that is nearly full until so few models are left."""

    def usage(path) -> Usage:
        left = len(list(keeper.workspace.models.glob(f"*/*/{COMPLETE}")))
        return Usage(1e9 if left > until_only else 3e9)

    monkeypatch.setattr(housekeeping.shutil, "disk_usage", usage)


def test_models_nobody_uses_make_room_the_oldest_first_and_no_more_than_needed(keeper, monkeypatch):
    old, older, new = (model(keeper.workspace, name, days) for name, days in (("a", 5), ("b", 9), ("c", 1)))
    free(monkeypatch, keeper, until_only=2)
    assert keeper.make_room() == [older]
    assert old.is_dir() and new.is_dir() and keeper.make_room() == []


def test_a_model_of_any_run_or_test_stays_and_so_does_one_that_was_just_read(keeper, monkeypatch):
    trained, tested = model(keeper.workspace, "a", 9), model(keeper.workspace, "b", 9)
    run_of(keeper.workspace, "a")
    run_of(keeper.workspace, "b", "exams")
    looked_at = model(keeper.workspace, "c", 0.5 * HOUR / DAY)
    unused = model(keeper.workspace, "d", 2)
    free(monkeypatch, keeper, until_only=0)
    assert keeper.make_room() == [unused]
    assert trained.is_dir() and tested.is_dir() and looked_at.is_dir()


def test_a_model_that_is_being_downloaded_and_one_of_a_persons_own_stay(keeper, monkeypatch):
    loading, own = model(keeper.workspace, "a", 9), keeper.workspace.own_models(LOCAL) / "owner--b" / ("0" * 40)
    own.mkdir(parents=True)
    write_json(own / COMPLETE, {"sizes": {}})
    free(monkeypatch, keeper, until_only=0)
    with FileLock(loading.parent / f".{loading.name}.lock"):
        assert keeper.make_room() == []
    assert loading.is_dir() and own.is_dir()


def test_with_room_on_the_disk_nothing_goes(keeper):
    kept = model(keeper.workspace, "a", 400)
    assert keeper.make_room() == [] and kept.is_dir()


def test_uploads_and_downloads_go_after_a_day_and_what_was_made_of_them_stays(keeper):
    kinds = ("uploads", "exports", "runs", "datasets")
    old = {kind: keeper.workspace.create(LOCAL, kind, "old") for kind in kinds}
    new = keeper.workspace.create(LOCAL, "uploads", "new")
    for folder in old.values():
        os.utime(folder, (time.time() - DAY - 60,) * 2)
    keeper.remove_old()
    assert {kind: folder.exists() for kind, folder in old.items()} == {
        "uploads": False, "exports": False, "runs": True, "datasets": True}  # fmt: skip
    assert new.exists()


def test_open_models_of_runs_are_fetched_again_once_each_and_what_fails_is_no_trouble(keeper, monkeypatch):
    for name in ("a", "a", "b", "here"):
        run_of(keeper.workspace, name)
    model(keeper.workspace, "here", 1)
    own = BaseSource("ann/own", "hub", "0" * 40, "../tenants/local/models/ann--own/1")
    Task.create(keeper.workspace.create(LOCAL, "runs", "x"), "train", {"base": own.as_dict()})
    asked = []

    def fetch(chooser, base, progress, token=None):
        asked.append((base.id, token))
        raise HubError("The Hub could not be reached.", "It did not answer.", "Try again.")

    monkeypatch.setattr(Chooser, "fetch", fetch)
    keeper.bring_models_back()
    assert sorted(asked) == [("owner/a", None), ("owner/b", None)]


def test_the_janitor_survives_what_is_deleted_under_its_hands(workspace, monkeypatch):
    studio = Studio(workspace)
    rounds = []

    def vanished(self) -> None:
        rounds.append(1)
        raise FileNotFoundError

    monkeypatch.setattr(Housekeeping, "remove_old", vanished)
    monkeypatch.setattr(studio._closed, "wait", lambda seconds: len(rounds) >= 2)
    studio._tidy_up()
    assert len(rounds) == 2

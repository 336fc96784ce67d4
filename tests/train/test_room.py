"""A disk that fills up while a run learns: save points are skipped, said once, and nothing crashes."""

from collections import namedtuple

import pytest

from facet.train import room
from facet.work import worker
from tests.journeys import a_studio, prepared_example, progress, queued_run

pytestmark = pytest.mark.tiny
Usage = namedtuple("Usage", "total used free")
FULL, ROOMY = Usage(100, 100, 150_000_000), Usage(100, 0, 50_000_000_000)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("room") / "home")
    return studio, prepared_example(studio)


def learn(lab, monkeypatch, usage):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=12)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: usage(progress(task).step))
    worker.advance(task, studio.workspace.models)
    return task


def test_a_disk_that_is_full_for_a_while_costs_save_points_and_nothing_else(lab, monkeypatch):
    task = learn(lab, monkeypatch, lambda step: FULL if step < 9 else ROOMY)

    assert progress(task).stage == "finished", progress(task).failure
    assert len([words for words in progress(task).notes if "nearly full" in words]) == 1
    assert min(int(point.name) for point in task.checkpoints.iterdir()) >= 9


def test_a_disk_that_is_full_at_the_end_is_said_and_the_run_can_go_on_once_there_is_room(lab, monkeypatch):
    task = learn(lab, monkeypatch, lambda step: ROOMY if step < 6 else FULL)
    failed, saved = progress(task), progress(task).checkpoint

    assert failed.stage == "failed" and failed.failure["what"] == "The disk is full."
    assert saved is not None and saved <= 7

    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: ROOMY)
    worker.advance(task, lab[0].workspace.models)
    assert progress(task).stage == "finished"

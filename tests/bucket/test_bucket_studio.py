"""The buttons and the janitor reach the bucket: what they delete is gone from there as well."""

import os
import time

import pytest

from facet.studio import Studio
from tests.bucket.bucket_folders import ANN, BOB, VISITOR, Place, dataset, finish, run


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def studio(place, monkeypatch) -> Studio:
    monkeypatch.setenv("FACET_BUCKET", str(place.mount))
    studio = Studio(place.workspace)
    studio.copies.every = 0.05
    return studio


def copied(studio: Studio, place: Place, folders) -> None:
    end = time.monotonic() + 20
    while not all(place.manifests(folder) for folder in folders):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_delete_and_delete_everything_reach_the_bucket_before_they_return(studio, place):
    mine, other, theirs = run(place.workspace, ANN), dataset(place.workspace, ANN), run(place.workspace, BOB)
    for folder in (mine, theirs):
        finish(folder)
    studio.copies.start()
    try:
        copied(studio, place, [mine, other, theirs])
        studio.delete(ANN, "runs", mine.name)
        assert not place.manifests(mine) and place.manifests(other)
        studio.delete_everything(ANN)
        assert not [file for file in place.files() if ANN.key in str(file)] and place.manifests(theirs)
    finally:
        studio.close()


def test_a_visitor_who_is_long_gone_leaves_the_bucket_too(studio, place):
    gone, stays = run(place.workspace, VISITOR), run(place.workspace, ANN)
    studio.copies.start()
    try:
        copied(studio, place, [gone, stays])
        long_ago = time.time() - 2 * 86_400
        os.utime(place.workspace.tenant(VISITOR.key), (long_ago, long_ago))
        studio.janitor()
        assert not [file for file in place.files() if VISITOR.key in str(file)] and place.manifests(stays)
    finally:
        studio.close()


def test_opened_it_has_everything_before_it_says_so_and_closed_it_has_copied_all(studio, place, monkeypatch):
    finish(folder := run(place.workspace, ANN))
    assert studio.open()
    studio.close()
    assert place.manifests(folder)
    place.lose_the_disk()
    again = Studio(place.workspace)
    assert again.open()
    try:
        assert [run.name for run in place.workspace.all(ANN, "runs")] == [folder.name]
        kept = again.place(ANN)
        assert kept.keeps_fine and str(place.mount) in kept.keeps
        monkeypatch.setenv("SPACE_ID", "ann/facet")
        assert "also when it restarts" in again.place(ANN).keeps and "for a day" in again.place(VISITOR).keeps
    finally:
        again.close()

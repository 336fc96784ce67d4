"""What lies beside a run while it is published, and what does not come back once the run is deleted."""

import errno
import shutil
import time

import pytest

from facet.errors import CapacityError, FacetError, SettingError
from facet.identity import LOCAL
from facet.locks import is_held
from facet.publish.publications import LOCK, Publications
from facet.publish.repo import Target
from tests.publish.preparing import written


def test_a_run_deleted_while_it_is_published_does_not_come_back(workspace):
    run = workspace.create(LOCAL, "runs", "doomed")

    def fill(folder):
        shutil.rmtree(run)
        return folder

    with pytest.raises(FacetError):
        Publications().now(run, fill, Target("ann/doomed"), "no token")
    assert workspace.all(LOCAL, "runs") == []
    assert not (run / "about.json").exists() and not (run / "publication.json").exists()


def test_an_impossible_name_leaves_no_trace(workspace):
    run = workspace.create(LOCAL, "runs", "mine")
    with pytest.raises(SettingError):
        Publications().begin(run, lambda folder: folder, Target("a b"), "no token")
    assert Publications().newest(run) is None


def test_after_the_app_was_closed_in_the_middle_it_says_so(workspace):
    run = workspace.create(LOCAL, "runs", "mine")
    lock = Publications()._claim(run, Target("ann/mine"))
    assert Publications().newest(run).stage == "working"
    lock.release()
    assert Publications().newest(run).stage == "interrupted"


def test_a_full_disk_leaves_nothing_that_is_published_for_ever(workspace, monkeypatch):
    run = workspace.create(LOCAL, "runs", "mine")

    def full(file, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("facet.publish.publications.write_json", full)
        with pytest.raises(OSError, match="No space left"):
            Publications().begin(run, lambda folder: folder, Target("ann/mine"), "no token")

    def fill(folder):
        monkeypatch.setattr("facet.publish.publications.write_json", full)
        return folder

    with pytest.raises(OSError, match="No space left"):
        Publications().now(run, fill, Target("ann/mine"), "no token")
    assert not is_held(run / LOCK)


def test_a_disk_that_fills_up_while_files_are_made_ready_is_said_as_such(workspace):
    run = workspace.create(LOCAL, "runs", "mine")

    def fill(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CapacityError, match="disk is full"):
        Publications().now(run, fill, Target("ann/mine"), "no token")
    assert Publications().newest(run).stage == "failed"


def test_a_dataset_is_published_in_the_background_and_the_page_can_follow(stand_in, sums, tmp_path, workspace):
    dataset = workspace.create(LOCAL, "datasets", "sums")
    shutil.copytree(sums, dataset, dirs_exist_ok=True, ignore=shutil.ignore_patterns("about.json"))
    publications, token = Publications(stand_in.url, "dataset"), stand_in.token("ann", scopes=["contribute-repos"])
    seen = []

    def fill(folder):
        seen.append(publications.newest(dataset).stage)
        with pytest.raises(SettingError, match="This dataset is being published already"):
            publications.begin(dataset, fill, Target("ann/sums"), token)
        return written(dataset, folder)

    done = publications.now(dataset, fill, Target("ann/sums", private=False), token)
    assert (seen, done.stage, done.url, done.share) == (["working"], "done", f"{stand_in.url}/datasets/ann/sums", 1.0)
    assert [entry["repo"] for entry in publications.all(dataset)] == ["ann/sums"]
    assert publications.newest(dataset) == done and not (dataset / "publishing").exists()
    assert token not in "".join(file.read_text() for file in dataset.glob("*.json"))


def test_a_prepared_dataset_needs_no_more_than_its_folder(stand_in, sums, workspace):
    dataset = workspace.create(LOCAL, "datasets", "sums")
    shutil.copytree(sums, dataset, dirs_exist_ok=True, ignore=shutil.ignore_patterns("about.json"))
    publications, token = Publications(stand_in.url), stand_in.token("ann", scopes=["contribute-repos"])
    done = publications.data_now(dataset, Target("ann/sums", tag="next"), token, "mit", ("en",))
    card = stand_in.repos["dataset", "ann/sums"].files["README.md"].decode()
    assert done.tag == "v1" and "license: mit" in card and "- en" in card and "# sums" in card
    publications.begin_data(dataset, Target("ann/sums", private=False), token, "mit", ("en",))
    while publications.newest(dataset).stage == "working":
        time.sleep(0.02)
    assert publications.newest(dataset).public and publications.newest(dataset).unchanged
    assert len(publications.all(dataset)) == 2


def test_an_impossible_name_of_a_dataset_is_told_in_its_words(workspace):
    dataset = workspace.create(LOCAL, "datasets", "mine")
    with pytest.raises(SettingError, match="A dataset on the Hub cannot be called this"):
        Publications(None, "dataset").begin(dataset, lambda folder: folder, Target("a b"), "no token")

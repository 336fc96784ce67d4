"""What lies beside a run while it is published, and what does not come back once the run is deleted."""

import shutil

import pytest

from facet.errors import FacetError, SettingError
from facet.identity import LOCAL
from facet.publish.publications import Publications
from facet.publish.repo import Target


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

"""`place` says where it computes and what is kept, the same as the page."""

import pytest

from facet.identity import LOCAL
from facet.workspace import Workspace, write_json
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.tiny


HERE = {"FACET_BUCKET": "none", "SPACE_ID": ""}


def place(folder, **environment) -> dict:
    return Terminal(folder).json("place", **HERE | environment)


def test_at_home_it_names_the_device_the_promise_and_what_is_free(tmp_path):
    said = place(tmp_path)
    assert said["device"] and said["where"] and said["home"] == str(tmp_path / "home")
    assert said["free_gb"] > 0 and said["free_disk_gb"] > 0
    assert "on this computer" in said["keeps"] and (said["bucket"], said["last_copied"]) == (None, None)


def test_on_a_space_without_a_bucket_it_says_how_long(tmp_path):
    assert "until this Space restarts" in place(tmp_path, SPACE_ID="ann/facet")["keeps"]


def test_it_knows_what_another_process_copied_and_what_a_command_left_behind(tmp_path):
    (tmp_path / "bucket").mkdir()
    bucket = str(tmp_path / "bucket")
    (tmp_path / "home").mkdir()
    folder = Workspace(tmp_path / "home").create(LOCAL, "datasets", "data")
    write_json(folder / "dataset.json", {"name": "data"})
    done = Terminal(tmp_path).apart("conduct", **HERE | {"FACET_BUCKET": bucket})
    assert done.returncode == 0, done.stderr
    said = place(tmp_path, FACET_BUCKET=bucket)
    assert said["bucket"] == bucket and said["last_copied"].endswith("Z") and said["keeps_fine"]
    assert list((tmp_path / "bucket" / "facet" / "tenants" / "local" / "datasets").glob("*/*.json"))


def test_a_bucket_that_is_not_there_is_said_after_the_work_and_stops_nothing(tmp_path):
    missing = str(tmp_path / "no bucket")
    assert Terminal(tmp_path)("conduct", **HERE | {"FACET_BUCKET": missing}).returncode == 0
    said = place(tmp_path, FACET_BUCKET=missing)
    assert not said["keeps_fine"] and "it is not there" in said["keeps"]

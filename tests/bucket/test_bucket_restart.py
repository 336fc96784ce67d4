"""A Space restarts in the middle of a training: everything on it is lost but its bucket, and the result is the same."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from facet.bucket.catalogue import Catalogue
from facet.bucket.manifest import Address
from facet.bucket.mount import Bucket
from facet.compute.child import PACKAGE_ROOT
from facet.identity import LOCAL
from facet.work.task import Task
from facet.workspace import read_json
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run

pytestmark = [pytest.mark.faults, pytest.mark.tiny, pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")]
STEPS = 60
A_FACET = """
import time
from facet.studio import Studio

studio = Studio.from_environment()
studio.copies.every = 0.2  # what a Space does every ten seconds, for a run that takes so long
studio.open()
while studio.conductor.has_work():
    time.sleep(0.2)
studio.close()
"""


def a_facet(home: Path, bucket: Path) -> subprocess.Popen:
    environment = os.environ | {"FACET_HOME": str(home), "FACET_BUCKET": str(bucket), "PYTHONPATH": PACKAGE_ROOT}
    return subprocess.Popen([sys.executable, "-c", A_FACET], env=environment)


def save_points_on(bucket: Path, task: Task) -> set[int]:
    catalogue = Catalogue(Bucket(bucket))
    catalogue.look()
    newest = catalogue.newest(Address(task.owner, "runs", task.id))
    return {int(name.split("/")[1]) for name in newest.files if "checkpoints/" in name} if newest else set()


def until(reached, seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.1)


def kill_everything(app: subprocess.Popen, task: Task) -> None:
    worker = psutil.Process(read_json(task.folder / "worker.json")["pid"])
    app.kill()
    worker.send_signal(signal.SIGKILL)
    app.wait()
    psutil.wait_procs([worker], timeout=10)


def test_a_run_whose_space_restarted_twice_ends_with_the_adapter_of_one_nobody_touched(tmp_path):
    untouched = a_studio(tmp_path / "untouched")
    left_alone = queued_run(untouched, prepared_example(untouched), max_steps=STEPS, max_length=40)
    list(untouched.backend.advance(left_alone))
    assert progress(left_alone).stage == "finished", progress(left_alone).failure

    home, bucket = tmp_path / "home", tmp_path / "bucket"
    bucket.mkdir()
    studio = a_studio(home)
    task = queued_run(studio, prepared_example(studio), max_steps=STEPS, max_length=40)
    reached = 0
    for _ in range(2):
        app = a_facet(home, bucket)
        until(lambda: max(save_points_on(bucket, task), default=0) > reached)  # noqa: B023
        kill_everything(app, task)
        reached = max(save_points_on(bucket, task))
        shutil.rmtree(home)
    assert 0 < reached < STEPS, "the fault must have come in the middle"
    a_facet(home, bucket).wait(timeout=240)

    assert progress(task).stage == "finished", progress(task).failure
    assert curve(task) == curve(left_alone)
    assert progress(task).outputs["adapter_sha256"] == progress(left_alone).outputs["adapter_sha256"]
    assert len(a_studio(home).datasets(LOCAL)) == 1
    assert progress(task).notes == progress(left_alone).notes != (), "what was said about the data is said once"

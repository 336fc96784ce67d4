"""A Space that is told to end copies what is new before it does."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from facet.compute.child import PACKAGE_ROOT
from facet.identity import LOCAL
from tests.bucket.bucket_folders import Place, contents, dataset

pytestmark = [pytest.mark.faults, pytest.mark.page, pytest.mark.skipif(os.name == "nt", reason="no SIGTERM")]


def test_told_to_end_it_copies_what_is_new(tmp_path):
    place = Place(tmp_path)
    data = dataset(place.workspace, LOCAL)
    environment = os.environ | {
        "FACET_HOME": str(place.home),
        "FACET_BUCKET": str(place.mount),
        "PYTHONPATH": PACKAGE_ROOT,
        "GRADIO_SERVER_PORT": str(a_free_port()),
    }
    app = subprocess.Popen(
        [sys.executable, "app.py"], cwd=PACKAGE_ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        for line in app.stdout:
            if "Running on" in line:
                break
        until(lambda: place.manifests(data))
        later = dataset(place.workspace, LOCAL)
        app.send_signal(signal.SIGTERM)
        assert app.wait(timeout=60) == 0
    finally:
        app.kill()
        app.stdout.close()
    before = contents(later)
    place.come_back()
    assert contents(later) == before


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(reached, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)

import time
from types import SimpleNamespace

import pytest
from huggingface_hub import constants

from tests.hub.running import as_new
from tests.hub_stand_in import StandInHub
from tests.publish.preparing import DataPresser, prepared, written
from tests.publish.publishing import EXPORTED, NEVER, Presser, write


@pytest.fixture(scope="session")
def running_stand_in():
    with StandInHub() as hub:
        yield hub


@pytest.fixture
def stand_in(running_stand_in, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the stand-in does not speak it
    clock = SimpleNamespace(sleep=lambda _: None, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr("huggingface_hub.utils._http.time", clock)  # the client waits by itself between two uploads
    with as_new(running_stand_in) as hub:
        hub.person("ann", orgs={"poets": "write", "readers": "read"})
        yield hub


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "exported", EXPORTED | NEVER)


@pytest.fixture
def ann(stand_in, folder):
    return Presser(stand_in, folder)


@pytest.fixture(scope="session")
def sums(tmp_path_factory):
    """A prepared dataset folder; nothing changes it."""
    return prepared(tmp_path_factory.mktemp("sums"), source=None)


@pytest.fixture
def data_ann(stand_in, sums, tmp_path):
    return DataPresser(stand_in, written(sums, tmp_path / "written"))

import pytest

from facet.hub.hub import Hub
from tests.hub.running import as_new
from tests.hub_stand_in import StandInHub


@pytest.fixture(scope="session")
def running_stand_in():
    with StandInHub() as hub:
        yield hub


@pytest.fixture
def stand_in(running_stand_in, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with as_new(running_stand_in) as hub:
        yield hub


@pytest.fixture
def hub(stand_in, tmp_path):
    return Hub(tmp_path / "cache", endpoint=stand_in.url)

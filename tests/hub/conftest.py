import pytest

from facet.hub.hub import Hub
from tests.hub_stand_in import StandInHub


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with StandInHub() as hub:
        yield hub


@pytest.fixture
def hub(stand_in, tmp_path):
    return Hub(tmp_path / "cache", endpoint=stand_in.url)

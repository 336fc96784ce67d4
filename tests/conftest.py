"""Every test has a Facet of its own in a temporary folder; nothing is shared and nothing needs to be patched."""

import os
import sys
import tempfile
from pathlib import Path

# Before anything of Hugging Face is imported: a login, a cache and a Hub that are not this computer's own. Tests that
# need a Hub start the stand-in; everything else must not find one.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="facet-tests-hf-")
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
os.environ.pop("HF_TOKEN", None)
os.environ["FACET_WARM"] = "0"  # a spare worker for every page that a test opens would cost ten seconds each

import pytest

from facet.workspace import Workspace

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("FACET_SOAK") == "1":
        return
    wait = pytest.mark.skip(reason="long: set FACET_SOAK=1 to run it")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(wait)


def _only_this_machine(event: str, arguments: tuple) -> None:
    """No test speaks to anybody but what it started itself."""
    if event == "socket.connect" and isinstance(address := arguments[1], tuple):
        host = str(address[0])
        assert host.startswith("127.") or host in ("::1", "localhost", ""), f"a test tried to reach {host}"


sys.addaudithook(_only_this_machine)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    home = tmp_path / "home"
    home.mkdir()
    return Workspace(home)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not (SHARED / "data").is_dir():
        pytest.skip("the real data sets are not beside this checkout")
    return SHARED / "data"


@pytest.fixture(scope="session")
def gemma3_tokenizer() -> Path:
    if not (SHARED / "tokenizers" / "gemma3").is_dir():
        pytest.skip("the real Gemma 3 tokenizer is not beside this checkout")
    return SHARED / "tokenizers" / "gemma3"

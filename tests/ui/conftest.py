"""One page for all tests of this folder: built once, served once, on a workspace of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import pytest

from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.limits import Limits
from facet.ui.page import build, free_port, launch
from facet.workspace import Workspace


@dataclass(frozen=True)
class Served:
    studio: Studio
    page: gr.Blocks
    url: str
    port: int


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    home: Path = tmp_path_factory.mktemp("facet") / "home"
    home.mkdir()
    return Studio(Workspace(home))


@pytest.fixture(scope="session")
def page(studio: Studio) -> gr.Blocks:
    return build(studio)


@pytest.fixture(scope="session")
def served(studio: Studio) -> Iterator[Served]:
    port = free_port(47_860)
    page = launch(studio, port, Gate(limits=Limits(10_000, 100_000)), prevent_thread_lock=True, quiet=True)
    yield Served(studio, page, f"http://127.0.0.1:{port}", port)
    page.close(verbose=False)

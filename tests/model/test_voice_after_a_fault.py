"""One person's broken model does not change what another hears."""

from pathlib import Path

import pytest

from facet.model.speak import Decoding
from facet.model.voice import Voice
from facet.starter import FOLDER
from tests.journeys import a_studio, prepared_example, queued_run

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> Path:
    studio = a_studio(tmp_path_factory.mktemp("voice") / "home")
    task = queued_run(studio, prepared_example(studio))
    list(studio.backend.advance(task))
    return task.folder / "adapter"


def said(voice: Voice, adapter: Path) -> str:
    import threading

    turn = [{"role": "user", "content": "What is the capital of Peru?"}]
    request = {
        "base": str(FOLDER),
        "adapter": str(adapter),
        "messages": {"tuned": turn},
        "decoding": Decoding(0.0, max_new_tokens=24).as_dict(),
    }
    return [piece for piece in voice.speak(request, threading.Event()) if "text" in piece][-1]["text"]


@pytest.mark.parametrize("spoil", ["missing", "truncated"])
def test_after_a_model_that_cannot_be_loaded_the_next_one_speaks_as_before(adapter, tmp_path, spoil):
    voice = Voice()
    before = said(voice, adapter)
    (tmp_path / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    if spoil == "truncated":
        weights = (adapter / "adapter_model.safetensors").read_bytes()
        (tmp_path / "adapter_model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(Exception):  # noqa: B017 - whatever the libraries raise for a spoiled file
        said(voice, tmp_path)
    assert said(voice, adapter) == before

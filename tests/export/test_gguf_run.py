"""A finished run as one GGUF file: from the studio, and from the command line."""

import json

import numpy as np
import pytest
from gguf import GGUFReader

from facet import starter
from facet.cli import main
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.studio import Studio
from tests.export.gguf_models import loaded, log_probabilities, some_tokens
from tests.export.llama_cpp import LlamaCpp
from tests.journeys import a_studio, prepared_example, queued_run

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("gguf") / "home")
    task = queued_run(studio, prepared_example(studio), max_steps=1)
    list(studio.backend.advance(task))
    return studio, task


def test_the_file_is_the_tuned_model(lab, tmp_path):
    studio, task = lab
    file = studio.export_gguf(LOCAL, task.id, tmp_path / "mine.gguf", "f32")

    tokens = some_tokens(30, 4096)
    expected = log_probabilities(loaded(starter.FOLDER, task.folder / "adapter"), tokens)
    assert np.abs(expected - LlamaCpp(file).log_probabilities(tokens, 4096)).max() < 0.01
    fields = GGUFReader(file).fields
    assert fields["general.name"].contents() == studio.runs_shelf.card(LOCAL, task.id).name
    assert fields["general.license"].contents()
    assert str(studio.workspace.home).encode() not in file.read_bytes()


def test_a_name_in_use_is_left_alone(lab, tmp_path):
    studio, task = lab
    (tmp_path / "mine.gguf").write_bytes(b"before")
    with pytest.raises(SettingError, match="already something called"):
        studio.export_gguf(LOCAL, task.id, tmp_path / "mine.gguf")
    assert (tmp_path / "mine.gguf").read_bytes() == b"before"


def test_the_command_writes_the_same_file(lab, tmp_path, monkeypatch, capsys):
    studio, task = lab
    monkeypatch.setattr(Studio, "from_environment", lambda: studio)
    assert main.main(["export", task.id, "--gguf", str(tmp_path / "mine.gguf"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    studio.export_gguf(LOCAL, task.id, tmp_path / "again.gguf", "q8_0")

    assert answer["bytes"] == (tmp_path / "mine.gguf").stat().st_size
    assert (tmp_path / "again.gguf").read_bytes() == (tmp_path / "mine.gguf").read_bytes()


@pytest.mark.parametrize("words", [["--gguf", "a", "--to", "b"], ["--gguf", "a", "--precision", "q4_k"], []])
def test_contradictory_words_are_a_wrong_command(words):
    with pytest.raises(SystemExit) as caught:
        main.main(["export", "run", *words])
    assert caught.value.code == 2

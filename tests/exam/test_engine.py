"""Tests and batches through another engine: the same answers, the engine on record, and never two of them mixed."""

from importlib.util import find_spec
from unittest.mock import Mock

import pytest

from facet.exam import engine as chosen
from facet.exam.exams import Options
from facet.identity import LOCAL
from facet.model import batch, engines
from facet.model.batch import generate
from facet.model.decoding import LLAMA_CPP, TRANSFORMERS, Decoding
from facet.model.engine import Refused
from facet.work import worker
from facet.work.task import Task
from tests.exam.small_bank import small_bank, trained
from tests.journeys import a_studio, progress

pytestmark = pytest.mark.tiny
SHORT = 40  # tokens: some questions of the bank have more
needs_llama = pytest.mark.skipif(find_spec("xllamacpp") is None, reason="llama.cpp is not installed")


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return a_studio(tmp_path_factory.mktemp("engine") / "home")


@pytest.fixture(scope="module")
def bank(studio):
    return small_bank(studio)


@pytest.fixture(scope="module")
def run(studio, bank):
    return trained(studio, bank, max_steps=8)


def done(studio, task_id: str) -> Task:
    task = Task(studio.workspace.find(LOCAL, "exams", task_id))
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished"
    return task


def notes(task: Task) -> str:
    return (task.folder / "events.jsonl").read_text("utf-8")


@needs_llama
def test_a_batch_through_llama_cpp_has_the_same_answers_and_says_who_gave_them(studio, bank, run):
    rows = {}
    for name in (TRANSFORMERS, LLAMA_CPP):
        how = Decoding(max_new_tokens=12, engine=name)
        task = done(studio, studio.start_batch(LOCAL, ["starter", run.id], dataset_id=bank, decoding=how))
        rows[name] = [row.answers for row in studio.batch_rows(LOCAL, task.id)[0]]
        decided = chosen.known(task.folder)
        assert (decided.name if decided else TRANSFORMERS) == name and not (task.folder / "engine").exists()
    assert rows[LLAMA_CPP] == rows[TRANSFORMERS] and "held to transformers for every model" in notes(task)


@needs_llama
def test_questions_that_are_too_long_for_the_engine_are_answered_all_the_same_and_it_is_said(studio, bank, monkeypatch):
    counting = Mock(wraps=generate)
    monkeypatch.setattr(engines, "MOST_CONTEXT", SHORT + 24)
    monkeypatch.setattr(batch, "generate", counting)
    rows = {}
    for name in (TRANSFORMERS, LLAMA_CPP):
        how = Decoding(max_new_tokens=24, engine=name)
        task = done(studio, studio.start_batch(LOCAL, ["starter"], dataset_id=bank, decoding=how))
        rows[name] = [row.answers for row in studio.batch_rows(LOCAL, task.id)[0]]
    assert rows[LLAMA_CPP] == rows[TRANSFORMERS]
    assert f"more than {SHORT} tokens are answered by transformers" in chosen.known(task.folder).words
    assert 0 < len(counting.call_args.args[2]) < len(rows[LLAMA_CPP])


@needs_llama
def test_a_test_keeps_its_engine_in_the_outcome_and_only_its_own_answers_are_used_again(studio, bank):
    def tested(name: str) -> Task:
        options = Options(general=False, engine=name)
        return done(studio, studio.compare(LOCAL, bank, ["starter"], ("exam",), options))

    plain, first, again = tested("automatic"), tested(LLAMA_CPP), tested(LLAMA_CPP)
    found = {task.id: studio.outcome(LOCAL, task.id) for task in (plain, first, again)}
    assert [found[task.id].engine for task in (plain, first, again)] == [TRANSFORMERS, LLAMA_CPP, LLAMA_CPP]
    assert found[first.id].parts == found[plain.id].parts
    assert not list(first.folder.glob("reused/*")) and list(again.folder.glob("reused/*"))
    assert any("llama.cpp computed the answers" in note for note in found[first.id].notes)


def test_one_model_that_fails_means_transformers_for_all_and_the_answers_are_nobody_elses(
    studio, bank, run, monkeypatch
):
    def get(self, name, company, member, *_):
        if member:
            raise Refused(name, "it gave other words than transformers in 1 of 4 trials")
        return None

    monkeypatch.setattr(engines.Engines, "get", get)
    options = Options(general=False, most=3, engine=LLAMA_CPP)

    def tested() -> Task:
        exam_id = studio.compare(LOCAL, bank, ["starter", run.id], ("validation",), options)
        return Task(studio.workspace.find(LOCAL, "exams", exam_id))

    task = tested()
    worker.advance(task, studio.workspace.models)
    found = studio.outcome(LOCAL, task.id)
    assert found.engine == TRANSFORMERS and "1 of 4 trials" in notes(task)
    assert any("transformers answers instead" in note for note in found.notes)
    assert not list(tested().folder.glob("reused/*"))  # what transformers said does not count as llama.cpp's

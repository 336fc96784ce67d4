"""Lengths and labels as the charts show them."""

import pytest

from facet.dataset import statistics as module
from facet.dataset.render import Renderer
from facet.dataset.statistics import statistics
from facet.dataset.tokens import measure
from tests.dataset import toy
from tests.doctor import clean, dirty
from tests.doctor.dirty import asked, numbered

ROWS = [asked(f"hello {at}?", "the sea " * at + "bye") for at in range(1, 201)]


@pytest.fixture
def model(tmp_path):
    return str(toy.save_model(tmp_path / "model"))


@pytest.fixture
def folder(tmp_path):
    return dirty.write({"train": numbered(ROWS), "exam": numbered(ROWS[:3], 900)}, tmp_path / "made")


@pytest.mark.parametrize("max_length", [None, 120])
def test_the_numbers_are_those_of_the_token_preview(folder, model, tmp_path, max_length):
    found = statistics(str(folder), model, max_length)
    shown = measure(Renderer.load(tmp_path / "model"), folder / "train.parquet", max_length)
    assert {name: found[name] for name in shown} == shown
    assert found["rows"] == found["of"] == 200
    assert found["parts"] == {"train": 200, "validation": 0, "exam": 3}


def test_every_measured_example_is_in_one_bar(folder, model):
    found = statistics(str(folder), model)
    edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
    assert len(edges) == len(counts) + 1
    assert sum(counts) == found["rows"]
    assert edges == sorted(set(edges)) and edges[0] == 0 and edges[-1] > found["longest"]


def test_one_very_long_example_does_not_flatten_the_bars(tmp_path, model):
    rows = [asked("hello?", "bye " * (1 + at % 20)) for at in range(300)] + [asked("hello?", "the sea " * 9_000)]
    found = statistics(str(dirty.write({"train": numbered(rows)}, tmp_path / "made")), model)
    assert sum(found["histogram"]["counts"]) == 301
    assert sum(count > 0 for count in found["histogram"]["counts"]) > 5


def test_what_is_lost_by_cutting_is_counted(folder, model):
    found = statistics(str(folder), model, max_length=8)
    assert found["cut_rows"] > 190
    assert 0 < found["nothing_left"] <= found["cut_rows"]
    assert found["longest"] == statistics(str(folder), model)["longest"]


def test_of_very_many_examples_evenly_spread_ones_are_measured(folder, model, monkeypatch):
    monkeypatch.setattr(module, "MEASURED_ROWS", 50)
    found = statistics(str(folder), model)
    assert (found["rows"], found["of"]) == (50, 200)
    monkeypatch.undo()
    whole = statistics(str(folder), model)
    assert abs(found["p50"] - whole["p50"]) < 0.05 * whole["longest"]


def test_labels_are_counted_where_answers_are_labels(tmp_path, model):
    rows = [asked(row["question"], "yes" if at % 4 else "no") for at, row in enumerate(clean.rows(100))]
    found = statistics(str(dirty.write({"train": numbered(rows)}, tmp_path / "labels")), model)
    assert found["labels"] == {"yes": 75, "no": 25}
    assert list(found["labels"]) == ["yes", "no"]


def test_whole_sentences_are_no_labels(folder, model):
    assert statistics(str(folder), model)["labels"] is None


def test_at_most_thirty_labels_are_listed(tmp_path, model):
    rows = [asked(row["question"], f"label {at % 50}") for at, row in enumerate(clean.rows(500))]
    found = statistics(str(dirty.write({"train": numbered(rows)}, tmp_path / "labels")), model)
    assert len(found["labels"]) == 30


@pytest.mark.parametrize("kind", ["text", "preference", "prompt_only"])
def test_other_types_have_lengths_too(tmp_path, model, kind):
    turn = {"role": "user", "content": "hello"}
    answer = [{"role": "assistant", "content": "bye"}]
    example = {
        "text": {"messages": [], "text": "the sea " * 40},
        "preference": {"messages": [turn], "chosen": answer, "rejected": answer},
        "prompt_only": {"messages": [turn]},
    }[kind]
    extras = [name for name in example if name != "messages"]
    found = statistics(str(dirty.write({"train": numbered([example] * 12)}, tmp_path / "made", extras)), model, 20)
    assert found["rows"] == 12 and found["longest"] > 0
    assert found["labels"] is None

"""What is shown of the tokens, and the gate before training."""

import pytest

from facet.dataset import limited
from facet.dataset.check import gate
from facet.dataset.tokens import tokens
from facet.errors import DataError
from tests.dataset import toy

ROWS = "question,answer\n" + "".join(f"hello {n}?,{'the sea ' * n}bye\n" for n in range(1, 31))


@pytest.fixture
def model(tmp_path):
    return toy.save_model(tmp_path / "model")


def test_examples_are_shown_as_coloured_pieces(make, model):
    made = make(ROWS, test_size=0)
    shown = tokens(str(made.folder), str(model), index=2, count=3)["examples"]
    assert [example["row"] for example in shown] == [3, 4, 5]
    text = "".join(piece[0] for piece in shown[0]["pieces"] if piece[1])
    assert text == "the sea the sea the sea bye<end_of_turn>"
    assert shown[0]["tokens"] == len(shown[0]["pieces"])
    assert shown[0]["trained"] == sum(piece[1] for piece in shown[0]["pieces"])


def test_statistics_are_of_whole_examples_and_say_what_is_cut(make, model):
    made = make(ROWS, test_size=0)
    whole = tokens(str(made.folder), str(model), count=0)["statistics"]
    assert whole["rows"] == whole["of"] == 30
    assert whole["cut_rows"] == whole["nothing_left"] == 0
    assert whole["p50"] < whole["p95"] < whole["longest"]
    cut = tokens(str(made.folder), str(model), count=0, max_length=whole["p50"])["statistics"]
    assert cut["longest"] == whole["longest"]
    assert 10 < cut["cut_rows"] < 20


def test_the_gate_lets_pass_what_can_be_learned(make, model):
    assert gate(str(make(ROWS, test_size=0).folder), str(model), 512)["nothing_left"] == 0


def test_the_gate_stops_training_on_nothing_with_the_numbers(make, model):
    made = make(ROWS, test_size=0)
    with pytest.raises(DataError, match="30 of 30 examples are cut off before the answer begins") as stopped:
        gate(str(made.folder), str(model), 4)
    assert "“Longest example”" in stopped.value.next


def test_a_dataset_that_was_never_finished_is_said_to_be_so(tmp_path, model):
    with pytest.raises(DataError, match="not complete"):
        tokens(str(tmp_path), str(model))


def test_tokens_come_through_the_child(make, model):
    made = make(ROWS, test_size=0)
    here = tokens(str(made.folder), str(model), count=2, max_length=64)
    arguments = {"dataset_folder": str(made.folder), "model_folder": str(model), "count": 2, "max_length": 64}
    there = limited.call("tokens", arguments)
    assert there == here


@pytest.mark.tiny
def test_the_real_tokenizer_fits_into_the_child(make, gemma3):
    made = make(ROWS, test_size=0)
    there = limited.call("tokens", {"dataset_folder": str(made.folder), "model_folder": str(gemma3), "count": 2})
    assert there["statistics"]["rows"] == 30

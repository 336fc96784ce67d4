"""Answers of weight 0, as OpenAI's files for tuning have them: the model reads them and does not learn them."""

import json

import pyarrow as pa
import pytest

from facet.dataset.check import gate
from facet.dataset.columns import Converter, Mapping
from facet.dataset.problem import RowProblem
from facet.dataset.render import Renderer
from facet.dataset.store import examples, extras_of, whole_examples
from facet.errors import DataError
from facet.model.tokens import IGNORED, Lesson, write_tokens
from tests.dataset import toy

CHAT = Mapping(kind="messages", messages="messages")
TALK = [
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "bye", "weight": 0},
    {"role": "user", "content": "who"},
    {"role": "assistant", "content": "I", "weight": 1},
]


@pytest.fixture
def model(tmp_path):
    return toy.save_model(tmp_path / "model")


@pytest.fixture
def renderer(model):
    return Renderer.load(model)


def learned(renderer, rendered) -> str:
    ids = [each for each, trained in zip(rendered.ids, rendered.trained, strict=True) if trained]
    return renderer.tokenizer.decode(ids, skip_special_tokens=False)


def test_a_weight_of_0_is_kept_and_one_of_1_is_what_every_answer_has():
    made = Converter(CHAT).convert({"messages": TALK}, set())["messages"]
    assert [turn.get("weight") for turn in made] == [None, 0, None, None]


@pytest.mark.parametrize("weight", [0, 0.0, False])
def test_nothing_is_learned_of_an_answer_of_weight_0(renderer, weight):
    turns = [{**turn, "weight": weight} if turn["content"] == "bye" else turn for turn in TALK]
    made = Converter(CHAT).convert({"messages": turns}, set())["messages"]
    rendered = renderer.render(made)
    assert learned(renderer, rendered) == "I<end_of_turn>"
    assert rendered.ids == renderer.render([{k: v for k, v in turn.items() if k != "weight"} for turn in TALK]).ids


@pytest.mark.parametrize("weight", [2, 0.5, -1, "0", [0], float("nan")])
def test_any_other_weight_leaves_the_row_out(weight):
    turns = [TALK[0], {**TALK[1], "weight": weight}]
    with pytest.raises(RowProblem, match="neither 0 nor 1"):
        Converter(CHAT).convert({"messages": turns}, set())


def test_the_weight_of_a_question_means_nothing():
    made = Converter(CHAT).convert({"messages": [{**TALK[0], "weight": 1}, TALK[3]]}, set())["messages"]
    assert made[0] == {"role": "user", "content": "hello"}


def test_two_answers_in_a_row_of_which_one_is_not_to_be_learned_are_not_learned():
    for first, second in ((0, 1), (1, 0), (0, 0)):
        answers = [{**TALK[1], "weight": first}, {**TALK[1], "weight": second}]
        made = Converter(CHAT).convert({"messages": [TALK[0], *answers]}, set())["messages"]
        assert (made[1]["content"], made[1].get("weight")) == ("bye\n\nbye", 0)


def test_weights_go_from_the_file_into_the_labels_of_training(make, tmp_path, renderer):
    rows = "".join(
        json.dumps({"messages": [{**turn, "content": f"{turn['content']} {n}"} for turn in TALK]}) + "\n"
        for n in range(30)
    )
    made = make(rows, "a.jsonl", test_size=0)
    part = made.folder / "train.parquet"
    assert "weight" in extras_of(part)
    counts = write_tokens(part, tmp_path / "train.arrow", renderer, Lesson())
    assert counts.rows == 30
    with pa.ipc.open_stream(tmp_path / "train.arrow") as stream:
        labels = stream.read_all().column("labels").to_pylist()
    taught = [
        renderer.tokenizer.decode([each for each in row if each != IGNORED], skip_special_tokens=False)
        for row in labels
    ]
    assert sorted(taught) == sorted(f"I {n}<end_of_turn>" for n in range(30))


def test_what_reads_only_turns_reads_weighted_ones_as_well(make):
    made = make(f"{json.dumps({'messages': TALK})}\n" * 2, "a.jsonl", test_size=0)
    part = made.folder / "train.parquet"
    assert [turns for _, turns in examples(part)] == [each["messages"] for _, each in whole_examples(part)]


def test_the_gate_stops_training_where_every_answer_has_weight_0(make, model):
    rows = f"{json.dumps({'messages': TALK[:2]})}\n" * 3
    made = make(rows, "a.jsonl", test_size=0)
    with pytest.raises(DataError, match="There is nothing to learn in these examples") as stopped:
        gate(str(made.folder), str(model), 512)
    assert "weight 0" in stopped.value.why


def test_the_gate_warns_where_some_answers_have_weight_0(make, model):
    rows = f"{json.dumps({'messages': TALK[:2]})}\n" * 3 + f"{json.dumps({'messages': TALK[2:]})}\n" * 3
    checked = gate(str(make(rows, "a.jsonl", test_size=0).folder), str(model), 512)
    assert any(warning.startswith("3 examples have no answer") for warning in checked["warnings"])

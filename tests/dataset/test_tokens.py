"""What is shown of the tokens, and the gate before training."""

import json
from typing import get_args

import pytest

from facet.dataset import limited
from facet.dataset.check import METHODS, Method, gate
from facet.dataset.tokens import tokens
from facet.errors import DataError, SettingError
from tests.dataset import toy, toy_tools

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


# --- one dataset of each type
PIECES = {
    "conversation": {"question": "hello {n}", "answer": "bye"},
    "preference": {"prompt": "hello {n}", "chosen": "the sea", "rejected": "no"},
    "unpaired_preference": {"prompt": "hello {n}", "completion": "bye", "label": True},
    "prompt_only": {"prompt": "hello {n}"},
    "text": {"text": "the sea and nothing else " * 20 + "{n}"},
}


def rows_of(kind: str, count: int = 30) -> str:
    return "".join(json.dumps(PIECES[kind]).replace("{n}", str(n)) + "\n" for n in range(count))


@pytest.fixture
def made_of(make):
    return lambda kind, count=30: make(rows_of(kind, count), "a.jsonl", test_size=0)


def words_of(example, trained=None) -> str:
    return "".join(piece[0] for piece in example["pieces"] if trained in (None, piece[1]))


def test_both_answers_of_a_pair_are_shown_behind_their_question(made_of, model):
    shown = tokens(str(made_of("preference").folder), str(model), count=1)["examples"]
    assert [(each["row"], each["title"]) for each in shown] == [(1, "Better answer"), (1, "Worse answer")]
    assert [words_of(each, True) for each in shown] == ["the sea<end_of_turn>", "no<end_of_turn>"]
    assert all("hello 0" in words_of(each, False) for each in shown)


def test_a_praised_answer_is_said_to_be_praised(made_of, model):
    assert tokens(str(made_of("unpaired_preference").folder), str(model), count=1)["examples"][0]["title"] == (
        "Praised answer"
    )


def test_a_question_alone_is_shown_as_the_model_reads_it_before_it_answers(made_of, model):
    shown = tokens(str(made_of("prompt_only").folder), str(model), count=1)["examples"][0]
    assert (shown["title"], shown["trained"]) == ("Question", 0)
    assert words_of(shown).endswith("hello 0<end_of_turn>\n<start_of_turn>model\n")


def test_raw_text_is_learned_whole_in_parts(made_of, model):
    folder = str(made_of("text").folder)
    whole = tokens(folder, str(model), count=1)["examples"]
    parts = tokens(folder, str(model), count=1, max_length=40)["examples"]
    assert [each["title"] for each in whole] == ["Text"]
    assert parts[0]["title"].startswith("Part 1 of ")
    assert all(each["trained"] == each["tokens"] for each in (*whole, *parts))
    assert words_of(whole[0]).startswith("<bos>the sea")
    assert words_of(whole[0]).startswith("".join(map(words_of, parts)))


@pytest.mark.parametrize("kind", list(PIECES))
def test_every_type_is_measured(made_of, model, kind):
    measured = tokens(str(made_of(kind).folder), str(model), count=0)["statistics"]
    assert measured["rows"] == measured["of"] == 30
    assert 5 < measured["p50"] <= measured["longest"]
    assert measured["nothing_left"] == 0
    assert (measured["trained"] > 0) == (kind != "prompt_only")


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("kind", list(PIECES))
def test_the_gate_lets_each_method_have_the_types_it_learns_from_and_no_others(made_of, model, kind, method):
    folder = str(made_of(kind).folder)
    if kind in METHODS[method]:
        assert gate(folder, str(model), 512, method)["type"] == kind
        return
    with pytest.raises(DataError, match="This way of training needs") as stopped:
        gate(folder, str(model), 512, method)
    assert len(stopped.value.args) == 3


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("preference", "tick “Learn only the better answers”"),
        ("unpaired_preference", "choose a question and its answer"),
        ("prompt_only", "“Shape of your data” that has answers"),
        ("text", "that has questions and answers"),
    ],
)
def test_the_gate_says_how_to_make_answers_to_learn_of_another_type(made_of, model, kind, words):
    with pytest.raises(DataError) as stopped:
        gate(str(made_of(kind).folder), str(model), 512)
    assert words in stopped.value.next


def test_the_gate_knows_no_other_methods(made_of, model):
    with pytest.raises(SettingError, match="not known"):
        gate(str(made_of("text").folder), str(model), 512, "magic")


def test_the_gate_stops_at_questions_that_are_too_long_for_the_model(made_of, model):
    with pytest.raises(DataError, match="30 of 30 examples are longer than the model may read"):
        gate(str(made_of("prompt_only").folder), str(model), 4, "grpo")


def test_the_gate_warns_of_few_examples_and_lets_them_pass(made_of, model):
    warnings = gate(str(made_of("conversation", 5).folder), str(model), 512)["warnings"]
    assert warnings == ["There are only 5 examples to learn from; at least 20 are better."]
    assert gate(str(made_of("conversation").folder), str(model), 512)["warnings"] == []


def test_the_gate_stops_at_tools_that_the_model_has_no_place_for(make, model, tmp_path):
    row = {"messages": toy.conversations(1, 1)[0], "tools": [{"name": "wave", "description": "x", "parameters": {}}]}
    folder = str(make(f"{json.dumps(row)}\n" * 3, "a.jsonl", test_size=0).folder)
    with pytest.raises(DataError, match="cannot be taught to use tools"):
        gate(folder, str(model), 512)
    assert gate(folder, str(toy_tools.save_model(tmp_path / "other")), 512)["rows"] == 3


def test_the_gate_stops_at_pictures_that_would_not_be_seen(make, model, tmp_path):
    images = tmp_path / "pictures"
    images.mkdir()
    (images / "cat.png").write_bytes(b"a picture")
    row = {"image": {"image": "cat.png"}, "question": "hello", "answer": "bye"}
    folder = str(make(f"{json.dumps(row)}\n" * 3, "a.jsonl", test_size=0, images=str(images)).folder)
    with pytest.raises(DataError, match="This model reads no pictures"):
        gate(folder, str(model), 512)
    (model / "config.json").write_text('{"vision_config": {}}')
    with pytest.raises(DataError, match="does not learn from pictures"):
        gate(folder, str(model), 512)


def test_the_gate_goes_through_the_child(made_of, model):
    arguments = {"dataset_folder": str(made_of("preference").folder), "model_folder": str(model), "max_length": 512}
    assert limited.call("gate", {**arguments, "method": "dpo"})["type"] == "preference"
    with pytest.raises(DataError, match="This way of training needs questions and answers to learn"):
        limited.call("gate", arguments)


@pytest.mark.tiny
def test_the_real_tokenizer_fits_into_the_child(make, gemma3):
    made = make(ROWS, test_size=0)
    there = limited.call("tokens", {"dataset_folder": str(made.folder), "model_folder": str(gemma3), "count": 2})
    assert there["statistics"]["rows"] == 30

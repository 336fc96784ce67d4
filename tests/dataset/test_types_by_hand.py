# ruff: noqa: E501 - one case per line reads better than short lines
"""Columns that a person takes for something else, and rows that do not fit what they are taken for."""

import pytest

from facet.dataset.columns import Converter, Mapping, check_mapping, parse_mapping
from facet.dataset.mapping import types_of
from facet.dataset.problem import RowProblem
from facet.errors import SettingError

HI, HELLO, BYE = (
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "assistant", "content": "Bye"},
)
SYSTEM = {"role": "system", "content": "Be kind."}
ASK = {"messages": [HI]}
TALK = {"messages": [HI, HELLO]}


# --- the same columns, taken for something else by hand
OTHERWISE = [
    ("the preferred answers alone", {"kind": "preference", "type": "conversation", "user": "p", "chosen": "c", "rejected": "r"},
     {"p": "Hi", "c": "Hello", "r": "Bye"}, TALK),
    ("the preferred conversations alone", {"kind": "preference", "type": "conversation", "chosen": "c", "rejected": "r"},
     {"c": [HI, HELLO], "r": [HI, BYE]}, TALK),
    ("the praised answers alone", {"kind": "unpaired_preference", "type": "conversation", "user": "p", "assistant": "c", "label": "l"},
     {"p": "Hi", "c": "Hello", "l": "yes"}, TALK),
    ("questions and answers as questions with a reference", {"kind": "question_answer", "type": "prompt_only", "user": "q", "assistant": "a"},
     {"q": "Hi", "a": "Hello"}, {**ASK, "reference": "Hello"}),
    ("conversations as questions with a reference", {"kind": "messages", "type": "prompt_only", "messages": "m"},
     {"m": [HI, HELLO]}, {**ASK, "reference": "Hello"}),
    ("references as answers", {"kind": "prompt_only", "type": "conversation", "user": "q", "reference": "a"},
     {"q": "Hi", "a": {"ground_truth": "Hello"}}, TALK),
    ("several parts of a question", {"user": "a", "user_more": ["b", "c"], "assistant": "d"},
     {"a": "One", "b": None, "c": "Two", "d": "Hello"},
     {"messages": [{"role": "user", "content": "One\n\nTwo"}, HELLO]}),
    ("a group", {"user": "a", "assistant": "b", "group": "g"}, {"a": "Hi", "b": "Hello", "g": 7}, {**TALK, "group": "7"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "row", "example"), [case[1:] for case in OTHERWISE], ids=[case[0] for case in OTHERWISE]
)
def test_a_person_may_take_the_same_columns_for_something_else(mapping, row, example):
    chosen = parse_mapping(mapping)
    check_mapping(chosen, list(row))
    assert Converter(chosen).convert(row, set()) == example
    assert set(example) - {"messages"} <= set(chosen.extras())


@pytest.mark.parametrize(
    ("mapping", "types"),
    [
        ({"chosen": "c", "rejected": "r"}, ["preference", "conversation"]),
        ({"user": "q", "assistant": "a", "label": "l"}, ["unpaired_preference", "conversation"]),
        ({"kind": "prompt_only", "user": "q"}, ["prompt_only"]),
        ({"kind": "prompt_only", "user": "q", "reference": "a"}, ["prompt_only", "conversation"]),
        ({"kind": "question_answer", "user": "q", "assistant": "a"}, ["conversation", "prompt_only"]),
        ({"text": "t"}, ["text"]),
    ],
)
def test_every_type_that_is_offered_makes_sense_for_these_columns(mapping, types):
    chosen = Mapping(**mapping)
    assert list(types_of(chosen)) == types
    for each in types:
        check_mapping(chosen.model_copy(update={"type": each}), None)


# --- rows that do not fit
PROBLEMS = [
    ("the same answer twice", {"type": "preference", "user": "p", "chosen": "c", "rejected": "r"},
     {"p": "Hi", "c": "Hello", "r": " Hello"}, "are the same"),
    ("the same conversation twice", {"type": "preference", "chosen": "c", "rejected": "r"},
     {"c": [HI, HELLO], "r": [HI, HELLO]}, "are the same"),
    ("other questions", {"type": "preference", "chosen": "c", "rejected": "r"},
     {"c": [HI, HELLO], "r": [{**HI, "content": "Hey"}, HELLO]}, "do not begin with the same question"),
    ("one conversation and one answer", {"type": "preference", "chosen": "c", "rejected": "r"},
     {"c": [HI, HELLO], "r": "Bye"}, "do not begin with the same question"),
    ("no worse answer", {"type": "preference", "user": "p", "chosen": "c", "rejected": "r"},
     {"p": "Hi", "c": "Hello", "r": None}, "the answer is empty"),
    ("a question that is answered", {"type": "preference", "messages": "p", "chosen": "c", "rejected": "r"},
     {"p": [HI, HELLO], "c": "Hello", "r": "Bye"}, "ends in an answer"),
    ("three stars", {"type": "unpaired_preference", "user": "p", "assistant": "c", "label": "l"},
     {"p": "Hi", "c": "Hello", "l": 3}, "neither up nor down"),
    ("no thumb", {"type": "unpaired_preference", "user": "p", "assistant": "c", "label": "l"},
     {"p": "Hi", "c": "Hello", "l": None}, "the thumb is missing"),
    ("a criticised answer", {"type": "conversation", "user": "p", "assistant": "c", "label": "l"},
     {"p": "Hi", "c": "Hello", "l": -1}, "the thumb points down"),
    ("no reference", {"type": "prompt_only", "user": "p", "reference": "r"}, {"p": "Hi", "r": " "}, "right answer is empty"),
    ("only an instruction", {"type": "prompt_only", "messages": "p"}, {"p": [SYSTEM]}, "the question is empty"),
    ("empty text", {"type": "text", "text": "t"}, {"t": "\n"}, "the text is empty"),
    ("more marks than pictures", {"user": "q", "assistant": "a", "images": "i"},
     {"q": "<image> or <image>?", "a": "The first.", "i": [{"image": "a.png"}]}, "differ in number"),
    ("a picture of somewhere else", {"user": "q", "assistant": "a", "images": "i"},
     {"q": "What?", "a": "A cat.", "i": "https://example.org/a.png"}, "none that came with the file"),
    ("a picture part of somewhere else", {"messages": "m"},
     {"m": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.org/a.png"}}]}, HELLO]},
     "cannot be opened"),
    ("a picture part without a picture", {"messages": "m"},
     {"m": [{"role": "user", "content": [{"type": "image", "image": None}, "x"]}, HELLO]}, "did not come with the file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "row", "words"), [case[1:] for case in PROBLEMS], ids=[case[0] for case in PROBLEMS]
)
def test_a_row_that_does_not_fit_its_type_says_why(mapping, row, words):
    with pytest.raises(RowProblem) as problem:
        Converter(parse_mapping(mapping)).convert(row, set())
    assert words in problem.value.words


def test_pictures_inside_of_messages_are_named_in_the_order_of_their_marks():
    parts = [
        {"type": "image_url", "image_url": {"url": "a.png"}},
        {"type": "text", "text": " or "},
        {"type": "image", "image": {"image": "b.png"}},
        {"type": "input_text", "text": "?"},
    ]
    row = {"m": [{"role": "user", "content": parts}, HELLO]}
    made = Converter(Mapping(messages="m"), pictures={"a.png"}).convert(row, set())
    assert made["messages"][0]["content"] == "<image> or <image>?"
    assert made["images"] == ["a.png", "b.png"]


def test_places_of_pictures_are_filled_from_a_column_beside_the_messages():
    content = [{"type": "text", "text": "Which? "}, {"type": "image"}]
    row = {"m": [{"role": "user", "content": content}, HELLO], "images": [{"image": "a.png"}]}
    made = Converter(Mapping(messages="m", images="images")).convert(row, set())
    assert (made["messages"][0]["content"], made["images"]) == ("Which? <image>", ["a.png"])


MISSING = [
    ({"type": "preference", "user": "a", "chosen": "b"}, "worse answer"),
    ({"type": "preference", "user": "a", "rejected": "b"}, "better answer"),
    ({"type": "unpaired_preference", "user": "a", "assistant": "b"}, "thumb"),
    ({"type": "unpaired_preference", "user": "a", "label": "b"}, "answer"),
    ({"type": "prompt_only", "assistant": "a"}, "question"),
    ({"type": "text", "user": "a"}, "text"),
    ({"user_template": "{a}"}, "answer"),
]


@pytest.mark.parametrize(("mapping", "part"), MISSING)
def test_a_type_without_a_column_it_needs_is_refused_with_the_name_of_the_part(mapping, part):
    with pytest.raises(SettingError) as refused:
        check_mapping(parse_mapping(mapping), ["a", "b", "c"])
    assert refused.value.what == f"No column is chosen for the {part}."


def test_one_column_for_both_answers_of_a_pair_is_refused():
    mapping = Mapping(type="preference", user="a", chosen="b", rejected="b")
    with pytest.raises(SettingError, match="chosen twice"):
        check_mapping(mapping, ["a", "b"])


def test_columns_in_lists_are_read_by_the_outermost_one():
    mapping = Mapping(instances="p.qas", user="p.qas.q", assistant="p.qas.a", user_extra="p.context", system_column="s")
    assert sorted(mapping.columns()) == ["p", "s"]
    check_mapping(mapping, ["p", "s"])

# ruff: noqa: E501 - one case per line reads better than short lines
"""Tools: how they are declared, called and answered, in every usual form; and what of it the model learns."""

import json

import pytest

from facet.dataset.calls import calls_in, tools_in
from facet.dataset.columns import Converter, Mapping, parse_mapping
from facet.dataset.look import look
from facet.dataset.problem import RowProblem
from facet.dataset.store import whole_examples
from tests.dataset.toy_tools import ASKED, CALL, CALLED, DECLARED, TALK, TOLD, WEATHER

CHAT = Mapping(kind="messages", messages="messages", tools="tools")


def without_ids(turns):
    return json.loads(json.dumps(turns).replace('"id": "call_1"', '"id": "c1"'))


FORMS = [
    (
        "OpenAI",
        [
            ASKED,
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lima"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            TOLD,
        ],
    ),
    (
        "OpenAI before there were tools",
        [
            ASKED,
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "weather", "arguments": '{"city": "Lima"}'},
            },
            {"role": "function", "name": "weather", "content": "sunny"},
            TOLD,
        ],
    ),
    (
        "ShareGPT",
        [
            {"from": "human", "value": ASKED["content"]},
            {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Lima"}}'},
            {"from": "observation", "value": "sunny"},
            {"from": "gpt", "value": TOLD["content"]},
        ],
    ),
    (
        "calls written into the answer",
        [
            ASKED,
            {
                "role": "assistant",
                "content": '<tool_call>\n{"name": "weather", "arguments": {"city": "Lima"}}\n</tool_call>',
            },
            {"role": "tool", "content": "sunny"},
            TOLD,
        ],
    ),
    (
        "fields that a table filled with nothing",
        [
            {**ASKED, "tool_calls": None},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "function": {"name": "weather", "arguments": {"city": "Lima", "day": None}}}
                ],
            },
            {"role": "tool", "content": "sunny", "tool_calls": None, "name": None},
            {**TOLD, "tool_calls": None},
        ],
    ),
]


@pytest.mark.parametrize("messages", [case[1] for case in FORMS], ids=[case[0] for case in FORMS])
def test_calls_and_results_in_any_form_become_one(messages):
    made = Converter(CHAT).convert({"messages": messages, "tools": DECLARED}, set())
    assert without_ids(made["messages"]) == TALK
    assert json.loads(made["tools"]) == DECLARED


@pytest.mark.parametrize(
    "declared",
    [DECLARED, json.dumps(DECLARED), [WEATHER], json.dumps([WEATHER]), {"tools": DECLARED}, WEATHER, [json.dumps(WEATHER)]],
    ids=["tools", "tools as text", "functions", "functions as text", "beside messages", "one", "texts in a list"],
)  # fmt: skip
def test_declarations_in_any_form_become_one(declared):
    assert json.loads(tools_in(declared)) == DECLARED


@pytest.mark.parametrize("nothing", [None, "", [], "[]", {"tools": []}, {"messages": []}])
def test_a_row_may_declare_no_tools(nothing):
    assert tools_in(nothing) is None


@pytest.mark.parametrize(
    "broken", ["a hammer", 7, [7], [{"description": "x"}], [{"name": " "}], [{"function": {}}], "[" * 100_000]
)
def test_declarations_that_are_none_leave_the_row_out(broken):
    with pytest.raises(RowProblem, match="the list of tools"):
        tools_in(broken)


def test_declarations_nested_too_deeply_or_too_long_leave_the_row_out():
    deep: dict = {}
    for _ in range(200):
        deep = {"a": deep}
    with pytest.raises(RowProblem, match="nested too deeply"):
        tools_in([{**WEATHER, "parameters": deep}])
    with pytest.raises(RowProblem, match="more than 200,000 characters"):
        tools_in([{**WEATHER, "description": "x" * 300_000}])
    with pytest.raises(RowProblem, match="half of a character"):
        tools_in([{**WEATHER, "description": "\ud83d"}])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"name": ""}, "does not say which"),
        ({"arguments": {}}, "does not say which"),
        ("weather", "does not say which"),
        ({"name": "weather", "arguments": "Lima"}, "cannot be read"),
        ({"name": "weather", "arguments": [1]}, "cannot be read"),
        ({"name": "weather", "arguments": {"a": float("nan")}}, "not plain data"),
        ([{"name": "weather"}] * 51, "more than 50"),
    ],
)
def test_a_call_that_is_none_leaves_the_row_out(call, words):
    with pytest.raises(RowProblem, match=words):
        calls_in(call)


def test_results_of_several_calls_get_the_names_of_their_functions():
    calls = [{**CALL, "id": "1"}, {"id": "2", "function": {"name": "time", "arguments": {}}}]
    results = [
        {"role": "tool", "tool_call_id": "2", "content": "noon"},
        {"role": "tool", "tool_call_id": "1", "content": {"sky": "blue"}},
    ]
    row = {"messages": [ASKED, {"role": "assistant", "tool_calls": calls}, *results, TOLD]}
    made = Converter(CHAT).convert(row, set())["messages"]
    assert [(turn["name"], turn["content"]) for turn in made if turn["role"] == "tool"] == [
        ("time", "noon"),
        ("weather", '{"sky": "blue"}'),
    ]


def test_a_last_result_without_an_answer_is_left_out_and_the_call_is_kept():
    repairs: set[str] = set()
    made = Converter(CHAT).convert({"messages": TALK[:3]}, repairs)["messages"]
    assert made == TALK[:2]
    assert repairs == {"a last result of a tool that no answer follows was left out"}


def test_a_question_a_list_of_tools_and_calls_as_the_answer_are_known(file):
    row = {
        "query": "How is it?",
        "tools": json.dumps([WEATHER]),
        "answers": json.dumps([{"name": "weather", "arguments": {}}]),
    }
    shape = look(str(file(f"{json.dumps(row)}\n" * 12, "a.jsonl")), "a.jsonl")["shape"]
    assert (shape["mapping"]["tools"], shape["mapping"]["assistant"]) == ("tools", "answers")
    made = Converter(parse_mapping(shape["mapping"])).convert(row, set())
    assert made["messages"][-1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": {}}
    assert made["messages"][-1]["content"] == ""


def test_tools_are_kept_whole_on_disk(make):
    content = json.dumps({"messages": TALK, "tools": DECLARED})
    made = make(f"{content}\n{content.replace('Lima', 'Rome')}\n", "a.jsonl", test_size=0)
    stored = [example for _, example in whole_examples(made.folder / "train.parquet")]
    assert stored[0]["messages"] == TALK
    assert json.loads(stored[0]["tools"]) == DECLARED


def test_a_result_of_a_call_in_plain_words_is_taken_as_a_turn_of_the_person():
    repairs: set[str] = set()
    turns = [ASKED, {"role": "assistant", "content": "weather(Lima)"}, {"role": "tool", "content": "sunny"}, TOLD]
    made = Converter(CHAT).convert({"messages": turns}, repairs)["messages"]
    assert [turn["role"] for turn in made] == ["user", "assistant", "user", "assistant"]
    assert repairs == {"a result of a tool that was called in plain words was taken as a turn of the person"}


def test_results_in_marks_are_taken_out_of_them_and_odd_calls_in_marks_stay_words():
    turns = [ASKED, {"role": "assistant", "content": "<tool_call>{'name': 'weather'}</tool_call>"}]
    assert "tool_calls" not in Converter(CHAT).convert({"messages": turns}, set())["messages"][1]
    result = {"role": "tool", "content": "<tool_response>\nsunny\n</tool_response>"}
    assert Converter(CHAT).convert({"messages": [ASKED, CALLED, result, TOLD]}, set())["messages"] == TALK

"""One JSON object that holds many rows, in the ways in which people and libraries write them."""

import json

import pytest

from facet.dataset.json_objects import holds_several
from facet.errors import DataError

PAIRS = [(f"What is {n}?", f"It is {n}.") for n in range(30)]
ROWS = [{"q": question, "a": answer} for question, answer in PAIRS]
BY_COLUMN = {name: {str(place): row[name] for place, row in enumerate(ROWS)} for name in ("q", "a")}
DOCUMENTS = {
    "pandas, by columns": BY_COLUMN,
    "pandas, by rows": {str(place): row for place, row in enumerate(ROWS)},
    "pandas, split": {"columns": ["q", "a"], "index": [*range(30)], "data": [list(row.values()) for row in ROWS]},
    "pandas, table": {"schema": {"fields": []}, "data": ROWS},
    "columns": {name: [row[name] for row in ROWS] for name in ("q", "a")},
    "questions and answers": dict(PAIRS),
    "rows by name": {f"row-{place}": row for place, row in enumerate(ROWS)},
    "a list in an object": {"version": "1.1", "data": ROWS},
    "an object in an object": {"data": BY_COLUMN},
    "pairs in an object": {"data": dict(PAIRS)},
    "an object in objects": {"data": {"rows": {"q": [row["q"] for row in ROWS], "a": [row["a"] for row in ROWS]}}},
    "parts": {"train": ROWS[:20], "test": ROWS[20:]},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("how", DOCUMENTS)
def test_every_way_to_write_rows_as_one_object(make, how, indent):
    made = make(json.dumps(DOCUMENTS[how], indent=indent), "rows.json")
    assert made.summary["rows_in"] == made.summary["used"] == 30
    assert (made.questions()[29], made.answers()[29]) == PAIRS[29]


def test_names_that_are_questions_are_said_to_be_read_as_such(make):
    notes = make(json.dumps(dict(PAIRS)), "faq.json").summary["notes"]
    assert "Each name in this file and the text behind it were read as a question and its answer." in notes


TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("f", "g")]
ONE_ROW = {
    "a conversation with tools": {"messages": TURNS, "tools": TOOLS},
    "a conversation with more tools": {"messages": TURNS, "tools": TOOLS * 3},
    "a conversation alone": {"messages": TURNS},
    "a pair": {"question": "Who?", "answer": "Me."},
    "a pair and a title": {"title": "T", "question": "Who?", "answer": "Me."},
}


@pytest.mark.parametrize("name", ["one.jsonl", "one.json"])
@pytest.mark.parametrize("what", ONE_ROW)
def test_one_row_is_one_row(make, what, name):
    made = make(json.dumps(ONE_ROW[what]) + "\n", name, splits="none", test_size=0, validation_size=0)
    assert made.summary["rows_in"] == made.summary["used"] == 1
    assert ("tools" in ONE_ROW[what]) == ("tools" in made.summary["extras"])


def test_columns_of_different_lengths_are_still_refused(make):
    with pytest.raises(DataError, match="different lengths, from 1 to 2"):
        make(json.dumps({"question": ["a", "b"], "answer": ["c"]}), "a.json")


@pytest.mark.parametrize(
    "document",
    [{}, {"a": {}}, {"a": None, "b": None}, {"a": {"b": {"c": {"d": {"e": {}}}}}}, {"1": {}, "2": {}}, {"a": []}],
)
def test_odd_objects_are_asked_about_without_harm(document):
    assert holds_several(document) in (True, False)

"""Rows of several kinds in one file: each kind is read in its own way, and what fits none is counted and said."""

import json

import pytest

from facet.dataset.clean_preview import try_cleaning
from facet.dataset.columns import check_mapping, parse_mapping
from facet.dataset.look import look
from facet.dataset.preview import preview
from facet.errors import SettingError
from tests.kinds import csv, jsonl, pairs


def chats(count: int) -> list[dict]:
    said = lambda n: [{"role": "user", "content": f"Hi {n}"}, {"role": "assistant", "content": f"Hello {n}"}]  # noqa: E731
    return [{"messages": said(n)} for n in range(count)]


def seen(file, content: str, name: str = "rows.jsonl"):
    return look(str(file(content, name)), name)


def mixed(first: list, second: list) -> list:
    return [row for both in zip(first, second, strict=True) for row in both]


ORDERS = {
    "one after the other": chats(30) + pairs(30),
    "in turns": mixed(chats(30), pairs(30)),
    "the second kind far behind": chats(300) + pairs(60),
    "a few conversations": pairs(280) + chats(3),
}


@pytest.mark.parametrize("order", ORDERS)
def test_conversations_and_pairs_in_one_file_are_all_used(make, order):
    rows = ORDERS[order]
    made = make(jsonl(rows), "mixed.jsonl")
    assert made.summary["used"] == made.summary["rows_in"] == len(rows)
    turns = [row.get("messages") or [{"content": row["question"]}, {"content": row["answer"]}] for row in rows]
    assert made.answers() == [each[-1]["content"] for each in turns]
    assert made.questions() == [each[0]["content"] for each in turns]


def test_the_look_says_that_there_are_two_kinds_and_warns_of_nothing(file):
    found = seen(file, jsonl(mixed(chats(30), pairs(30))))
    assert found["shape"]["words"].startswith("Rows of 2 kinds. ")
    assert "“messages”" in found["shape"]["words"] and "“answer”" in found["shape"]["words"]
    assert not found["warnings"]


def test_two_kinds_of_pairs_and_a_third(make):
    rows = [{"prompt": f"p {n}", "completion": f"c {n}"} for n in range(20)]
    rows += [{"instruction": f"i {n}", "input": "", "output": f"o {n}"} for n in range(20)]
    made = make(jsonl([*rows, *pairs(20)]), "three.jsonl")
    assert (made.summary["used"], made.summary["unusable"]) == (60, 0)


def test_rows_of_no_known_kind_are_said_in_the_look_and_listed(make, file):
    rows = chats(20) + pairs(20) + [{"x": "1", "y": "2", "z": "3"}] * 5
    assert (
        "5 of the first 45 rows are of none of these kinds; they are left out." in seen(file, jsonl(rows))["warnings"]
    )
    made = make(jsonl(rows), "odd.jsonl")
    assert (made.summary["used"], made.summary["unusable"]) == (40, 5)
    assert [each["row"] for each in made.problems] == [41, 42, 43, 44, 45]


def test_a_gap_makes_no_other_kind(file):
    rows = [{"question": f"q {n}", "answer": "" if n % 4 == 0 else f"a {n}", "summary": f"s {n}"} for n in range(40)]
    found = seen(file, csv(rows), "gaps.csv")
    assert found["shape"]["mapping"]["also"] == []
    assert found["warnings"] == ["The column “answer” is empty in 25% of the rows; they are left out."]


def test_pairs_of_answers_do_not_mix_with_conversations(file):
    rows = chats(20) + [{"prompt": "Hi", "chosen": f"A {n}", "rejected": "B"} for n in range(20)]
    found = seen(file, jsonl(rows))
    assert found["shape"]["mapping"]["also"] == []
    assert any("empty in 50% of the rows" in words for words in found["warnings"])


def test_an_answer_column_that_is_hardly_filled_gives_way_to_one_that_is(file):
    rows = [{"question": f"q {n}", "answer": "x" if n == 3 else "", "response": f"r {n}"} for n in range(30)]
    assert seen(file, csv(rows), "two.csv")["shape"]["mapping"]["assistant"] == "response"


def test_preview_and_cleaning_read_every_kind_too(file):
    place = str(file(jsonl(mixed(chats(6), pairs(6))), "mixed.jsonl"))
    mapping = look(place, "mixed.jsonl")["shape"]["mapping"]
    assert all(row["messages"] for row in preview(place, "mixed.jsonl", mapping))
    tried = try_cleaning(place, "mixed.jsonl", mapping, {"min_characters": 20})
    assert tried["together"]["drops"] == 6


def test_a_text_for_empty_cells_fills_those_of_the_rows_own_kind(make):
    rows = [*chats(20), *pairs(20), {"question": "Why?", "answer": ""}]
    made = make(jsonl(rows), "mixed.jsonl", cleaning={"missing": "I do not know."})
    assert made.summary["used"] == 41
    assert made.answers()[-1] == "I do not know." and made.answers()[0] == "Hello 0"


@pytest.mark.parametrize("other", [{"kind": "text", "type": "text", "text": "a"}, {"kind": "columns", "user": "q"}])
def test_kinds_that_cannot_be_read_together_are_refused(other):
    mapping = parse_mapping({"kind": "messages", "messages": "messages", "also": [other]})
    with pytest.raises(SettingError):
        check_mapping(mapping, None)


def test_too_many_kinds_are_refused():
    one = {"kind": "messages", "messages": "m"}
    with pytest.raises(SettingError):
        parse_mapping({**one, "also": [one] * 9})


# ---- objects in cells
def test_texts_in_two_languages_in_one_object_are_translations(make):
    rows = [{"id": n, "translation": {"en": f"hello {n}", "de": f"hallo {n}"}} for n in range(30)]
    made = make(jsonl(rows), "opus.jsonl")
    assert made.questions()[7] == "hello 7" and made.answers()[7] == "hallo 7"
    assert made.conversations[1][0]["content"].startswith("Translate from English to German.")


def test_translations_in_parquet_are_read_too(make):
    from tests.kinds import parquet

    made = make(parquet([{"translation": {"fr": f"oui {n}", "en": f"yes {n}"}} for n in range(30)]), "opus.parquet")
    assert made.questions()[3] == "oui 3" and made.summary["used"] == 30


def test_columns_named_after_languages_are_translations(file):
    found = seen(file, csv([{"en": f"hello {n}", "pt_BR": f"ola {n}"} for n in range(30)]), "pairs.csv")
    assert found["shape"]["mapping"]["system"].startswith("Translate from English to Portuguese.")


def test_a_pair_inside_an_object_is_found_and_its_fields_can_be_chosen(make, file):
    rows = [{"id": n, "data": {"question": f"q {n}", "answer": f"a {n}"}} for n in range(30)]
    assert seen(file, jsonl(rows))["fields"] == ["data.question", "data.answer"]
    assert make(jsonl(rows), "wrapped.jsonl").answers()[5] == "a 5"
    turned = {"kind": "columns", "user": "data.answer", "assistant_template": "It was {data.question}"}
    assert make(jsonl(rows), "wrapped.jsonl", turned).answers()[5] == "It was q 5"


def test_a_column_whose_name_has_a_dot_is_still_a_column(make):
    rows = [{"Q. text": f"q {n}", "A. text": f"a {n}"} for n in range(30)]
    mapping = {"kind": "columns", "user": "Q. text", "assistant": "A. text"}
    assert make(csv(rows), "dots.csv", mapping).answers()[2] == "a 2"
    assert make(json.dumps(rows), "dots.json", mapping).answers()[2] == "a 2"


def test_a_field_of_a_column_that_is_not_there_is_named(make):
    with pytest.raises(SettingError, match=r"data\.question"):
        make(csv(pairs(20)), "a.csv", {"kind": "columns", "user": "data.question", "assistant": "answer"})

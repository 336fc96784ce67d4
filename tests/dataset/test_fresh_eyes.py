"""What somebody met who tried a hundred files that nobody here had thought of."""

import json

import pytest

from facet.dataset.look import look
from facet.dataset.unpack import unpack
from facet.errors import DataError
from tests.kinds import csv, pairs, zipped


def guessed(file, content, name):
    return look(str(file(content, name)), name)["shape"]


@pytest.mark.parametrize("beside", ["topic", "category", "label"])
def test_a_category_beside_questions_and_answers_does_not_throw_the_answers_away(file, beside):
    rows = [row | {beside: ("north", "south")[n % 2]} for n, row in enumerate(pairs(30))]
    shape = guessed(file, csv(rows), "faq.csv")
    assert shape["kind"] == "question_answer" and shape["mapping"]["assistant"] == "answer"


def test_a_column_that_always_says_the_same_is_no_label(file):
    rows = [{"message": f"Hello number {n}, how are you today?", "type": "message"} for n in range(30)]
    shape = guessed(file, csv(rows), "chat.csv")
    assert shape is None or shape["kind"] != "text_label"


def test_every_inner_example_is_used_or_reported(make):
    rows = [{"title": f"t{n}", "qa": [{"question": f"What is {n} and {k}?", "answer": f"It is {n}-{k}." if k else ""}
                                      for k in range(4)]} for n in range(20)]  # fmt: skip
    made = make(json.dumps(rows), "nested.json")
    assert made.summary["examples_in"] == 80
    assert (made.summary["used"], made.summary["unusable"]) == (60, 20)
    assert made.summary["reasons"] == {"the answer is empty": 20}


def test_answers_that_are_objects_become_json(make):
    rows = [
        {"prompt": f"Extract from text {n}", "completion": {"name": f"x{n}", "tags": ["a", "ü"]}} for n in range(30)
    ]
    made = make("".join(json.dumps(row) + "\n" for row in rows), "extract.jsonl")
    assert json.loads(made.answers()[3]) == rows[3]["completion"] and "ü" in made.answers()[3]
    assert made.summary["repaired"]["answers that were objects became JSON"] == 30


def test_code_keeps_the_indentation_of_its_first_line(make):
    code = "    x = 0\n    return x"
    rows = [{"prompt": f"Complete number {n}", "completion": f"{code}\n"} for n in range(20)]
    assert set(make("".join(json.dumps(row) + "\n" for row in rows), "code.jsonl").answers()) == {code}


def test_german_written_in_windows_letters_is_not_taken_for_greek(make):
    rows = [{"question": f"größe {n}", "answer": f"Maß und Höhe größer als {n}"} for n in range(60)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert make(text.encode("cp1252"), "alt.jsonl").questions()[0] == "größe 0"


def test_a_chat_export_that_begins_with_a_bracket_is_no_json(file):
    text = "".join(f"[01.03.24, 18:{n:02d}:11] Anna: hello number {n}, shall we meet at the lake?\n" for n in range(50))
    seen = look(str(file(text, "chat.txt")), "chat.txt")
    assert seen["format"] != "json" and seen["at_least"] > 0


def test_instructions_and_responses_under_headings_are_pairs(make):
    text = "".join(f"### Instruction:\nSay {n} in words.\n\n### Response:\nThat is number {n}.\n\n" for n in range(60))
    made = make(text, "instr.txt")
    assert made.summary["used"] == 60 and made.questions()[7] == "Say 7 in words."


def test_a_zip_of_several_tables_says_that_one_is_read(tmp_path):
    packed = tmp_path / "same.zip"
    tables = {f"{n}.csv": csv([{n: "x", "other": row["answer"]} for row in pairs(20)]) for n in ("a", "b", "c")}
    packed.write_bytes(zipped(tables))
    into = tmp_path / "into"
    into.mkdir()
    assert "holds 3 files with rows" in " ".join(unpack(str(packed), "same.zip", str(into))["notes"])


def test_a_list_of_numbers_is_still_json(file):
    with pytest.raises(DataError):
        look(str(file("[1, 2, 3]", "a.json")), "a.json")

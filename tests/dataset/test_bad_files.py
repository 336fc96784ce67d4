"""Hostile, broken and odd files. Every numbered case says what Facet does: refuse, repair, skip rows, or stop early."""

import json
import time
from collections import Counter

import pyarrow as pa
import pytest

from facet.dataset import budget, limited
from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.errors import CapacityError, DataError, FacetError
from tests.dataset.bad_files import CSV_ROWS, KEPT, REFUSED, SKIPPED, parquet

QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}


def cases(table: list[tuple]) -> dict:
    """The named cases of a table, for `parametrize`."""
    return {"argvalues": [case[1:] for case in table], "ids": [case[0] for case in table]}


@pytest.mark.parametrize(("name", "content", "words"), **cases(REFUSED))
def test_a_file_that_cannot_be_used_is_refused_in_three_sentences(file, name, content, words):
    with pytest.raises(DataError) as refused:
        look(str(file(content, name)), name)
    assert words in str(refused.value)
    assert all(sentence.endswith(".") for sentence in refused.value.args)
    assert "Error" not in str(refused.value)


@pytest.mark.parametrize(("name", "content", "questions", "answers"), **cases(KEPT))
def test_a_file_that_is_only_odd_is_read_as_it_was_meant(make, name, content, questions, answers):
    made = make(content, name, QA)
    assert made.questions() == questions
    assert made.answers() == answers
    assert made.summary["unusable"] == 0


@pytest.mark.parametrize(("name", "content", "answers", "reasons"), **cases(SKIPPED))
def test_rows_that_cannot_be_used_are_left_out_and_counted(make, name, content, answers, reasons):
    made = make(content, name, QA)
    assert made.answers() == answers
    assert made.summary["reasons"] == reasons
    assert Counter(problem["words"] for problem in made.problems) == reasons
    assert {problem["row"] for problem in made.problems}.isdisjoint(made.conversations)


def test_a_repair_is_counted_and_said(make):
    made = make(b'question,answer\r\nW\x01ho?,"a\r\nb"\r\n', mapping=QA)
    assert made.summary["repaired"] == {
        "Windows line ends were made plain": 1,
        "invisible control characters were removed": 1,
    }


def test_29_columns_of_one_name_are_told_apart_and_shown(file):
    seen = look(str(file("question,answer,answer\na,b,c\n")), "a.csv")
    assert [column["name"] for column in seen["columns"]] == ["question", "answer", "answer (2)"]
    assert any("Two columns were called “answer”" in warning for warning in seen["warnings"])


def test_30_a_column_without_a_name_gets_one(file):
    seen = look(str(file(",question,answer\n1,a,b\n")), "a.csv")
    assert [column["name"] for column in seen["columns"]] == ["column 1", "question", "answer"]
    assert seen["shape"]["mapping"]["user"] == "question"


def test_04_few_rows_are_warned_of(file):
    warnings = look(str(file(CSV_ROWS)), "a.csv")["warnings"]
    assert any("only 2 rows" in warning for warning in warnings)


def test_09_a_guessed_encoding_is_said_and_can_be_corrected(file, make):
    content = "question,answer\nQui?,Café\n".encode("cp1252")
    seen = look(str(file(content)), "a.csv")
    assert seen["encoding"] == "cp1252"
    assert any("cp1252" in warning for warning in seen["warnings"])
    assert make(content, mapping=QA, correction={"encoding": "cp1250"}).answers() == ["Café"]


def test_an_encoding_that_does_not_exist_is_refused_by_the_name_of_its_control(file):
    with pytest.raises(DataError, match="Choose another one under “Encoding”"):
        look(str(file(CSV_ROWS)), "a.csv", {"encoding": "rot13"})


def test_a_chosen_delimiter_goes_before_the_one_found(file):
    seen = look(str(file("a;b,c\n1;2,3\n")), "a.csv", {"delimiter": ","})
    assert [column["name"] for column in seen["columns"]] == ["a;b", "c"]


@pytest.mark.parametrize("delimiter", ["ab", '"', "\n", "x", " "])
def test_a_delimiter_that_cannot_separate_is_refused(file, delimiter):
    with pytest.raises(FacetError, match="cannot separate columns"):
        look(str(file(CSV_ROWS)), "a.csv", {"delimiter": delimiter})


def test_34_a_cell_of_five_megabytes_is_read(make):
    made = make("question,answer\na," + "x" * 5_000_000 + "\n", mapping=QA)
    assert made.summary["lengths"]["longest_characters"] == 5_000_001


def test_34_a_line_beyond_the_budget_is_refused_with_its_number(file, monkeypatch):
    monkeypatch.setattr(budget, "MOST_LINE_CHARACTERS", 100_000)
    with pytest.raises(DataError, match="Line 3 has more than"):
        look(str(file("question,answer\na,b\nc," + "x" * 200_000 + "\n")), "a.csv")


def test_34_a_cell_that_grows_over_many_lines_is_stopped(file, monkeypatch):
    monkeypatch.setattr(budget, "MOST_LINE_CHARACTERS", 100_000)
    with pytest.raises(DataError, match="opened in line 2 is never closed"):
        look(str(file('question,answer\na,"' + "x\n" * 200_000)), "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_35_too_many_rows_are_refused_with_the_number(file, tmp_path, monkeypatch, name):
    monkeypatch.setattr(budget, "MOST_ROWS", 1_000)
    rows = {"a.csv": "question,answer\n" + "a,b\n" * 2_000, "a.jsonl": '{"question": "a", "answer": "b"}\n' * 2_000}
    with pytest.raises(DataError, match="up to 1,000 rows"):
        prepare(str(file(rows[name], name)), name, None, QA, str(tmp_path), "x")


def test_46_a_list_of_texts_is_read_and_found_to_have_no_answers(file):
    seen = look(str(file('["one", "two"]', "a.json")), "a.json")
    assert seen["rows"] == [{"text": "one"}, {"text": "two"}]
    assert seen["complaint"]["what"] == "We found no questions and answers."


def test_52_a_column_named_twice_in_one_row_is_warned_of(file, make):
    content = '{"question": "a", "answer": "b", "answer": "c"}\n'
    assert any("same column twice" in warning for warning in look(str(file(content, "a.jsonl")), "a.jsonl")["warnings"])
    made = make(content, "a.jsonl", QA)
    assert made.answers() == ["c"]
    assert any("same column twice" in note for note in made.summary["notes"])


def test_a_json_value_beyond_the_budget_is_refused(file, monkeypatch):
    monkeypatch.setattr(budget, "MOST_DOCUMENT_CHARACTERS", 1_000_000)
    monkeypatch.setattr("facet.dataset.jsons._WINDOW", 4_096)
    with pytest.raises(DataError, match="cannot be read piece by piece"):
        look(str(file('[{"question": "' + "x" * 8_000_000 + '"}]', "a.json")), "a.json")


def test_a_long_json_list_is_read_through_a_small_window(make, monkeypatch):
    monkeypatch.setattr("facet.dataset.jsons._WINDOW", 64)
    rows = [{"question": f"{number} é", "answer": "x" * (number % 200) + "."} for number in range(300)]
    made = make(json.dumps(rows, indent=3, ensure_ascii=False), "a.json", QA)
    assert made.questions() == [row["question"] for row in rows]
    assert made.answers() == [row["answer"] for row in rows]


def test_63_nested_parquet_columns_are_read_as_conversations(make):
    turns = [[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]] * 2
    made = make(parquet(pa.table({"id": [1, 2], "messages": turns})), "a.parquet")
    assert made.answers() == ["Hello", "Hello"]


def test_63_a_map_column_is_no_text(make):
    maps = pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32()))
    table = pa.table({"question": ["Who?"], "answer": maps})
    with pytest.raises(DataError, match="the answer is a list, not text"):
        make(parquet(table), "a.parquet", QA)


def test_parquet_text_that_is_not_utf8_costs_only_its_row(make):
    answers = pa.array([b"good", b"\xff\xfe"], pa.binary())
    table = pa.table({"question": ["a", "b"], "answer": pa.Array.from_buffers(pa.string(), 2, answers.buffers())})
    made = make(parquet(table), "a.parquet", QA)
    assert made.answers() == ["good"]
    assert made.summary["unusable"] == 1


def test_parquet_columns_of_one_name_are_refused(file):
    table = pa.table([["a"], ["b"]], names=["x", "x"])
    with pytest.raises(DataError, match="same name"):
        look(str(file(parquet(table), "a.parquet")), "a.parquet")


@pytest.mark.faults
def test_64_a_dictionary_bomb_ends_with_the_limit_and_little_memory(file):
    indices = pa.array([0] * 200_000, pa.int32())
    values = pa.DictionaryArray.from_arrays(indices, pa.array(["a" * 1_000_000]))
    bomb = file(parquet(pa.table({"question": values, "answer": values}), compression="zstd"), "a.parquet")
    assert bomb.stat().st_size < 20_000
    started = time.monotonic()
    with pytest.raises((DataError, CapacityError)) as stopped:
        limited.call("look", {"file": str(bomb), "original_name": "a.parquet", "correction": None}, seconds=30)
    assert "unpacks" in str(stopped.value) or "memory" in str(stopped.value)
    assert time.monotonic() - started < 15


def test_65_a_run_length_bomb_is_refused_by_its_rows(file, monkeypatch):
    monkeypatch.setattr(budget, "MOST_ROWS", 1_000_000)
    table = pa.table({"question": pa.array([0] * 2_000_000, pa.int8())})
    with pytest.raises(DataError, match="too many rows"):
        look(str(file(parquet(table), "a.parquet")), "a.parquet")


def test_72_all_rows_the_same_are_counted_as_duplicates(make):
    made = make("question,answer\n" + "a,b\n" * 50, mapping=QA)
    assert made.summary["duplicates"] == 49
    assert made.summary["splits"] == {"train": 50, "validation": 0, "exam": 0}


def test_nothing_is_stored_when_no_row_can_be_used(file, tmp_path):
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(DataError, match="In 2 of 2 rows the answer is empty"):
        prepare(str(file("question,answer\na,\nb,\n")), "a.csv", None, QA, str(into), "x")
    assert list(into.iterdir()) == []

# ruff: noqa: E501 - one case per line reads better than short lines
"""Hostile, broken and odd files. Every numbered case says what Facet does: refuse, repair, skip rows, or stop early."""

import io
import json
import time
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facet.dataset import budget, limited
from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.errors import CapacityError, DataError, FacetError

QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}
CSV_ROWS = "question,answer\nWho?,Me.\nWhere?,Here.\n"


def parquet(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def pairs(**columns: Any) -> pa.Table:
    return pa.table({"question": ["Who?", "Where?"], "answer": ["Me.", "Here."], **columns})


# --- refused: (case, file name, content, part of what is said)
REFUSED = [
    ("01 empty", "a.csv", b"", "is empty"),
    ("01 empty json", "a.json", b"", "is empty"),
    ("02 only blanks", "a.csv", b" \n\t\r\n  \n", "is empty"),
    ("02 only a mark", "a.csv", b"\xef\xbb\xbf\n", "is empty"),
    ("03 only a header", "a.csv", b"question,answer\n", "has no examples"),
    ("08 UTF-32", "a.csv", CSV_ROWS.encode("utf-32"), "UTF-32"),
    ("27 unclosed quote", "a.csv", b'question,answer\nWho?,Me.\nWhere?,"Here.\nWhen?,Now.\n', "line 3 is never closed"),
    ("29 a header that is no line", "a.csv", b'"question"x,answer\nWho?,Me.\n', "first line of this file"),
    ("31 10 kB name", "a.csv", b"question," + b"x" * 10_000 + b"\nWho?,Me.\n", "far too long a name"),
    ("32 100,000 columns", "a.csv", b",".join(b"c%d" % n for n in range(100_000)) + b"\n1\n", "100,000 columns"),
    ("33 1,000,000 columns", "a.csv", b"," * 999_999 + b"\n1\n", "1,000,000 columns"),
    ("40 web page", "a.csv", b"<!DOCTYPE html><html><body>Sign in</body></html>", "This is a web page."),
    ("40 web page, small letters", "a.csv", b"\n  <html>\n<head>", "This is a web page."),
    ("40 xml", "a.csv", b'<?xml version="1.0"?><a/>', "XML file"),
    ("42 git-LFS", "a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "git-LFS pointer"),
    ("43 scalar", "a.json", b"42", "does not hold rows"),
    ("43 scalar text", "a.json", b'"hello"\n', "a single value"),
    ("43 null", "a.json", b"null", "does not hold rows"),
    ("44 empty object", "a.json", b"{}", "empty object"),
    ("44 columns of different lengths", "a.json", b'{"question": ["a", "b"], "answer": ["c"]}', "different lengths"),
    ("45 list of lists", "a.json", b'[["a", "b"], ["c", "d"]]', "list of lists"),
    ("45 list of lists, JSONL", "a.jsonl", b'["a", "b"]\n["c", "d"]\n', "not an object"),
    ("45 empty list", "a.json", b"[]", "list is empty"),
    ("48 broken list", "a.json", b'[{"question": "a", "answer": "b"},\n{"question" "c"}]', "stopped at line 2"),
    ("48 list cut short", "a.json", b'[{"question": "a", "answer": "b"},\n{"question": "c', "ends too early"),
    ("48 list without an end", "a.json", b'[{"question": "a", "answer": "b"}', "ends too early"),
    ("48 words behind the list", "a.json", b'[{"question": "a", "answer": "b"}]\n hello', "not valid JSON"),
    ("53 depth 1,100", "a.json", b'{"a":' * 1_100 + b"1" + b"}" * 1_100, "nested too deeply"),
    ("53 depth 200,000", "a.json", b"[" * 200_000, "nested too deeply"),
    ("53 depth 200,000, closed", "a.json", b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
    ("60 Parquet cut short", "a.parquet", parquet(pairs())[:-20], "damaged"),
    ("60 Parquet without a middle", "a.parquet", parquet(pairs())[:40] + parquet(pairs())[-30:], "damaged"),
    ("61 wrong magic", "a.parquet", b"PAR2" + parquet(pairs())[4:], "not a text file"),
    ("61 only the magic", "a.parquet", b"PAR1", "damaged"),
    ("62 Parquet without rows", "a.parquet", parquet(pairs().slice(0, 0)), "has no examples"),
    ("66 encrypted Parquet", "a.parquet", b"PARE" + b"\0" * 100 + b"PARE", "encrypted"),
    ("41 xlsx named csv", "a.csv", b"PK\x03\x04" + b"\0" * 26 + b"xl/workbook.xml", "Excel workbook"),
    ("41 docx named txt", "a.txt", b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "Word document"),
    ("69 zip", "a.zip", b"PK\x03\x04" + b"\0" * 26 + b"a.csv", "zip archive"),
    ("67 xls", "a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old Excel"),
    ("70 pdf", "a.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF document"),
    ("71 png", "a.csv", b"\x89PNG\r\n\x1a\n", "picture"),
    ("gz", "a.csv.gz", b"\x1f\x8b\x08\0", "gzip"),
    ("pickle", "a.pkl", b"\x80\x04\x95\x10\0\0\0", "pickle"),
    ("sqlite", "a.db", b"SQLite format 3\0", "SQLite"),
    ("gguf", "a.gguf", b"GGUF\x03\0\0\0", "language model"),
    ("noise", "a.csv", bytes(range(1, 32)) * 50, "not a text file"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_file_that_cannot_be_used_is_refused_in_three_sentences(file, name, content, words):
    with pytest.raises(DataError) as refused:
        look(str(file(content, name)), name)
    assert words in str(refused.value)
    assert all(sentence.endswith(".") for sentence in refused.value.args)
    assert "Error" not in str(refused.value)


# --- repaired or kept: (case, file name, content, questions, answers)
KEPT = [
    ("04 one row", "a.csv", b"question,answer\nWho?,Me.\n", ["Who?"], ["Me."]),
    ("05 UTF-8 mark", "a.csv", b"\xef\xbb\xbfquestion,answer\nWho?,\xc3\xa9.\n", ["Who?"], ["é."]),
    ("05 UTF-8 mark, JSON", "a.json", b'\xef\xbb\xbf[{"question": "a", "answer": "b"}]', ["a"], ["b"]),
    ("05 UTF-8 mark, JSONL", "a.jsonl", b'\xef\xbb\xbf{"question": "a", "answer": "b"}\n', ["a"], ["b"]),
    ("06 UTF-16 LE with a mark", "a.csv", "\ufeffquestion,answer\nWho?,Ué.\n".encode("utf-16-le"), ["Who?"], ["Ué."]),
    ("07 UTF-16 BE without a mark", "a.csv", "question,answer\nWho?,Ué.\n".encode("utf-16-be"), ["Who?"], ["Ué."]),
    ("07 UTF-16 LE without a mark", "a.csv", "question,answer\nWho?,Ué.\n".encode("utf-16-le"), ["Who?"], ["Ué."]),
    ("06 UTF-16, JSONL", "a.jsonl", '{"question": "a", "answer": "é"}\n'.encode("utf-16"), ["a"], ["é"]),
    ("09 cp1252", "a.csv", "question,answer\nQu’est-ce?,Café à Nîmes.\n".encode("cp1252"), ["Qu’est-ce?"], ["Café à Nîmes."]),
    ("11 GB18030", "a.csv", ("question,answer\n" + "你好,世界上最高的山是珠穆朗玛峰。\n" * 9).encode("gb18030"), ["你好"] * 9, ["世界上最高的山是珠穆朗玛峰。"] * 9),
    ("11 Shift-JIS", "a.csv", ("question,answer\n" + "こんにちは,日本の首都は東京です。とても大きい町です。\n" * 9).encode("shift_jis"), ["こんにちは"] * 9, ["日本の首都は東京です。とても大きい町です。"] * 9),
    ("15 control characters", "a.csv", b"question,answer\nW\x01ho?,M\x08e\x7f.\n", ["Who?"], ["Me."]),
    ("16 odd but good characters", "a.csv", "question,answer\na\u2028b\u2029c,\u202eא\u200b\u200d!\n".encode(), ["a\u2028b\u2029c"], ["\u202eא\u200b\u200d!"]),
    ("17 both forms of é", "a.csv", "question,answer\ncafe\u0301,x\ncaf\u00e9,x\n".encode(), ["cafe\u0301", "caf\u00e9"], ["x", "x"]),
    ("18 line ends of old Macs", "a.csv", b"question,answer\rWho?,Me.\rWhere?,Here.\r", ["Who?", "Where?"], ["Me.", "Here."]),
    ("19 mixed line ends", "a.csv", b'question,answer\r\nWho?,"a\r\nb"\nWhere?,Here.\r\n', ["Who?", "Where?"], ["a\nb", "Here."]),
    ("20 no last line end", "a.csv", b"question,answer\nWho?,Me.", ["Who?"], ["Me."]),
    ("21 semicolon", "a.csv", b"question;answer\nWho, you?;Me, yes.\nA;B\n", ["Who, you?", "A"], ["Me, yes.", "B"]),
    ("22 tab", "a.csv", b"question\tanswer\nWho, you?\tMe.\n", ["Who, you?"], ["Me."]),
    ("23 pipe", "a.csv", b"question|answer\nWho, you?|Me.\n", ["Who, you?"], ["Me."]),
    ("28 doubled quotes", "a.csv", b'question,answer\nWho?,"I said ""me"", yes."\n', ["Who?"], ['I said "me", yes.']),
    ("28 backslash quotes", "a.csv", b'question,answer\nWho?,"I said \\"me\\", yes."\nA,"b\\n"\n', ["Who?", "A"], ['I said "me", yes.', "b\\n"]),
    ("quoted line ends", "a.csv", b'question,answer\n"a\nb","c\n\nd"\n', ["a\nb"], ["c\n\nd"]),
    ("blank lines", "a.csv", b"question,answer\n\nWho?,Me.\n\n\n", ["Who?"], ["Me."]),
    ("empty cells behind the last column", "a.csv", b"question,answer\nWho?,Me.,,\n", ["Who?"], ["Me."]),
    ("36 words for nothing are words", "a.csv", b"question,answer\nNA,null\nNone,nan\n", ["NA", "None"], ["null", "nan"]),
    ("37 numbers and dates as text", "a.csv", b"question,answer\n007,1e5\n2024-01-02,TRUE\n1.10,+4\n", ["007", "2024-01-02", "1.10"], ["1e5", "TRUE", "+4"]),
    ("38 long ids", "a.csv", b"question,answer\n12345678901234567890,98765432109876543210\n", ["12345678901234567890"], ["98765432109876543210"]),
    ("39 formulas", "a.csv", b"question,answer\n=cmd|' /C calc'!A0,@SUM(A1)\n+1,-2\n", ["=cmd|' /C calc'!A0", "+1"], ["@SUM(A1)", "-2"]),
    ("41 csv named jsonl", "a.jsonl", b"question,answer\nWho?,Me.\n", ["Who?"], ["Me."]),
    ("41 jsonl named csv", "a.csv", b'{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n', ["a", "c"], ["b", "d"]),
    ("41 parquet named csv", "a.csv", parquet(pairs()), ["Who?", "Where?"], ["Me.", "Here."]),
    ("44 object of columns", "a.json", b'{"question": ["a", "b"], "answer": ["c", "d"]}', ["a", "b"], ["c", "d"]),
    ("44 rows inside of an object", "a.json", b'{"version": 1, "data": [{"question": "a", "answer": "b"}]}', ["a"], ["b"]),
    ("44 one object", "a.json", b'{"question": "a",\n "answer": "b"}', ["a"], ["b"]),
    ("49 JSONL with blank lines", "a.jsonl", b'\n{"question": "a", "answer": "b"}\n\n\n{"question": "c", "answer": "d"}\n', ["a", "c"], ["b", "d"]),
    ("50 pretty list named jsonl", "a.jsonl", b'[\n  {\n    "question": "a",\n    "answer": "b"\n  }\n]\n', ["a"], ["b"]),
    ("50 pretty objects named jsonl", "a.jsonl", b'{\n "question": "a",\n "answer": "b"\n}\n{\n "question": "c",\n "answer": "d"\n}\n', ["a", "c"], ["b", "d"]),
    ("50 one row per line in a list", "a.json", b'[\n{"question": "a", "answer": "b"},\n{"question": "c", "answer": "d"}\n]', ["a", "c"], ["b", "d"]),
    ("numbers in JSON", "a.jsonl", b'{"question": "2+2", "answer": 4}\n{"question": "1/2", "answer": 0.5}\n', ["2+2", "1/2"], ["4", "0.5"]),
    ("63 dictionary column", "a.parquet", parquet(pairs().set_column(1, "answer", pa.array(["x", "y"]).dictionary_encode())), ["Who?", "Where?"], ["x", "y"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "questions", "answers"), [case[1:] for case in KEPT], ids=[case[0] for case in KEPT])  # fmt: skip
def test_a_file_that_is_only_odd_is_read_as_it_was_meant(make, name, content, questions, answers):
    made = make(content, name, QA)
    assert made.questions() == questions
    assert made.answers() == answers
    assert made.summary["unusable"] == 0


# --- skipped rows: (case, file name, content, answers left, reasons)
NOT_THEIR_BYTES = "the answer contains bytes that do not fit the file's encoding"
SKIPPED = [
    ("10 mixed encodings", "a.csv", "question,answer\na,Café à Nîmes éé\n".encode() + "b,Café\n".encode("cp1252"), ["Café à Nîmes éé"], {NOT_THEIR_BYTES: 1}),
    ("12 invalid UTF-8", "a.csv", "question,answer\na,é è à\nb,".encode() + b"\xff\nc,d\n", ["é è à", "d"], {NOT_THEIR_BYTES: 1}),
    ("12 invalid UTF-8, JSONL", "a.jsonl", '{"question": "é è", "answer": "b"}\n'.encode() + b'{"question": "a", "answer": "\xff"}\n', ["b"], {NOT_THEIR_BYTES: 1}),
    ("12 half of a character in UTF-16", "a.csv", "question,answer\na,b\nc,".encode("utf-16") + b"d\0e", ["b"], {NOT_THEIR_BYTES: 1}),
    ("13 lone surrogate", "a.jsonl", b'{"question": "a", "answer": "\\ud800"}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer contains half of a character (a lone surrogate)": 1}),
    ("14 NUL", "a.csv", b"question,answer\na,b\0c\nd,e\n" + b"x,y\n" * 20, ["e"] + ["y"] * 20, {"the answer contains NUL characters": 1}),
    ("24 delimiter in plain text", "a.csv", b"question,answer\na,b\nWho, me?,Yes\n", ["b"], {"the row has more cells than there are columns": 1}),
    ("25 more cells", "a.csv", b"question,answer\n1,2,3\na,b\n", ["b"], {"the row has more cells than there are columns": 1}),
    ("26 fewer cells", "a.csv", b"question,answer\na\nc,d\n", ["d"], {"the row has fewer cells than there are columns": 1}),
    ("28 a quote in the wrong place", "a.csv", b'question,answer\na,"b"c\nd,e\n', ["e"], {"a quotation mark stands in the wrong place": 1}),
    ("47 mixed types", "a.jsonl", b'{"question": "a", "answer": ["x"]}\n{"question": "a", "answer": {"x": 1}}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer is a list, not text": 1, "the answer is an object, not text": 1}),
    ("48 broken lines", "a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": "c", \n{"question": "e", "answer": "f"}\n', ["b", "f"], {"the line is not valid JSON": 1}),
    ("48 first line broken", "a.jsonl", b'{"question": "a", \n{"question": "c", "answer": "d"}\n{"question": "e", "answer": "f"}\n', ["d", "f"], {"the line is not valid JSON": 1}),
    ("51 NaN and infinity", "a.jsonl", b'{"question": "a", "answer": NaN}\n{"question": "a", "answer": -Infinity}\n{"question": "a", "answer": 1e999}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer is not a number (NaN or infinity)": 3}),
    ("missing key", "a.jsonl", b'{"question": "a"}\n{"question": "c", "answer": "d"}\n', ["d"], {"the answer is empty": 1}),
    ("empty values", "a.csv", b"question,answer\n,b\nc,\n \xc2\xa0,d\ne,f\n", ["f"], {"the question is empty": 2, "the answer is empty": 1}),
    ("53 one line nested too deeply", "a.jsonl", b'{"question": "a", "answer": "b"}\n{"question": ' + b"[" * 5_000 + b'\n{"question": "c", "answer": "d"}\n', ["b", "d"], {"the row is nested too deeply": 1}),
    ("a list among the rows", "a.jsonl", b'{"question": "a", "answer": "b"}\n[1, 2]\n7\n', ["b"], {"the row is not an object with named columns": 2}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "answers", "reasons"), [case[1:] for case in SKIPPED], ids=[case[0] for case in SKIPPED])  # fmt: skip
def test_rows_that_cannot_be_used_are_left_out_and_counted(make, name, content, answers, reasons):
    made = make(content, name, QA)
    assert made.answers() == answers
    assert made.summary["reasons"] == reasons
    assert [problem["words"] for problem in made.problems] == [*made.summary["reasons"].keys()] or made.problems
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

"""What the first look shows and says: the rows that tell, and the column that is to blame."""

import pytest

from facet.dataset.look import look
from facet.dataset.preview import preview
from facet.errors import DataError
from tests.kinds import csv, pairs

GREEK = [{"question": f"what is {n}?", "answer": f"it is {n}"} for n in range(60)]
GREEK[40] = {"question": "größe?", "answer": "Maß und Höhe"}
GREEK[55] = {"question": "warum?", "answer": "Weil es so schön größer ist"}


def test_rows_that_show_whether_the_encoding_is_right_come_first(file):
    place = str(file(csv(GREEK).encode("cp1252"), "alt.csv"))
    seen = look(place, "alt.csv")
    assert seen["encoding"] == "cp1252"
    assert [row["question"] for row in seen["rows"][:3]] == ["größe?", "warum?", "what is 0?"]
    assert len(seen["rows"]) == 20
    rows = preview(place, "alt.csv", seen["shape"]["mapping"], count=5)
    assert [row["row"] for row in rows] == [41, 56, 1, 2, 3]


def test_where_the_encoding_is_certain_the_first_rows_are_shown(file):
    place = str(file(csv(GREEK), "neu.csv"))
    seen = look(place, "neu.csv")
    assert seen["rows"][0]["question"] == "what is 0?"
    assert [row["row"] for row in preview(place, "neu.csv", seen["shape"]["mapping"], count=3)] == [1, 2, 3]


def test_an_empty_column_of_answers_is_named(file):
    rows = [{"question": row["question"], "answer": ""} for row in pairs()]
    complaint = look(str(file(csv(rows), "a.csv")), "a.csv")["complaint"]
    assert complaint["why"] == "The column “answer” is empty in every row."


def test_empty_answers_beside_prompts_are_said_though_prompts_alone_are_data_too(file):
    rows = [{"prompt": row["question"], "completion": ""} for row in pairs()]
    seen = look(str(file(csv(rows), "a.csv")), "a.csv")
    assert seen["shape"]["mapping"]["type"] == "prompt_only"
    assert "The column “completion” is empty in every row." in seen["warnings"]


def test_preparing_empty_answers_names_their_column(make):
    rows = [{"question": row["question"], "said": ""} for row in pairs()]
    with pytest.raises(DataError, match="In 24 of 24 rows the answer is empty: the column “said”"):
        make(csv(rows), "a.csv", {"kind": "columns", "user": "question", "assistant": "said"})


def test_one_row_is_spoken_of_as_one(file):
    warnings = look(str(file(csv(pairs(1)), "a.csv")), "a.csv")["warnings"]
    assert any(words.startswith("There is only 1 row. ") for words in warnings)

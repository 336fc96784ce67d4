"""Tables with the same columns in one archive are put together, with the file that each row came from."""

from pathlib import Path

import pytest

from facet.dataset.look import look
from facet.dataset.unpack import unpack
from tests.kinds import csv, jsonl, pairs, parquet, xlsx, zipped


@pytest.fixture
def opened(tmp_path):
    def run(members: dict, name: str = "rows.zip"):
        packed, into = tmp_path / name, tmp_path / "into"
        packed.write_bytes(zipped(members))
        into.mkdir()
        found = unpack(str(packed), name, str(into))
        return found, [Path(into) / each["path"] for each in found["files"]]

    return run


def spelled(rows: list[dict]) -> list[dict]:
    return [{"Question": row["question"], "ANSWER": row["answer"]} for row in rows]


SAME = {
    "csv": {"north.csv": csv(pairs(20)), "south.csv": csv(pairs(30)), "west.csv": csv(pairs(5))},
    "another order and spelling": {
        "north.csv": csv(pairs(20)),
        "south.csv": csv([dict(reversed(row.items())) for row in pairs(30)]),
        "west.csv": csv(spelled(pairs(5))),
    },
    "several formats": {
        "north.csv": csv(pairs(20), ";"),
        "deep/south.jsonl": jsonl(pairs(30)),
        "west.xlsx": xlsx(pairs(5)),
    },
    "encodings": {
        "north.csv": csv(pairs(20)).encode("utf-16"),
        "south.parquet": parquet(pairs(30)),
        "west.csv": csv(pairs(5)).encode("cp1252"),
    },
}


@pytest.mark.parametrize("how", SAME)
def test_the_same_columns_become_one_table_and_each_row_names_its_file(opened, how):
    found, (file,) = opened(SAME[how])
    assert not found["choose"]
    seen = look(str(file), found["files"][0]["name"])
    assert seen["row_count"] == 55
    assert [column["name"] for column in seen["columns"]] == ["source file", "question", "answer"]
    rows = [row for row in (seen["rows"][0], *seen["rows"][-1:])]
    assert {row["source file"] for row in rows} <= {"north", "south", "west"}
    assert seen["shape"]["mapping"]["user"] == "question"


def test_how_many_rows_came_from_which_file_is_said(opened):
    found, _ = opened(SAME["csv"])
    assert found["notes"] == [
        "3 files with the same columns were put together, with their rows: "
        "north.csv (20), south.csv (30), west.csv (5).",
        "The column “source file” says from which of them a row is.",
    ]


def test_other_columns_are_offered_for_choice_beside_those_put_together(opened):
    found, _ = opened({"a.csv": csv(pairs(20)), "b.csv": csv(pairs(20)), "c.csv": "x,y,z\n1,2,3\n"})
    assert found["choose"]
    assert sorted(each["name"] for each in found["files"]) == ["a and 1 more.jsonl", "c.csv"]


def test_rows_that_cannot_be_read_are_counted_and_named(opened):
    found, (file,) = opened({"a.csv": csv(pairs(20)) + "one cell\n", "b.csv": csv(pairs(20))})
    assert "1 rows of a.csv cannot be read: the row has fewer cells than there are columns." in found["notes"]
    assert look(str(file), "rows.jsonl")["row_count"] == 41


def test_a_table_named_after_a_part_is_not_mixed_with_others(opened):
    found, _ = opened({"train.csv": csv(pairs(20)), "everything.csv": csv(pairs(50))})
    assert found["choose"] and found["files"][0]["name"] == "train.csv"


def test_the_same_chat_number_in_two_files_is_two_chats(opened):
    chat = [{"chat_id": n // 2, "sender": ("customer", "agent")[n % 2], "message": f"m {n}"} for n in range(20)]
    found, (file,) = opened({"may.csv": csv(chat), "june.csv": csv(chat)})
    assert look(str(file), found["files"][0]["name"])["row_count"] == 20


def test_files_named_by_label_are_labels(opened):
    tables = {
        f"{label}.csv": csv([{"text": f"{label} words of number {n} here"} for n in range(20)])
        for label in ("ham", "spam")
    }
    found, (file,) = opened(tables)
    shape = look(str(file), found["files"][0]["name"])["shape"]
    assert (shape["mapping"]["user"], shape["mapping"]["assistant"]) == ("text", "source file")

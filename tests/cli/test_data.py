"""Data from the command line: look, prepare in every way, examine, repair, undo, replay, take home."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.kinds import csv, jsonl, pairs, write, xlsx


@pytest.fixture
def facet(tmp_path: Path):
    def run(*words: str, fails: bool = False) -> dict:
        done = Terminal(tmp_path)(*words, "--json")
        assert (done.returncode != 0) == fails, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def in_words(*words: str, home: Path) -> str:
    """What a person reads, in a terminal, on both streams."""
    done = Terminal(home)(*words)
    return done.stdout + done.stderr


def test_a_look_says_what_a_file_is_and_keeps_nothing(facet, tmp_path):
    seen = facet("look", str(write(tmp_path, "semicolon.csv")))
    assert seen["row_count"] == 24 and seen["delimiter"] == ";"
    assert seen["preview"][0]["messages"][1]["content"].startswith("On day 0")
    assert not list((tmp_path / "home").rglob("uploads/*/source.json"))


def test_a_sheet_is_chosen_and_a_wrong_one_is_explained(facet, tmp_path):
    book = tmp_path / "book.xlsx"
    book.write_bytes(xlsx([{"notes": "nothing here"}], pairs(30)))
    assert facet("prepare", str(book), "--sheet", "Sheet2")["used"] == 30
    error = facet("prepare", str(book), "--sheet", "Sheet9", fails=True)["error"]
    assert "no sheet of that name" in error["what"] and "Sheet2" in error["why"]


def test_a_template_writes_the_question_from_columns(facet, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(
        csv([{"name": f"Ann {n}", "place": f"Bern {n}", "said": f"Hello {n} from here"} for n in range(20)])
    )
    facet("prepare", str(file), "--template", "user={name} of {place}?", "--map", "assistant=said", "--name", "made")
    made = next((tmp_path / "home").rglob("preview.json"))
    assert json.loads(made.read_text())[0]["messages"][0]["content"] == "Ann 0 of Bern 0?"


def test_splits_samples_and_cleaning_do_what_they_say(facet, tmp_path):
    rows = [row | {"question": row["question"].replace(" you ", "\u00a0you ")} for row in pairs(60)] + pairs(5)
    file = tmp_path / "rows.jsonl"
    file.write_text(jsonl(rows))
    whole = facet("prepare", str(file), "--splits", "none")
    assert whole["splits"] == {"train": 65, "validation": 0, "exam": 0}
    clean = facet("prepare", str(file), "--clean", "spaces", "--clean", "duplicates", "--sample-size", "40")
    assert clean["used"] == 40 and clean["unusable"] == 5 and clean["not_sampled"] == 20 and clean["rows_in"] == 65
    assert clean["cleaned"]["spaces"] == 60
    shorter = facet("prepare", str(file), "--clean", "max_characters=108", "--splits", "none")
    assert 0 < shorter["used"] < 65 == shorter["used"] + shorter["unusable"]


def test_the_doctor_finds_repairs_and_undoes(facet, tmp_path):
    file = tmp_path / "rows.jsonl"
    private = {"question": "How do I reach the office?", "answer": "Write to anna.keller@example.org, she answers."}
    file.write_text(jsonl([*pairs(40), *pairs(6), private]))
    before = facet("prepare", str(file), "--splits", "none")
    found = facet("doctor", before["dataset_id"])
    kinds = [each["repair"]["kind"] for finding in found["findings"] for each in finding["repairs"]]
    assert found["examined"] == 47 and "drop_duplicates" in kinds
    after = facet("doctor", before["dataset_id"], "--repair", "drop_duplicates")
    assert after["used"] == 41 and after["version"] == 2
    assert [each["version"] for each in facet("versions", after["dataset_id"])["versions"]] == [1, 2]
    undone = facet("doctor", after["dataset_id"], "--undo")
    assert undone["fingerprint"] == before["fingerprint"] and undone["dataset_id"] == before["dataset_id"]
    assert "drop_duplicates" in str(facet("doctor", undone["dataset_id"], "--repair", "fly", fails=True)["error"])


def test_undoing_on_the_first_version_says_of_which_one_it_can_be_done(facet, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(jsonl([*pairs(40), *pairs(6)]))
    first = facet("prepare", str(file), "--splits", "none")["dataset_id"]
    assert "Repair it first" in facet("doctor", first, "--undo", fails=True)["error"]["next"]
    second = facet("doctor", first, "--repair", "drop_duplicates")["dataset_id"]
    error = facet("doctor", first, "--undo", fails=True)["error"]
    assert "first version" in error["why"] and f"version 2, {second}" in error["next"]


def test_who_speaks_for_the_model_is_chosen(facet, tmp_path):
    file = tmp_path / "chat.csv"
    said = [
        {"chat_id": n // 4, "sender": ("Ann", "Ben")[n % 2], "message": f"words {n}", "time": n} for n in range(120)
    ]
    file.write_text(csv(said))
    seen = facet("look", str(file), "--speaker", "Ann")
    assert seen["chosen"]["speaker"] == "Ann" and "Ben" in seen["choices"]["speaker"]
    assert [turn["role"] for turn in seen["preview"][0]["messages"]] == ["user", "assistant"]
    assert seen["preview"][0]["messages"][1]["content"] == "words 2"
    assert "Nobody in this chat" in facet("prepare", str(file), "--speaker", "Eve", fails=True)["error"]["what"]


def test_columns_that_are_not_used_are_said(facet, tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(csv([{"id": n, **row, "note": "x"} for n, row in enumerate(pairs())]))
    assert facet("look", str(file))["unused"] == ["id", "note"]
    assert "Not used: id, note." in in_words("look", str(file), home=tmp_path)


def test_sentences_name_options_and_no_fields_of_the_page(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(csv([{"x": "a b", "y": "c d", "z": "e f"}] * 30))
    said = in_words("look", str(file), home=tmp_path)
    assert "--map user=COLUMN" in said and "above the preview" not in said
    said = in_words("prepare", str(file), "--encoding", "klingon", home=tmp_path)
    assert "--encoding" in said and "“Encoding”" not in said


def test_a_download_is_called_after_its_data_and_nothing_is_written_over(facet, tmp_path):
    made = facet("prepare", "example:pirate", "--name", "Grüße, Käpt'n")["dataset_id"]
    names = [Path(facet("download-data", made, "--part", "exam", "--to", str(tmp_path))["file"]).name for _ in range(2)]
    assert names == ["Grüße-Käpt-n-exam.jsonl", "Grüße-Käpt-n-exam-2.jsonl"]
    whole = Path(facet("download-data", made, "--to", str(tmp_path))["file"])
    assert whole.name == "Grüße-Käpt-n-data-jsonl.zip"


def test_new_data_is_treated_like_the_old(facet, tmp_path):
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text(jsonl([*pairs(30), *pairs(4)]))
    new.write_text(jsonl([*pairs(50), *pairs(10)]))
    first = facet("prepare", str(old), "--splits", "none")
    repaired = facet("doctor", first["dataset_id"], "--repair", "drop_duplicates")
    again = facet("prepare", str(new), "--like", repaired["dataset_id"])
    assert again["rows_in"] == 60 and again["splits"] == {"train": 50, "validation": 0, "exam": 0}


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_data_is_taken_home_and_is_the_same_when_it_comes_back(facet, tmp_path, form):
    made = facet("prepare", "example:pirate")
    out = tmp_path / "out"
    out.mkdir()
    everything = Path(facet("download-data", made["dataset_id"], "--format", form, "--to", str(out))["file"])
    assert len([name for name in zipfile.ZipFile(everything).namelist() if name.endswith(form)]) == 3
    back = facet("prepare", str(everything), "--splits", "given")
    assert back["splits"] == made["splits"] and back["fingerprint"] == made["fingerprint"]


def test_publishing_data_without_an_account_says_how_to_get_one(facet):
    made = facet("prepare", "example:pirate")
    error = facet("publish-data", made["dataset_id"], "ann/rows", fails=True)["error"]
    assert "sign" in error["what"].lower() and "login" in error["next"]

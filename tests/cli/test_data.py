"""Data from the command line: look, prepare in every way, examine, repair, undo, replay, take home."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.kinds import csv, jsonl, pairs, write, xlsx


@pytest.fixture
def facet(tmp_path: Path):
    def run(*words: str, fails: bool = False) -> dict:
        environment = os.environ | {"FACET_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "facet", *words, "--json"], capture_output=True, text=True, env=environment
        )
        assert (done.returncode != 0) == fails, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


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

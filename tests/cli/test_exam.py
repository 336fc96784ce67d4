"""Tests and batches from the command line: exam, compare, try-prompts, exams, batch."""

import csv
import json
import threading
import time

import pytest

from facet.cli.exam_wait import say_forecast, so_far
from facet.cli.main import main
from facet.exam.forecast import Forecast
from facet.identity import LOCAL
from facet.studio import Studio
from facet.work.log import Progress
from facet.workspace import Workspace
from tests.exam.small_bank import LABELS

pytestmark = pytest.mark.tiny
FEW = ("--most", "3", "--no-general")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("exams")


@pytest.fixture
def facet(home, monkeypatch, capsys):
    """Runs a command in this process: its status, what it answered in JSON, and what it said beside that."""
    monkeypatch.setenv("FACET_HOME", str(home / "home"))

    def run(*words: object):
        capsys.readouterr()
        status = main([*map(str, words), "--json"])
        said = capsys.readouterr()
        lines = said.out.splitlines()
        return status, json.loads(lines[-1]) if lines else {}, said.err

    return run


@pytest.fixture
def dataset(facet, home):
    known = facet("datasets")[1]["datasets"]
    if known:
        return known[0]["dataset_id"]
    rows = [[f"{text} {day}", label] for label, texts in LABELS.items() for text in texts for day in ("now", "please")]
    with open(home / "bank.csv", "w", newline="") as out:
        csv.writer(out).writerows([["question", "label"], *rows])
    return facet("prepare", home / "bank.csv")[1]["dataset_id"]


@pytest.fixture
def run(facet, dataset):
    known = facet("runs")[1]["runs"]
    if known:
        return known[0]["run_id"]
    return facet("train", "--data", dataset, "--max-steps", "4", "--evaluations", "1", "--wait")[1]["run_id"]


def test_a_run_is_tested_shown_and_its_answers_are_written(facet, home, run):
    to = home / "answers.jsonl"
    status, answer, _ = facet("exam", run, *FEW, "--to", to)

    assert status == 0 and answer["type"] == "classification" and answer["kind"] == "run"
    assert answer["results"]["exam"].keys() == {"Untouched", answer["contestants"][1]}
    assert answer["results"]["exam"]["Untouched"]["rows"] == 3 and "accuracy" in answer["results"]["exam"]["Untouched"]
    assert [verdict["part"] for verdict in answer["verdicts"]] == ["validation", "exam"]
    assert answer["verdict"] == answer["verdicts"][1]["words"] and answer["lights"] == {}
    assert len([json.loads(line) for line in to.read_text().splitlines()]) == 6
    assert answer["file"] == str(to)

    listed = facet("exams", "--run", run)[1]["exams"]
    assert [one["exam_id"] for one in listed] == [answer["exam_id"]] and listed[0]["stage"] == "finished"
    shown = facet("exams", answer["exam_id"])[1]
    assert shown["results"] == answer["results"]


def test_models_are_compared_and_prompts_tried(facet, dataset, run):
    status, answer, _ = facet("compare", dataset, "starter", run, *FEW, "--part", "exam", "--type", "exact")
    assert status == 0 and answer["type"] == "exact" and list(answer["results"]) == ["exam"]
    assert answer["verdicts"][0]["a"] == "Untouched"

    status, answer, _ = facet("try-prompts", dataset, *FEW, "--system", "Name the topic.", "--max-new-tokens", "4")
    assert status == 0 and answer["kind"] == "prompts" and len(answer["contestants"]) == 2
    assert answer["chosen"] in answer["contestants"] and answer["notes"]


def test_a_part_and_a_file_are_answered(facet, home, dataset, run):
    status, answer, _ = facet("batch", dataset, run, "--to", home / "part.csv", "--max-new-tokens", "5")
    table = list(csv.DictReader((home / "part.csv").read_text("utf-8-sig").splitlines()))
    assert status == 0 and answer["rows"] == len(table) > 0 and table[0]["expected"] in LABELS

    status, answer, _ = facet("batch", home / "bank.csv", "starter", "--to", home / "b.jsonl", "--max-new-tokens", "3")
    assert status == 0 and answer["rows"] == len((home / "b.jsonl").read_text().splitlines()) == 32


def test_what_cannot_be_done_is_refused_in_three_sentences(facet, home, dataset):
    for words, sentence in (
        (("exam", "no-such-run"), "could not find this run"),
        (("exams", "no-such-test"), "could not find this test"),
        (("compare", "no-such-data", "starter"), "could not find this dataset"),
        (("compare", dataset, "no-such-model"), "model"),
        (("compare", dataset, "starter", "--most", "0"), "Most questions"),
        (("compare", dataset, "starter", "--to", home / "x.pdf"), ".csv or .jsonl"),
        (("try-prompts", dataset, "--shots", "-3"), ""),
        (("batch", dataset, "starter", "--to", home / "x.csv", "--temperature", "nan"), "Temperature"),
        (("batch", dataset, "starter", "--to", home / "x.pdf"), ".csv or .jsonl"),
        (("batch", "no-such-file.csv", "starter", "--to", home / "x.csv"), ""),
    ):
        status, answer, error = facet(*words)
        assert status == 1 and sentence in error and len(error.splitlines()) == 3, (words, error)
        assert answer["error"]["what"] in error
    with pytest.raises(SystemExit) as wrong:
        facet("compare", dataset)
    assert wrong.value.code == 2


def test_a_test_that_is_paused_elsewhere_ends_the_waiting_and_goes_on_when_told(facet, home, run):
    studio = Studio(Workspace(home / "home"))
    before = {card.id for card in studio.exams(LOCAL)}

    def somebody_else() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if new := [card.id for card in studio.exams(LOCAL) if card.id not in before]:
                return studio.pause_exam(LOCAL, new[0])
            time.sleep(0.02)

    pausing = threading.Thread(target=somebody_else)
    pausing.start()
    status, answer, error = facet("exam", run, *FEW, "--type", "exact")
    pausing.join()
    exam = next(card.id for card in studio.exams(LOCAL) if card.id not in before)
    assert status == 1 and answer["error"]["what"].startswith("It was paused") and f"exams {exam} --resume" in error
    end = time.monotonic() + 60  # a worker that was just being started says so first, and then sees the pause
    while studio.exam_card(LOCAL, exam).progress.stage != "paused" and time.monotonic() < end:
        time.sleep(0.05)
    assert studio.exam_card(LOCAL, exam).progress.stage == "paused"

    status, answer, _ = facet("exams", exam, "--resume", "--to", home / "later.csv")
    assert status == 0 and answer["stage"] == "finished" and (home / "later.csv").is_file()
    assert facet("rename", exam, "Renamed")[0] == 0 and facet("exams", exam)[1]["name"] == "Renamed"
    assert facet("delete", exam)[0] == 0 and facet("exams", exam)[0] == 1
    assert facet("exams", "--resume")[0] == 1


def test_how_far_it_is_and_how_long_it_takes_is_said(capsys):
    assert so_far(Progress(step=30, total_steps=50), 10, 10.0) == "30 of 50, about 10 seconds to go"
    assert so_far(Progress(step=10, total_steps=50), None, 10.0) == "10 of 50"
    say_forecast(Forecast(240, 0, 600.0, True))
    say_forecast(Forecast(240, 0, 30.0, False))
    say_forecast(Forecast(240, 0, None, False))
    assert capsys.readouterr().err.splitlines() == [
        "240 answers to give, about 10 minutes.",
        "240 answers to give, very roughly 30 seconds.",
    ]

"""`python -m facet plan`: what the page's card says, from a terminal."""

import json
from pathlib import Path

import pytest

from facet.cli.main import main
from tests.journeys import a_studio, prepared_example


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("plan") / "home"
    return home, prepared_example(a_studio(home))


@pytest.fixture
def dataset(prepared, monkeypatch) -> str:
    monkeypatch.setenv("FACET_HOME", str(prepared[0]))
    return prepared[1]


def test_plan_tells_memory_and_minutes_as_words_and_as_json(dataset, capsys):
    assert main(["plan", "--data", dataset, "--max-steps", "12"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("12 steps") and "it fits" in told and "a rough estimate" in told
    assert main(["plan", "--data", dataset, "--max-steps", "12", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["steps"] == 12 and answer["forecast"]["how"] == "rough"
    assert answer["places"][0]["fits"] and answer["largest"]["max_length"] == 2048
    assert answer["needs"]["libraries"] < answer["forecast"]["gb"]


def test_the_goal_and_the_method_of_the_data_count(dataset, prepared, capsys):
    needs = {}
    for goal in ("taste", "facts"):
        assert main(["plan", "--data", dataset, "--goal", goal, "--json"]) == 0
        needs[goal] = json.loads(capsys.readouterr().out.splitlines()[-1])["needs"]
    assert needs["taste"] != needs["facts"]
    texts = prepared_example(a_studio(prepared[0]), "repair_handbook")
    assert main(["plan", "--data", texts, "--no-packing", "--json"]) == 0
    assert main(["plan", "--data", dataset, "--no-packing"]) == 1
    assert "does not suit this data" in capsys.readouterr().err
    assert main(["plan", "--data", dataset, "--from", "2020-01-01-nothing-abcd"]) == 1


@pytest.mark.parametrize(
    "wrong", [["--max-length", "1"], ["--model", "no such model"], ["--per-device-train-batch-size", "x"]], ids=str
)
def test_what_cannot_be_planned_ends_in_three_sentences_and_exit_code_1(dataset, capsys, wrong):
    assert main(["plan", "--data", dataset, *wrong]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 3


def test_data_that_is_not_there_is_not_planned(dataset, capsys):
    assert main(["plan", "--data", "nothing-here"]) == 1
    assert "not" in capsys.readouterr().err

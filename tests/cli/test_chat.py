"""`chat` and `feedback`: several models at once, and answers that become data."""

import json

import pytest

from tests.cli.terminal import Terminal
from tests.model.seeing import picture, tiny_seeing_gemma3

pytestmark = pytest.mark.tiny
JUDGING = "/up\nWho are you?\n/better Arr, a pirate!\n/down\nAnd now?\n/down\n\n"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("terminal"))


@pytest.fixture(scope="module")
def dataset_id(terminal) -> str:
    return terminal.json("prepare", "example:pirate", "--name", "Pirates")["dataset_id"]


@pytest.fixture(scope="module")
def run_id(terminal, dataset_id) -> str:
    asked = ("--data", dataset_id, "--model", "starter", "--max-steps", "8", "--learning-rate", "2e-3", "--wait")
    return terminal.json("train", *asked)["run_id"]


def test_up_to_four_answer_with_proof_and_the_untouched_side_is_the_untouched_model(terminal, run_id):
    save_point = f"{run_id}@8"
    short = ("--prompt", "What is the capital of Peru?", "--max-new-tokens", "12")
    answer = terminal.json("chat", run_id, "--compare", "--beside", save_point, "--beside", "starter", *short)

    assert set(answer["answers"]) == {"base", "tuned", save_point, "starter"}
    assert (
        answer["base_reply"]
        == answer["answers"]["starter"]["reply"]
        == terminal.json("chat", "starter", *short)["reply"]
    )
    assert answer["answers"][save_point]["reply"] == answer["reply"] == answer["answers"]["tuned"]["reply"]
    assert len(answer["proofs"]) == 2 and all(proof["changes"] and proof["largest"] > 0 for proof in answer["proofs"])
    assert 0 < answer["answers"]["tuned"]["prompt_tokens"] < answer["answers"]["tuned"]["context"]


def test_answers_are_judged_while_one_talks_and_become_the_next_version(terminal, run_id, dataset_id):
    done = terminal.apart("chat", run_id, typed=JUDGING)
    assert done.returncode == 0, done.stderr
    assert "There is no answer to judge yet." in done.stderr and "You: Tuned:" in done.stdout

    listed = terminal.json("feedback")
    assert [(one["good"], one["better"]) for one in listed["judged"]] == [(False, "Arr, a pirate!"), (False, "")]
    assert listed["examples"] == {"conversation": 1, "preference": 1, "unpaired_preference": 3}

    made = terminal.json("feedback", "--to", dataset_id)
    assert (made["version"], made["used"]) == (2, 101)
    assert terminal.json("feedback")["judged"] == []
    assert terminal("feedback", "--new", "preference").returncode == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--temperature", "nan"], "Temperature"),
        (["--stop", ""], "Stop at"),
        (["--repetition-penalty", "9"], "Repetition penalty"),
        (["--beside", "a", "--beside", "b", "--beside", "c", "--beside", "d"], "up to 4"),
    ],
)
def test_what_cannot_be_is_refused_in_three_sentences(terminal, words, says):
    done = terminal("chat", "starter", "--prompt", "Hi", "--json", *words)
    assert done.returncode == 1 and says in done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])["error"]) == {"kind", "what", "why", "next"}


def test_a_save_point_that_is_gone_is_named_as_such(terminal, run_id):
    done = terminal("chat", f"{run_id}@999", "--prompt", "Hi")
    assert done.returncode == 1 and "save point" in done.stderr


def test_pictures_are_shown_to_a_model_that_sees_and_to_no_other(terminal, tmp_path):
    seer = str(tiny_seeing_gemma3(tmp_path / "seer"))
    red = str(picture(tmp_path / "red.png", (255, 0, 0)))
    blue = str(picture(tmp_path / "blue.png", (0, 0, 255)))
    asked = ("--prompt", "What is this?", "--max-new-tokens", "12")
    said = [terminal.json("chat", seer, *asked, "--image", file) for file in (red, blue)]
    assert said[0]["reply"] != said[1]["reply"] and said[0]["answers"]["base"]["prompt_tokens"] > 6
    assert not list((terminal.folder / "home").rglob("pictures/*/*"))

    blind = terminal("chat", "starter", *asked, "--image", red)
    assert blind.returncode == 1 and "“starter” cannot see pictures here." in blind.stderr
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for wrong, words in (
        (["broken.png"], "cannot be shown"),
        (["gone.png"], "no such file"),
        ([red] * 5, "You added 5"),
    ):
        named = [part for file in wrong for part in ("--image", str(tmp_path / file))]
        refused = terminal("chat", seer, *asked, *named)
        assert refused.returncode == 1 and words in refused.stderr


def test_an_engine_is_asked_for_by_name_and_who_answered_is_said(terminal):
    asked = ("chat", "starter", "--prompt", "What is the capital of Peru?", "--max-new-tokens", "8", "--engine", "vLLM")
    done = terminal(*asked, "--json")
    assert json.loads(done.stdout)["answers"]["base"]["engine"] == "transformers"
    assert "vLLM is not used: " in done.stderr and "transformers answers instead." in done.stderr

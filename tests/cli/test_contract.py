"""The contract for scripts: what each command answers in JSON, its exit status, and where the sentences go."""

import time
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal, answer

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def terminal(tmp_path_factory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("terminal"))


@pytest.fixture(scope="module")
def dataset_id(terminal) -> str:
    return answer(terminal.apart("prepare", "example:pirate", "--name", "Pirates", "--json"))["dataset_id"]


@pytest.fixture(scope="module")
def run_id(terminal, dataset_id) -> str:
    return terminal.json("train", "--data", dataset_id, "--model", "starter", "--max-steps", "12", "--wait")["run_id"]


def test_prepare_reports_its_guess_and_every_row_is_accounted_for(terminal, dataset_id):
    made = terminal.json("prepare", "example:json_replies")

    assert made["guessed"] and made["shape"]["kind"]
    assert made["rows_in"] == made["used"] + made["unusable"] == 160


def test_columns_can_be_named_where_nothing_can_be_guessed(terminal):
    (terminal.folder / "odd.csv").write_text(
        "alpha,beta,gamma\n" + "".join(f"ask {n},say {n},more {n}\n" for n in range(20))
    )
    refused = terminal("prepare", "odd.csv")
    made = terminal.json("prepare", "odd.csv", "--map", "user=alpha", "--map", "assistant=beta", "--test-size", "0.2")

    assert refused.returncode == 1 and "--map" in refused.stderr
    assert (made["guessed"], made["splits"]["exam"]) == (False, 4)


def test_a_place_that_is_not_here_is_refused_and_loses_nothing(terminal, dataset_id, run_id):
    refused = terminal("train", "--data", dataset_id, "--where", "zerogpu", "--max-steps", "1")
    nonsense = terminal("train", "--data", dataset_id, "--where", "the moon")

    assert refused.returncode == 1 and "There is no ZeroGPU here." in refused.stderr
    assert nonsense.returncode == 2
    assert terminal.json("runs", run_id)["where"] == "local"


def test_a_typed_setting_reaches_the_run(terminal, dataset_id):
    run_id = terminal.json("train", "--data", dataset_id, "--learning-rate", "2e-4", "--max-steps", "1", "--wait")[
        "run_id"
    ]

    assert terminal.json("runs", run_id)["recipe"]["learning_rate"] == 0.0002


def test_chat_answers_with_both_replies(terminal, run_id):
    both = terminal.json("chat", run_id, "--prompt", "Hello!", "--compare")
    alone = terminal.json("chat", "starter", "--prompt", "Hello!")

    assert set(both) == {"reply", "base_reply", "answers", "proofs"} and both["base_reply"] == alone["reply"]


def test_an_export_can_be_run_again_from_its_run_file(terminal, run_id):
    folder = Path(terminal.json("export", run_id, "--to", "mine")["folder"])
    again = terminal.json("train", "--file", str(folder / "facet-run.yaml"), "--wait")

    assert again["adapter_sha256"] == terminal.json("runs", run_id)["adapter_sha256"]


def test_a_run_in_the_background_can_be_paused_and_resumed(terminal, dataset_id):
    run_id = terminal.json("train", "--data", dataset_id, "--max-steps", "30")["run_id"]
    paused = terminal.json("pause", run_id, "--wait")
    finished = terminal.json("resume", run_id, "--wait")

    assert paused["stage"] == "paused" and paused["step"] < 30
    assert (finished["stage"], finished["step"]) == ("finished", 30)


def test_stop_keeps_what_was_learned(terminal, dataset_id):
    run_id = terminal.json("train", "--data", dataset_id, "--max-steps", "200")["run_id"]
    stopped = terminal.json("stop", run_id, "--wait") if _first_step(terminal, run_id) else {}

    assert stopped["stage"] == "finished" and 0 < stopped["step"] < 200


def _first_step(terminal: Terminal, run_id: str) -> bool:
    end = time.monotonic() + 180
    while not (done := terminal.json("runs", run_id)["step"] > 0) and time.monotonic() < end:
        time.sleep(0.2)
    return done


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["prepare", "missing.csv"], 1, "not there"),
        (["prepare", "example:nothing"], 1, "could not find"),
        (["prepare", "example:pirate", "--map", "user"], 2, "ROLE=COLUMN"),
        (["prepare", "example:pirate", "--map", "teacher=answer"], 2, "with a role out of"),
        (["train"], 2, "--data DATASET"),
        (["prepare", "example:pirate", "--test-size", "nan"], 1, "0.5"),
        (["train", "--data", "nothing"], 1, "could not find this dataset"),
        (["train", "--data", "DATASET", "--learning-rate", "5"], 1, "Learning speed"),
        (["train", "--data", "DATASET", "--lora-rank", "nan"], 1, "Adapter size"),
        (["train", "--data", "DATASET", "--model", "no/such/model/at/all"], 1, "starting model"),
        (["train", "--data", "DATASET", "--model", "../../etc"], 1, "."),
        (["chat", "nothing", "--prompt", "x"], 1, "starting model"),
        (["chat", "starter", "--prompt", "x", "--temperature", "nan"], 1, "Temperature"),
        (["export", "nothing", "--to", "x"], 1, "could not find this run"),
        (["runs", "../../../etc/passwd"], 1, "could not find this run"),
        (["resume", "nothing"], 1, "could not find this run"),
        (["bogus"], 2, "usage"),
        (["train", "--no-such-flag"], 2, "usage"),
        (["prepare"], 2, "usage"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_refusal_is_three_sentences_on_stderr_and_never_a_traceback(terminal, dataset_id, words, status, says):
    ask = terminal.apart if words[0] in ("chat", "bogus") else terminal  # of each exit status one as a process
    done = ask(*[dataset_id if word == "DATASET" else word for word in words])

    assert done.returncode == status
    assert says in done.stderr and "Traceback" not in done.stderr + done.stdout
    if status == 1:
        assert len(done.stderr.strip().splitlines()) == 3

"""`judge` from a terminal, as another process: a judge on loopback, a key from the environment, and no trace of it."""

import json
import os
import subprocess
import sys

import pytest

from facet.cli.main import main
from facet.compute.child import PACKAGE_ROOT
from facet.identity import LOCAL
from facet.workspace import Workspace
from tests.exam.judged_exam import NAMES, fill
from tests.judge_stand_in import Act, JudgeStandIn

KEY = "sk-canary-41b7c0de"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def exam_id(home):
    exam = Workspace(home).create(LOCAL, "exams", "Pirate")
    fill(exam, rows=8)
    return exam.name


def facet(home, *words, **variables):
    environment = os.environ | {"FACET_HOME": str(home), "PYTHONPATH": PACKAGE_ROOT} | variables
    command = [sys.executable, "-m", "facet", "judge", *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def here(home, monkeypatch, capsys):
    """The same command in this process, which starts at once: its status, and what it says."""
    for name, value in {"FACET_HOME": str(home), "MY_KEY": KEY, "GEMINI_API_KEY": ""}.items():
        monkeypatch.setenv(name, value)

    def run(*words):
        return main(["judge", *words]), "".join(capsys.readouterr())

    return run


def likes_the_second(asked):
    text = asked["messages"][0]["content"]
    return json.dumps({"reason": "r", "better": "1" if text.index("good answer") < text.index("bad answer") else "2"})


def test_a_pairwise_judging_from_plan_to_verdict_and_the_key_is_nowhere(home, exam_id):
    with JudgeStandIn(likes_the_second, key=KEY) as judge:
        how = (exam_id, "--by", "own:big", "--address", judge.url, "--mode", "pairs", "--json")
        planned = facet(home, *how, "--plan", FACET_JUDGE_KEY=KEY)
        assert planned.returncode == 0 and judge.asked == []
        assert json.loads(planned.stdout)["calls"] == 16
        done = facet(home, *how, FACET_JUDGE_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert len(judge.asked) == 16

    answer = json.loads(done.stdout.splitlines()[-1])
    (verdict,) = answer["verdicts"]
    assert (verdict["better"], verdict["wins"], answer["agreement"]["share"]) == ("better", 8, 1.0)
    assert "8 questions × 2 orders = 16 calls" in done.stderr and "known to whoever runs it" in done.stderr
    shown = facet(home, exam_id)
    assert NAMES[1] in shown.stdout and "16 of 16 judged" in shown.stdout
    assert KEY not in done.stdout + done.stderr + shown.stdout
    assert [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []


def test_a_wrong_key_pauses_and_the_right_one_goes_on(home, exam_id):
    with JudgeStandIn(key=KEY) as judge:
        how = (exam_id, "--by", "own:big", "--address", judge.url, "--rows", "3")
        refused = facet(home, *how, FACET_JUDGE_KEY="sk-wrong-1234")
        assert refused.returncode == 1 and "does not accept the key" in refused.stderr
        judging = refused.stderr.split("--go-on ")[1].split()[0]
        assert "sk-wrong-1234" not in refused.stderr + refused.stdout
        on = facet(home, exam_id, "--go-on", judging, "--json", MY_KEY=KEY, FACET_JUDGE_KEY="")
        assert on.returncode == 1  # the stand-in wants a key, and none was named
        on = facet(home, exam_id, "--go-on", judging, "--key-variable", "MY_KEY", "--json", MY_KEY=KEY)
        assert on.returncode == 0, on.stderr
        answer = json.loads(on.stdout.splitlines()[-1])
        assert (answer["stage"], answer["judged"], answer["scores"]) == ("done", 12, dict.fromkeys(NAMES[:2], 7.0))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--by", "gemini", "--rows", "2"), "GEMINI_API_KEY is not set"),
        (("--by", "huggingface", "--rows", "2"), "You have to be signed in"),
        (("--by", "nobody"), "not offered here"),
        (("--by", "own:m", "--address", "file:///etc/passwd"), "not the address of a server"),
        (("--by", "own:m", "--address", "http://a:b@localhost/v1"), "not the address of a server"),
        (("--by", "own:m", "--address", "http://judge.example/v1", "--key-variable", "MY_KEY"), "in the open"),
        (("--by", "own", "--address", "http://localhost/v1"), "missing or misspelt"),
        (("--by", "own:m", "--address", "http://localhost/v1", "--rows", "0"), "no number of questions"),
        (("--go-on", "../../etc"), "could not find"),
        (("--by", "own:m", "--what-counts", "no-such-file"), "could not be read"),
    ],
)
def test_what_cannot_be_is_refused_in_words(here, exam_id, words, sentence):
    status, refused = here(exam_id, *words)
    assert status == 1 and sentence in refused and KEY not in refused
    assert len(refused.strip().splitlines()) >= 3


def test_a_server_that_only_fails_is_left_alone_after_a_few_tries(here, exam_id):
    with JudgeStandIn() as judge:
        judge.acts = [Act(404, body=b"{}") for _ in range(99)]
        status, refused = here(exam_id, "--by", "own:gone", "--address", judge.url)
        assert status == 1 and "does not know this model" in refused
        assert len(judge.asked) <= 4

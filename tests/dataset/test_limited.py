"""The child process: its limits, its answers, and what happens when it breaks down."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facet.dataset import limited
from facet.errors import CapacityError, DataError, FacetError

HOME = Path(limited.__file__).parents[2]
ROWS = "question,answer\nWho?,Me.\n"
needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="these limits are only sure on Linux")


@pytest.fixture
def misbehave(tmp_path, monkeypatch):
    """A child that does what the test says, in place of a listed function."""

    def run(body: str, **limits):
        (tmp_path / "facet_misbehaving.py").write_text(f"def look():\n    {body}\n")
        sitecustomize = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        sitecustomize += "import facet.dataset.limited\n"
        (tmp_path / "facet_child.py").write_text(
            sitecustomize + "facet.dataset.limited.FUNCTIONS['look'] = 'facet_misbehaving'\n"
            "sys.exit(facet.dataset.limited.main('look'))\n"
        )
        real = subprocess.Popen

        def start(command, **options):
            return real([sys.executable, "-P", str(tmp_path / "facet_child.py")], **options)

        monkeypatch.setattr(limited.subprocess, "Popen", start)
        return limited.call("look", {}, **limits)

    return run


def test_an_answer_comes_back_as_data(file):
    seen = limited.call("look", {"file": str(file(ROWS)), "original_name": "a.csv", "correction": None})
    assert seen["rows"] == [{"question": "Who?", "answer": "Me."}]


def test_an_error_in_words_crosses_as_itself(file):
    with pytest.raises(DataError) as crossed:
        limited.call("look", {"file": str(file(b"")), "original_name": "a.csv"})
    assert crossed.value.what == "This file is empty."


def test_only_listed_functions_can_be_called():
    with pytest.raises(KeyError):
        limited.call("system", {})


def test_it_works_from_any_folder_and_trusts_none(tmp_path, file):
    """A module of a common name in the working folder must not be imported."""
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the working folder')")
    (tmp_path / "facet").mkdir()
    code = f"import sys; sys.path.insert(0, {str(HOME)!r})\n"
    code += "from facet.dataset import limited\nimport os\nos.chdir(sys.argv[1])\n"
    code += "print(limited.call('look', {'file': sys.argv[2], 'original_name': 'a.csv'})['row_count'])"
    run = [sys.executable, "-P", "-c", code, str(tmp_path), str(file(ROWS))]
    assert subprocess.run(run, capture_output=True, text=True, check=True, cwd="/").stdout.strip() == "1"


def test_the_child_is_told_no_secrets(misbehave, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    monkeypatch.setenv("ANYTHING_ELSE", "canary")
    seen = misbehave("import os; return dict(os.environ)")
    assert "hf_canary" not in json.dumps(seen)
    assert "ANYTHING_ELSE" not in seen
    assert seen["HF_HUB_OFFLINE"] == "1"


def test_what_a_library_prints_is_no_answer(misbehave):
    assert misbehave("print('noise'); import os; os.system('echo more noise'); return 7") == 7


def test_a_fault_becomes_an_apology_and_its_place_goes_to_the_log(misbehave, caplog):
    with pytest.raises(FacetError, match="a fault in Facet") as apology:
        misbehave("raise ValueError('a secret row')")
    assert "ValueError at facet_misbehaving.py:2" in caplog.text
    assert "secret" not in caplog.text + str(apology.value)


@needs_limits
@pytest.mark.faults
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("return 'a' * 3_000_000_000", CapacityError, "too much memory"),
        ("return [list(range(10)) for _ in range(10 ** 9)]", CapacityError, "too much memory"),
        ("import os; os.kill(os.getpid(), 11)", DataError, "broke down"),
        ("import os; os.kill(os.getpid(), 9)", CapacityError, "too much memory"),
        ("import os; os._exit(3)", DataError, "broke down"),
        ("return look()", DataError, "levels deep"),
        ("return 'a' * 100_000_000", CapacityError, "more than 64 MB"),
    ],
    ids=["one large value", "many small values", "a crash", "a kill", "a silent end", "no end", "too long an answer"],
)
def test_a_child_that_breaks_down_says_so_in_words(misbehave, body, kind, words):
    with pytest.raises(kind, match=words):
        misbehave(body, seconds=60, memory_gb=0.5)


@pytest.mark.faults
def test_a_child_that_waits_for_ever_is_stopped_by_the_clock(misbehave):
    started = time.monotonic()
    with pytest.raises(CapacityError, match="stopped after 2 seconds"):
        misbehave("import time; time.sleep(600)", seconds=2)
    assert time.monotonic() - started < 10


@needs_limits
@pytest.mark.faults
def test_whatever_the_child_started_ends_with_it(misbehave, tmp_path):
    mark = tmp_path / "pid"
    with pytest.raises(CapacityError):
        misbehave(
            f"import subprocess, time; p = subprocess.Popen(['sleep', '600']); "
            f"open({str(mark)!r}, 'w').write(str(p.pid)); time.sleep(600)",
            seconds=3,
        )
    status = Path(f"/proc/{mark.read_text()}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()


@needs_limits
@pytest.mark.faults
def test_the_child_ends_when_its_parent_is_killed(tmp_path):
    code = "from facet.dataset import limited; import os, sys\n"
    code += "limited.FUNCTIONS['look'] = 'x'\n"
    child = f"import sys; sys.path[:0] = [{str(HOME)!r}, {str(tmp_path)!r}]\nimport facet.dataset.limited as limited\n"
    child += "limited.FUNCTIONS['look'] = 'sleeper'\nlimited.main('look')\n"
    (tmp_path / "sleeper.py").write_text("import time\n\ndef look():\n    time.sleep(600)\n")
    parent = f"import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE)\n"
    parent += (
        'p.stdin.write(b\'{"arguments": {}, "limits": {"processor_seconds": 60, "memory_gb": 1}}\'); p.stdin.close()\n'
    )
    parent += "print(p.pid, flush=True)\nimport time; time.sleep(600)\n"
    running = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert running.stdout
    pid = int(running.stdout.readline())
    time.sleep(1)
    running.kill()
    running.wait()
    for _ in range(100):
        if not _is_running(pid):
            return
        time.sleep(0.1)
    os.kill(pid, 9)
    raise AssertionError("the child outlived its parent")


def _is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_progress_is_passed_on_while_it_works(misbehave):
    heard: list[str] = []
    body = "from facet.dataset.prepare import report; report('half'); return 1"
    assert misbehave(body, on_progress=heard.append) == 1
    assert heard == ["half"]

"""Slices on ZeroGPU: the real `spaces` client and our own worker, against a scheduler of our own.

Everything that forks runs in a process of its own, as the page would.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facet import starter
from facet.errors import CapacityError
from facet.identity import LOCAL
from facet.studio import Studio
from facet.work.task import Task
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run
from tests.stand_in.zero import ZeroGpu

pytestmark = [pytest.mark.tiny, pytest.mark.skipif(sys.platform != "linux", reason="ZeroGPU is Linux")]
LONG = {"max_steps": 60, "gradient_accumulation_steps": 2, "evaluations": 4}


@pytest.fixture
def zero() -> Iterator[ZeroGpu]:
    with ZeroGpu() as scheduler:
        yield scheduler


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def studio(home) -> Studio:
    return a_studio(home)


@pytest.fixture
def dataset(studio) -> str:
    return prepared_example(studio)


def waiting_run(studio: Studio, dataset: str, **settings: Any) -> Task:
    """A run that waits for a card. The starter would go to the processors by itself; this one is sent."""
    task = queued_run(studio, dataset, **settings)
    task.move_to("zerogpu")
    return task


def page(zero: ZeroGpu, home: Path, *how: str, visitor: str = "ann") -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.stand_in.zero_app", "-m", "tests.stand_in.zero_page", str(home), visitor]
    return subprocess.Popen([*command, *how], env=zero.environment, stdout=subprocess.PIPE, text=True)


def events(opened: subprocess.Popen) -> list[dict[str, Any]]:
    """Everything a page was told until it closed."""
    out, _ = opened.communicate(timeout=240)
    assert opened.returncode == 0
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def once(condition: Any, seconds: float = 120) -> None:
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "it never came to that"
        time.sleep(0.01)


@pytest.mark.long  # three minutes; the slices, the kills and the two places have shorter tests of their own
def test_a_run_over_both_places_with_kills_and_a_used_worker_ends_like_the_one_nobody_touched(
    zero, home, studio, dataset
):
    untouched = queued_run(studio, dataset, **LONG)
    list(studio.backend.advance(untouched))
    task = queued_run(studio, dataset, **LONG)

    worker = studio.backend.begin(task)  # at home first
    once(lambda: progress(task).step >= 6)
    studio.pause(LOCAL, task.id)
    assert worker.wait(60) == 0
    task.move_to("zerogpu")
    studio.resume(LOCAL, task.id)

    zero.quota("ann", left=3000, cap=30)  # calls of 20 seconds at the most
    opened = page(zero, home, "--stop-at", "46", "--visits", "4")
    for number in (1, 2):  # twice the deadline comes as it must not
        once(lambda number=number: len(zero.calls) == number and progress(task).stage == "running")
        begun = progress(task).step
        once(lambda begun=begun: progress(task).step >= begun + 2)
        zero.kill()
    told = events(opened)
    assert progress(task).stage == "paused"
    task.move_to("local")
    studio.resume(LOCAL, task.id)
    list(studio.backend.advance(task))  # and home again

    assert [call.ended for call in zero.calls[:2]] == ["killed", "killed"]
    assert any(call.idle for call in zero.calls), "a worker was to be used again"
    assert any(event.get("out_of_time") for event in told), "a slice was to end by itself"
    assert progress(task).stage == "finished"
    assert curve(task) == curve(untouched)
    assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]


def test_what_is_asked_for_fits_the_quota_and_the_run_waits_until_there_is_more(zero, home, studio, dataset):
    zero.quota("ann", left=40, cap=1000, wait=3600)  # at factor 1.5 that is 26 seconds on the card
    task = waiting_run(studio, dataset, max_steps=400)

    told = events(page(zero, home, "--visits", "3"))

    asked = [int(one.params["durationSeconds"]) for one in zero.asked if one.path == "/schedule"]
    granted = [call for call in zero.calls if call.ended == "released"]
    now = progress(task)
    assert granted and all(call.asked <= 40 for call in granted)
    assert asked[0] > 40, "the scheduler tells what is left only when more is asked for"
    assert granted[0].used < granted[0].lasts, "it ended by itself, before the deadline"
    assert now.stage == "paused" and now.checkpoint == now.step > 0
    assert 3300 < now.until - time.time() < 3700
    assert "used up" in now.words and "minutes are left today" in now.words
    assert told[-1]["left"]["told"] and told[-1]["left"]["seconds"] < 40


def test_it_goes_on_by_itself_on_the_same_page_once_the_minutes_are_back(zero, home, studio, dataset):
    zero.quota("ann", left=0, wait=3)
    task = waiting_run(studio, dataset, max_steps=3)
    opened = page(zero, home, "--visits", "60")
    once(lambda: progress(task).stage == "paused")
    assert not zero.calls and progress(task).until > time.time()

    zero.quota("ann", left=300)
    events(opened)

    assert progress(task).stage == "finished"


def test_pages_that_are_gone_before_a_card_was_had_do_not_count_as_faults(zero, home, studio, dataset):
    task = waiting_run(studio, dataset, max_steps=3)
    zero.plan("/schedule", "slow", seconds=60, times=4)
    for number in range(1, 4):
        opened = page(zero, home)
        once(lambda number=number: sum(one.path == "/schedule" for one in zero.asked) >= number)
        opened.kill()
        opened.communicate()
        assert progress(task).stage in ("preparing", "waiting")
    zero.planned.clear()

    events(page(zero, home))

    assert progress(task).stage == "finished"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (401, "Reload the page"),
        ("lost", "by itself"),
        pytest.param(503, "by itself", marks=pytest.mark.long),
        pytest.param("cut", "by itself", marks=pytest.mark.long),
    ],
)
def test_a_scheduler_in_trouble_loses_no_run(zero, home, studio, dataset, trouble, words):
    task = waiting_run(studio, dataset, max_steps=3)
    zero.plan("/schedule", trouble)

    events(page(zero, home))

    now = progress(task)
    assert now.stage == ("paused" if trouble == 401 else "waiting") and words in now.words
    zero.planned.clear()
    once(lambda: now.until is None or time.time() > now.until)
    studio.resume(LOCAL, task.id)
    events(page(zero, home))
    assert progress(task).stage == "finished"


def test_a_lost_receipt_does_not_hold_the_page_up(zero, home, studio, dataset):
    task = waiting_run(studio, dataset, max_steps=3)
    zero.plan("/release", "lost")
    began = time.time()

    events(page(zero, home))

    assert progress(task).stage == "finished" and time.time() - began < 120


def test_closing_the_page_saves_and_the_worker_serves_the_next(zero, home, studio, dataset):
    task = waiting_run(studio, dataset, max_steps=400)

    told = events(page(zero, home, "--leave-at", "5"))

    now = progress(task)
    assert told[-2] == {"kind": "left the page", "still_saving": True}, "leaving holds nobody up"
    assert now.stage == "waiting" and now.checkpoint == now.step >= 5
    assert zero.calls[-1].ended == "released"


def test_a_worker_has_nothing_of_the_page_open_and_keeps_nothing_of_a_visitor(zero, home, studio, dataset):
    task = waiting_run(studio, dataset, max_steps=40, **{"gradient_accumulation_steps": 2})
    opened = page(zero, home, "--conduct", "--visits", "400")
    once(lambda: progress(task).step >= 5)
    pid = zero.calls[-1].pid
    working = ours(pid, home)
    once(lambda: zero.calls[-1].ended == "released")
    time.sleep(1.0)
    waiting = ours(pid, home)
    size = memory(pid)
    opened.kill()
    opened.wait()

    held = [name for name in working if str(task.folder) not in name]
    assert held == [], "neither the page's locks nor its database"
    assert waiting == [], "no file of a visitor, opened or mapped"
    assert size < 0.6e9, "the model went with the call"


def test_the_starter_asks_for_no_card_and_larger_models_do(zero, home, studio, dataset):
    script = home / "where.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "from facet.model.source import BaseSource; from facet.studio import Studio\n"
        "from facet.workspace import Workspace\n"
        "places = Studio(Workspace(Path(sys.argv[1]))).places\n"
        "starter, other = BaseSource('starter', 'starter'), BaseSource('a/b', 'hub')\n"
        "print(places.usual(starter), places.usual(other), len(places.choices))"
    )
    command = [sys.executable, "-m", "tests.stand_in.zero_app", str(script), str(home)]
    said = subprocess.run(command, env=zero.environment, capture_output=True, text=True, check=True).stdout

    assert said.splitlines()[-1] == "local zerogpu 2"
    assert not zero.calls


def test_elsewhere_there_is_no_zerogpu_to_choose(studio, dataset):
    with pytest.raises(CapacityError, match="no ZeroGPU here"):
        studio.start(LOCAL, dataset, "starter", queued_recipe(), where="zerogpu")
    assert [choice.where for choice in studio.places.choices] == ["local"]


def test_a_test_of_a_run_is_made_on_the_card_as_well(zero, home, studio, dataset):
    task = waiting_run(studio, dataset, max_steps=3)
    events(page(zero, home))
    exam = studio.start_exam(LOCAL, task.id)

    events(page(zero, home))

    card = studio.exam(LOCAL, task.id)
    assert card.id == exam and card.progress.stage == "finished"
    assert card.results["exam"]["tuned"].loss > 0
    assert len(zero.calls) == 2


def test_larger_models_talk_on_a_card_in_the_persons_name_and_the_starter_does_not(zero, home, studio, dataset):
    task = queued_run(studio, dataset, max_steps=3)
    list(studio.backend.advance(task))
    said = events(page(zero, home, "--chat", "What is the capital of Japan?"))
    assert [line["side"] for line in said if line.get("done")] == ["base", "tuned"] and not zero.calls

    request = json.loads((task.folder / "task.json").read_text())
    other = home / "another model"
    shutil.copytree(starter.FOLDER, other)  # the same weights under another name: what matters is that it is not ours
    request["request"]["base"] |= {"id": "another", "where": "folder", "path": str(other)}
    (task.folder / "task.json").write_text(json.dumps(request))
    lent = events(page(zero, home, "--chat", "What is the capital of Japan?"))

    first, second = (next(line for line in lines if line.get("done")) for lines in (said, lent))
    assert first["text"] == second["text"] != ""
    assert [call.visitor.name for call in zero.calls] == ["ann"]
    zero.quota("ann", left=3)
    refused = page(zero, home, "--chat", "And of France?")
    out, _ = refused.communicate(timeout=120)
    assert refused.returncode == 1 and "minutes on the graphics card are used up" in out


def queued_recipe() -> Any:
    from facet.recipe.recipes import SftRecipe

    return SftRecipe(max_steps=1)


def ours(pid: int, home: Path) -> list[str]:
    """Files of the home that a process has open or mapped."""
    opened = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
    mapped = [line.split(maxsplit=5)[-1].strip() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    return sorted({name for name in opened + mapped if name.startswith(str(home))})


def memory(pid: int) -> float:
    """Bytes that are a process's own: what it shares with the page it was forked from does not count."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_Dirty"))

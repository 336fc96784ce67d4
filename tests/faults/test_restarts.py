"""The real app is killed and started again while a run learns: the page tells the truth, and nothing is doubled."""

import os
import random
import re
import time
from collections.abc import Iterator

import psutil
import pytest

from facet.identity import LOCAL
from facet.ui.words import STAGE_WORDS
from facet.work import log
from facet.work.task import Task
from tests.apps import App, free_port
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run, until
from tests.page_session import see_run

pytestmark = [pytest.mark.faults, pytest.mark.tiny, pytest.mark.page]
STEPS = 120
SHAPE = {"max_steps": STEPS, "max_length": 48, "evaluations": 1, "per_device_train_batch_size": 2}


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[tuple[App, object, str, Task]]:
    """An app, what it works on, and the run that nobody interrupts: what the other must equal."""
    folder = tmp_path_factory.mktemp("restarts")
    studio = a_studio(folder / "home")
    dataset = prepared_example(studio)
    untouched = queued_run(studio, dataset, **SHAPE)
    list(studio.backend.advance(untouched))
    assert progress(untouched).stage == "finished", progress(untouched).failure
    app = App(folder / "home", free_port(), folder / "app.log")
    yield app, studio, dataset, untouched
    if app.process and app.process.poll() is None:
        app.kill()
    said = app.log.read_text("utf-8", "replace")
    assert "Traceback" not in said, said[-3000:]


def workers_of(task: Task) -> list[psutil.Process]:
    """Processes that work on this task, whoever began them."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if "facet.work.worker" in words and str(task.folder) in words and process.info["status"] != "zombie":
            found.append(process)
    return found


def restarted(app: App, task: Task) -> tuple[float, float]:
    """Kill the app, and nothing else; start it; look at its page until that says what is true.

    Returns seconds from the start of the process, and from its first answer, until then.
    """
    app.kill()
    before = progress(task)
    began = time.monotonic()
    app.start()
    answered = time.monotonic()
    while not says_the_truth(app, task, before):
        assert time.monotonic() - answered < 60, see_run(app.url, task.id)[:2000]
    return time.monotonic() - began, time.monotonic() - answered


def says_the_truth(app: App, task: Task, before: log.Progress) -> bool:
    """The page shows the stage of this moment, and no step older than what was known before the restart."""
    earlier = progress(task)
    seen = see_run(app.url, task.id)
    stages = {earlier.stage, progress(task).stage}
    known = [word for stage, word in STAGE_WORDS.items() if f">{word}<" in seen and stage in stages]
    step = re.search(r"<dt>Step</dt><dd>([\d,]+)", seen)
    assert len(workers_of(task)) <= 1
    return bool(known) and (not before.total_steps or bool(step and int(step[1].replace(",", "")) >= before.step))


def survive(lab, kills: int, seed: int) -> None:
    app, studio, dataset, untouched = lab
    dice, times, met = random.Random(seed), [], set()
    while kills:
        task = queued_run(studio, dataset, **SHAPE)
        if app.process is None or app.process.poll() is not None:
            app.start()
        here = min(kills, 3)
        for number in range(here):
            wanted = 0 if number == 0 else dice.randrange(1, STEPS // 3)
            until(task, lambda now, wanted=wanted: (now.stage != "waiting" and now.step >= wanted) or now.is_over)
            time.sleep(dice.random())
            met.add(progress(task).stage)
            times.append(restarted(app, task))
        kills -= here
        until(task, lambda now: now.is_over)

        assert progress(task).stage == "finished", progress(task).failure
        assert curve(task) == curve(untouched)
        assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]
        starts = [event for event, _ in log.read(task.events_file) if isinstance(event, log.Started)]
        assert len(starts) == 1, "the worker was found again, and no second one was begun"
        psutil.wait_procs(workers_of(task), timeout=30)
        assert workers_of(task) == []
        studio.delete(LOCAL, "runs", task.id)
    assert met & {"preparing", "running"}, "it must have been in the middle of something"
    whole, page = zip(*times, strict=True)
    print(
        f"{len(times)} restarts (killed while {', '.join(sorted(met))}): the truth is on the page {max(whole):.1f} s "
        f"after the start at most (median {sorted(whole)[len(whole) // 2]:.1f} s), of which {max(page):.1f} s after "
        f"the first answer (median {sorted(page)[len(page) // 2]:.1f} s)"
    )


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_three_restarts_in_one_run_leave_no_trace_and_the_page_knows_it_again(lab):
    survive(lab, 3, seed=1)


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_fifty_restarts_leave_no_trace(lab):
    survive(lab, 50, seed=2)

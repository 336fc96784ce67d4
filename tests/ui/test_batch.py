"""The Batch section: what it shows of answers that come in one after the other."""

import threading
import time

import pytest

from facet.errors import CapacityError, SettingError
from facet.exam.batches import BatchRow
from facet.exam.forecast import Forecast
from facet.exam_door import FILE_OF_A_BATCH
from facet.gemma.models import STARTER
from facet.identity import LOCAL
from facet.studio import Studio
from facet.ui import batch, batch_start, exam_forecast
from facet.ui.batch_rows import describe_rows
from facet.work import log
from facet.workspace import Workspace


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(Workspace(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def started(studio: Studio) -> str:
    dataset = studio.prepare(LOCAL, studio.bring_example(LOCAL, "pirate"), "sayings")
    return studio.start_batch(LOCAL, [STARTER], dataset_id=dataset, part="exam")


def test_answers_stand_beside_what_was_expected():
    rows = [
        BatchRow(0, "Who?", "Me.", {"Untouched": "<i>You</i>", "Mine": "Me."}, ("Mine",)),
        BatchRow(1, "And?", "", {}),
    ]
    shown = str(describe_rows(["Untouched", "Mine"], rows, 0, 2))
    assert "1 to 2 of 2 rows" in shown and "&lt;i&gt;You" in shown and shown.count("Expected") == 1
    assert shown.count("cut off") == 1 and shown.count("not yet") == 2
    assert shown.index('class="f-side "') < shown.index('class="f-side tuned"')
    assert "No row fits" in describe_rows(["Mine"], [], 0, 0)


def test_a_batch_that_waits_can_be_paused_and_one_that_failed_goes_on(studio, started):
    box, chosen, state, pause, resume, *_ = batch.opened(studio, batch.Pace(), LOCAL, started)
    assert box.visible and chosen.value == started and pause.visible and not resume.visible
    events = studio.workspace.find(LOCAL, "exams", started) / "events.jsonl"
    log.append(events, log.Started(total_steps=20))
    log.append(events, log.Failed(error={"what": "It broke.", "why": "B.", "next": "C."}))
    *_, state, pause, resume = batch.opened(studio, batch.Pace(), LOCAL, started)[:5]
    assert "It broke." in state and "Every answer so far is kept." in state
    assert resume.visible and not pause.visible


def test_without_any_batch_there_is_only_the_form(tmp_path):
    dataset, models, _, job, _, box, *_ = batch.refreshed(Studio(Workspace(tmp_path)), LOCAL, None)
    assert job is None
    assert dataset.value is None and not box.visible
    assert STARTER in [key for _, key in models.choices]


def test_nothing_chosen_is_said_to_be_nothing():
    with pytest.raises(SettingError, match="There is nothing to answer"):
        batch_start.chosen(None)


def test_batches_do_not_stand_among_the_tests(studio, started):
    assert [card.id for card in studio.batches(LOCAL)] == [started] and studio.exams(LOCAL) == []


def test_a_file_in_the_making_is_watched_again_and_a_second_one_waits(studio, started, monkeypatch):
    go_on = threading.Event()
    job = studio.makings.start(LOCAL, FILE_OF_A_BATCH, lambda say: (say("1,000 rows are read"), go_on.wait(20)))
    try:
        while "1,000" not in studio.making(LOCAL, job).words:
            time.sleep(0.01)
        _, _, words, watched, tick, *_ = batch.refreshed(studio, LOCAL, None)
        assert "1,000 rows are read" in words and watched == job and tick.active
        with pytest.raises(CapacityError, match="Another file is being prepared"):
            batch_start.require_none_in_the_making(studio, LOCAL)
    finally:
        go_on.set()
    studio.makings.wait(LOCAL, job, 20)
    batch_start.require_none_in_the_making(studio, LOCAL)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, ""),
        (Forecast(0, 40, 0, False), "all answers are there"),
        (Forecast(240, 0, 600, True), "Takes about 10 minutes: 240 answers to give"),
        (
            Forecast(240, 60, 600, False),
            "very roughly 10 minutes: 240 answers to give, 60 are there from earlier tests;",
        ),
        (Forecast(240, 0, None, False), "shows with the first of them"),
    ],
)
def test_how_long_it_takes_is_said_with_how_sure_that_is(found, said):
    assert said in exam_forecast.words(found)


def test_before_a_batch_its_length_stands_beside_the_models(studio, started):
    (dataset,) = [card.id for card in studio.datasets(LOCAL)]
    rows = studio.dataset(LOCAL, dataset).summary["splits"]["exam"]
    told = exam_forecast.of_batch(studio, LOCAL, dataset, "exam", False, [STARTER], 256)
    assert told.startswith("Up to four. Takes very roughly") and f"{rows} answers to give" in told
    assert exam_forecast.of_batch(studio, LOCAL, dataset, "exam", True, [STARTER], 256) == "Up to four"
    assert exam_forecast.of_batch(studio, LOCAL, "gone", "exam", False, [STARTER], 256) == "Up to four"


def test_a_batch_is_renamed_and_deleted_and_the_next_one_is_shown(studio, started):
    studio.rename(LOCAL, "exams", started, "Renamed")
    assert studio.batch(LOCAL, started).name == "Renamed"
    studio.delete(LOCAL, "exams", started)
    box, *_ = batch.opened(studio, batch.Pace(), LOCAL, started)
    assert not box.visible

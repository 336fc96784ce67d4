"""The Batch section: what it shows of answers that come in one after the other."""


import pytest

from facet.errors import SettingError
from facet.exam.batches import BatchRow
from facet.gemma.models import STARTER
from facet.identity import LOCAL
from facet.studio import Studio
from facet.ui import batch
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
    dataset, models, box, *_ = batch.refreshed(Studio(Workspace(tmp_path)), LOCAL, None)
    assert dataset.value is None and not box.visible
    assert STARTER in [key for _, key in models.choices]


def test_nothing_chosen_is_said_to_be_nothing(studio):
    with pytest.raises(SettingError, match="There is nothing to answer"):
        batch._source(studio, LOCAL, None, "exam", None)


def test_batches_do_not_stand_among_the_tests(studio, started):
    assert [card.id for card in studio.batches(LOCAL)] == [started] and studio.exams(LOCAL) == []

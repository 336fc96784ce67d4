"""What the page says about keeping is what holds there: at home, on a Space with and without a bucket, in trouble."""

import time

import pytest

from facet.bucket.promise import promise
from facet.bucket.state import State
from facet.identity import LOCAL
from facet.studio import Place
from facet.ui.rail import describe
from tests.bucket.bucket_folders import ANN, VISITOR

FINE = State("/data")


def test_each_place_has_its_own_promise():
    said = [promise(State(), False), promise(State(), True), promise(FINE, True), promise(FINE, False)]
    assert len({kept.words for kept in said}) == 4 and all(kept.is_fine for kept in said)
    assert "this computer until you delete it" in said[0].words
    assert "until this Space restarts" in said[1].words and "Publish or download" in said[1].words
    assert "also when it restarts" in said[2].words and "Publish" not in said[2].words


@pytest.mark.parametrize("state", [State(), FINE, State("/data", trouble="it is full")])
def test_only_visitors_are_told_of_their_day_and_only_on_a_space(state):
    told = {person: "for a day" in promise(state, True, person).words for person in (VISITOR, ANN, None)}
    assert told == {VISITOR: True, ANN: False, None: False}
    assert "for a day" not in promise(state, False, LOCAL).words


def test_it_says_how_old_the_newest_copy_is_while_something_goes_on_and_what_stays_true_when_nothing_does():
    assert "last copied 20 seconds ago" in promise(State("/data", time.time() - 20, waiting=1), True).words
    assert "last copied 3 minutes ago" in promise(State("/data", time.time() - 190, waiting=1), True).words
    assert "all of it is there" in promise(State("/data", time.time() - 9999), True).words


def test_trouble_says_what_since_when_and_what_to_do():
    kept = promise(State("/data", waiting=3, trouble="it is full", since=time.time() - 300, failures=7), True)
    assert not kept.is_fine
    assert "it is full" in kept.words and "5 minutes ago, tried 7 times" in kept.words and "UTC" in kept.words
    assert "lost if this Space restarts" in kept.words and "Publish or download" in kept.words
    assert "lost" not in promise(State("/mnt/usb", trouble="it is full", since=1.0), False).words


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State("/data", left=3), "3 things are still being brought back"),
        (State("/data", failed=1), "One thing is damaged on the bucket"),
        (State("/data", owed=2), "Something you deleted is still on the bucket"),
        (State("/data", busy_since=time.time() - 600).now, "it does not answer"),
    ],
)
def test_what_is_not_done_yet_is_said(state, says):
    assert says in promise(state, True).words


def test_the_page_marks_a_promise_that_is_not_kept_with_more_than_words(tmp_path):
    fine, broken = (Place("here", "cpu", 1.0, 1.0, tmp_path, "Kept <here>.", fine) for fine in (True, False))
    assert "f-note warn" in str(describe(broken, [], {})) and "f-note" not in str(describe(fine, [], {}))
    assert "Kept &lt;here&gt;." in str(describe(fine, [], {}))

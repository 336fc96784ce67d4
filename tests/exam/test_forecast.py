"""How long a test will take is judged by what earlier ones took, and said to be rough where it is."""

import pytest

from facet.exam import forecast
from facet.exam.forecast import Forecast, Pace, paces
from facet.work import log
from facet.work.task import Task

BASE = {"id": "big", "where": "hub", "revision": None, "path": "-"}
SIZES = {"big": 10**9, "twice": 2 * 10**9, "far": 10**11, "unknown": 0}
HERE = Pace("big", "local", 100, 50.0, 8.0)


def told(asked, known=None, measured=(HERE,), tokens=None, where="local") -> Forecast:
    return forecast.forecast(asked, known or {}, SIZES, measured, tokens, where)


def test_what_was_measured_here_is_taken_and_answers_that_are_there_are_not_given_again():
    assert told({"big": 240}, {"big": 40}) == Forecast(200, 40, 8 + 200 * 0.5, True)
    assert told({"big": 40}, {"big": 40}) == Forecast(0, 40, 0, False)


def test_a_model_of_like_size_takes_its_share_more():
    assert told({"twice": 100}) == Forecast(100, 0, (8 + 50) * 2, False)


def test_what_was_measured_elsewhere_or_on_too_little_does_not_count(monkeypatch):
    monkeypatch.setenv("FACET_THREADS", "2")
    few = Pace("big", "local", 3, 50.0, 8.0)
    for measured, where in (((few,), "local"), ((HERE,), "zerogpu"), ((), "local")):
        guess = told({"big": 100}, measured=measured, where=where)
        assert guess.seconds is not None and guess.seconds > 0 and not guess.measured
    assert told({"far": 100}, tokens=80).seconds > told({"far": 100}, tokens=20).seconds
    assert told({"big": 100}, measured=(), where="zerogpu").seconds < told({"big": 100}, measured=()).seconds


def test_of_a_model_nobody_knows_nothing_is_promised():
    assert told({"big": 10, "unknown": 10}).seconds is None


def test_the_pace_of_an_earlier_one_is_read_from_its_log(tmp_path):
    def made(name: str, request: dict, lines: int) -> None:
        folder = tmp_path / "tenants" / "ann" / "exams" / name
        (folder / "answers").mkdir(parents=True)
        (folder / "answers" / "exam.a.jsonl").write_text("{}\n" * lines)
        task = Task.create(folder, "exam", request)
        for event in (
            log.Staged(words="Loading the model", at=100.0),
            log.Started(total_steps=50, at=107.0),
            log.Logged(step=20, values={}, at=110.0),
            log.Paused(step=20, at=112.0),
            log.Started(total_steps=50, at=500.0),
            log.Finished(step=50, at=505.0),
        ):
            log.append(task.events_file, event)

    made("one", {"base": BASE, "contestants": [{"base": BASE}]}, 50)
    made("two-models", {"base": BASE, "contestants": [{"base": BASE | {"id": "other"}}]}, 50)
    made("all-known", {"base": BASE, "contestants": [{"base": BASE}]}, 0)
    (tmp_path / "tenants/ann/exams/broken").mkdir()
    found = paces(sorted((tmp_path / "tenants/ann/exams").iterdir()))
    assert found == [Pace("big", "local", 50, 10.0, 7.0)]
    assert found[0].each == pytest.approx(0.2)

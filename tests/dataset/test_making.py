"""Work beside the page: begun at once, looked at by its owner alone, bounded, and never left hanging."""

import contextlib
import threading

import pytest

from facet.dataset.making import MOST_IN_ALL, MOST_PER_PERSON, Makings
from facet.errors import CapacityError, DataError, FacetError, NotFoundError
from facet.identity import LOCAL, Person


def visitor(number: int) -> Person:
    return Person(f"visitor-{number}", f"visitor-{number}", "visitor")


@pytest.fixture
def gate():
    """Work that goes on until the gate is opened."""
    opened = threading.Event()
    yield opened
    opened.set()


def finished(makings: Makings, person: Person, making_id: str):
    with contextlib.suppress(FacetError):
        makings.wait(person, making_id, 10)
    return makings.look(person, making_id)


def test_it_is_running_with_its_last_words_and_then_done_with_its_result(gate):
    makings, said = Makings(), threading.Event()

    def work(say):
        say("5,000 rows read")
        said.set()
        gate.wait(10)
        return "dataset-1"

    job = makings.start(LOCAL, "Preparing", work)
    assert said.wait(10)
    seen = makings.look(LOCAL, job)
    assert (seen.state, seen.words, seen.what, seen.result) == ("running", "5,000 rows read", "Preparing", None)
    gate.set()
    seen = finished(makings, LOCAL, job)
    assert (seen.state, seen.result, seen.error) == ("done", "dataset-1", None)


def test_what_went_wrong_is_kept_for_the_page():
    makings = Makings()

    def work(say):
        raise DataError("No.", "It cannot be.", "Try another.")

    seen = finished(makings, LOCAL, makings.start(LOCAL, "x", work))
    assert seen.state == "failed"
    assert isinstance(seen.error, DataError)


def test_a_fault_of_ours_is_told_by_number_and_without_its_words(caplog):
    makings = Makings()

    def work(say):
        raise ValueError("a row's secret")

    seen = finished(makings, LOCAL, makings.start(LOCAL, "x", work))
    assert seen.error is not None and "fault in Facet" in seen.error.why
    assert "secret" not in caplog.text + str(seen.error)


def test_nobody_sees_what_is_made_for_somebody_else():
    makings = Makings()
    job = makings.start(visitor(1), "x", lambda say: 1)
    finished(makings, visitor(1), job)
    for unknown in (job, "no such", None, 3):
        with pytest.raises(NotFoundError):
            makings.look(visitor(2), unknown)
    assert makings.mine(visitor(2)) == []
    assert [made.id for made in makings.mine(visitor(1))] == [job]


def test_who_signed_in_meanwhile_finds_what_they_began_as_a_visitor():
    makings = Makings()
    job = makings.start(visitor(1), "x", lambda say: 7)
    signed_in = Person("sub-1", "ann", "signed-in", also=("visitor-1",))
    assert finished(makings, signed_in, job).result == 7


def test_one_person_has_no_more_than_two_and_all_together_four(gate):
    makings = Makings()
    for number in range(MOST_PER_PERSON):
        makings.start(visitor(1), str(number), lambda say: gate.wait(10))
    with pytest.raises(CapacityError, match="of yours are still going on"):
        makings.start(visitor(1), "x", lambda say: 1)
    for number in range(MOST_IN_ALL - MOST_PER_PERSON):
        makings.start(visitor(2 + number), "x", lambda say: gate.wait(10))
    with pytest.raises(CapacityError, match="Other people's data"):
        makings.start(visitor(9), "x", lambda say: 1)


def test_there_is_room_again_when_something_is_done(gate):
    makings = Makings()
    jobs = [makings.start(LOCAL, "x", lambda say: gate.wait(10)) for _ in range(MOST_PER_PERSON)]
    gate.set()
    for job in jobs:
        finished(makings, LOCAL, job)
    assert finished(makings, LOCAL, makings.start(LOCAL, "x", lambda say: 5)).result == 5


def test_results_nobody_came_back_for_are_forgotten(monkeypatch):
    makings = Makings()
    job = makings.start(LOCAL, "x", lambda say: 1)
    finished(makings, LOCAL, job)
    monkeypatch.setattr("facet.dataset.making.KEPT_SECONDS", -1.0)
    makings.start(LOCAL, "y", lambda say: 2)
    with pytest.raises(NotFoundError, match="not being made any more"):
        makings.look(LOCAL, job)


def test_many_begun_at_the_same_moment_stay_within_the_limit(gate):
    makings, refused = Makings(), []
    together = threading.Barrier(12)

    def press(number: int) -> None:
        together.wait(10)
        try:
            makings.start(visitor(number), "x", lambda say: gate.wait(10))
        except CapacityError:
            refused.append(number)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 12 - MOST_IN_ALL

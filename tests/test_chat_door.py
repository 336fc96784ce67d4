"""The chat's part of the studio: who is there, what was judged, and models that have to be fetched first."""

import threading
from types import SimpleNamespace

import pytest

from facet import chat_door
from facet.dataset.from_chat import Feedback
from facet.errors import CapacityError, DataError, HubError, NotFoundError, SettingError
from facet.identity import LOCAL, Person
from facet.model.decoding import Decoding
from facet.model.speak import Piece
from facet.studio import Studio
from facet.talk import Speaker
from facet.workspace import Workspace

ANN, BOB = Person("ann", "Ann", "signed-in"), Person("bob", "Bob", "signed-in")
ASKED = [{"role": "user", "content": "Who are you?"}]


@pytest.fixture
def studio(tmp_path) -> Studio:
    (tmp_path / "home").mkdir()
    return Studio(Workspace(tmp_path / "home"))


@pytest.fixture
def told(studio, monkeypatch) -> list[str]:
    """What the chat process is told."""
    heard: list[str] = []
    monkeypatch.setattr(studio.voices, "stop", lambda key: heard.append(f"stop {key}"))
    monkeypatch.setattr(studio.voices, "release", lambda: heard.append("release"))
    return heard


def test_a_closed_page_ends_its_reply_and_the_last_one_gives_the_memory_back(studio, told):
    studio.enter_chat("one", ANN)
    studio.enter_chat("two", ANN)
    studio.enter_chat("three", BOB)
    studio.leave_chat("one")
    assert told == []  # Ann listens in another tab
    studio.leave_chat("two")
    studio.leave_chat("two")
    studio.leave_chat("never chatted")
    assert told == ["stop ann"]
    studio.leave_chat("three")
    assert told == ["stop ann", "stop bob", "release"]


def test_what_was_judged_is_each_persons_own_changed_and_taken_back(studio):
    studio.judge_answer(ANN, Feedback(ASKED, "A model.", good=True))
    studio.judge_answer(ANN, Feedback(ASKED, "A model.", good=False))
    assert [one.good for one in studio.feedback(ANN)] == [False] and studio.feedback(BOB) == []
    studio.judge_answer(ANN, Feedback(ASKED, "A model."))
    assert studio.feedback(ANN) == []


def test_judged_answers_have_a_limit_and_go_with_their_person(studio, monkeypatch):
    monkeypatch.setattr(chat_door, "MOST_FEEDBACK", 1)
    studio.judge_answer(ANN, Feedback(ASKED, "One.", good=True))
    with pytest.raises(CapacityError, match="no room"):
        studio.judge_answer(ANN, Feedback(ASKED, "Two.", good=True))
    assert len(studio.feedback(ANN)) == 1
    studio.delete_everything(ANN)
    assert studio.feedback(ANN) == []


def test_what_was_judged_meanwhile_is_not_forgotten_with_the_rest(studio):
    first, late = Feedback(ASKED, "One.", good=True), Feedback(ASKED, "Two.", good=True)
    studio.judge_answer(ANN, first)
    studio.judge_answer(ANN, late)
    studio.forget_feedback(ANN, [first])
    assert studio.feedback(ANN) == [late]


def test_data_of_nothing_is_refused(studio):
    with pytest.raises(DataError, match="No answer was judged"):
        studio.dataset_of_feedback(ANN, "conversation")
    studio.judge_answer(ANN, Feedback(ASKED, "A model.", good=False))
    with pytest.raises(DataError, match="fits this kind"):
        studio.dataset_of_feedback(ANN, "conversation")
    with pytest.raises(NotFoundError):
        studio.add_feedback(ANN, "2026-01-01-no-such-data-abcd")
    assert len(studio.feedback(ANN)) == 1


def test_a_starting_model_that_is_not_here_is_fetched_before_it_speaks(studio, monkeypatch):
    monkeypatch.setattr(chat_door, "LOOK_EVERY_SECONDS", 0.01)
    fetched = []
    check = SimpleNamespace(name="Big", download_gb=1.5)
    monkeypatch.setattr(studio.starting, "check", lambda *_: check)
    monkeypatch.setattr(studio.starting, "fetch_now", lambda _, target, say, grant: fetched.append(target))
    monkeypatch.setattr(type(studio.talks), "hear", lambda *_: iter([Piece("a", "Hi", True)]))
    heard = list(studio.talk(LOCAL, [Speaker("a", "owner/big", ASKED)], Decoding()))
    assert fetched == ["owner/big"] and "1.5 GB" in heard[0] and heard[-1].text == "Hi"


def test_stop_also_ends_the_waiting_for_a_download(studio, monkeypatch):
    monkeypatch.setattr(chat_door, "LOOK_EVERY_SECONDS", 0.01)
    done = threading.Event()
    monkeypatch.setattr(studio.starting, "check", lambda *_: SimpleNamespace(name="Big", download_gb=1.5))
    monkeypatch.setattr(studio.starting, "fetch_now", lambda *_: done.wait(20))
    monkeypatch.setattr(type(studio.talks), "hear", lambda *_: iter([Piece("a", "Hi", True)]))
    talk = studio.talk(LOCAL, [Speaker("a", "owner/big", ASKED)], Decoding())
    try:
        assert "1.5 GB" in next(talk)
        studio.stop_chat(BOB)
        assert "1.5 GB" in next(talk)  # only one's own
        studio.stop_chat(LOCAL)
        assert list(talk) == []
    finally:
        done.set()


def test_a_model_that_cannot_be_fetched_is_said_as_such(studio, monkeypatch):
    monkeypatch.setattr(chat_door, "LOOK_EVERY_SECONDS", 0.01)

    def fails(*_):
        raise HubError("The Hub is not here.", "This is a test.", "Go on.")

    monkeypatch.setattr(studio.starting, "check", lambda *_: SimpleNamespace(name="Big", download_gb=1.5))
    monkeypatch.setattr(studio.starting, "fetch_now", fails)
    with pytest.raises(HubError, match="not here"):
        list(studio.talk(LOCAL, [Speaker("a", "owner/big", ASKED)], Decoding()))


def test_a_run_of_somebody_else_is_no_run_at_all(studio):
    with pytest.raises(SettingError, match="could not find this starting model"):
        list(studio.talk(BOB, [Speaker("a", "2026-01-01-anns-run-abcd@4", ASKED)], Decoding()))


def test_from_one_to_four_may_speak(studio):
    for number in (0, 5):
        with pytest.raises(DataError, match="cannot answer at once"):
            list(studio.talk(LOCAL, [Speaker(str(at), "starter", ASKED) for at in range(number)], Decoding()))

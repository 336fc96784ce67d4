"""Who waits for the chat's one model: few at a time, so that waiting holds up nothing else."""

import threading
import time

import pytest

from facet.compute.voices import MOST_IN_LINE, MOST_OF_ONE, Voices
from facet.errors import CapacityError
from facet.work.queue import Queue


@pytest.fixture
def voices(monkeypatch, tmp_path):
    """Voices whose child never answers: everybody who got in stays in the line."""
    release = threading.Event()
    monkeypatch.setattr(Voices, "warm_up", lambda self: release.wait(30))
    monkeypatch.setattr(Voices, "_send", lambda self, line: None)
    monkeypatch.setattr(Voices, "_listen", lambda self, request: iter(()))
    before = set(threading.enumerate())
    yield Voices(Queue(tmp_path / "queue.sqlite"))
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)


def ask(voices: Voices, listener: str) -> None:
    """Get into the line, in a thread of one's own."""
    length = len(voices._line)
    threading.Thread(target=lambda: list(voices.speak({}, listener)), daemon=True).start()
    while len(voices._line) == length:
        time.sleep(0.001)


def test_one_person_cannot_fill_the_line(voices):
    for _ in range(MOST_OF_ONE):
        ask(voices, "bob")
    with pytest.raises(CapacityError, match="busy"):
        list(voices.speak({}, "bob"))
    ask(voices, "ann")


def test_the_line_has_an_end(voices):
    for number in range(MOST_IN_LINE):
        ask(voices, f"person {number}")
    with pytest.raises(CapacityError, match="busy"):
        list(voices.speak({}, "one too many"))


class Speaking(Voices):
    """Its child answers with one word, once it is allowed to."""

    def __init__(self, line: Queue, spoken: list[str]) -> None:
        super().__init__(line)
        self.spoken, self.may_end = spoken, threading.Semaphore(0)
        self.at_once = self.most_at_once = 0

    def warm_up(self) -> None: ...

    def _send(self, line: dict) -> None:
        self.spoken.append(line["text"])

    def _listen(self, request_id: str):
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.may_end.acquire(timeout=30)
        self.at_once -= 1
        yield {"text": "Ahoy"}


@pytest.fixture
def speaking(tmp_path):
    spoken: list[str] = []
    made = [Speaking(Queue(tmp_path / "queue.sqlite"), spoken) for _ in range(2)]
    before = set(threading.enumerate())
    yield made
    for voices in made:
        voices.may_end.release(20)
    for thread in set(threading.enumerate()) - before:
        thread.join(30)


def say(voices: Voices, listener: str, text: str) -> list[dict]:
    """Ask in a thread of one's own, and wait until one stands in line. Returns the answers, as they come."""
    answers: list[dict] = []
    standing = len(waiting_or_spoken_to(voices))
    thread = threading.Thread(target=lambda: answers.extend(voices.speak({"text": text}, listener)), daemon=True)
    thread.start()
    until(lambda: len(waiting_or_spoken_to(voices)) > standing)
    return answers


def waiting_or_spoken_to(voices: Voices) -> tuple:
    return voices.line.line(lane="short").tickets


def until(reached) -> None:
    end = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_whoever_asks_once_does_not_wait_for_all_that_another_asks(speaking):
    voices, _ = speaking
    say(voices, "ann", "ann's first")
    until(lambda: voices.spoken == ["ann's first"])
    say(voices, "ann", "ann's second")
    say(voices, "bob", "bob's first")

    voices.may_end.release(3)

    until(lambda: len(voices.spoken) == 3)
    assert voices.spoken == ["ann's first", "bob's first", "ann's second"]


def test_two_processes_of_one_home_do_not_speak_at_once(speaking):
    one, other = speaking
    say(one, "ann", "here")
    until(lambda: one.spoken == ["here"])
    say(other, "bob", "there")
    for _ in range(20):
        assert one.spoken == ["here"]
        time.sleep(0.02)

    one.may_end.release()
    until(lambda: one.spoken == ["here", "there"])


def test_who_waits_is_told_how_many_come_before_and_about_how_long(speaking):
    voices, _ = speaking
    say(voices, "ann", "first")
    voices.may_end.release()
    until(lambda: not waiting_or_spoken_to(voices))  # now it is known how long a reply takes here
    say(voices, "ann", "second")
    until(lambda: len(voices.spoken) == 2)
    waiting = voices.speak({"text": "mine"}, "cyd")
    assert next(waiting) == {"waiting": "1 person before you, a few seconds"}
    voices.may_end.release(2)
    assert [answer for answer in waiting if "waiting" not in answer] == [{"text": "Ahoy"}]


def test_stop_takes_a_question_out_of_the_line(speaking):
    voices, _ = speaking
    say(voices, "ann", "first")
    until(lambda: voices.spoken == ["first"])
    answers = say(voices, "bob", "never mind")
    voices.stop("bob")

    until(lambda: [ticket.person for ticket in waiting_or_spoken_to(voices)] == ["ann"])
    voices.may_end.release(2)
    until(lambda: not waiting_or_spoken_to(voices))
    assert voices.spoken == ["first"] and all("waiting" in answer for answer in answers)


def test_a_page_that_goes_away_while_it_waits_leaves_the_line(speaking):
    voices, _ = speaking
    say(voices, "ann", "first")
    until(lambda: voices.spoken == ["first"])
    waiting = voices.speak({"text": "gone"}, "bob")
    next(waiting)
    waiting.close()

    assert [ticket.person for ticket in waiting_or_spoken_to(voices)] == ["ann"]


def test_a_line_that_cannot_be_written_silences_nobody(tmp_path):
    (tmp_path / "queue.sqlite").mkdir()
    voices = Speaking(Queue(tmp_path / "queue.sqlite"), [])
    voices.may_end.release()

    assert list(voices.speak({"text": "still"}, "ann")) == [{"text": "Ahoy"}]

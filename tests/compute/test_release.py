"""When nobody is left to talk, the chat process forgets its models; while somebody talks, it does not."""

import time

import pytest

from facet.compute.voices import Voices
from facet.work.queue import Queue


class Child:
    """A process that goes on."""

    def poll(self) -> None:
        return None


class Listening(Voices):
    """Voices whose child only notes what it is told."""

    def __init__(self, queue: Queue) -> None:
        super().__init__(queue)
        self.sent: list[dict] = []

    def warm_up(self) -> None:
        self._child = Child()

    def _send(self, line: dict) -> None:
        self.sent.append(line)

    def _listen(self, request_id: str):
        yield {"text": "so far"}


@pytest.fixture
def voices(tmp_path) -> Listening:
    return Listening(Queue(tmp_path / "queue.sqlite"))


def released(voices: Listening) -> bool:
    return any(line.get("release") for line in voices.sent)


def test_models_are_forgotten_once_the_last_reply_is_over(voices):
    speaking = voices.speak({"text": "hello"}, "ann")
    while "text" not in next(speaking):
        pass
    voices.release()
    time.sleep(0.2)
    assert not released(voices)
    speaking.close()
    end = time.monotonic() + 10
    while not released(voices) and time.monotonic() < end:
        time.sleep(0.01)
    assert released(voices)


def test_nothing_is_asked_of_a_process_that_never_began(voices):
    voices._release()
    assert voices.sent == []


def test_who_waits_keeps_the_models_in_memory(voices):
    voices.warm_up()
    with voices._place("bob"):
        voices._release()
    assert not released(voices) and not voices.is_busy

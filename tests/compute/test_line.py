"""Who waits for the chat's one model: few at a time, so that waiting holds up nothing else."""

import threading
import time

import pytest

from facet.compute.voices import MOST_IN_LINE, MOST_OF_ONE, Voices
from facet.errors import CapacityError


@pytest.fixture
def voices(monkeypatch):
    """Voices whose child never answers: everybody who got in stays in the line."""
    release = threading.Event()
    monkeypatch.setattr(Voices, "warm_up", lambda self: release.wait(30))
    monkeypatch.setattr(Voices, "_send", lambda self, line: None)
    monkeypatch.setattr(Voices, "_listen", lambda self, request: iter(()))
    before = set(threading.enumerate())
    yield Voices()
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

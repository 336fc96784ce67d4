"""Asks both models a few questions once a run is finished, and remembers what they said.

The answers are a cache keyed by an immutable run: losing them costs a few seconds of asking again.
"""

import threading
from dataclasses import dataclass, field

from facet.errors import FacetError
from facet.identity import Person
from facet.model.speak import Decoding, Piece
from facet.studio import Studio

LONGEST_ANSWER = 40  # tokens; the starter model speaks in single sentences


@dataclass
class Talk:
    """Questions and what each side has answered so far. One thread writes, any number of pages read."""

    questions: tuple[str, ...]
    base: list[str] = field(default_factory=list)
    tuned: list[str] = field(default_factory=list)
    waiting: str = "Waking up both models"
    failure: FacetError | None = None
    done: bool = False

    def fingerprint(self) -> tuple[object, ...]:
        return (self.done, self.waiting, *self.base, *self.tuned, str(self.failure or ""))


class Asker:
    """One talk for each person's run, begun when it is first looked at."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._talks: dict[tuple[str, str], Talk] = {}
        self._lock = threading.Lock()

    def talk(self, person: Person, run_id: str, questions: tuple[str, ...]) -> Talk:
        with self._lock:
            key = (person.key, run_id)
            if key not in self._talks:
                self._talks[key] = Talk(questions)
                threading.Thread(target=self._ask, args=(person, run_id, self._talks[key]), daemon=True).start()
            return self._talks[key]

    def has_asked(self, person: Person, run_id: str) -> bool:
        return (person.key, run_id) in self._talks

    def _ask(self, person: Person, run_id: str, talk: Talk) -> None:
        try:
            for question in talk.questions:
                self._one(person, run_id, talk, question)
        except FacetError as error:
            talk.failure = error
        except Exception:
            talk.failure = FacetError.unexpected("the page's own log")
            raise
        finally:
            talk.done = True

    def _one(self, person: Person, run_id: str, talk: Talk, question: str) -> None:
        turn = [{"role": "user", "content": question}]
        decoding = Decoding(temperature=0.0, max_new_tokens=LONGEST_ANSWER)
        talk.base.append("")
        talk.tuned.append("")
        for piece in self.studio.chat(person, run_id, {"base": turn, "tuned": turn}, decoding):
            if isinstance(piece, Piece):
                talk.waiting = ""
                (talk.base if piece.side == "base" else talk.tuned)[-1] = piece.text
            else:
                talk.waiting = piece

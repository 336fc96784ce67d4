"""Work on data that takes a while, done beside the page: begun by a press, looked at until it is done.

A restart loses what is being made and nothing else: uploads stay, and a dataset appears only when it is whole.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from facet.errors import CapacityError, FacetError, NotFoundError
from facet.identity import Person

MOST_PER_PERSON = 2
MOST_IN_ALL = 4
KEPT_SECONDS = 3600.0  # a result nobody came back for
_MOST_KEPT = 50  # results of one person
Say = Callable[[str], None]
log = logging.getLogger("facet.making")


@dataclass(frozen=True)
class Making:
    """How a piece of work stands. `what` says it in a few words, `words` how far it is."""

    id: str
    owner: str
    what: str
    state: Literal["running", "done", "failed"] = "running"
    words: str = ""
    result: Any = None
    error: FacetError | None = None
    changed: float = field(default_factory=time.time)  # seconds since 1970


class Makings:
    """What is being made for whom. Each works in a thread that waits for a limited child."""

    def __init__(self) -> None:
        self._all: dict[str, Making] = {}
        self._lock = threading.Lock()

    def start(self, person: Person, what: str, function: Callable[[Say], Any]) -> str:
        """Begin, and return an id to ask after at once. `function` gets something to say its progress to.

        Raises: `CapacityError` when this person, or everybody together, has as much going on as may be.
        """
        with self._lock:
            self._forget_old()
            running = [making for making in self._all.values() if making.state == "running"]
            mine = [making for making in running if making.owner in person.keys]
            if len(mine) >= MOST_PER_PERSON:
                raise _too_many(f"{len(mine)} other preparations of yours are still going on.")
            if len(running) >= MOST_IN_ALL:
                raise _too_many("Other people's data is being prepared on this machine.")
            made = Making(secrets.token_hex(8), person.key, what)
            self._all[made.id] = made
        threading.Thread(target=self._work, args=(made.id, function), name="making", daemon=True).start()
        return made.id

    def look(self, person: Person, making_id: str) -> Making:
        """Raises: `NotFoundError` for what is unknown or somebody else's, or was lost in a restart."""
        made = self._all.get(making_id) if isinstance(making_id, str) else None
        if made is None or made.owner not in person.keys:
            raise NotFoundError(
                "This is not being made any more.",
                "Facet was started anew in between, or it was finished long ago.",
                "Look into your list of datasets, or press the button once more.",
            )
        return made

    def mine(self, person: Person) -> list[Making]:
        """What a person has going on or finished lately, newest first."""
        found = [made for made in list(self._all.values()) if made.owner in person.keys]
        return sorted(found, key=lambda made: made.changed, reverse=True)

    def wait(self, person: Person, making_id: str, seconds: float = 3600.0) -> Any:
        """The result, once it is there; for a terminal. Raises: what the work raised; `TimeoutError`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            made = self.look(person, making_id)
            if made.error is not None:
                raise made.error
            if made.state == "done":
                return made.result
            time.sleep(0.02)
        raise TimeoutError

    def _work(self, making_id: str, function: Callable[[Say], Any]) -> None:
        try:
            result = function(lambda words: self._change(making_id, words=words))
        except FacetError as error:
            self._change(making_id, state="failed", error=error)
        except Exception as error:
            error_id = secrets.token_hex(4)
            log.error("%s a making failed: %s", error_id, type(error).__name__)
            self._change(making_id, state="failed", error=FacetError.unexpected(error_id))
        else:
            self._change(making_id, state="done", result=result)

    def _change(self, making_id: str, **changes: Any) -> None:
        with self._lock:
            if making_id in self._all:
                self._all[making_id] = replace(self._all[making_id], changed=time.time(), **changes)

    def _forget_old(self) -> None:
        done = [made for made in self._all.values() if made.state != "running"]
        by_owner: dict[str, int] = {}
        for made in sorted(done, key=lambda made: made.changed, reverse=True):
            by_owner[made.owner] = by_owner.get(made.owner, 0) + 1
            if by_owner[made.owner] > _MOST_KEPT or time.time() - made.changed > KEPT_SECONDS:
                del self._all[made.id]


def _too_many(why: str) -> CapacityError:
    return CapacityError("This cannot be prepared right now.", why, "Wait until they are done, then press once more.")

"""Short work of this process waits for its turn: a reply of the chat, a download that is being packed."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from facet.errors import CapacityError
from facet.work.fairness import Turn, WorkKind
from facet.work.queue import Queue, this_process

ASK_EVERY_SECONDS: Final = 0.25  # other processes tell nobody when they are done
TELL_EVERY_SECONDS: Final = 1.0
REAP_EVERY_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 120.0


@dataclass
class Wait:
    """One place in the line. A line that cannot be written down holds nobody up."""

    queue: Queue
    person: str
    kind: WorkKind
    device: str = "local"
    is_over: bool = False  # somebody no longer wants it
    key: str = field(default_factory=lambda: f"wait {secrets.token_hex(8)}")

    def turns(self) -> Iterator[Turn]:
        """Where it stands, every second, until the slot is taken or `cancel` was called."""
        told = reaped = float("-inf")
        try:
            while not self.is_over and not self._take():
                now = time.monotonic()
                if now - reaped > REAP_EVERY_SECONDS:
                    reaped = now
                    self.queue.reap()
                    continue
                if now - told > TELL_EVERY_SECONDS and (turn := self.queue.turn(self.key)):
                    told = now
                    yield turn
                with self.queue.moved:
                    self.queue.moved.wait(ASK_EVERY_SECONDS)
        except CapacityError:
            return

    def wait(self) -> None:
        """Until the slot is taken, for who can show nothing meanwhile. Raises: `CapacityError` when that takes long."""
        end = time.monotonic() + PATIENCE_SECONDS
        for _ in self.turns():
            if time.monotonic() > end:
                raise CapacityError(
                    "This machine is busy.",
                    f"Others have been ahead of you for {PATIENCE_SECONDS:.0f} seconds.",
                    "Try again in a minute; nothing is lost.",
                )

    def _take(self) -> bool:
        self.queue.join(self.key, self.person, self.kind, self.device, process=this_process())
        return self.queue.take(self.key, self.key)

    def cancel(self) -> None:
        """Leave the line, if it still waits."""
        self.is_over = True
        with self.queue.moved:
            self.queue.moved.notify_all()

    def end(self) -> None:
        with contextlib.suppress(CapacityError):
            self.queue.leave(self.key)


@contextlib.contextmanager
def in_line(queue: Queue, person: str, kind: WorkKind, device: str = "local") -> Iterator[Wait]:
    """A place in the line, and the slot that follows, for the length of a `with`."""
    wait = Wait(queue, person, kind, device)
    try:
        yield wait
    finally:
        wait.end()

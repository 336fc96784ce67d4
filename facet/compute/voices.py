"""The page's side of chat: one child process for this device, started when first needed, ended when idle.

Who speaks with it stands in the line of the device, together with everybody who uses this home in another process.
"""

import contextlib
import json
import queue
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

from facet.compute.child import spawn
from facet.errors import CapacityError, FacetError
from facet.work.queue import Queue
from facet.work.wait import Wait, in_line

IDLE_SECONDS = 600.0
MOST_IN_LINE, MOST_OF_ONE = 10, 2  # the first screen asks while its owner chats
RELEASE_SECONDS = 10.0  # a reply that was stopped has ended long before
SILENCE_SECONDS = 900.0  # loading a large model from a slow disk may take this long


class Voices:
    """Requests are answered one at a time, in a fair order by person. Losing the child loses no text."""

    def __init__(self, line: Queue, idle_seconds: float = IDLE_SECONDS) -> None:
        self.line = line
        self.idle_seconds = idle_seconds
        self._turn = threading.Lock()
        self._start = threading.Lock()
        self._child: subprocess.Popen | None = None
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._speaking: str | None = None
        self._listener = ""
        self._line: list[Wait] = []
        self._used_at = time.monotonic()

    def warm_up(self) -> None:
        """Start the child ahead of the first question; its libraries load while something else is waited for."""
        with self._start:
            if self._child is None or self._child.poll() is not None:
                self._begin()

    def speak(self, request: dict[str, Any], listener: str = "") -> Iterator[dict[str, Any]]:
        """Send one request and yield its answers to `listener`. Closing the generator stops the reply.

        Until it begins, {"waiting": words} says every second who comes before.
        Raises: the `FacetError` the child reports, or `CapacityError` when the child died or too many wait.
        """
        with self._place(listener) as place:
            for turn in place.turns():
                yield {"waiting": turn.before_you}
            if place.is_over:
                return
            with self._turn:
                yield from self._speak(request, listener)

    def _speak(self, request: dict[str, Any], listener: str) -> Iterator[dict[str, Any]]:
        self.warm_up()
        self._listener = listener
        self._speaking = request_id = secrets.token_hex(8)
        self._send(request | {"id": request_id})
        try:
            yield from self._listen(request_id)
        finally:
            self._hush(listener)
            self._speaking = None
            self._used_at = time.monotonic()

    @contextlib.contextmanager
    def _place(self, listener: str) -> Iterator[Wait]:
        """A place in the line. Each place holds a thread of the page, so there are few, and few for each listener."""
        with contextlib.ExitStack() as stack:
            with self._start:
                mine = sum(place.person == listener for place in self._line)
                if len(self._line) >= MOST_IN_LINE or (listener and mine >= MOST_OF_ONE):
                    raise _too_many_ask()
                place = stack.enter_context(in_line(self.line, listener, "chat"))
                self._line.append(place)
            try:
                yield place
            finally:
                with self._start:
                    self._line.remove(place)

    def stop(self, listener: str = "") -> None:
        """End the reply that is being spoken to this listener, if any, and take their questions out of the line."""
        for place in list(self._line):
            if place.person == listener:
                place.cancel()
        self._hush(listener)

    def _hush(self, listener: str) -> None:
        if listener == self._listener and self._speaking and self._child and self._child.poll() is None:
            self._send({"stop": self._speaking})

    @property
    def is_busy(self) -> bool:
        return self._turn.locked()

    def release(self) -> None:
        """Nobody is left to talk: forget all models, in a moment, unless somebody comes meanwhile.

        The child stays for `idle_seconds`, so that who comes back does not wait for its libraries.
        """
        threading.Thread(target=self._release, daemon=True).start()

    def _release(self) -> None:
        if not self._turn.acquire(timeout=RELEASE_SECONDS):
            return  # somebody is being spoken to
        try:
            if self._line or self._child is None or self._child.poll() is not None:
                return
            request_id = secrets.token_hex(8)
            self._send({"release": True, "id": request_id})
            for _ in self._listen(request_id):
                pass
        except FacetError:
            return  # the child is gone, and its memory with it
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the child and give its memory back."""
        with self._start:
            if self._child:
                self._child.kill()
                self._child.wait(timeout=10)
                self._child = None

    def close_if_idle(self) -> None:
        if self._child and not self.is_busy and time.monotonic() - self._used_at > self.idle_seconds:
            self.close()

    def _begin(self) -> None:
        self._answers = queue.Queue()
        self._used_at = time.monotonic()
        self._child = spawn(
            "facet.model.voice", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        threading.Thread(target=_read, args=(self._child, self._answers), daemon=True).start()

    def _send(self, line: dict[str, Any]) -> None:
        try:
            self._child.stdin.write(json.dumps(line).encode() + b"\n")
            self._child.stdin.flush()
        except (BrokenPipeError, OSError) as error:
            raise _gone() from error

    def _listen(self, request_id: str) -> Iterator[dict[str, Any]]:
        while True:
            try:
                answer = self._answers.get(timeout=SILENCE_SECONDS)
            except queue.Empty as error:
                self.close()
                raise _gone() from error
            if answer is None:
                raise _gone()
            if answer["id"] != request_id:
                continue  # the rest of a reply that was stopped
            if "error" in answer:
                raise FacetError.from_dict(answer["error"])
            if answer.get("over"):
                return
            yield answer


def _read(child: subprocess.Popen, answers: "queue.Queue[dict[str, Any] | None]") -> None:
    for line in child.stdout:
        answers.put(json.loads(line))
    answers.put(None)


def _too_many_ask() -> CapacityError:
    return CapacityError(
        "The model is busy.",
        "Several questions are waiting for it already, and it answers one at a time.",
        "Send yours again in half a minute; your text is kept.",
    )


def _gone() -> CapacityError:
    return CapacityError(
        "The model stopped speaking.",
        "Its process ended, most often because the memory of this machine ran out.",
        "Press “Retry”, or choose a smaller model; your text is kept.",
    )

"""A spare worker, started ahead of the press on “Start training”: its libraries take ten seconds to load.

At most one is kept, only while somebody may need it soon and memory allows, and it works for one task only. It waits at
a pipe: when this process ends, in whatever way, so does the spare.
"""

import contextlib
import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from facet.compute.child import environment, spawn

IDLE_SECONDS: Final = 600.0  # nobody opened a page, came to the Train tab or ended a run for so long
AFTER_SECONDS: Final = 3.0  # first the page that was just asked for
LOOK_EVERY_SECONDS: Final = 2.0
CALM_PERCENT: Final = 50.0  # of all processors
SPARE_GB: Final = 0.5
ROOM_GB: Final = 3.0  # free before one is started, for the model and for everybody else
SHORT_GB: Final = 1.0  # free while one waits; below it gives way
log_to = logging.getLogger("facet.warm")


@dataclass
class Warm:
    """`free_gb` tells the free memory of this machine.

    `ready` are modules with a function `load`, which the spare calls ahead.
    """

    free_gb: Callable[[], float]
    ready: tuple[str, ...] = ()
    idle_seconds: float = IDLE_SECONDS
    _spare: subprocess.Popen | None = None
    _surroundings: dict[str, str] = field(default_factory=dict)
    _wanted_at: float | None = None
    _starter: threading.Thread | None = None
    _closed: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def expect(self) -> None:
        """Somebody may start a run soon. Costs nothing now: the spare is started a little later."""
        if os.environ.get("FACET_WARM") == "0":
            return
        with self._guard:
            self._wanted_at = time.monotonic()
            if self._is_there() or self._closed.is_set() or (self._starter and self._starter.is_alive()):
                return
            self._starter = threading.Thread(target=self._start_when_calm, name="spare", daemon=True)
            self._starter.start()

    def expect_more(self) -> None:
        """A slice has ended: who is still here may start the next."""
        if self._is_wanted():
            self.expect()

    def take(self, arguments: list[str], output: Path) -> subprocess.Popen | None:
        """The spare as the worker of one task, if there is one."""
        with self._guard:
            spare, self._spare = self._spare, None
        if spare is None:
            return None
        if self._surroundings == environment() and _is_told(spare, {"worker": arguments, "output": str(output)}):
            return spare
        _end(spare)
        return None

    def close(self) -> None:
        self._closed.set()
        self._give_up()

    def close_if_idle(self) -> None:
        """Give its memory back when nobody came, or others need it."""
        if self._spare and (not self._is_wanted() or self.free_gb() < SHORT_GB):
            self._give_up()

    def _give_up(self) -> None:
        with self._guard:
            spare, self._spare = self._spare, None
        if spare:
            _end(spare)

    def _is_there(self) -> bool:
        return self._spare is not None and self._spare.poll() is None

    def _is_wanted(self) -> bool:
        return self._wanted_at is not None and time.monotonic() - self._wanted_at < self.idle_seconds

    def _start_when_calm(self) -> None:
        psutil.cpu_percent()  # measured from here on
        pause = AFTER_SECONDS
        while self._is_wanted() and not self._closed.wait(pause):
            pause = LOOK_EVERY_SECONDS
            if psutil.cpu_percent() < CALM_PERCENT and self.free_gb() > ROOM_GB + SPARE_GB:
                with self._guard:
                    if not self._closed.is_set():
                        self._begin()
                return

    def _begin(self) -> None:
        nothing = subprocess.DEVNULL
        self._surroundings = environment()
        try:
            self._spare = spawn("facet.work.spare", *self.ready, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing)
        except OSError as error:
            log_to.warning("no spare worker: %s", type(error).__name__)


def _is_told(spare: subprocess.Popen, orders: dict) -> bool:
    """Whether it lives and was given its task."""
    if spare.poll() is not None:
        return False
    try:
        spare.stdin.write(json.dumps(orders).encode() + b"\n")
        spare.stdin.close()
    except OSError:
        return False
    return True


def _end(spare: subprocess.Popen) -> None:
    spare.kill()
    with contextlib.suppress(OSError):
        spare.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        spare.wait(timeout=10)

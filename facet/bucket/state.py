"""How the copies stand, for whoever asks: the page, the command line, another process on the same folder."""

import contextlib
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from facet.workspace import read_json, write_json

SILENT_SECONDS: Final = 180.0  # a bucket that takes longer than this for one round has not answered


@dataclass(frozen=True)
class State:
    bucket: str = ""  # its folder; empty where there is none
    last_copied: float | None = None  # seconds since 1970
    waiting: int = 0  # objects whose newest state is not on the bucket
    trouble: str = ""  # what the bucket answers, in half a sentence about “it”
    since: float | None = None  # when the trouble began
    failures: int = 0  # how often it was tried in vain since then
    owed: int = 0  # deletions that the bucket does not know of yet
    left: int = 0  # objects that are still being brought back
    failed: int = 0  # objects that could not be brought back
    busy_since: float | None = None  # when the round began that is going on

    @property
    def is_fine(self) -> bool:
        return not (self.now.trouble or self.owed or self.failed)

    @property
    def now(self) -> "State":
        """The same, with silence taken as an answer."""
        if self.trouble or self.busy_since is None or time.time() - self.busy_since < SILENT_SECONDS:
            return self
        return replace(self, trouble="it does not answer", since=self.busy_since)


def remember(file: Path, state: State) -> None:
    with contextlib.suppress(OSError):  # a full disk must not stop the copies
        write_json(file, asdict(state))


def recall(file: Path) -> State:
    try:
        return State(**read_json(file))
    except (OSError, ValueError, TypeError):
        return State()

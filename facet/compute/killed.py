"""Did the system end a worker because memory ran out? The worker cannot say so any more; these are the traces."""

import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

SHORT: Final = 0.04  # of all memory: so little is free that the system, or a guard on it, ends something
KILLED: Final = -getattr(signal, "SIGKILL", 9)  # exit status of a child


def oom_kills(root: Path = Path("/sys/fs/cgroup"), proc: Path = Path("/proc")) -> int:
    """How often the system ended something for memory, of this container and of the machine. Linux; elsewhere 0."""
    files = (root / "memory.events", root / "memory" / "memory.oom_control", _own(root, proc), proc / "vmstat")
    return sum(_count(file) for file in files)


def _own(root: Path, proc: Path) -> Path:
    """The events of the control group this process is in, where it is not the one seen as the root."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        lines = []
    inner = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    return root / inner / "memory.events" if inner else root / "none"


def _count(file: Path) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


@dataclass
class Witness:
    """Watches the memory while one worker works."""

    kills: int = field(default_factory=oom_kills)  # when the worker began
    is_short: bool = False

    def look(self) -> None:
        memory = psutil.virtual_memory()
        self.is_short = memory.available < SHORT * memory.total

    def blames_memory(self, status: int | None) -> bool:
        """Of a worker that ended with this exit status; None: nobody can tell."""
        return status in (None, KILLED) and (self.is_short or oom_kills() > self.kills)

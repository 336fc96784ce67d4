"""This machine: a slice is a child process that outlives the page, and is found again after a restart."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from facet.compute.backend import Capacity
from facet.compute.child import spawn
from facet.compute.killed import Witness, oom_kills
from facet.compute.warm import Warm
from facet.identity import Grant
from facet.work import device, log
from facet.work.task import Task
from facet.workspace import read_json, write_json

LOOK_EVERY_SECONDS = 0.3
LOG_BYTES_KEPT = 2_000_000


class Local:
    """`before` runs in this process ahead of a slice: it fetches base models, for the child has no network.

    `warm` keeps a spare worker, where it pays.
    """

    unattended = True

    def __init__(
        self, models: Path, before: Callable[[Task], None] = lambda task: None, warm: Warm | None = None
    ) -> None:
        self.models = models
        self.before = before
        self.warm = warm or Warm(lambda: 0.0)  # no room, no spare

    def capacity(self, grant: Grant | None = None) -> Capacity:
        here = "this Space" if os.environ.get("SPACE_ID") else "this computer"
        kind, free = device.kind(), psutil.virtual_memory().available / 1e9
        if kind == "cuda":
            card = device.cards()[0]
            more = f" and {len(device.cards()) - 1} more" if len(device.cards()) > 1 else ""
            return Capacity(kind, f"{here} ({card.name}, {card.memory_gb:.0f} GB{more})", card.free_gb)
        if kind == "mps":
            return Capacity(kind, f"{here} (the graphics of its Apple chip)", free)
        cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
        return Capacity(kind, f"{here} ({cores} processor cores)", free)

    def advance(self, task: Task, grant: Grant | None = None) -> Iterator[log.Event]:
        """Start a worker, or follow the one that is already there, until it ends."""
        offset = task.events_file.stat().st_size if task.events_file.exists() else 0
        worker = None
        if not task.is_busy():
            self.before(task)
            worker = self.begin(task)
        yield from self._follow(task, worker, offset)
        self.warm.expect_more()

    def begin(self, task: Task, prepare: bool = False) -> subprocess.Popen:
        """Start a worker and return at once. Its process is noted beside the task, to stop it after a restart.

        `prepare`: it only does what needs no device, for a slice that runs elsewhere.
        """
        _shorten(task.output_log)
        arguments = [str(task.folder), "--models", str(self.models), *(["--prepare"] if prepare else [])]
        worker = self.warm.take(arguments, task.output_log) or _spawned(arguments, task.output_log)
        noted = {"pid": worker.pid, "started": _start_time(worker.pid), "oom_kills": oom_kills()}
        write_json(task.folder / "worker.json", noted)
        return worker

    def _follow(self, task: Task, worker: subprocess.Popen | None, offset: int) -> Iterator[log.Event]:
        witness, event = Witness(_noted(task).get("oom_kills", oom_kills())), None
        while True:
            gone = worker.poll() is not None if worker else not task.is_busy()
            for event, behind in log.read(task.events_file, offset):
                offset = behind
                yield event
            if gone:
                vanished = not isinstance(event, log.Paused | log.Finished | log.Failed)
                if vanished and witness.blames_memory(worker.returncode if worker else None):
                    task.note_short_memory()
                return
            witness.look()
            time.sleep(LOOK_EVERY_SECONDS)

    def stop(self, task: Task, grant: Grant | None = None) -> None:
        """End the worker now. Only a process that is provably ours is touched: pid and start time must agree."""
        noted = _noted(task)
        if noted.get("started") is not None and _start_time(noted["pid"]) == noted["started"]:
            worker = psutil.Process(noted["pid"])
            worker.kill()
            psutil.wait_procs([worker], timeout=10)


def _spawned(arguments: list[str], log_file: Path) -> subprocess.Popen:
    with open(log_file, "ab") as output:
        return spawn("facet.work.worker", *arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def _noted(task: Task) -> dict[str, Any]:
    """What is known of its newest worker; empty where nothing is."""
    try:
        return read_json(task.folder / "worker.json")
    except (OSError, ValueError):
        return {}


def _start_time(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _shorten(file: Path) -> None:
    """Keep the end of a log that has grown large over many slices."""
    if file.exists() and file.stat().st_size > LOG_BYTES_KEPT:
        file.write_bytes(file.read_bytes()[-LOG_BYTES_KEPT // 2 :])

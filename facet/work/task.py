"""A task: a folder that holds everything some work needs, so any process anywhere can advance it."""

import contextlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from facet.workspace import read_json, write_json, write_text

Kind = Literal["train", "exam", "batch", "measure"]
# pause: go on later from here; keep: finish now with what has been learned; turn: save and let others have the device
StopHow = Literal["pause", "keep", "turn"]
Where = Literal["local", "zerogpu"]
ROOM_BYTES = 16_384


@dataclass(frozen=True)
class Task:
    """`task.json` is written once; `events.jsonl` only grows; whoever writes holds `lock()`."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, kind: Kind, request: dict[str, Any]) -> "Task":
        write_json(folder / "task.json", {"kind": kind, "request": request})
        return cls(folder)

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def kind(self) -> Kind:
        return read_json(self.folder / "task.json")["kind"]

    @property
    def request(self) -> dict[str, Any]:
        return read_json(self.folder / "task.json")["request"]

    @property
    def owner(self) -> str:
        """Key of the person's folder it lies in."""
        return self.folder.parent.parent.name

    @property
    def where(self) -> Where:
        """Which kind of place advances it. It may change between slices."""
        try:
            return "zerogpu" if (self.folder / "where").read_text() == "zerogpu" else "local"
        except OSError:
            return "local"

    def move_to(self, where: Where) -> None:
        if where != self.where:
            write_text(self.folder / "where", where)

    @property
    def events_file(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def output_log(self) -> Path:
        """The worker's own output. Never holds rows, prompts or tokens."""
        return self.folder / "worker.log"

    def set_room_aside(self) -> None:
        """Keep a little of the disk for the last words of a slice."""
        room = self.folder / "room"
        if not room.exists():
            with contextlib.suppress(OSError):  # full already
                room.write_bytes(bytes(ROOM_BYTES))

    def use_room_aside(self) -> None:
        (self.folder / "room").unlink(missing_ok=True)

    def lock(self) -> FileLock:
        """Held by the one process that works here; the system frees it however that process ends."""
        return FileLock(self.folder / "lock")

    def is_busy(self) -> bool:
        lock = self.lock()
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def ask_to_stop(self, how: StopHow) -> None:
        if how == "turn":  # nobody's wish: it neither hides nor ends what a person asked for
            write_text(self.folder / "turn", "")
            return
        (self.folder / "resume").unlink(missing_ok=True)
        write_text(self.folder / "stop", how)

    def turn_asked(self) -> bool:
        """Shall it save now and wait, because others are in line?"""
        return (self.folder / "turn").exists()

    def clear_turn(self) -> None:
        (self.folder / "turn").unlink(missing_ok=True)

    def note_short_memory(self) -> None:
        """Its worker vanished because memory ran out: the next slice is to be content with less."""
        if (self.folder / "task.json").exists():  # not deleted meanwhile
            write_text(self.folder / "short-memory", "")

    def memory_was_short(self) -> bool:
        return (self.folder / "short-memory").exists()

    def clear_short_memory(self) -> None:
        (self.folder / "short-memory").unlink(missing_ok=True)

    def stop_asked(self) -> Literal["pause", "keep"] | None:
        """What a person asked for."""
        try:
            how = (self.folder / "stop").read_text()
        except OSError:
            return None
        return "keep" if how == "keep" else "pause"

    def clear_stop(self) -> None:
        (self.folder / "stop").unlink(missing_ok=True)

    def ask_to_resume(self) -> None:
        """Whoever conducts will queue it again, also when the worker is only just about to pause."""
        self.clear_stop()
        write_text(self.folder / "resume", "")

    def resume_asked(self) -> bool:
        return (self.folder / "resume").exists()

    def clear_resume(self) -> None:
        (self.folder / "resume").unlink(missing_ok=True)

    def link_in(self, file: Path, name: str) -> None:
        """Give this task its own name for an immutable file, so that deleting the original takes nothing away."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, target)
        except OSError:  # another disk, or a file system without hard links
            shutil.copyfile(file, target)

    def execution(self) -> dict[str, Any] | None:
        """What the first slice decided (dtype, threads, versions), or None before it."""
        try:
            return read_json(self.folder / "execution.json")
        except (OSError, json.JSONDecodeError):
            return None

    def decide_execution(self, decided: dict[str, Any]) -> None:
        write_json(self.folder / "execution.json", decided)

"""What of an object is copied, seen at one moment although a worker may be writing to it.

A save point never changes once it has its manifest, and the log only grows. So the log is read before and after the
rest is listed; when something happened in between that speaks of files, it is all looked at once more. A copy then
never holds a log that tells of a save point, results or a model it does not hold.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from facet.bucket.manifest import INLINE, KEY, MACHINE, Address, Copy, Held, is_safe

EVENTS: Final = "events.jsonl"
SAVE_POINTS_KEPT: Final = 3  # the two newest, and the best
# Belonging to this machine or this moment, or made again from the rest with the same result (tokens).
LEFT_OUT: Final = frozenset(
    {"worker.json", "worker.log", "lock", "turn", "room"}
    | {"tokens", "staging", "adapter.part", "model.part", "publishing", "quarantine"}
)
TUNED: Final = ("adapter", "model")  # what a run that is over leaves: its save points are not needed then
WHOLE_WITH: Final = {"datasets": "dataset.json", "runs": "task.json", "exams": "task.json"}
QUIET: Final = frozenset({"logged", "sampled", "staged", "noted"})  # after these the files are the same as before
GROWING: Final = frozenset({EVENTS, "results.json", "publication.json"})  # told of while work goes on
MOST_LOOKS: Final = 5
OF_A_PERSON: Final = ("about.json", "feedback.json")  # who they are, and what they judged in chats
SEEN_EVERY: Final = 3600  # seconds; how exactly a visitor's last visit is remembered


@dataclass(frozen=True)
class Source:
    """One file to copy. Small and changing ones are read at once, the others never change once they are there."""

    path: Path
    size: int
    modified: int
    content: bytes | None = field(default=None, repr=False)
    sha256: str = ""  # where its save point's manifest says so

    def is_like(self, held: Held | None) -> bool:
        return held is not None and (held.size, held.modified) == (self.size, self.modified)


@dataclass(frozen=True)
class Snapshot:
    files: dict[str, Source]
    facts: dict[str, Any]


class NotNow(Exception):
    """It is being deleted or written to just now."""


class NotWhole(NotNow):
    """It is being made, or was left in the middle of that: there is nothing to copy until it changes."""


def everything_here(home: Path) -> dict[Address, Path]:
    """All of which there should be a copy, the most important first."""
    people = [folder for folder in home.glob("tenants/*") if KEY.fullmatch(folder.name) and folder.is_dir()]
    found = {MACHINE: home} if (home / "visitors.key").is_file() else {}
    found |= {Address(folder.name, "person", "about"): folder for folder in people}
    for kind in ("runs", "exams", "datasets"):
        for folder in people:
            objects = [path for path in _listed(folder / kind) if KEY.fullmatch(path.name)]
            whole = [path for path in objects if (path / "about.json").is_file()]
            found |= {Address(folder.name, kind, path.name): path for path in whole}
    return found


def signature(address: Address, folder: Path) -> tuple[Any, ...]:
    """Changes whenever a copy might, for the price of a few looks at the disk.

    Whatever is replaced, made or removed in a folder changes that folder's time; the log grows in place.
    """
    if address == MACHINE:
        return (_stat(folder / "visitors.key"),)
    if address.kind == "person":
        return *(_stat(folder / name) for name in OF_A_PERSON), _seen(folder)
    return (
        _stat(folder),
        _stat(folder / EVENTS),
        *(_stat(folder / name) for name in ("checkpoints", "adapter", "model", "data")),
    )


def take(address: Address, folder: Path) -> Snapshot:
    """Raises: `NotNow` while there is nothing whole to copy."""
    try:
        if address == MACHINE:
            return Snapshot({"visitors.key": _source(folder / "visitors.key", at_once=True)}, {})
        if address.kind == "person":
            kept = [name for name in OF_A_PERSON if (folder / name).is_file()]
            return Snapshot({name: _source(folder / name, at_once=True) for name in kept}, _seen_fact(folder))
        if not (folder / WHOLE_WITH[address.kind]).is_file() or not (folder / "about.json").is_file():
            raise NotWhole(folder.name)
        return _at_one_moment(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:  # a file that was listed is gone, or half written
        raise NotNow(folder.name) from error


def is_same(now: Snapshot, last: Copy) -> bool:
    return now.facts == last.facts and not _changed(now, last)


def only_grew(now: Snapshot, last: Copy) -> bool:
    """Nothing happened since that a person would miss: there are only more numbers."""
    return now.facts == last.facts and _changed(now, last) <= GROWING


def _changed(now: Snapshot, last: Copy) -> set[str]:
    new = {name for name, source in now.files.items() if not source.is_like(last.files.get(name))}
    return new | (last.files.keys() - now.files.keys())


def _at_one_moment(folder: Path) -> Snapshot:
    for _ in range(MOST_LOOKS):
        before = _log(folder)
        over = _is_over(before.content or b"")
        files = _files(folder, with_save_points=not (over and any((folder / name).is_dir() for name in TUNED)))
        after = _log(folder)
        new = _kinds((after.content or b"")[before.size :])
        if after.size >= before.size and not any(kind not in QUIET for kind in new):
            found = files | ({EVENTS: after} if after.size else {})
            return Snapshot(found, {"over": over, "last": _last(after.content or b"")})
    raise NotNow(folder.name)


def _files(folder: Path, with_save_points: bool) -> dict[str, Source]:
    found = {name: _source(path) for name, path in _walk(folder, "")}
    if with_save_points:
        points = [path for path in _listed(folder / "checkpoints") if path.name.isdigit()]
        for point in sorted(points, reverse=True)[:SAVE_POINTS_KEPT]:
            found |= _save_point(point)
    return {name: source for name, source in found.items() if is_safe(name)}


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in _listed(folder):
        left_out = path.name.startswith(".") or path.suffix == ".lock" or path.is_symlink()
        if left_out or (not prefix and path.name in {*LEFT_OUT, "checkpoints", EVENTS}):
            continue
        if path.is_dir():
            yield from _walk(path, f"{prefix}{path.name}/")
        elif path.is_file():
            yield prefix + path.name, path


def _save_point(point: Path) -> dict[str, Source]:
    """The files a save point's manifest names, and the manifest."""
    manifest = json.loads((point / "MANIFEST.json").read_text("utf-8"))
    before = f"checkpoints/{point.name}/"
    found = {before + "MANIFEST.json": _source(point / "MANIFEST.json")}
    for name, said in manifest["files"].items():
        source = _source(point / name)
        if source.size != said["bytes"]:
            raise NotNow(point.name)
        found[before + name] = Source(source.path, source.size, source.modified, source.content, said["sha256"])
    return found


def _source(path: Path, at_once: bool = False) -> Source:
    about = path.stat()
    if at_once or about.st_size <= INLINE:
        content = path.read_bytes()
        return Source(path, len(content), about.st_mtime_ns, content)
    return Source(path, about.st_size, about.st_mtime_ns)


def _log(folder: Path) -> Source:
    """The log up to its last whole line."""
    file = folder / EVENTS
    try:
        about = file.stat()
        text = file.read_bytes()
    except FileNotFoundError:
        return Source(file, 0, 0, b"")
    whole = text[: text.rfind(b"\n") + 1]
    return Source(file, len(whole), about.st_mtime_ns, whole)


def _kinds(text: bytes) -> Iterator[str]:
    for line in text.splitlines():
        yield _kind(line)


def _kind(line: bytes) -> str:
    try:
        return str(json.loads(line)["kind"])
    except (ValueError, KeyError, TypeError):
        return "logged"  # torn by a kill; readers pass it by


def _last(text: bytes) -> str:
    """The newest event that is more than a number, as a word that changes with each of them."""
    for line in reversed(text.splitlines()):
        if b'"kind":"logged"' not in line and _kind(line) not in QUIET:
            return hashlib.sha256(line).hexdigest()[:16]
    return ""


def _is_over(text: bytes) -> bool:
    for line in reversed(text.splitlines()):
        if b'"kind":"logged"' not in line and (kind := _kind(line)) not in QUIET:
            return kind == "finished"
    return False


def _seen(folder: Path) -> int:
    return int(_stat(folder)[0] / 1e9 // SEEN_EVERY + 1) * SEEN_EVERY


def _seen_fact(folder: Path) -> dict[str, int]:
    return {"seen": _seen(folder)}


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _stat(path: Path) -> tuple[int, int]:
    try:
        about = os.stat(path)
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size

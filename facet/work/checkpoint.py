"""Save points that can be trusted: a folder whose MANIFEST, written last, holds the hash of every file."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.workspace import fsync, read_json, write_json

MANIFEST = "MANIFEST.json"
KEEP = 2


@dataclass(frozen=True)
class Checkpoint:
    folder: Path
    step: int
    facts: dict[str, Any]  # what the writer wanted to keep beside the files


def seal(staged: Path, checkpoints: Path, step: int, facts: dict[str, Any]) -> Checkpoint:
    """Turn a finished folder of files into a save point: sync, hash, manifest, then its place and name.

    Killed at any instant, either the whole save point is there or `newest` passes it by.
    """
    files = sorted(path for path in staged.rglob("*") if path.is_file())
    for file in files:
        fsync(file)
    hashes = {
        str(file.relative_to(staged).as_posix()): {"bytes": file.stat().st_size, "sha256": sha256(file)}
        for file in files
    }
    write_json(staged / MANIFEST, {"step": step, "facts": facts, "files": hashes})
    checkpoints.mkdir(exist_ok=True)
    place = checkpoints / f"{step:06d}"
    if place.exists():
        shutil.rmtree(place)
    staged.rename(place)
    fsync(checkpoints)
    return Checkpoint(place, step, facts)


def newest(checkpoints: Path) -> tuple[Checkpoint | None, list[int]]:
    """The newest save point that verifies, and the steps of those that did not (moved to quarantine)."""
    spoiled: list[int] = []
    for folder in sorted(_folders(checkpoints), reverse=True):
        found = verified(folder)
        if found:
            return found, spoiled
        spoiled.append(int(folder.name))
        _quarantine(folder)
    return None, spoiled


def verified(folder: Path) -> Checkpoint | None:
    try:
        manifest = read_json(folder / MANIFEST)
        for name, expected in manifest["files"].items():
            file = folder / name
            if file.stat().st_size != expected["bytes"] or sha256(file) != expected["sha256"]:
                return None
        return Checkpoint(folder, int(manifest["step"]), manifest["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prune(checkpoints: Path, keep: int = KEEP, also: Iterable[int] = ()) -> None:
    """Remove the oldest save points, but for those of the steps in `also`.

    Never fewer than two stay: the newest may turn out to be spoiled.
    """
    for folder in sorted(_folders(checkpoints))[: -max(keep, KEEP)]:
        if int(folder.name) not in also:
            shutil.rmtree(folder, ignore_errors=True)


def steps(checkpoints: Path) -> list[int]:
    """The steps of the save points that lie there, verified or not, in order."""
    return sorted(int(folder.name) for folder in _folders(checkpoints))


def at(checkpoints: Path, step: int) -> Checkpoint | None:
    """The save point of one step, if it verifies."""
    return verified(checkpoints / f"{step:06d}")


def _folders(checkpoints: Path) -> list[Path]:
    if not checkpoints.is_dir():
        return []
    return [path for path in checkpoints.iterdir() if path.is_dir() and path.name.isdigit()]


def _quarantine(folder: Path) -> None:
    place = folder.parent / "quarantine"
    shutil.rmtree(place, ignore_errors=True)  # the last spoiled one is enough to look at
    folder.rename(place)


def sha256(file: Path) -> str:
    with open(file, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

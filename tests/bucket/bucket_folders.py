"""Short ways to what the bucket's tests need: people with runs of made-up bytes, and machines that lose their disk."""

import json
import os
import shutil
import time
from pathlib import Path

from facet.bucket.copies import Copies
from facet.bucket.mount import Bucket
from facet.identity import Person, person_key
from facet.work.checkpoint import seal
from facet.workspace import Workspace, write_json

ANN, BOB = (Person(person_key("hf", sub), sub, "signed-in") for sub in ("ann", "bob"))
VISITOR = Person(person_key("visitor", "a secret"), "Visitor", "visitor")


def event(run: Path, kind: str, **more) -> None:
    with open(run / "events.jsonl", "a") as log:
        log.write(json.dumps({"at": time.time(), "kind": kind} | more, separators=(",", ":")) + "\n")


def numbers(run: Path, *steps: int) -> None:
    for step in steps:
        event(run, "logged", step=step, values={"loss": 1.0 / step})


def dataset(workspace: Workspace, person: Person, size: int = 40_000) -> Path:
    folder = workspace.create(person, "datasets", "data")
    (folder / "train.parquet").write_bytes(os.urandom(size))
    write_json(folder / "dataset.json", {"name": "data"})
    return folder


def run(workspace: Workspace, person: Person, size: int = 40_000, data: Path | None = None) -> Path:
    """A run that began."""
    folder = workspace.create(person, "runs", "a run")
    (folder / "data").mkdir()
    if data:
        os.link(data / "train.parquet", folder / "data" / "train.parquet")
    else:
        (folder / "data" / "train.parquet").write_bytes(os.urandom(size))
    write_json(folder / "data" / "dataset.json", {"name": "data"})
    write_json(folder / "task.json", {"kind": "train", "request": {}})
    event(folder, "started", total_steps=100)
    return folder


def save_point(folder: Path, step: int, size: int = 40_000) -> Path:
    """As a worker does it: the curve, the save point, and only then the word of it."""
    numbers(folder, step)
    place = sealed(folder, step, size)
    event(folder, "saved", step=step)
    return place


def sealed(folder: Path, step: int, size: int = 40_000) -> Path:
    staged = folder / "staging" / f"checkpoint-{step}"
    staged.mkdir(parents=True)
    (staged / "adapter_model.safetensors").write_bytes(os.urandom(size))
    (staged / "optimizer.pt").write_bytes(os.urandom(size))
    (staged / "scheduler.pt").write_bytes(os.urandom(50))
    return seal(staged, folder / "checkpoints", step, {}).folder


def finish(folder: Path, size: int = 40_000) -> None:
    (folder / "adapter").mkdir()
    (folder / "adapter" / "adapter_model.safetensors").write_bytes(os.urandom(size))
    event(folder, "finished", step=100)


def contents(folder: Path) -> dict[str, bytes]:
    """Everything of an object that must come back."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


class Place:
    """A machine whose disk can be lost, and the bucket that outlives it."""

    def __init__(self, folder: Path, bucket: Bucket | None = None) -> None:
        self.home, self.mount = folder / "home", folder / "bucket"
        self.home.mkdir(parents=True, exist_ok=True)
        self.mount.mkdir(exist_ok=True)
        self.workspace = Workspace(self.home)
        self.bucket = bucket or Bucket(self.mount)

    def copies(self) -> Copies:
        return Copies(self.workspace, self.bucket)

    def copy_once(self) -> Copies:
        """Everything that is new is on the bucket afterwards, as when Facet is closed in peace."""
        copies = self.copies()
        copies.start()
        copies.stop()
        return copies

    def lose_the_disk(self) -> None:
        shutil.rmtree(self.home)
        self.home.mkdir()

    def come_back(self) -> Copies:
        self.lose_the_disk()
        return self.copy_once()

    def files(self) -> list[Path]:
        return [file for file in self.mount.rglob("*") if file.is_file()]

    def manifests(self, folder: Path) -> list[Path]:
        kind, key = folder.parent.name, folder.parent.parent.name
        return sorted((self.mount / "facet" / "tenants" / key / kind / folder.name).glob("*.json"))

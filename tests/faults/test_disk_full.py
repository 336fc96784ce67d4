"""A disk that fills up at any moment: said in three sentences, nothing corrupt, and it goes on once there is room.

A small disk of our own is mounted, which only root may do; elsewhere these tests are skipped with that word. The floors
that keep Facet away from a full disk are taken out, because another program may fill it between two looks.
"""

import contextlib
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from facet import workspace
from facet.errors import FacetError
from facet.identity import LOCAL
from facet.studio import Studio
from facet.train import room
from facet.train import slice as train_slice
from facet.ui.events import _as_message
from facet.work import log, worker
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example, progress, queued_run

pytestmark = [
    pytest.mark.faults,
    pytest.mark.tiny,
    pytest.mark.skipif(sys.platform != "linux", reason="a disk of our own can be mounted on Linux"),
]
SIZE = "160m"
STEPS = 12
BLOCK = 4096  # bytes, of a tmpfs
A_LITTLE = 24_576  # bytes: room for words in a log, and for nothing else


@dataclass
class Disk:
    """A small disk with a studio on it."""

    place: Path
    studio: Studio

    def fill(self, left: int = 0) -> None:
        with open(self.place / "filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
            while (free := shutil.disk_usage(self.place).free) > left:
                filler.write(bytes(min(1 << 20, free - left)))

    def free(self) -> None:
        (self.place / "filler").unlink(missing_ok=True)

    def whole(self) -> dict[str, str]:
        """Hashes of everything that a person has, but for what only grows or is a lock."""
        files = [path for path in (self.place / "home" / "tenants").rglob("*") if path.is_file()]
        kept = [path for path in files if path.suffix != ".lock" and path.name not in ("lock", "worker.log")]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}

    def folders(self) -> set[str]:
        """Objects of every kind, also those nobody would see."""
        return {str(path) for path in (self.place / "home" / "tenants").glob("*/*/*")}


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Iterator[Disk]:
    place = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a small disk could not be mounted: {mounted.stderr.decode().strip()[:100]}")
    try:
        yield Disk(place, a_studio(place / "home"))
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture(autouse=True)
def no_floors(monkeypatch, disk) -> Iterator[None]:
    monkeypatch.setattr(workspace, "FREE_DISK_FLOOR_GB", 0.0)
    monkeypatch.setattr(room, "FLOOR_BYTES", 0)
    yield
    disk.free()


@pytest.fixture(scope="module")
def dataset(disk) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "FREE_DISK_FLOOR_GB", 0.0)
        return prepared_example(disk.studio)


@pytest.fixture(scope="module")
def finished(disk, dataset) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "FREE_DISK_FLOOR_GB", 0.0)
        patch.setattr(room, "FLOOR_BYTES", 0)
        task = queued_run(disk.studio, dataset, max_steps=2)
        worker.advance(task, disk.studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return task.id


def refused_and_unharmed(disk: Disk, act: Callable[[], object]) -> None:
    """It fails in words that name the disk, and everything is as it was."""
    before, objects = disk.whole(), disk.folders()
    disk.fill()
    with pytest.raises((FacetError, OSError)) as error:
        act()
    said = str(_as_message(error.value, plain=True))
    assert "disk" in said and "fault" not in said, said
    disk.free()
    assert disk.whole() == before
    assert disk.folders() == objects, "nothing that nobody can see may stay and take room"
    assert act(), "once there is room it works"


def upload(disk: Disk, dataset: str, finished: str) -> None:
    file = disk.place.parent / "rows.csv"
    file.write_text("question,answer\n" + "".join(f"what is {n}?,it is {n}\n" for n in range(200)))
    refused_and_unharmed(disk, lambda: disk.studio.bring_file(LOCAL, file, "rows.csv"))


def prepare(disk: Disk, dataset: str, finished: str) -> None:
    brought = disk.studio.bring_example(LOCAL, "pirate")
    refused_and_unharmed(disk, lambda: disk.studio.prepare(LOCAL, brought, "again"))


def start(disk: Disk, dataset: str, finished: str) -> None:
    refused_and_unharmed(disk, lambda: queued_run(disk.studio, dataset))


def exam(disk: Disk, dataset: str, finished: str) -> None:
    refused_and_unharmed(disk, lambda: disk.studio.start_exam(LOCAL, finished))
    task = Task(disk.studio.workspace.all(LOCAL, "exams")[0])
    failed_then_done(disk, task)


def export(disk: Disk, dataset: str, finished: str) -> None:
    refused_and_unharmed(disk, lambda: disk.studio.download(LOCAL, finished))


def rename(disk: Disk, dataset: str, finished: str) -> None:
    def act() -> str:
        disk.studio.rename(LOCAL, "runs", finished, "another name that is longer than the one before")
        return disk.studio.run(LOCAL, finished).name

    refused_and_unharmed(disk, act)
    assert act().startswith("another name")


def failed_then_done(disk: Disk, task: Task) -> None:
    """A worker meets the full disk: the task fails in words, and is done once there is room."""
    disk.fill(A_LITTLE)
    worker.advance(task, disk.studio.workspace.models)
    assert "disk" in (progress(task).failure or {}).get("what", ""), progress(task)
    disk.free()
    worker.advance(task, disk.studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure


def tokens(disk: Disk, dataset: str, finished: str) -> None:
    failed_then_done(disk, queued_run(disk.studio, dataset, max_steps=STEPS))


def saves_without_room(disk: Disk, dataset: str, until: int, since: int) -> None:
    """From one step to another there is no room: save points are skipped, it is said once, and the run ends well."""
    task, looked = queued_run(disk.studio, dataset, max_steps=STEPS), []
    is_enough = room.Room.is_enough

    def look(self: room.Room, model: object) -> bool:
        step = progress(task).step
        disk.fill(A_LITTLE * 8) if since <= step < until else disk.free()
        looked.append((step, is_enough(self, model)))
        return looked[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.Room, "is_enough", look)
        worker.advance(task, disk.studio.workspace.models)
    assert progress(task).stage == "finished", (progress(task).failure, looked)
    assert [enough for step, enough in looked if since <= step < until] and not any(
        enough for step, enough in looked if since <= step < until
    )
    assert len([words for words in progress(task).notes if "nearly full" in words]) == 1


def first_save(disk: Disk, dataset: str, finished: str) -> None:
    saves_without_room(disk, dataset, until=6, since=0)


def later_save(disk: Disk, dataset: str, finished: str) -> None:
    saves_without_room(disk, dataset, until=9, since=4)


def in_the_middle_of_a_save(disk: Disk, dataset: str, finished: str) -> None:
    """There was room a moment ago, and then there is none."""
    task, is_enough = queued_run(disk.studio, dataset, max_steps=STEPS), room.Room.is_enough

    def look(self: room.Room, model: object) -> bool:
        enough = is_enough(self, model)
        if progress(task).checkpoint:
            disk.fill(A_LITTLE)
        return enough

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.Room, "is_enough", look)
        worker.advance(task, disk.studio.workspace.models)
    failed = progress(task)
    assert failed.stage == "failed" and failed.failure["what"] == "The disk is full.", failed
    assert failed.checkpoint, "the save point before it is kept"
    disk.free()
    worker.advance(task, disk.studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    assert not [note for note in progress(task).notes if "damaged" in note]


def to_the_end_of_its_block(events: Path) -> None:
    """The next event needs a new block of the disk."""
    event = log.Staged(words="")  # once: its time may take a digit more in the next
    words = "x" * ((-events.stat().st_size - len(event.model_dump_json()) - 1) % BLOCK)
    log.append(events, event.model_copy(update={"words": words}))
    assert events.stat().st_size % BLOCK == 0


def finish(disk: Disk, dataset: str, finished: str) -> None:
    task, finish_from = queued_run(disk.studio, dataset, max_steps=STEPS), train_slice.finish_from

    def on_a_full_disk(*given: object, **named: object) -> None:
        to_the_end_of_its_block(task.events_file)
        disk.fill()
        finish_from(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_slice, "finish_from", on_a_full_disk)
        worker.advance(task, disk.studio.workspace.models)
    assert progress(task).failure["what"] == "The disk is full.", progress(task)
    assert not (task.folder / "adapter").exists(), "no half model under its name"
    disk.free()
    worker.advance(task, disk.studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure


SOON = (upload, start, rename, finish)
LATER = (prepare, tokens, first_save, later_save, in_the_middle_of_a_save, exam, export)
STAGES = [*SOON, *[pytest.param(stage, marks=pytest.mark.long) for stage in LATER]]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
def test_a_disk_that_is_full_is_said_harms_nothing_and_it_goes_on_with_room(disk, dataset, finished, stage):
    stage(disk, dataset, finished)

"""A bucket that is full, gone, forgetful or lying, and kills in the middle: the last whole copy can always be had."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facet.bucket import copies as copying
from facet.bucket import mount, restore, state
from facet.bucket.catalogue import Catalogue
from facet.bucket.mount import Bucket
from facet.bucket.promise import promise
from facet.bucket.restore import Restore
from facet.compute.child import PACKAGE_ROOT
from facet.work.checkpoint import prune, sha256
from facet.workspace import Workspace
from tests.bucket.bucket_folders import ANN, BOB, Place, contents, event, run, save_point

pytestmark = pytest.mark.faults
needs_kill = pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


# ---- killed at every point of a copy
COPY_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tests.bucket.bucket_folders import Place

place, left = Place(Path(sys.argv[1])), [int(sys.argv[2])]
mount = str(place.mount)

def count(event, arguments):
    if event in ("open", "os.remove", "os.mkdir", "os.rmdir") and str(arguments[0]).startswith(mount):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
place.copy_once()
"""


def killed_at(place: Place, point: int) -> bool:
    """A Facet that copies and is killed at its n-th touch of the bucket. False when it got through."""
    environment = os.environ | {"PYTHONPATH": PACKAGE_ROOT}
    done = subprocess.run(
        [sys.executable, "-c", COPY_AND_DIE, str(place.home.parent), str(point)], env=environment, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


@needs_kill
def test_killed_at_any_touch_of_the_bucket_the_last_whole_copy_comes_back_and_the_next_facet_goes_on(place, tmp_path):
    folder = run(place.workspace, ANN)
    place.copy_once()
    states, point, through = [contents(folder)], 0, False
    while not through:
        point += 1
        save_point(folder, point, size=20_000)
        prune(folder / "checkpoints")
        states.append(contents(folder))
        through = not killed_at(place, point)
        assert brought_back(place, folder, tmp_path / f"{point}") in states, f"killed at {point}: this never was"
    assert point > 12, "the faults must have fired"
    assert brought_back(place, folder, tmp_path / "last") == states[-1]


def brought_back(place: Place, folder: Path, home: Path) -> dict[str, bytes]:
    """What another machine finds on the bucket, which it only reads."""
    catalogue = Catalogue(place.bucket)
    catalogue.look()
    home.mkdir()
    Restore(Workspace(home), catalogue).everything()
    found = contents(home / folder.relative_to(place.home))
    lines = found["events.jsonl"].splitlines(keepends=True)
    return found | {"events.jsonl": b"".join(line for line in lines if b'"noted"' not in line)}


@pytest.mark.parametrize("harm", ["lost", "half", "empty", "other bytes"])
@pytest.mark.parametrize("writes", [1, 2, 3, 4])
def test_a_bucket_that_forgets_its_last_writes_gives_the_copy_before(place, tmp_path, writes, harm):
    """As when the machine goes down before the mount has sent what it took."""
    folder = run(place.workspace, ANN)
    save_point(folder, 1)
    place.copy_once()
    before, files = contents(folder), set(place.files())
    save_point(folder, 2)
    prune(folder / "checkpoints")
    place.copy_once()
    after = contents(folder)
    written = sorted(set(place.files()) - files, key=lambda file: file.stat().st_mtime_ns)
    assert len(written) == 3
    for file in written[-writes:]:
        _harm(file, harm)
    assert brought_back(place, folder, tmp_path / "other") == before != after
    place.come_back()
    said = "damaged" in (folder / "events.jsonl").read_text()
    assert said == (harm != "lost"), "what left no trace cannot be missed"


def _harm(file: Path, harm: str) -> None:
    data = file.read_bytes()
    match harm:
        case "lost":
            file.unlink()
        case "half":
            file.write_bytes(data[: len(data) // 2])
        case "empty":
            file.write_bytes(b"")
        case _:
            file.write_bytes(data[:-10] + b"0123456789")


def test_what_is_left_of_a_torn_write_is_neither_used_nor_written_over(place, tmp_path):
    folder = run(place.workspace, ANN)
    place.copy_once()
    point = save_point(folder, 1)
    blob = place.mount / "facet" / "tenants" / ANN.key / "blobs" / sha256(point / "optimizer.pt")
    blob.write_bytes(b"half")
    place.copy_once()
    assert blob.read_bytes() == b"half"
    assert brought_back(place, folder, tmp_path / "other") == contents(folder)


# ---- a bucket that refuses, or lies
class Refusing(Bucket):
    """A real folder whose writes fail or are not what was written, as long as a file beside it says so."""

    @property
    def fault(self) -> str:
        file = self.root.with_name("fault")
        return file.read_text() if file.exists() else ""

    def _put(self, target, chunks):
        def through(chunks):
            for chunk in chunks:
                yield chunk
                if self.fault == "full":
                    with mount.asking():
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return super()._put(target, through(chunks))

    def _digest(self, file):
        return "0" * 64 if self.fault == "old content" else super()._digest(file)


@pytest.fixture
def refusing(tmp_path) -> Place:
    return Place(tmp_path, Refusing(tmp_path / "bucket"))


@pytest.mark.parametrize(("fault", "says"), [("full", "it is full"), ("old content", "could not be read back")])
def test_a_bucket_that_fails_is_said_costs_nothing_and_is_tried_again(refusing, tmp_path, fault, says):
    place, told = refusing, tmp_path / "fault"
    folder = run(place.workspace, ANN)
    save_point(folder, 1)
    place.copy_once()
    before = contents(folder)
    told.write_text(fault)
    save_point(folder, 2)
    prune(folder / "checkpoints")
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    until(lambda: copies.state.trouble)
    promised = promise(copies.state, on_space=True)
    assert says in promised.words and not promised.is_fine and "Publish or download" in promised.words
    assert brought_back(place, folder, tmp_path / "other") == before
    since = copies.state.since
    time.sleep(0.3)
    assert copies.state.since == since and copies.state.failures > 1, "it says since when, and that it goes on trying"
    told.unlink()
    until(lambda: not copies.state.trouble and copies.state.last_copied)
    assert promise(copies.state, on_space=True).is_fine
    copies.stop()
    assert brought_back(place, folder, tmp_path / "third") == contents(folder)


@pytest.mark.parametrize("whose", [ANN, BOB], ids=["Ann's", "Bob's"])
def test_one_object_that_cannot_be_copied_does_not_hold_up_the_others(place, monkeypatch, whose):
    made = {person: run(place.workspace, person) for person in (ANN, BOB)}
    bad, good = made.pop(whose), made.popitem()[1]
    real = Bucket.put

    def put(bucket, address, source, sha256, between):
        if address.id == bad.name:
            raise mount.BucketError("it is full")
        return real(bucket, address, source, sha256, between)

    monkeypatch.setattr(Bucket, "put", put)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    until(lambda: place.manifests(good))
    copies.stop()
    assert not place.manifests(bad) and "it is full" in copies.state.trouble


def test_a_read_only_mount_gives_what_it_has_and_says_that_it_takes_nothing(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    if not mounted(["-t", "tmpfs", "-o", "size=8m", "tmpfs"], place.mount, copy=True):
        pytest.skip("nothing can be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(place.mount)], check=True)
        before = contents(folder)
        place.lose_the_disk()
        copies = place.copies()
        copies.start()
        assert contents(folder) == before
        event(folder, "paused", step=1)
        copies.stop()
        assert copies.state.trouble == "it may not be written to"
    finally:
        subprocess.run(["umount", str(place.mount)], check=True)


def test_a_full_mount_keeps_the_last_whole_copy_and_takes_the_next_once_there_is_room(place, tmp_path):
    """Filled at ten stages of a copy, with a real file system that says so."""
    if not mounted(["-t", "tmpfs", "-o", "size=2m", "tmpfs"], place.mount):
        pytest.skip("nothing can be mounted here")
    try:
        folder = run(place.workspace, ANN)
        save_point(folder, 1)
        place.copy_once()
        states = [contents(folder)]
        for stage in range(10):
            save_point(folder, 2 + stage, size=30_000)
            prune(folder / "checkpoints")
            states.append(contents(folder))
            filler = place.mount / "filler"
            free = os.statvfs(place.mount)
            filler.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - 12_288 * stage))
            copies = place.copy_once()
            came = brought_back(place, folder, tmp_path / f"{stage}")
            assert came == (states[-2] if copies.state.trouble else states[-1])
            assert copies.state.trouble in ("", "it is full")
            filler.unlink()
            assert not place.copy_once().state.trouble
            assert brought_back(place, folder, tmp_path / f"{stage} again") == states[-1]
    finally:
        subprocess.run(["umount", str(place.mount)], check=True)


def test_a_mount_that_goes_away_is_said_and_nothing_is_written_to_the_disk_below_it(place):
    if not mounted(["-t", "tmpfs", "-o", "size=8m", "tmpfs"], place.mount):
        pytest.skip("nothing can be mounted here")
    place.bucket = Bucket(place.mount, is_mount=True)
    folder = run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    try:
        copies.start()
        until(lambda: place.manifests(folder))
    finally:
        subprocess.run(["umount", "-l", str(place.mount)], check=True)
    event(folder, "paused", step=1)
    until(lambda: copies.state.trouble == "it is not there")
    with copies.forgetting(ANN.key, "runs", folder.name):
        place.workspace.delete(ANN, "runs", folder.name)
    copies.stop()
    assert copies.state.owed == 1 and list(place.mount.iterdir()) == []


def mounted(what: list[str], where: Path, copy: bool = False) -> bool:
    """Mount something there, with the files that were there if asked."""
    kept = {file: file.read_bytes() for file in where.rglob("*") if file.is_file()} if copy else {}
    try:
        done = subprocess.run(["mount", *what, str(where)], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    for file, data in kept.items() if done.returncode == 0 else ():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return done.returncode == 0


def test_a_bucket_that_does_not_answer_keeps_nobody_waiting_for_ever(place, monkeypatch):
    """It is told, the page opens, and a deletion goes through."""
    run(place.workspace, ANN)
    answers = threading.Event()
    monkeypatch.setattr(copying, "RESTORE_SECONDS", 0.2)
    monkeypatch.setattr(copying, "FORGET_SECONDS", 0.2)
    monkeypatch.setattr(copying, "LAST_SECONDS", 0.1)
    monkeypatch.setattr(Bucket, "keys", lambda bucket: answers.wait(20) or [])
    folder = run(place.workspace, ANN)
    copies = place.copies()
    copies.start()
    with copies.forgetting(ANN.key, "runs", folder.name):
        place.workspace.delete(ANN, "runs", folder.name)
    assert copies.state.owed == 1
    monkeypatch.setattr(state, "SILENT_SECONDS", 0.0)
    assert "does not answer" in promise(copies.state, on_space=True).words
    answers.set()
    copies.stop()


def test_a_bucket_that_comes_late_is_restored_late(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    before = contents(folder)
    place.lose_the_disk()
    place.mount.rename(place.mount.with_name("away"))
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    assert copies.state.trouble == "it is not there" and not folder.exists()
    place.mount.with_name("away").rename(place.mount)
    until(folder.exists)
    until(lambda: copies.state.is_fine)
    copies.stop()
    assert contents(folder) == before


def test_a_disk_without_room_for_everything_says_so_and_loses_no_copy(place, monkeypatch):
    folder = run(place.workspace, ANN)
    place.copy_once()
    place.lose_the_disk()
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(restore.shutil, "disk_usage", lambda path: usage)
    copies = place.copy_once()
    assert copies.state.failed == 1 and "One thing" in promise(copies.state, on_space=True).words
    monkeypatch.undo()
    place.copy_once()
    assert folder.is_dir()


def test_a_facet_killed_while_it_brings_things_back_leaves_nothing_half(place, monkeypatch):
    folder = run(place.workspace, ANN)
    place.copy_once()
    before = contents(folder)
    place.lose_the_disk()
    left = folder.with_name(".restoring-1234")
    (left / "data").mkdir(parents=True)
    (left / "data" / "train.parquet").write_text("half")
    place.copy_once()
    assert contents(folder) == before and not left.exists()


def until(reached, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)

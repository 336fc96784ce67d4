"""What a Space loses with its disk comes back from its bucket: whole, verified, everybody's own, never undeleted."""

import json
import os
import shutil
import threading
import time

import pytest

from facet.bucket import copies as copying
from facet.bucket import snapshot
from facet.bucket.catalogue import Catalogue
from facet.bucket.manifest import Address, is_safe, read, written
from facet.bucket.mount import Bucket
from facet.bucket.restore import Restore
from facet.work.checkpoint import verified
from facet.workspace import Workspace, read_about, read_json, update_about
from tests.bucket.bucket_folders import (
    ANN,
    BOB,
    VISITOR,
    Place,
    contents,
    dataset,
    event,
    finish,
    numbers,
    run,
    save_point,
    sealed,
)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


# ---- what comes back
def test_everything_of_everybody_is_there_after_the_disk_was_lost(place):
    data = dataset(place.workspace, ANN)
    made = [run(place.workspace, ANN, data=data), run(place.workspace, BOB)]
    finish(made[1])
    before = {folder: contents(folder) for folder in (data, *made)}

    place.copy_once()
    copies = place.come_back()

    assert {folder: contents(folder) for folder in before} == before
    assert copies.state.is_fine and copies.state.left == 0
    assert [folder.name for folder in place.workspace.all(ANN, "runs")] == [made[0].name]


def test_equal_files_take_their_room_once_on_the_bucket_and_on_the_disk_that_came_back(place):
    data = dataset(place.workspace, ANN, 500_000)
    folder = run(place.workspace, ANN, data=data)
    place.copy_once()
    assert sum(file.stat().st_size for file in place.files()) < 600_000
    place.come_back()
    assert os.path.samefile(data / "train.parquet", folder / "data" / "train.parquet")


def test_times_come_back_because_the_waiting_line_is_in_their_order(place):
    folder = run(place.workspace, ANN)
    os.utime(folder / "task.json", (1_700_000_000, 1_700_000_000))
    place.copy_once()
    place.come_back()
    assert (folder / "task.json").stat().st_mtime == 1_700_000_000


def test_what_belongs_to_this_machine_or_is_made_again_stays_here(place):
    folder = run(place.workspace, ANN)
    for name in ("worker.log", "worker.json", "lock", "about.lock", ".part", "turn"):
        (folder / name).write_text("x" * 20_000)
    for name in ("tokens", "staging"):
        (folder / name).mkdir()
        (folder / name / "train.arrow").write_text("x" * 20_000)
    (place.workspace.create(ANN, "uploads", "file") / "file").write_text("a,b")
    place.copy_once()
    place.come_back()
    assert {path.name for path in folder.iterdir()} == {"about.json", "data", "events.jsonl", "task.json"}
    assert place.workspace.all(ANN, "uploads") == []


def test_a_persons_wishes_and_a_file_no_facet_knows_yet_come_back_too(place):
    folder = run(place.workspace, ANN)
    for name in ("stop", "where", "execution.json", "results.json", "publication.json", "something-new.json"):
        (folder / name).write_text(f"{name}!")
    before = contents(folder)
    place.copy_once()
    place.come_back()
    assert contents(folder) == before


def test_a_new_name_and_a_claimed_visitor_come_back(place):
    folder = run(place.workspace, VISITOR)
    place.copy_once()
    update_about(folder, name="renamed")
    place.workspace.claim(ANN, VISITOR.key)
    place.copy_once()
    place.come_back()
    assert read_about(folder)["name"] == "renamed"
    assert place.workspace.with_past(ANN).also == (VISITOR.key,)
    assert place.workspace.is_claimed(VISITOR.key)


def test_visitors_are_known_again_by_the_cookie_they_have(place):
    from facet.ui.visitors import OPEN, Visitors

    cookie = f"{OPEN}={Visitors.of(place.workspace).issue()}"
    known = Visitors.of(place.workspace).read(cookie)
    place.copy_once()
    place.come_back()
    assert Visitors.of(place.workspace).read(cookie) == known is not None


def test_a_restart_is_no_visit(place):
    run(place.workspace, VISITOR)
    long_ago = time.time() - 2 * 86_400
    os.utime(place.workspace.tenant(VISITOR.key), (long_ago, long_ago))
    place.copy_once()
    place.come_back()
    assert place.workspace.gone_visitors() == [VISITOR.key]


def test_what_is_here_is_never_replaced_by_its_copy(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    numbers(folder, 1, 2, 3)
    before = contents(folder)
    copies = place.copies()
    copies.start()
    assert contents(folder) == before
    copies.stop()


def test_nothing_is_copied_twice(place, monkeypatch):
    monkeypatch.setattr(copying, "AGAIN_SECONDS", -1.0)
    finish(run(place.workspace, ANN))
    dataset(place.workspace, ANN)
    place.copy_once()
    before = {file: file.stat().st_mtime_ns for file in place.files()}
    place.copy_once()
    place.come_back()
    place.copy_once()
    assert {file: file.stat().st_mtime_ns for file in place.files()} == before


# ---- a run that goes on
def test_a_run_comes_back_with_its_three_newest_save_points_and_the_curve_up_to_them(place):
    """A run keeps the two newest and the best."""
    folder = run(place.workspace, ANN)
    for step in (5, 10, 20, 30):
        save_point(folder, step)
    place.copy_once()
    place.come_back()
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["000010", "000020", "000030"]
    assert all(verified(path) for path in (folder / "checkpoints").iterdir())
    assert b'"step":30' in (folder / "events.jsonl").read_bytes()


def test_a_finished_run_needs_no_save_points(place):
    folder = run(place.workspace, ANN)
    save_point(folder, 100)
    finish(folder)
    place.copy_once()
    place.come_back()
    assert not (folder / "checkpoints").exists() and (folder / "adapter").is_dir()


def test_half_a_line_waits_for_its_end(place):
    folder = run(place.workspace, ANN)
    with open(folder / "events.jsonl", "a") as log:
        log.write('{"at":1,"kind":"log')
    place.copy_once()
    place.come_back()
    assert (folder / "events.jsonl").read_bytes().endswith(b"}\n")


def test_a_copy_never_speaks_of_a_save_point_it_does_not_hold(place, monkeypatch):
    """A save point is made while the copy is: the whole is looked at once more."""
    folder = run(place.workspace, ANN)
    save_point(folder, 10)
    looks = []

    def meanwhile(inside):
        if len(looks) < 2:
            looks.append(save_point(folder, 20 + len(looks)))
        return real(inside)

    real = snapshot._listed
    monkeypatch.setattr(snapshot, "_listed", lambda path: meanwhile(path) if path == folder else real(path))
    taken = snapshot.take(Address(ANN.key, "runs", folder.name), folder)
    newest = max(int(name.split("/")[1]) for name in taken.files if name.startswith("checkpoints/"))
    said = [json.loads(line) for line in taken.files["events.jsonl"].content.splitlines()]
    assert len(looks) == 2
    assert newest == 21 == max(line["step"] for line in said if line["kind"] == "saved")


def test_a_save_point_is_never_newer_than_the_curve_beside_it(place, monkeypatch):
    folder = run(place.workspace, ANN)
    real = snapshot._listed

    def meanwhile(path):
        if path == folder and not (folder / "checkpoints").exists():
            numbers(folder, 10)
            sealed(folder, 10)  # the word of it is not written yet
        return real(path)

    monkeypatch.setattr(snapshot, "_listed", meanwhile)
    taken = snapshot.take(Address(ANN.key, "runs", folder.name), folder)
    assert "checkpoints/000010/MANIFEST.json" in taken.files
    assert b'"step":10' in taken.files["events.jsonl"].content


def test_results_of_a_test_are_never_older_than_the_word_that_it_is_over(place, monkeypatch):
    folder = run(place.workspace, ANN)
    (folder / "results.json").write_text("half")
    real = snapshot._log
    calls = []

    def meanwhile(path):
        log = real(path)
        calls.append(path)
        if len(calls) == 1:
            finish(folder)
        return log

    monkeypatch.setattr(snapshot, "_log", meanwhile)
    monkeypatch.setattr(snapshot, "_walk", _whole_results_from_the_second_look(snapshot._walk, calls))
    taken = snapshot.take(Address(ANN.key, "runs", folder.name), folder)
    assert taken.facts["over"] and taken.files["results.json"].content == b"whole"


def _whole_results_from_the_second_look(walk, calls):
    def walked(folder, prefix):
        if not prefix:
            (folder / "results.json").write_text("half" if len(calls) < 2 else "whole")
        return walk(folder, prefix)

    return walked


def test_a_save_point_that_vanishes_while_it_is_copied_costs_one_look_and_no_trouble(place, monkeypatch):
    folder = run(place.workspace, ANN)
    save_point(folder, 10)
    real, seen = Bucket.put, []

    def put(bucket, address, source, sha256, between):
        if "checkpoints" in str(source) and not seen:
            seen.append(source)
            save_point(folder, 20)
            shutil.rmtree(folder / "checkpoints" / "000010")
        return real(bucket, address, source, sha256, between)

    monkeypatch.setattr(Bucket, "put", put)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(folder))
    copies.stop()
    assert copies.state.is_fine
    place.come_back()
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["000020"]


def test_a_save_point_that_is_damaged_here_does_not_stop_the_copies_of_the_rest(place):
    folder = run(place.workspace, ANN)
    save_point(folder, 10)
    (save_point(folder, 20) / "optimizer.pt").write_bytes(os.urandom(40_000))
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(folder))
    copies.stop()
    place.come_back()
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["000010"]


def test_numbers_alone_are_copied_once_a_minute_and_what_happened_at_once(place, monkeypatch):
    folder = run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: len(place.manifests(folder)) == 1)
    numbers(folder, 1, 2, 3)
    time.sleep(0.4)
    assert len(place.manifests(folder)) == 1
    save_point(folder, 4)
    _until(lambda: len(place.manifests(folder)) == 2)
    event(folder, "paused", step=4)
    _until(lambda: len(place.manifests(folder)) == 3)
    numbers(folder, 5)
    monkeypatch.setattr(copying, "AGAIN_SECONDS", 0.0)
    _until(lambda: len(place.manifests(folder)) == 4)
    copies.stop()


# ---- deleting
def test_what_was_deleted_does_not_come_back_and_takes_no_room(place):
    data = dataset(place.workspace, ANN)
    gone, stays = run(place.workspace, ANN, data=data), run(place.workspace, ANN, data=data)
    copies = place.copies()
    copies.start()
    _until(lambda: copies.state.last_copied and not copies.state.waiting)
    with copies.forgetting(ANN.key, "runs", gone.name):
        assert not place.manifests(gone)  # first there, then here
        place.workspace.delete(ANN, "runs", gone.name)
    with copies.forgetting(ANN.key, "datasets", data.name):
        place.workspace.delete(ANN, "datasets", data.name)
    copies.stop()
    place.come_back()
    assert place.workspace.all(ANN, "runs") == [stays] and place.workspace.all(ANN, "datasets") == []
    assert (stays / "data" / "train.parquet").stat().st_size == 40_000  # the other had the same file


def test_a_deletion_that_fails_here_leaves_the_object_among_what_is_copied(place):
    folder = run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(folder))
    with pytest.raises(PermissionError), copies.forgetting(ANN.key, "runs", folder.name):
        raise PermissionError
    event(folder, "paused", step=1)
    _until(lambda: place.manifests(folder))
    copies.stop()


def test_what_vanished_by_other_means_loses_its_copies_too(place):
    folder, stays = run(place.workspace, ANN), run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(folder))
    shutil.rmtree(folder)
    _until(lambda: not place.manifests(folder))
    copies.stop()
    assert place.manifests(stays)


def test_a_disk_that_is_lost_under_a_running_facet_takes_no_copies_away(place):
    folder = run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(folder))
    shutil.rmtree(place.home / "tenants")
    time.sleep(0.4)
    copies.stop()
    assert place.manifests(folder)


def test_deleting_a_person_empties_the_bucket_of_them_and_of_nobody_else(place):
    for person in (ANN, BOB):
        finish(run(place.workspace, person))
        dataset(place.workspace, person)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: copies.state.last_copied and not copies.state.waiting)
    with copies.forgetting(ANN.key):
        time.sleep(0.3)  # however long it takes here, nothing of it is copied again
        place.workspace.delete_tenant(ANN.key)
        assert not [file for file in place.files() if ANN.key in str(file)]
    assert [file for file in place.files() if BOB.key in str(file)]
    later = run(place.workspace, ANN)  # the same person may begin anew
    copies.stop()
    assert place.manifests(later)
    place.come_back()
    assert len(place.workspace.all(ANN, "runs")) == 1 and len(place.workspace.all(BOB, "runs")) == 1


def test_a_bucket_that_is_gone_does_not_hinder_a_deletion_and_hears_of_it_at_the_next_start(place):
    folder, stays = run(place.workspace, ANN), run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(stays) and place.manifests(folder))
    place.mount.rename(place.mount.with_name("away"))
    event(stays, "paused", step=1)
    _until(lambda: copies.state.trouble)
    with copies.forgetting(ANN.key, "runs", folder.name):
        place.workspace.delete(ANN, "runs", folder.name)
    assert copies.state.owed == 1 and not copies.state.is_fine
    copies.stop()
    place.mount.with_name("away").rename(place.mount)
    again = place.copy_once()
    assert not place.manifests(folder) and not folder.exists() and place.manifests(stays)
    assert again.state.is_fine and again.state.owed == 0


def test_a_deletion_in_a_terminal_reaches_the_bucket_with_and_without_a_page_that_copies(place):
    first, second = run(place.workspace, ANN), run(place.workspace, ANN)
    page, terminal = place.copies(), place.copies()
    page.every = 0.05
    page.start()
    _until(lambda: place.manifests(first) and place.manifests(second))
    with terminal.forgetting(ANN.key, "runs", first.name):
        place.workspace.delete(ANN, "runs", first.name)
    assert not place.manifests(first)
    page.stop()
    with terminal.forgetting(ANN.key, "runs", second.name):
        place.workspace.delete(ANN, "runs", second.name)
    assert not [file for file in place.files() if "/runs/" in str(file) or "/blobs/" in str(file)]


def test_what_is_deleted_while_things_are_brought_back_does_not_come_after_all(place, monkeypatch):
    runs = [run(place.workspace, ANN) for _ in range(12)]
    stays = run(place.workspace, BOB)
    place.copy_once()
    place.lose_the_disk()
    real, go_on = Restore._one, threading.Event()

    def one(restore, address):
        if address.kind == "runs":
            go_on.wait(10)
        return real(restore, address)

    monkeypatch.setattr(Restore, "_one", one)
    for name in ("RESTORE_SECONDS", "FORGET_SECONDS"):
        monkeypatch.setattr(copying, name, 0.2)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    assert copies.state.left >= len(runs)
    with copies.forgetting(ANN.key):
        place.workspace.delete_tenant(ANN.key)
    go_on.set()
    _until(stays.exists)
    _until(lambda: not copies.state.owed)
    copies.stop()
    place.come_back()
    assert place.workspace.all(ANN, "runs") == [] and place.workspace.all(BOB, "runs") == [stays]


def test_what_is_deleted_while_it_is_copied_stays_deleted(place, monkeypatch):
    folder = run(place.workspace, ANN)
    real, began, go_on = Bucket.put, threading.Event(), threading.Event()

    def put(bucket, address, source, sha256, between):
        began.set()
        go_on.wait(5)
        return real(bucket, address, source, sha256, between)

    monkeypatch.setattr(Bucket, "put", put)
    copies = place.copies()
    threading.Thread(target=copies.start).start()
    began.wait(5)
    threading.Timer(0.2, go_on.set).start()
    with copies.forgetting(ANN.key, "runs", folder.name):
        place.workspace.delete(ANN, "runs", folder.name)
    copies.stop()
    assert not place.manifests(folder)
    place.come_back()
    assert place.workspace.all(ANN, "runs") == []


def test_deleting_a_dataset_while_a_run_of_it_is_copied_takes_nothing_from_the_run(place, monkeypatch):
    data = dataset(place.workspace, ANN)
    place.copy_once()
    folder = run(place.workspace, ANN, data=data)
    (folder / "zz.bin").write_bytes(os.urandom(40_000))  # comes after the data they share
    real, copies, deleting = Bucket.put, place.copies(), []

    def delete() -> None:  # from a terminal
        with place.copies().forgetting(ANN.key, "datasets", data.name):
            place.workspace.delete(ANN, "datasets", data.name)

    def put(bucket, address, source, sha256, between):
        if "zz.bin" in str(source) and not deleting:
            deleting.append(threading.Thread(target=delete))
            deleting[0].start()
            _until(lambda: list(copies.folder.glob("forget-*.json")))
        between()
        return real(bucket, address, source, sha256, between)

    monkeypatch.setattr(Bucket, "put", put)
    before = contents(folder)
    copies.start()
    _until(lambda: place.manifests(folder))
    deleting[0].join()
    copies.stop()
    place.come_back()
    assert contents(folder) == before and place.workspace.all(ANN, "datasets") == []


def test_what_somebody_makes_after_deleting_everything_is_copied_also_when_the_bucket_heard_of_it_late(place):
    old = run(place.workspace, ANN)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: place.manifests(old))
    place.mount.rename(place.mount.with_name("away"))
    event(old, "paused", step=1)
    _until(lambda: copies.state.trouble)
    with copies.forgetting(ANN.key):
        place.workspace.delete_tenant(ANN.key)
    new = run(place.workspace, ANN)
    place.mount.with_name("away").rename(place.mount)
    _until(lambda: place.manifests(new))
    copies.stop()
    assert not place.manifests(old) and copies.state.owed == 0


# ---- two Facets on one folder
def test_of_two_processes_one_copies_and_the_other_knows_how_it_stands(place):
    folder = run(place.workspace, ANN)
    one, other = place.copies(), place.copies()
    one.start()
    _until(lambda: place.manifests(folder))
    other.start()
    one.stop()
    assert other.state.last_copied and other.state.bucket == str(place.mount)
    other.stop()
    assert len(place.manifests(folder)) == 1


def test_who_copies_again_after_another_did_knows_what_that_one_took_away(place):
    """A blob that is gone is not counted on because it was there before."""
    data = dataset(place.workspace, ANN)
    one = place.copy_once()
    with place.copies().forgetting(ANN.key, "datasets", data.name):
        kept = (data / "train.parquet").read_bytes()
        place.workspace.delete(ANN, "datasets", data.name)
    folder = run(place.workspace, ANN)
    (folder / "data" / "train.parquet").write_bytes(kept)
    before = contents(folder)
    one.start()
    one.stop()
    place.come_back()
    assert contents(folder) == before


# ---- old and foreign things on the bucket
def test_old_copies_go_and_the_newest_two_stay(place, monkeypatch):
    from facet.bucket import catalogue

    monkeypatch.setattr(catalogue, "SETTLED_SECONDS", -1.0)
    folder = run(place.workspace, ANN)
    for step in range(1, 6):
        save_point(folder, step)
        place.copy_once()
    assert len(place.manifests(folder)) == 2
    blobs = {path.name for path in place.files() if path.parent.name == "blobs"}
    named = {held["blob"] for file in place.manifests(folder) for held in read_json(file)["files"].values()
             if "blob" in held}  # fmt: skip
    assert blobs == named


def test_copies_that_may_still_be_on_their_way_are_all_kept(place):
    folder = run(place.workspace, ANN)
    for step in range(1, 6):
        save_point(folder, step)
        place.copy_once()
    assert len(place.manifests(folder)) == 5


def test_of_something_finished_one_copy_stays_once_it_was_read_again(place, monkeypatch):
    from facet.bucket import catalogue

    folder = run(place.workspace, ANN)
    save_point(folder, 1)
    place.copy_once()
    finish(folder)
    place.copy_once()
    for module in (copying, catalogue):
        monkeypatch.setattr(module, "OVER_SECONDS", -1.0)
    place.copy_once()
    assert len(place.manifests(folder)) == 1
    before = contents(folder / "adapter")
    place.come_back()
    assert contents(folder / "adapter") == before


def test_a_finished_things_newest_copy_that_does_not_read_back_is_made_again(place, monkeypatch):
    from facet.bucket import catalogue

    folder = run(place.workspace, ANN)
    place.copy_once()
    finish(folder)
    place.copy_once()
    weights = read_json(place.manifests(folder)[-1])["files"]["adapter/adapter_model.safetensors"]["blob"]
    blob = next(file for file in place.files() if file.name == weights)
    blob.write_bytes(b"x" * blob.stat().st_size)
    for module in (copying, catalogue):
        monkeypatch.setattr(module, "OVER_SECONDS", -1.0)
    copies = place.copies()
    copies.every = 0.05
    copies.start()
    _until(lambda: len(place.manifests(folder)) == 1 and place.manifests(folder)[0].name[:8] != "00000001")
    copies.stop()
    before = contents(folder / "adapter")
    place.come_back()
    assert contents(folder / "adapter") == before


def test_what_a_crash_left_without_a_name_goes_later(place, monkeypatch):
    run(place.workspace, ANN)
    place.copy_once()
    left = place.mount / "facet" / "tenants" / ANN.key / "blobs" / ("0" * 64)
    left.write_text("half")
    place.copy_once()
    assert left.exists()
    monkeypatch.setattr(copying, "SWEEP_AFTER", -1.0)
    place.copy_once()
    assert not left.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', '{"facet_copy": 1}', '{"facet_copy": "one"}', "\xff"])
def test_a_manifest_that_is_none_is_passed_by(place, text):
    folder = run(place.workspace, ANN)
    before = contents(folder)
    place.copy_once()
    (place.manifests(folder)[0].parent / "99999999-00000000.json").write_text(text)
    copies = place.come_back()
    assert {name: data for name, data in contents(folder).items() if name != "events.jsonl"} == {
        name: data for name, data in before.items() if name != "events.jsonl"
    }
    assert "damaged" in (folder / "events.jsonl").read_text() and copies.state.failed == 0


def test_a_manifest_that_changed_since_it_was_written_is_passed_by_although_it_reads_well(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    file = place.manifests(folder)[0]
    said = read_json(file)
    said["files"]["task.json"]["modified"] += 1
    file.write_text(json.dumps(said))
    assert place.come_back().state.failed == 1 and not folder.exists()


def test_a_copy_by_a_later_facet_is_left_alone_with_all_it_may_need(place, monkeypatch):
    folder = run(place.workspace, ANN)
    place.copy_once()
    file = place.manifests(folder)[0]
    file.write_text(json.dumps(read_json(file) | {"facet_copy": 2}))
    monkeypatch.setattr(copying, "SWEEP_AFTER", -1.0)
    before = set(place.files())
    copies = place.come_back()
    assert not folder.exists() and copies.state.failed == 1
    assert set(place.files()) >= before


def test_strangers_files_on_the_bucket_harm_nobody_and_stay(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    strange = [place.mount / "notes.txt", place.mount / "facet" / "tenants" / "Not A Key" / "runs" / "x" / "y.json",
               place.mount / "facet" / "tenants" / ANN.key / "models" / "z", file := place.manifests(folder)[0].parent
               / "README.md"]  # fmt: skip
    for file in strange:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("hello")
    place.come_back()
    assert folder.is_dir() and all(file.exists() for file in strange)


@pytest.mark.parametrize(
    "name",
    ["../../../../evil", "/etc/evil", "a/../../evil", "..", "a//b", "C:\\evil", "a\\..\\evil", "./x", "a/.hidden", "",
     "\x00", "x/" * 9 + "x"],
)  # fmt: skip
def test_a_manifest_that_names_a_place_outside_of_its_object_is_refused_whole(place, name):
    folder = run(place.workspace, ANN)
    place.copy_once()
    file = place.manifests(folder)[0]
    address = Address(ANN.key, "runs", folder.name)
    copy = read(address, file.name, file.read_bytes())
    evil = type(copy)(address, file.name, copy.made, copy.files | {name: copy.files["about.json"]}, {})
    file.write_bytes(written(evil))
    assert not is_safe(name)
    copies = place.come_back()
    assert not folder.exists() and copies.state.failed == 1
    assert not [path for path in place.home.parent.rglob("*evil*")]


def test_a_manifest_in_another_persons_place_brings_them_nothing(place):
    folder = run(place.workspace, ANN)
    place.copy_once()
    theirs = place.mount / "facet" / "tenants" / BOB.key
    shutil.copytree(place.mount / "facet" / "tenants" / ANN.key, theirs)
    place.come_back()
    assert place.workspace.all(BOB, "runs") == [] and place.workspace.all(ANN, "runs") == [folder]


def test_two_people_never_share_a_blob(place):
    same = run(place.workspace, ANN)
    other = run(place.workspace, BOB)
    shutil.copyfile(same / "data" / "train.parquet", other / "data" / "train.parquet")
    place.copy_once()
    names = [file.name for file in place.files() if file.parent.name == "blobs"]
    assert len(names) == 2 and len(set(names)) == 1
    with (copies := place.copies()).forgetting(ANN.key):
        place.workspace.delete_tenant(ANN.key)
    assert copies.state.is_fine
    place.come_back()
    assert (other / "data" / "train.parquet").stat().st_size == 40_000


# ---- where the bucket is
def test_a_folder_that_is_named_and_nothing_that_is_not(monkeypatch, tmp_path):
    monkeypatch.delenv("FACET_BUCKET", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert Bucket.here() is None
    monkeypatch.setenv("SPACE_ID", "ann/facet")
    monkeypatch.setattr(os.path, "ismount", lambda path: str(path) == "/data")
    assert str(Bucket.here().root) == "/data"
    monkeypatch.setenv("FACET_BUCKET", "none")
    assert Bucket.here() is None
    monkeypatch.setenv("FACET_BUCKET", str(tmp_path))
    assert Bucket.here().root == tmp_path


def test_facets_own_folder_on_the_bucket_is_said_and_nothing_is_copied(tmp_path):
    (tmp_path / "home").mkdir()
    copies = copying.Copies(Workspace(tmp_path / "home"), Bucket(tmp_path))
    copies.start()
    copies.stop()
    assert "FACET_HOME" in copies.state.trouble and not (tmp_path / "facet").exists()


def test_the_catalogue_lets_go_of_nothing_that_another_copy_names(place):
    data = dataset(place.workspace, ANN)
    run(place.workspace, ANN, data=data)
    place.copy_once()
    catalogue = Catalogue(place.bucket)
    catalogue.look()
    catalogue.forget(Address(ANN.key, "datasets", data.name))
    assert len([file for file in place.files() if file.parent.name == "blobs"]) == 1


def _until(reached, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


def test_what_people_judged_in_chats_comes_back_and_what_is_newer_here_stays(place):
    mine, theirs = (place.workspace.tenant(one.key) / "feedback.json" for one in (ANN, VISITOR))
    judged = json.dumps([{"answer": "Aye." * 9_000}])  # too large to lie inside of the manifest
    for file in (mine, theirs):
        file.parent.mkdir(parents=True)
        file.write_text(judged)
    update_about(mine.parent, also=["somebody"])
    place.copy_once()
    place.come_back()
    assert mine.read_text() == theirs.read_text() == judged
    assert read_about(mine.parent)["also"] == ["somebody"] and not (theirs.parent / "about.json").exists()

    theirs.write_text("[]")
    place.copy_once()
    assert theirs.read_text() == "[]"
    place.come_back()
    assert theirs.read_text() == "[]" and mine.read_text() == judged

"""What trackers are told: every point once, and one curve however often the run was resumed."""

import json
import os
import subprocess
import sys
import threading
import zipfile
from importlib.util import find_spec

import pytest

from facet.errors import AccessError, SettingError
from facet.identity import LOCAL, Person
from facet.track import tensorboard, trackers
from facet.track.feed import Feed, Point
from facet.track.trackers import tell, tracker
from facet.work import log
from tests.journeys import a_studio, prepared_example
from tests.train.test_history_of_runs import a_run

STEPS = 12


def loss_at(step: int) -> float:
    return 3.0 / step


class Told:
    """A run that is killed twice behind a save point, with trackers that are told in between."""

    def __init__(self, folder) -> None:
        self.folder = folder
        folder.mkdir(parents=True)

    def say(self, event) -> None:
        log.append(self.folder / "events.jsonl", event)

    def learn(self, first: int, last: int, saved: int | None = None) -> None:
        for step in range(first, last + 1):
            self.say(log.Logged(step=step, values={"loss": loss_at(step)}))
        if saved:
            self.say(log.Logged(step=saved, values={"validation_loss": float(saved)}))
            self.say(log.Saved(step=saved))

    def slices(self):
        """Stops wherever a tracker may look."""
        self.say(log.Started(total_steps=STEPS))
        self.learn(1, 4, saved=4)
        self.learn(5, 7)
        yield
        self.say(log.Interrupted())
        yield
        self.say(log.Resumed(step=4))
        self.learn(5, 8, saved=8)
        self.learn(9, 10)
        yield
        self.say(log.Resumed(step=8))
        self.learn(9, 12, saved=12)
        self.say(log.Finished(step=12))
        yield


POINTS = [Point(step, 0.0, {"loss": loss_at(step)}) for step in (1, 2)]
EXPECTED = [(step, loss_at(step)) for step in range(1, STEPS + 1)]
LOOKS = [(step, float(step)) for step in (4, 8, 12)]


def test_two_resumes_are_one_curve_and_nothing_is_told_that_a_resume_takes_back(tmp_path):
    run = Told(tmp_path / "run")
    told, counts = [], []
    for _ in run.slices():
        feed = Feed.of(run.folder / "events.jsonl", tmp_path / "state.json")
        told += feed.news()
        feed.keep()
        counts.append(len(told))

    assert [(point.step, point.values["loss"]) for point in told if "loss" in point.values] == EXPECTED
    assert counts == [5, 5, 10, 15] and Feed.of(run.folder / "events.jsonl", tmp_path / "state.json").over


def test_what_was_not_kept_is_told_again_and_a_damaged_save_point_repeats_nothing(tmp_path):
    run = Told(tmp_path / "run")
    run.learn(1, 4, saved=4)
    feed = Feed.of(run.folder / "events.jsonl", tmp_path / "state.json")
    first = feed.news()
    assert Feed.of(run.folder / "events.jsonl", tmp_path / "state.json").news() == first
    feed.keep()
    run.say(log.Resumed(step=0))
    run.learn(1, 6, saved=6)

    assert [point.step for point in feed.news()] == [5, 6, 6]


def test_tensorboard_reads_one_clean_curve_after_two_resumes(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = Told(tmp_path / "run")
    for _ in run.slices():
        told = tell("tensorboard", run.folder, "a run", {}, tmp_path)
        with open(told.place / "events.out.tfevents.0.facet", "ab") as file:
            file.write(b"torn by a kill")
    tell("tensorboard", run.folder, "a run", {}, tmp_path)

    found = reader.EventAccumulator(str(told.place))
    found.Reload()
    assert [(one.step, one.value) for one in found.Scalars("train/loss")] == [
        (step, pytest.approx(value)) for step, value in EXPECTED
    ]
    assert [(one.step, one.value) for one in found.Scalars("validation/loss")] == LOOKS


def test_what_a_look_measures_stands_with_the_validation_loss():
    looked = ("validation_loss", "validation_token_accuracy", "accuracy", "macro_f1", "look_seconds")
    learned = ("loss", "token_accuracy", "learning_rate", "grad_norm", "step_seconds", "memory_gb")

    assert {tensorboard.tag(name).split("/")[0] for name in looked} == {"validation"}
    assert {tensorboard.tag(name).split("/")[0] for name in learned} == {"train"}
    assert len({tensorboard.tag(name) for name in looked + learned}) == len(looked + learned), "each its own curve"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "NO_PROXY"])
def test_a_tracker_goes_out_through_the_proxy_that_facet_uses(tmp_path, monkeypatch, name):
    given = {}

    class Child:
        def __init__(self, *_, env, **__):
            given.update(env)

        def communicate(self, _):
            return '{"told": 2}\n{"closed": true}\n', None

        def kill(self):
            pass

    monkeypatch.setenv(name, "http://proxy.example:3128")
    monkeypatch.setenv("HF_TOKEN", "not for a tracker")
    monkeypatch.setattr(trackers.subprocess, "Popen", Child)
    trackers._through_child({"tracker": "wandb", "folder": str(tmp_path)}, POINTS, threading.Event())

    assert given[name] == "http://proxy.example:3128" and "HF_TOKEN" not in given


def test_the_checksum_is_crc32c():
    assert tensorboard._masked(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + tensorboard.MASK) & 0xFFFFFFFF


@pytest.mark.skipif(find_spec("trackio") is None, reason="Trackio is not installed")
def test_trackio_reads_one_clean_curve_after_two_resumes(tmp_path):
    run = Told(tmp_path / "run")
    for _ in run.slices():
        told = tell("trackio", run.folder, "a run", {"learning_rate": 0.001}, tmp_path)

    read = "from trackio.sqlite_storage import SQLiteStorage as s; import json; n = s.get_runs('facet'); "
    read += "print(json.dumps([n, s.get_logs('facet', n[0])]))"
    environment = os.environ | {"TRACKIO_DIR": str(told.place), "HF_HUB_OFFLINE": "1"}
    answer = subprocess.run([sys.executable, "-c", read], env=environment, capture_output=True, text=True, check=True)
    names, rows = json.loads(answer.stdout.splitlines()[-1])

    assert len(names) == 1
    assert [(row["step"], row["loss"]) for row in rows if "loss" in row] == EXPECTED
    assert [(row["step"], row["validation_loss"]) for row in rows if "validation_loss" in row] == LOOKS


@pytest.mark.skipif(find_spec("wandb") is None, reason="the client of Weights & Biases is not installed")
def test_weights_and_biases_gets_one_clean_curve_after_two_resumes(tmp_path):
    from wandb.proto import wandb_internal_pb2

    run = Told(tmp_path / "run")
    for _ in run.slices():
        told = tell("wandb", run.folder, "a run", {"learning_rate": 0.001}, tmp_path)

    rows = []
    for file in sorted(told.place.glob("wandb/offline-run-*/run-*.wandb")):
        for record in records(file.read_bytes()):
            parsed = wandb_internal_pb2.Record.FromString(record)
            if parsed.WhichOneof("record_type") == "history":
                items = {
                    item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in parsed.history.item
                }
                rows.append(items)
    assert [(row["step"], row["loss"]) for row in rows if "loss" in row] == EXPECTED
    assert len({file.name for file in told.place.glob("wandb/offline-run-*/run-*.wandb")}) == 1
    assert told.offline and "none of them to your account" in told.words("wandb", 3)


def records(data: bytes):
    """The records of a W&B file: LevelDB's log format in blocks of 32 KB, behind a header of 7 bytes."""
    at, whole = 7, b""
    while at + 7 <= len(data):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            yield whole
            whole = b""


CLIENT = """
import json, os

class Settings:
    def __init__(self, **settings): pass

class init:
    def __init__(self, **about): pass
    def define_metric(self, *names, **about): pass
    def finish(self): pass
    def log(self, values):
        with open(os.environ["WANDB_DIR"] + "/said.jsonl", "a") as file:
            file.write(json.dumps(values | {"mode": os.environ["WANDB_MODE"]}) + chr(10))
"""


def test_what_lies_in_files_for_want_of_a_key_is_sent_once_there_is_one(tmp_path, monkeypatch):
    (tmp_path / "wandb.py").write_text(CLIENT)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    run = Told(tmp_path / "run")
    for _ in run.slices():
        told = tell("wandb", run.folder, "a run", {}, tmp_path)
    assert told.offline and "none of them to your account" in told.words("wandb", 3)
    for _ in range(2):
        told = tell("wandb", run.folder, "a run", {}, tmp_path, "k" * 40)
    assert not told.offline and told.over

    said = [json.loads(line) for line in (told.place / "said.jsonl").read_text().splitlines()]
    for mode in ("offline", "online"):
        assert [(one["step"], one["loss"]) for one in said if "loss" in one and one["mode"] == mode] == EXPECTED


def test_a_tracker_that_is_not_known_or_not_here_is_refused():
    with pytest.raises(SettingError, match="none of"):
        tracker("comet")


def test_tracked_files_are_a_zip_and_hold_no_path_and_no_state(tmp_path):
    studio = a_studio(tmp_path / "home")
    task = a_run(studio, prepared_example(studio))

    told = studio.track(LOCAL, task.id, "tensorboard")
    with zipfile.ZipFile(studio.tracked_files(LOCAL, task.id, "tensorboard")) as archive:
        names = [name.split("/", 1)[1] for name in archive.namelist()]

    assert told.points == 24 and told.over and names == ["events.out.tfevents.0.facet"]


def test_a_visitor_needs_a_key_and_it_is_kept_for_them_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "the-machines-own-key")
    studio = a_studio(tmp_path / "home")
    visitor, other = Person("visitor-1", "x", "visitor"), Person("visitor-2", "y", "visitor")
    if find_spec("wandb") is not None:
        with pytest.raises(AccessError, match="key"):
            studio.track(visitor, "2026-01-01-some-run", "wandb")

    studio.keys.keep(visitor, "https://api.wandb.ai", "k" * 40)

    assert studio.has_tracker_key(visitor) and not studio.has_tracker_key(other)
    assert "k" * 40 not in repr(studio.keys)

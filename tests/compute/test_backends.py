"""One contract for every place that computes: slices, grants, events that come home, and the same result."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from facet.compute import warm
from facet.compute.backend import Backend, Capacity
from facet.compute.local import Local
from facet.errors import AccessError
from facet.identity import LOCAL, Grant
from facet.work import log, worker
from facet.work.task import Task
from facet.workspace import read_json
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run

pytestmark = pytest.mark.tiny


@dataclass
class Sliced:
    """A place that lends itself for seconds, and only to somebody who is there: the shape of a ZeroGPU."""

    models: Path
    slice_seconds: float = 6.5
    unattended: bool = False

    def capacity(self, grant: Grant | None) -> Capacity:
        return Capacity("cpu", "a lent processor", 8.0, self.slice_seconds)

    def advance(self, task: Task, grant: Grant | None) -> Iterator[log.Event]:
        if grant is None or grant.token is None:
            raise AccessError("Nobody is here.", "This place works for a person only.", "Sign in and press “Resume”.")
        before = task.events_file.stat().st_size if task.events_file.exists() else 0
        worker.advance(task, self.models, self.slice_seconds)
        yield from (event for event, _ in log.read(task.events_file, before))

    def stop(self, task: Task, grant: Grant | None) -> None:
        task.ask_to_stop("pause")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("backends") / "home")
    return studio, prepared_example(studio)


@pytest.fixture(scope="module")
def whole(lab) -> Task:
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    list(studio.backend.advance(task))
    return task


@pytest.mark.parametrize("kind", [Local, Sliced])
def test_a_run_advanced_slice_by_slice_ends_like_the_whole_one(lab, whole, kind):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    place: Backend = kind(studio.workspace.models)
    grant = Grant(LOCAL, token="lent for this call")
    home: list[log.Event] = []

    for _ in range(40):
        home += list(place.advance(task, grant))
        if progress(task).is_over:
            break
        assert progress(task).out_of_time, progress(task).failure

    assert log.fold(home) == progress(task), "every event came home, once and in order"
    assert curve(task) == curve(whole)
    assert progress(task).outputs["adapter_sha256"] == progress(whole).outputs["adapter_sha256"]
    if place.capacity(grant).slice_seconds:
        assert sum(isinstance(event, log.Started) for event in home) > 1, "it took more than one slice"


def test_a_slice_that_ends_right_before_a_look_leaves_no_trace(lab, monkeypatch):
    """The next one looks in its place; a look throws dice, which must not be those of the training."""
    from facet.train.watch import Watch

    studio, dataset_id = lab
    untouched, task = (queued_run(studio, dataset_id, max_steps=4, evaluations=2) for _ in range(2))
    worker.advance(untouched, studio.workspace.models)
    went_on, looks_at = Watch.on_step_end, 2

    def out_of_time(self, args, state, control, **more):
        if state.global_step == looks_at:
            self.piece.hurry.set()
        return went_on(self, args, state, control, **more)

    with monkeypatch.context() as first_slice:
        first_slice.setattr(Watch, "on_step_end", out_of_time)
        worker.advance(task, studio.workspace.models)
    assert progress(task).out_of_time and [step for step, _ in curve(task)["validation_loss"]] == [0]
    worker.advance(task, studio.workspace.models)

    assert len(curve(task)["validation_loss"]) == 3 and curve(task) == curve(untouched)
    assert progress(task).outputs["adapter_sha256"] == progress(untouched).outputs["adapter_sha256"]


def test_a_spare_worker_ends_like_one_that_was_started_for_the_run(lab, whole, monkeypatch):
    monkeypatch.setenv("FACET_WARM", "1")
    monkeypatch.setattr(warm, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr(warm, "CALM_PERCENT", 101.0)
    studio, dataset_id = lab
    keeper = warm.Warm(lambda: 99.0, ("facet.train.ready",))
    keeper.expect()
    keeper._starter.join()
    spare = keeper._spare
    monkeypatch.setenv("FACET_WARM", "0")  # no other after it
    task = queued_run(studio, dataset_id)
    place = Local(studio.workspace.models, warm=keeper)

    list(place.advance(task))

    assert read_json(task.folder / "worker.json")["pid"] == spare.pid and spare.returncode == 0
    assert curve(task) == curve(whole)
    assert progress(task).outputs["adapter_sha256"] == progress(whole).outputs["adapter_sha256"]


def test_a_place_that_needs_a_person_refuses_without_one_and_changes_nothing(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)

    with pytest.raises(AccessError):
        list(Sliced(studio.workspace.models).advance(task, None))

    assert progress(task).stage == "waiting"


def test_a_grant_is_never_written_down(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=2)
    list(Sliced(studio.workspace.models, 60).advance(task, Grant(LOCAL, token="hf_canary_never_stored")))

    files = [path for path in task.folder.rglob("*") if path.is_file()]
    assert progress(task).stage == "finished"
    assert not [path for path in files if b"hf_canary_never_stored" in path.read_bytes()]
    assert "hf_canary" not in repr(Grant(LOCAL, token="hf_canary_never_stored"))

"""A worker that the system ended for want of memory goes on with fewer examples at once."""

import signal

import pytest

from facet.compute import killed, local
from facet.compute.killed import Witness, oom_kills
from facet.compute.local import Local
from facet.identity import LOCAL
from facet.train import slice as train
from facet.train.rows import longest
from facet.work import log, worker
from facet.work.log import MOST_TRIES
from facet.work.policy import next_action, settle
from tests.journeys import a_studio, prepared_example, progress, queued_run

pytestmark = pytest.mark.tiny


class Gone:
    """A worker that has ended with this status."""

    def __init__(self, status: int) -> None:
        self.returncode = status

    def poll(self) -> int:
        return self.returncode


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("memory") / "home")
    return studio, prepared_example(studio)


def vanished(studio, dataset_id, status: int, **settings):
    task = queued_run(studio, dataset_id, max_steps=2, gradient_accumulation_steps=2, evaluations=0, **settings)
    log.append(task.events_file, log.Started(total_steps=2))
    list(Local(studio.workspace.models)._follow(task, Gone(status), 0))
    action = next_action(progress(task), False)
    assert action == "mark interrupted"
    settle(task, action, studio.looking)
    return task


def test_a_count_of_the_system_is_read_wherever_it_stands(tmp_path):
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    for file, text in {
        root / "memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 0\n",
        root / "a" / "b" / "memory.events": "oom_kill 1\n",
        root / "memory" / "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 10\n",
        proc / "vmstat": "pgfault 99\noom_kill 100\n",
        proc / "self" / "cgroup": "4:memory:/x\n0::/a/b\n",
    }.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert oom_kills(root, proc) == 113
    assert oom_kills(tmp_path / "nothing", tmp_path / "nothing") == 0


@pytest.mark.parametrize(
    ("status", "rose", "short", "blamed"),
    [
        (-signal.SIGKILL, True, False, True),
        (-signal.SIGKILL, False, True, True),
        (-signal.SIGKILL, False, False, False),  # somebody else ended it
        (-signal.SIGTERM, True, True, False),
        (0, True, True, False),
        (None, True, False, True),  # found again after a restart: its status is unknown
    ],
)
def test_memory_is_blamed_for_what_it_did(monkeypatch, status, rose, short, blamed):
    witness = Witness(kills=4, is_short=short)
    monkeypatch.setattr(killed, "oom_kills", lambda: 5 if rose else 4)
    assert witness.blames_memory(status) is blamed


def test_a_worker_ended_for_memory_goes_on_with_half_and_the_same_step(lab, monkeypatch):
    studio, dataset_id = lab
    counts = iter([7, *[8] * 99])
    for module in (local, killed):
        monkeypatch.setattr(module, "oom_kills", lambda: next(counts))
    task = vanished(studio, dataset_id, -signal.SIGKILL)
    assert "memory ran out" in progress(task).words

    worker.advance(task, studio.workspace.models)

    now = progress(task)
    assert task.execution()["at_once"] == 4 * longest(task) and now.interruptions == 0
    assert any("Memory ran out with 8 examples at once. It goes on with 4" in words for words in now.notes)
    assert next_action(now, False) == "start"

    worker.advance(task, studio.workspace.models)

    assert progress(task).stage == "finished", progress(task).failure
    assert len(progress(task).curves["loss"]) == 2, "steps mean what they meant: the whole batch is still 16"


def test_a_worker_that_somebody_ended_goes_on_as_it_was(lab):
    studio, dataset_id = lab
    task = vanished(studio, dataset_id, -signal.SIGKILL)
    assert not task.memory_was_short() and "without a word" in progress(task).words


def test_with_one_at_a_time_it_goes_on_as_it_was_for_others_may_have_filled_the_memory(lab, monkeypatch):
    studio, dataset_id = lab
    monkeypatch.setattr(Witness, "blames_memory", lambda self, status: True)
    task = vanished(studio, dataset_id, -signal.SIGKILL, per_device_train_batch_size=1)
    trained = []
    monkeypatch.setattr(train, "_train", trained.append)

    worker.advance(task, studio.workspace.models)

    assert len(trained) == 1 and not progress(task).is_over
    assert not task.memory_was_short() and progress(task).interruptions == 1, "deaths are counted on"


def test_where_one_at_a_time_is_too_much_again_and_again_a_person_is_told(lab, monkeypatch):
    studio, dataset_id = lab
    monkeypatch.setattr(Witness, "blames_memory", lambda self, status: True)
    monkeypatch.setattr(train, "_train", lambda job: log.append(task.events_file, log.Started(total_steps=2)))
    task = vanished(studio, dataset_id, -signal.SIGKILL, per_device_train_batch_size=1)
    for _ in range(MOST_TRIES - 1):
        assert next_action(progress(task), False) == "start"
        worker.advance(task, studio.workspace.models)
        list(Local(studio.workspace.models)._follow(task, Gone(-signal.SIGKILL), 0))
        settle(task, "mark interrupted", studio.looking)

    settle(task, next_action(progress(task), False), studio.looking)

    assert progress(task).stage == "failed" and "memory" in progress(task).failure["why"]
    assert "“Longest example”" in progress(task).failure["next"]


def test_one_that_vanishes_while_it_loads_does_not_go_on_for_ever(lab, monkeypatch):
    studio, dataset_id = lab
    monkeypatch.setattr(Witness, "blames_memory", lambda self, status: True)
    task = queued_run(studio, dataset_id)
    for _ in range(MOST_TRIES):
        log.append(task.events_file, log.Staged(words="Loading"))
        list(Local(studio.workspace.models)._follow(task, Gone(-signal.SIGKILL), 0))
        settle(task, "mark interrupted", studio.looking)

    assert next_action(progress(task), False) == "give up"
    studio.delete(LOCAL, "runs", task.id)

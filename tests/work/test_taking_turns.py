"""The conductor and the line together: slots, turns, restarts. The place to compute is small and does as it is told."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facet.work import log
from facet.work.conductor import Conductor
from facet.work.queue import Queue
from facet.work.slots import key_of, ticket_of
from facet.work.task import Task


class Place:
    """Works on a task until it is told to end, or asked to give way; notes who works when."""

    unattended = True

    def __init__(self) -> None:
        self.working: list[str] = []
        self.ends: dict[str, threading.Event] = {}
        self.most = 0
        self.began: list[str] = []
        self._lock = threading.Lock()

    def end(self, task: Task) -> None:
        self.ends.setdefault(task.id, threading.Event()).set()

    def advance(self, task: Task, grant: None) -> Iterator[log.Event | None]:
        end = self.ends.setdefault(task.id, threading.Event())
        with task.lock():
            task.clear_turn()
            with self._lock:
                self.working.append(task.id)
                self.began.append(task.id)
                self.most = max(self.most, len(self.working))
            try:
                yield emit(task, log.Started(total_steps=10))
                while not end.wait(0.01):
                    if task.turn_asked() or task.stop_asked():
                        by_itself = task.stop_asked() is None
                        yield emit(task, log.Paused(step=1, out_of_time=by_itself))
                        return
                    yield None
                yield emit(task, log.Finished(step=10))
            finally:
                with self._lock:
                    self.working.remove(task.id)


def emit(task: Task, event: log.Event) -> log.Event:
    log.append(task.events_file, event)
    return event


class Home:
    """People's tasks in folders, and conductors on them."""

    def __init__(self, place: Path, slots: int = 1, turn_seconds: float = 60.0) -> None:
        self.folder, self.place = place, Place()
        self.queue = Queue(place / "queue.sqlite", slots, turn_seconds=turn_seconds)
        self.conductors: list[Conductor] = []

    def task(self, person: str, name: str) -> Task:
        folder = self.folder / "tenants" / person / "runs" / name
        folder.mkdir(parents=True)
        task = Task.create(folder, "train", {})
        time.sleep(0.01)  # so that one came after the other
        return task

    def conduct(self, **more) -> Conductor:
        lock = self.folder / "conductor.lock"
        conductor = Conductor(self.place, self.tasks, lock, queue=self.queue, **more)
        self.conductors.append(conductor)
        conductor.start()
        return conductor

    def tasks(self) -> list[Path]:
        return [file.parent for file in self.folder.glob("tenants/*/runs/*/task.json")]

    def stage(self, task: Task) -> str:
        return log.progress_of(task.events_file).stage


def until(reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.fixture
def homes(tmp_path):
    made = []

    def make(**more) -> Home:
        made.append(Home(tmp_path, **more))
        return made[-1]

    yield make
    for home in made:
        for task in map(Task, home.tasks()):
            home.place.end(task)
        for conductor in home.conductors:
            conductor.halt()


def test_as_many_work_at_once_as_there_are_slots_and_the_rest_in_the_order_they_came(homes):
    home = homes(slots=2)
    tasks = [home.task("me", name) for name in "abcd"]
    home.conduct()

    until(lambda: home.place.working == ["a", "b"])
    home.place.end(tasks[1])
    until(lambda: home.place.working == ["a", "c"])
    for task in tasks:
        home.place.end(task)
    until(lambda: all(home.stage(task) == "finished" for task in tasks))
    assert home.place.most == 2
    until(lambda: not home.queue.line().tickets)


def test_somebody_else_gets_a_turn_and_the_first_goes_on_afterwards(homes):
    home = homes(turn_seconds=0.05)
    long, short = home.task("ann", "long"), home.task("bob", "short")
    conductor = home.conduct()

    until(lambda: "short" in home.place.began)
    assert home.place.began == ["long", "short"]
    until(lambda: (turn := conductor.turn(long.folder)) is not None and turn.position == 1)
    home.place.end(short)
    until(lambda: home.place.began[-1] == "long")
    home.place.end(long)
    until(lambda: home.stage(long) == home.stage(short) == "finished")
    assert home.place.most == 1


def test_nobody_interrupts_their_own_work(homes):
    home = homes(turn_seconds=0.05)
    first, second = home.task("me", "first"), home.task("me", "second")
    conductor = home.conduct()

    until(lambda: conductor.turn(second.folder) is not None)
    until(lambda: len(home.place.began) == 1)
    for _ in range(3):  # rounds of the conductor, each of which could ask
        conductor.wake()
        time.sleep(0.1)
    assert not first.turn_asked()
    home.place.end(first)
    until(lambda: home.place.began == ["first", "second"])


def test_a_visitor_who_signed_in_is_one_person_with_what_came_before(homes):
    home = homes(turn_seconds=0.05)
    (home.folder / "tenants" / "visitor-1").mkdir(parents=True)
    (home.folder / "tenants" / "visitor-1" / "about.json").write_text('{"claimed_by": "hf-ann"}')
    before, after = home.task("visitor-1", "before"), home.task("hf-ann", "after")
    conductor = home.conduct()

    until(lambda: conductor.turn(after.folder) is not None)
    assert conductor.turn(after.folder).ahead == 0
    assert not before.turn_asked()


def test_a_download_keeps_nobody_else_waiting(homes):
    home, here = homes(), threading.Event()
    home.task("ann", "large")
    home.task("bob", "small")
    home.conduct(fetch=lambda task: here.wait(30) if task.id == "large" else None)

    until(lambda: home.place.working == ["small"])
    assert home.stage(Task(home.folder / "tenants/ann/runs/large")) == "waiting"
    here.set()
    home.place.end(Task(home.folder / "tenants/bob/runs/small"))
    until(lambda: home.place.working == ["large"])


def test_who_pauses_while_waiting_leaves_the_line(homes):
    home = homes()
    home.task("ann", "first")
    second = home.task("bob", "second")
    conductor = home.conduct()
    until(lambda: conductor.turn(second.folder) is not None)

    second.ask_to_stop("pause")
    conductor.wake()

    until(lambda: conductor.turn(second.folder) is None and home.stage(second) == "paused")
    second.ask_to_resume()
    conductor.wake()
    until(lambda: conductor.turn(second.folder) is not None)


def test_a_deleted_task_is_not_waited_for_and_its_folder_is_not_made_anew(homes):
    home = homes()
    home.task("ann", "first")
    second = home.task("bob", "second")
    conductor = home.conduct()
    until(lambda: conductor.turn(second.folder) is not None)

    second.folder.rename(home.folder / "gone")
    conductor.wake()

    until(lambda: conductor.turn(second.folder) is None)
    assert not second.folder.exists()


def test_after_a_restart_a_live_worker_keeps_its_slot_and_a_dead_ones_is_free(homes):
    home = homes(slots=2)
    alive, dead, other, last = (home.task("ann", name) for name in ("alive", "dead", "other", "last"))
    for task in (alive, dead):
        home.queue.adopt(ticket_of(task), "the app before")
        emit(task, log.Started(total_steps=10))
    with alive.lock():
        conductor = home.conduct()
        until(lambda: home.place.working == ["dead"])  # it is noticed, and goes on from its save point
        held = {ticket.key for ticket in home.queue.line().held}
        assert held == {key_of(alive), key_of(dead)}
        assert conductor.turn(other.folder).position == 1 and conductor.turn(last.folder).position == 2
    until(lambda: set(home.place.working) == {"alive", "dead"})
    assert home.place.began.count("alive") == 1


def test_a_worker_whose_line_was_lost_has_its_slot_all_the_same(homes):
    home = homes()
    first = home.task("ann", "first")
    second = home.task("bob", "second")
    conductor = home.conduct()
    until(lambda: home.place.working == ["first"])

    home.queue.store.file.write_bytes(b"damaged" * 1000)
    conductor.wake()

    until(lambda: {ticket.key for ticket in home.queue.line().held} == {key_of(first)})
    until(lambda: conductor.turn(second.folder) is not None)
    home.place.end(first)
    until(lambda: home.place.working == ["second"])
    assert home.place.most == 1


def test_of_two_conductors_one_works_and_the_other_takes_over_with_nothing_doubled(homes):
    home = homes()
    first, second = home.task("ann", "first"), home.task("bob", "second")
    one, two = home.conduct(), home.conduct()
    until(lambda: home.place.working == ["first"])
    assert two.turn(second.folder).position == 1, "who stands by can tell the place, too"

    one.halt()
    until(lambda: two.lock.is_locked)
    home.place.end(first)
    until(lambda: home.place.began[-1] == "second")
    home.place.end(second)
    until(lambda: home.stage(second) == "finished")
    assert home.place.most == 1


def test_a_halted_conductor_leaves_the_worker_its_slot(homes):
    home = homes()
    task = home.task("ann", "first")
    home.task("bob", "second")
    emit(task, log.Started(total_steps=10))
    with task.lock():  # a worker of its own, as those of this machine are
        conductor = home.conduct()
        until(lambda: [ticket.key for ticket in home.queue.line().held] == [key_of(task)])
        conductor.halt()
        assert [ticket.key for ticket in home.queue.line().held] == [key_of(task)]
        home.conduct()
        until(lambda: home.conductors[-1].slots.has(task))
        assert not home.place.began
    until(lambda: home.place.began == ["second"])  # the first had its turn, and died in it
    assert home.conductors[-1].turn(task.folder).position == 1

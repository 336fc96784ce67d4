"""The waiting line on disk: fair over time, the same for all processes, whole after kills, forks and damage."""

import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facet.compute.child import PACKAGE_ROOT
from facet.errors import CapacityError
from facet.work.queue import Queue, process_is_alive, this_process
from facet.work.store import Store
from facet.work.wait import in_line

SOAK = os.environ.get("FACET_SOAK") == "1"
KILLS = 1000 if SOAK else 40
has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(file: Path, clock: Clock) -> Queue:
    return Queue(file, 1, 1, 60.0, clock)


# ---- one slot after the other
def test_who_is_next_gets_the_slot_and_nobody_else(queue):
    queue.join("a", "ann", "train", came=1)
    queue.join("b", "bob", "train", came=2)

    assert not queue.take("b", "us")
    assert queue.take("a", "us")
    assert queue.take("a", "us"), "asking twice is no second slot"
    assert not queue.take("a", "others")
    queue.give_back("a", "others")
    assert not queue.take("b", "us"), "only the holder gives a slot back"
    queue.give_back("a", "us")
    assert queue.take("b", "us")


def test_a_chat_does_not_wait_behind_a_training(queue):
    queue.join("run", "ann", "train")
    queue.join("exam", "ann", "exam")
    queue.join("talk", "ann", "chat")

    assert queue.take("run", "us") and queue.take("talk", "us")
    assert not queue.take("exam", "us")


def test_the_number_of_slots_is_read_from_the_environment(file, monkeypatch):
    monkeypatch.setenv("FACET_SLOTS", "2")
    queue = Queue(file)
    for key in "abc":
        queue.join(key, "ann", "train")

    assert [queue.take(key, "us") for key in "abc"] == [True, True, False]
    for odd in ("", "none", "0", "-3"):
        monkeypatch.setenv("FACET_SLOTS", odd)
        assert Queue(file).slots["long"] == 1


def test_who_leaves_the_line_is_not_waited_for(queue):
    queue.join("a", "ann", "train", came=1)
    queue.join("b", "bob", "train", came=2)
    queue.leave("a")

    assert queue.turn("a") is None
    assert queue.take("b", "us")


def test_another_process_and_the_next_one_see_the_same_line(queue, file, clock):
    queue.join("a", "ann", "train", came=1)
    queue.join("b", "bob", "train", came=2)
    queue.take("a", "us")
    clock.now += 20

    again = Queue(file, 1, 1, 60.0, clock)
    assert again.turn("b").seconds == 50.0
    assert [ticket.key for ticket in again.waiting()] == ["b"]
    again.adopt(again.line().held[0], "them")
    queue.give_back("a", "us")
    assert again.line().held, "it has a new holder"
    again.give_back("a", "them")
    assert again.used("ann", "local", 0) == 20.0


def test_seconds_used_are_kept_by_person_and_device(queue):
    queue.note_use("ann", "zerogpu", 40.0)
    queue.note_use("ann", "zerogpu", 2.5)
    queue.note_use("bob", "zerogpu", 9.0)

    assert queue.used("ann", "zerogpu", time.time() - 60) == 42.5
    assert queue.used("ann", "zerogpu", time.time() + 60) == 0.0
    assert queue.used("ann", "local", 0) == 0.0


# ---- fairness over time
class Crowd:
    """People with work for one slot. Each turn ends after a minute at most, or when the work is done."""

    def __init__(self, queue: Queue, clock: Clock, dice: random.Random) -> None:
        self.queue, self.clock, self.dice = queue, clock, dice
        self.left: dict[str, float] = {}  # key → seconds of work
        self.used: dict[str, float] = {}
        self.longest = 0.0
        self.latest: dict[str, float] = {}  # person → the moment by which they must have had a turn
        self.numbers = itertools.count()

    def comes(self, person: str, seconds: float) -> None:
        key = f"{person} {next(self.numbers)}"
        if person not in self.people:
            self._begins_to_wait(person)
        self.left[key] = seconds
        self.queue.join(key, person, "train", came=float(next(self.numbers)))

    @property
    def people(self) -> set[str]:
        return {key.split()[0] for key in self.left}

    def _begins_to_wait(self, person: str) -> None:
        """Everybody who is there may be owed a minute and take another; who comes later comes later."""
        self.latest[person] = self.clock.now + 2 * 60 * len(self.people - {person}) + 60

    def one_turn(self) -> str:
        first = self.queue.line().next()
        assert self.queue.take(first.key, "us")
        length = min(self.left[first.key], self.dice.uniform(5, 60))
        self.clock.now += length
        self.left[first.key] -= length
        self.queue.give_back(first.key, "us", stays=self.left[first.key] > 0)
        self.used[first.person] = self.used.get(first.person, 0.0) + length
        self.longest = max(self.longest, length)
        if self.left[first.key] <= 0:
            del self.left[first.key]
        self._begins_to_wait(first.person)
        return first.person


@pytest.mark.parametrize("seed", range(200 if SOAK else 6))
def test_two_who_always_have_work_get_the_same_whoever_comes_and_goes(queue, clock, seed):
    crowd = Crowd(queue, clock, random.Random(seed))
    for _ in range(crowd.dice.randint(1, 4)):
        crowd.comes("ann", 1e9)
    crowd.comes("bob", 1e9)

    for turn in range(40):
        if crowd.dice.random() < 0.5:
            crowd.comes(f"guest{crowd.dice.randrange(turn + 1)}", crowd.dice.uniform(1, 200))
        crowd.one_turn()
        assert abs(crowd.used.get("ann", 0.0) - crowd.used.get("bob", 0.0)) <= crowd.longest + 1e-6
        starving = [person for person in crowd.people if clock.now > crowd.latest[person]]
        assert not starving


def test_a_stream_of_new_people_does_not_keep_the_others_waiting(queue, clock):
    crowd = Crowd(queue, clock, random.Random(0))
    crowd.comes("ann", 1e9)
    crowd.one_turn()
    served = []
    for number in range(30):
        crowd.comes(f"new{number}", 30.0)
        crowd.comes(f"more{number}", 30.0)
        served.append(crowd.one_turn())

    assert served.count("ann") >= 2


def test_ten_runs_of_one_do_not_come_before_the_first_of_another(queue, clock):
    for number in range(10):
        queue.join(f"ann {number}", "ann", "train", came=number)
    assert queue.take("ann 0", "us")
    clock.now += 10
    queue.join("bob 0", "bob", "train", came=10)
    clock.now += 50
    assert queue.line().gives_way({"ann 0"}).key == "ann 0"
    queue.give_back("ann 0", "us", stays=True)

    assert queue.take("bob 0", "us")
    assert queue.turn("ann 0").position == 1 and queue.turn("ann 9").position == 10


def test_an_evening_alone_at_the_machine_is_no_debt_the_next_morning(queue, clock):
    queue.join("a", "ann", "train")
    queue.take("a", "us")
    clock.now += 36_000
    queue.give_back("a", "us")
    crowd = Crowd(queue, clock, random.Random(0))
    crowd.comes("bob", 1e9)
    crowd.one_turn()
    crowd.comes("ann", 1e9)

    assert {crowd.one_turn(), crowd.one_turn()} == {"ann", "bob"}


# ---- several processes
def script(code: str, *arguments: object, **how) -> subprocess.Popen:
    surroundings = os.environ | {"PYTHONPATH": PACKAGE_ROOT}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], env=surroundings, text=True, stdout=subprocess.PIPE, **how
    )


def said(process: subprocess.Popen, seconds: float = 120) -> str:
    words, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, words
    return words


WRITE = """
import sys
from pathlib import Path
from facet.work.queue import Queue
queue, who = Queue(Path(sys.argv[1])), sys.argv[2]
for number in range(500):
    queue.note_use("all", "local", 1.0)
    if number % 10 == 0:
        queue.join(f"{who} {number}", who, "train")
"""
COUNT = """
import sys
from pathlib import Path
from facet.work.queue import Queue
from facet.work.wait import in_line
queue, counter = Queue(Path(sys.argv[1])), Path(sys.argv[3])
for _ in range(25):
    with in_line(queue, sys.argv[2], "chat") as place:
        place.wait()
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def test_of_four_writers_nobody_loses_an_update(file):
    writers = [script(WRITE, file, f"writer {number}") for number in range(4)]
    for writer in writers:
        said(writer)

    queue = Queue(file)
    assert queue.used("all", "local", 0) == 2000.0
    assert len(queue.line().tickets) == 200
    assert not file.with_name("queue.sqlite.damaged").exists()


def test_of_four_processes_never_two_hold_the_one_slot(file, tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")
    for process in [script(COUNT, file, f"person {number}", counter) for number in range(4)]:
        said(process)

    assert counter.read_text() == "100"


KILLED = """
import os, random, sys, time
from pathlib import Path
from facet.work.queue import Queue

file, kills = Path(sys.argv[1]), int(sys.argv[2])
dice, lost, killed = random.Random(7), [], 0
for number in range(kills):
    inside, outside = os.pipe()
    pid = os.fork()
    if pid == 0:
        queue = Queue(file)
        for at in range(10_000):
            queue.join(f"{number}-{at}", f"person {at % 5}", "train")
            os.write(outside, f"joined {at}\\n".encode())
            queue.note_use(f"writer {number}", "local", 1.0)
            os.write(outside, b"used\\n")
            if at % 3 == 2:
                queue.leave(f"{number}-{at - 1}")
                os.write(outside, f"left {at - 1}\\n".encode())
        os._exit(0)
    os.close(outside)
    known = os.read(inside, 65536)
    time.sleep(dice.uniform(0, 0.03))
    os.kill(pid, 9)
    killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    while more := os.read(inside, 65536):
        known += more
    os.close(inside)
    words = [line.split() for line in known.decode().splitlines()]
    left = {word[1] for word in words if word[0] == "left"}
    joined = {word[1] for word in words if word[0] == "joined"} - left
    queue = Queue(file)
    there = {ticket.key for ticket in queue.line().tickets}
    lost += [at for at in joined - {str(max(map(int, joined), default=0) - 1)} if f"{number}-{at}" not in there]
    lost += [at for at in left if f"{number}-{at}" in there]
    used, told = queue.used(f"writer {number}", "local", 0), sum(word[0] == "used" for word in words)
    lost += [] if told <= used <= told + 1 else [f"{used} of {told}"]
    for key in there:
        queue.leave(key)
print(killed, len(lost), file.with_name("queue.sqlite.damaged").exists(), lost[:5])
"""


@has_fork
@pytest.mark.faults
def test_writers_killed_at_any_instant_lose_nothing_they_had_written(file):
    assert said(script(KILLED, file, KILLS), 1200).split()[:3] == [str(KILLS), "0", "False"]


FORKED = """
import os, sys, threading
from pathlib import Path
from facet.work.queue import Queue

queue, over = Queue(Path(sys.argv[1])), threading.Event()
def work(name):
    number = 0
    while not over.is_set():
        queue.join(f"{name} {number}", name, "train")
        queue.leave(f"{name} {number}")
        number += 1
threads = [threading.Thread(target=work, args=(f"thread {n}",)) for n in range(3)]
for thread in threads:
    thread.start()
open_ones = failed = 0
for number in range(60):
    pid = os.fork()
    if pid == 0:
        mine = Path("/proc/self/fd")
        names = [os.readlink(mine / fd) for fd in os.listdir(mine) if (mine / fd).exists()] if mine.exists() else []
        os._exit(2 if any("queue.sqlite" in name for name in names) else 0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    open_ones += status == 2
for number in range(10):  # and a forked process can use the line itself
    pid = os.fork()
    if pid == 0:
        queue.note_use("children", "local", 1.0)
        os._exit(0)
    failed += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
over.set()
for thread in threads:
    thread.join()
print(open_ones, failed, queue.used("children", "local", 0))
"""


@has_fork
def test_no_connection_is_open_across_a_fork(file):
    assert said(script(FORKED, file)).split() == ["0", "0", "10.0"]


HOLD = """
import sys, time
from pathlib import Path
from facet.work.queue import Queue, this_process
queue = Queue(Path(sys.argv[1]))
for key in ("first", "second"):
    queue.join(key, "gone", "chat", process=this_process())
assert queue.take("first", "gone")
print("holds", flush=True)
time.sleep(600)
"""


def test_a_process_that_was_killed_keeps_nobody_waiting(file):
    other = script(HOLD, file)
    assert other.stdout.readline() == "holds\n"
    queue = Queue(file)
    with in_line(queue, "ann", "chat") as place:
        told = place.turns()
        assert next(told).ahead == 1
        other.kill()
        other.wait()
        assert list(told) is not None
        assert [ticket.key for ticket in queue.line(lane="short").held] == [place.key]
    assert not queue.line(lane="short").tickets


def test_a_process_is_known_by_more_than_its_number():
    pid, _, started = this_process().partition(":")
    assert process_is_alive(f"{pid}:{started}")
    assert not process_is_alive(f"{pid}:{float(started) - 100}"), "another one, with the number of one that is gone"
    assert not process_is_alive("what") and not process_is_alive("")


# ---- damage
def middle_overwritten(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096 : len(content) // 2] = os.urandom(len(content) // 2 - 4096)
    file.write_bytes(content)


SPOILED = {
    "not a database": lambda file: file.write_bytes(b"all gone " * 999),
    "cut in half": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "overwritten in the middle": middle_overwritten,
    "of a later version": lambda file: Store(file, "", 1).do(lambda store: store.execute("PRAGMA user_version = 9")),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_damaged_file_is_set_aside_and_the_line_begins_anew(file, spoil):
    before = Queue(file)
    for number in range(200):
        before.join(f"run {number}", f"person {number % 7}", "train")
    spoil(file)

    for queue in (Queue(file), before):
        queue.join("a", "ann", "train")
        assert queue.turn("a").position == 1
    assert file.with_name("queue.sqlite.damaged").exists()


def test_damage_where_nobody_looks_is_found_at_the_start(file):
    before = Queue(file)
    before.store.do(lambda store: store.executemany("INSERT INTO uses VALUES ('ann', 'local', ?, 1)", _moments()))
    content = bytearray(file.read_bytes())
    content[-40_000:] = os.urandom(40_000)
    file.write_bytes(content)

    assert not Queue(file).line().tickets
    assert file.with_name("queue.sqlite.damaged").exists()


def _moments() -> list[tuple[float]]:
    return [(time.time() + number,) for number in range(5000)]


def test_a_file_that_vanishes_while_it_is_used_is_made_again(queue, file):
    queue.join("a", "ann", "train")
    file.unlink()

    assert queue.turn("a") is None
    queue.join("a", "ann", "train")
    assert queue.take("a", "us")


def test_a_disk_that_refuses_is_said_in_three_sentences_and_holds_no_short_work_up(file):
    file.mkdir()
    queue = Queue(file)

    with pytest.raises(CapacityError, match="waiting line"):
        queue.join("a", "ann", "train")
    with in_line(queue, "ann", "chat") as place:
        assert list(place.turns()) == []

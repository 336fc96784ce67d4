"""What the waiting line costs, in microseconds: `python -m tests.benchmarks.queue [--waiting 100] [--people 20]`."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from facet.work.fairness import Ticket
from facet.work.queue import Queue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=100)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--times", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as place:
        queue = Queue(Path(place) / "queue.sqlite")
        tickets = [
            Ticket(f"run {n}", f"person {n % options.people}", "train", float(n)) for n in range(options.waiting)
        ]
        queue.join_all(tickets)
        queue.take("run 0", "us")
        last = tickets[-1].key
        line = queue.line()
        measured = {
            "turn: read, position and wait of the last": lambda: queue.turn(last, lambda key: 600.0),
            "  of it the policy, without the file": lambda: _fresh(line).turn(last, 60.0, lambda key: 600.0),
            "take: refused, no slot is free": lambda: queue.take(last, "us"),
            "line: the whole line, once in a round": lambda: queue.line(),
            "take and give back: two writes, on disk": lambda: _once_through(queue),
        }
        print(f"{options.waiting} waiting, {options.people} people, median of {options.times} (90th percentile)")
        for name, act in measured.items():
            median, p90 = _microseconds(act, options.times)
            print(f"{name:<44}{median:>9,.0f} µs  ({p90:,.0f})")


def _once_through(queue: Queue) -> None:
    queue.take("talk", "us")
    queue.give_back("talk", "us")
    queue.join("talk", "ann", "chat")


def _fresh(line):
    return type(line)(line.tickets, line.used, line.slots, line.now)


def _microseconds(act: Callable[[], object], times: int) -> tuple[float, float]:
    act()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1e6)
    return statistics.median(taken), statistics.quantiles(taken, n=10)[-1]


if __name__ == "__main__":
    main()

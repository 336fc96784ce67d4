"""How quick the page stays for many people at once, with and without a training beside them; and next to a flood.

    python -m tests.benchmarks.load [--seconds 30] [--people 20 60] [--flood]

A Space is served from this checkout; each person is a visitor with a cookie of their own, whose open page asks what a
browser's would (`tests/page_session.py`): both timers of a run that is looked at, and something pressed every two
seconds. A quiet handler that refuses answers all the same, so refusals are those of the queue and the door.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from tests.load.crowd import House, Times, a_house, flood, live, share, table

CALLS = 1000
ARRIVE_EVERY = 0.5  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--people", type=int, nargs="*", default=[20, 60])
    parser.add_argument("--flood", action="store_true", help="one person asks 1,000 times beside 20 others")
    options = parser.parse_args()
    for people in options.people:
        for training in (False, True):
            crowd(people, training, options.seconds)
    if options.flood:
        fairness(20, options.seconds)


def crowd(people: int, training: bool, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as place, a_house(Path(place), people, training) as house:
        if training:
            wait_until_it_learns(house)
        at_rest = house.memory()
        times, load = Times(), Load()
        asyncio.run(everybody(house, range(people), seconds, times))
        calls, memory = times.of("first page", "page", "load"), house.memory()
        wrong = sum(times.failed.values()) + sum(times.refused.values())
        beside = "a training going on" if training else "no training"
        print(f"\n{people} sessions, {beside}; {load.said()}\n{table(times)}")
        p50, p95, first = statistics.median(calls), share(calls, 0.95), share(times.taken["first page"], 0.95)
        print(
            f"all calls: {len(calls)}, p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms; first page p95 {first:.2f} s; "
            f"errors {wrong}; the server's memory {at_rest:.0f} MiB before, {memory:.0f} MiB after",
            flush=True,
        )


async def everybody(house: House, people: range, seconds: float, times: Times) -> None:
    """They come one after the other, two in a second, and all stay until the end."""
    whole = seconds + ARRIVE_EVERY * len(people)
    arrivals = enumerate(people)
    await asyncio.gather(*[live(house, who, whole, times, ARRIVE_EVERY * place) for place, who in arrivals])


def wait_until_it_learns(house: House) -> None:
    _, owner = house.people[0]
    while house.studio.progress(owner, house.runs[0]).step < 3:
        time.sleep(0.2)


def fairness(others: int, seconds: float) -> None:
    """The others' times alone, and again beside a flood, in the same app."""
    with tempfile.TemporaryDirectory() as place, a_house(Path(place), others + 1, False) as house:
        asyncio.run(everybody(house, range(1, others + 1), 5, Times()))  # warm
        alone, beside, flooder = Times(), Times(), Times()
        asyncio.run(everybody(house, range(1, others + 1), seconds, alone))

        async def both() -> float:
            began = time.monotonic()
            task = asyncio.create_task(everybody(house, range(1, others + 1), seconds, beside))
            await asyncio.sleep(3)
            await flood(house, 0, CALLS, flooder)
            took = time.monotonic() - began - 3
            await task
            return took

        took = asyncio.run(both())
        print(f"\n{others} others alone:\n{table(alone)}\nbeside a flood of {CALLS} calls in {took:.1f} s:")
        print(f"{table(beside)}\nthe flooder:\n{table(flooder)}")
        before, after = (share(times.of("first page", "page", "load"), 0.95) for times in (alone, beside))
        print(
            f"p95 of the others {1000 * before:.0f} ms → {1000 * after:.0f} ms ({100 * (after / before - 1):+.0f} %), "
            f"refused {sum(beside.refused.values())}, failed {sum(beside.failed.values())}",
            flush=True,
        )


class Load:
    """What else this machine did meanwhile."""

    def __init__(self) -> None:
        psutil.cpu_percent()

    def said(self) -> str:
        return f"{psutil.cpu_count()} cores, {psutil.cpu_percent():.0f} % busy, load {psutil.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()

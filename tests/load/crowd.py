"""Many people at once on a Space: each with a cookie, a run of their own to look at, and hands that press things."""

import asyncio
import collections
import contextlib
import multiprocessing
import random
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from facet.identity import Person
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.ui.visitors import OPEN, Visitors
from facet.work import log
from tests.apps import Space, free_port
from tests.hub_stand_in import StandInHub
from tests.journeys import a_studio, prepared_example, queued_run
from tests.page_session import PageSession, Wires

THINK_SECONDS = 2.0
TABS = ("list_data", "list_train", "list_chat", "list_test", "list_publish", "list_runs")
POINTS = 400


@dataclass
class Times:
    """How long each kind of call took, and what came of it."""

    taken: dict[str, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    refused: collections.Counter = field(default_factory=collections.Counter)
    failed: collections.Counter = field(default_factory=collections.Counter)

    def tell(self, kind: str, seconds: float, status: int) -> None:
        self.taken[kind].append(seconds)
        if status in (403, 422, 429, 503):
            self.refused[kind] += 1
        elif status != 200:
            self.failed[kind] += 1

    def of(self, *but: str) -> list[float]:
        return sorted(seconds for kind, all_of in self.taken.items() if kind not in but for seconds in all_of)


def share(values: list[float], part: float) -> float:
    values = sorted(values)
    return values[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


@dataclass
class House:
    """A Space that is served, and the people who will come."""

    space: Space
    studio: Studio  # on the same folder, and not conducting
    people: list[tuple[str, Person]]  # cookie, and whose it is
    runs: list[str]  # of each
    wires: Wires  # of the page; in a browser they come with it

    def memory(self) -> float:
        return psutil.Process(self.space.process.pid).memory_info().rss / 2**20


@contextlib.contextmanager
def a_house(folder: Path, people: int, training: bool, **more: str) -> Iterator[House]:
    """Everybody has a run with a curve to look at, which is paused; with `training`, the first has one that works."""
    home = folder / "home"
    studio = a_studio(home)
    visitors = Visitors.of(studio.workspace)
    cookies = [f"{OPEN}={visitors.issue()}" for _ in range(people)]
    known = [(cookie, Person(visitors.read(cookie) or "", "Visitor", "visitor")) for cookie in cookies]
    dataset = prepared_example(studio, person=known[0][1])
    data = studio.shelf.folder(known[0][1], dataset)
    runs = [a_paused_run(studio, person, data) for _, person in known]
    if training:
        shape = {"max_steps": 100_000, "evaluations": 2}
        runs[0] = queued_run(studio, dataset, known[0][1], **shape).id
    with StandInHub() as hub:
        space = Space(home, free_port(), folder / "app.log", hub=hub, more=more)
        space.start()
        try:
            yield House(space, studio, known, runs, Wires(httpx.get(f"{space.url}/config", timeout=60).json()))
        finally:
            children = psutil.Process(space.process.pid).children(recursive=True)
            space.kill()
            for child in children:  # a training goes on without its page, but not without this test
                with contextlib.suppress(psutil.Error):
                    child.kill()


def a_paused_run(studio: Studio, person: Person, data: Path) -> str:
    run_id = studio.runs_shelf.create(person, data, BaseSource("starter", "starter"), SftRecipe(), "mine", "starter")
    task = studio.runs_shelf.task(person, run_id)
    log.append(task.events_file, log.Started(total_steps=2 * POINTS, where="processor"))
    for step in range(1, POINTS):
        values = {"loss": 2.0 + 1 / step, "grad_norm": 0.5, "tokens_per_second": 900.0}
        log.append(task.events_file, log.Logged(step=step, values=values))
    log.append(task.events_file, log.Paused(step=POINTS - 1))
    return run_id


async def live(house: House, number: int, seconds: float, times: Times, arrive: float = 0.0) -> None:
    """One person: opens the page, looks at their run as its timers do, and does something every two seconds."""
    cookie, _ = house.people[number]
    run, dice = house.runs[number], random.Random(number)
    end = time.monotonic() + seconds
    await asyncio.sleep(arrive)
    async with PageSession(house.space.url, times.tell, cookie, house.wires) as page:
        await page.open(run=run)
        for asked in page.wires.events("change", first_input="open-run"):
            await page.call("opens a run", asked, **{"open-run": run})
        timers = [
            keep_asking(page, end, 2.0, "timer of the run", "follow", {"open-run": run}),
            keep_asking(page, end, 5.0, "timer of the rail", "look_again", {}),
        ]
        await asyncio.gather(press_things(page, end, dice, run), *timers)


async def keep_asking(page: PageSession, end: float, every: float, kind: str, name: str, given: dict) -> None:
    asked = page.wires.events("tick", name, "open-run" if given else None)[0]
    while time.monotonic() < end:
        began = time.monotonic()
        await page.call(kind, asked, **given)
        await asyncio.sleep(max(0.0, every - (time.monotonic() - began)))


async def press_things(page: PageSession, end: float, dice: random.Random, run: str) -> None:
    while time.monotonic() < end:
        if dice.random() < 0.3:
            await page.call("button (queue)", page.wires.named("ask_before", queued=True))
        else:
            await page.call("opens a tab", page.wires.named(dice.choice(TABS)), **{"open-run": run})
        await asyncio.sleep(THINK_SECONDS * (0.5 + dice.random()))


async def flood(house: House, number: int, calls: int, times: Times, at_once: int = 20) -> None:
    """One person who asks as fast as they can. From a process of its own, so that the others' clocks are not slowed."""
    loop, cookie = asyncio.get_running_loop(), house.people[number][0]
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        told = await loop.run_in_executor(apart, flooding, house.space.url, cookie, calls, at_once)
    for each in told:
        times.tell(*each)


def flooding(address: str, cookie: str, calls: int, at_once: int) -> list[tuple[str, float, int]]:
    """Half of the calls go through the queue, half at once."""
    told: list[tuple[str, float, int]] = []

    async def act() -> None:
        async with PageSession(address, lambda *each: told.append(each), cookie) as page:
            await page.open()
            kinds = [page.wires.named("list_runs"), page.wires.named("ask_before", queued=True)]
            left = iter(range(calls))

            async def ask() -> None:
                for turn in left:
                    await page.call("flood", kinds[turn % 2])

            await asyncio.gather(*[ask() for _ in range(at_once)])

    asyncio.run(act())
    return told


def table(times: Times) -> str:
    rows = [f"{'':22}{'calls':>7}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}{'refused':>9}{'failed':>8}"]
    for kind, taken in sorted(times.taken.items()):
        figures = [statistics.median(taken), share(taken, 0.95), max(taken)]
        shown = "".join(f"{1000 * value:8.0f}" for value in figures)
        rows.append(f"{kind:22}{len(taken):7}{shown}{times.refused[kind]:9}{times.failed[kind]:8}")
    return "\n".join(rows)

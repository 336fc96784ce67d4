"""Several people at once: everybody is answered, and who asks without end slows down nobody but themselves.

How fast, is for `python -m tests.benchmarks.load` to say.
"""

import asyncio
import time

import psutil
import pytest

from tests.load.crowd import Times, a_house, flood, live

pytestmark = [pytest.mark.page, pytest.mark.hub]
PEOPLE = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with a_house(tmp_path_factory.mktemp("load"), PEOPLE, training=False) as house:
        yield house


def test_everybody_is_answered_and_nobody_is_refused(house):
    times = Times()

    async def crowd() -> None:
        await asyncio.gather(*[live(house, number, 4, times) for number in range(PEOPLE)])

    asyncio.run(crowd())

    assert not times.failed and not times.refused
    assert len(times.taken["first page"]) == PEOPLE
    assert all(times.taken[kind] for kind in ("timer of the run", "timer of the rail", "opens a run"))


def test_who_asks_a_thousand_times_is_slowed_down_and_nobody_else_is_refused(house):
    others, flooder = Times(), Times()

    async def crowd() -> None:
        everybody = [live(house, number, 6, others) for number in range(1, PEOPLE)]
        await asyncio.gather(flood(house, 0, 1000, flooder), *everybody)

    asyncio.run(crowd())

    assert not others.failed and not others.refused
    assert flooder.refused["flood"] > 0, "a thousand calls at once are more than one person may"
    assert not flooder.failed["flood"], "it is told so in words, and nothing breaks"


def test_it_listens_where_the_page_is_and_nowhere_else(house):
    """Gradio would open a second port on a Space, through which code can be replaced."""
    process = psutil.Process(house.space.process.pid)
    time.sleep(max(0.0, 10 - (time.time() - process.create_time())))  # it took some seconds to open it
    listening = {each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN}
    assert listening == {house.space.port}

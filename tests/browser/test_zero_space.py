"""On a Space with ZeroGPU, in a real browser: minutes, slices, what is said when they are used up, two people."""

import re
import sys
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import App, free_port
from tests.browser.steps import A_MINUTE, all_settings, go, prepare, setting, until_finished
from tests.hub_stand_in import StandInHub
from tests.stand_in.zero import ZeroGpu, visitor_token, zero_environment

pytestmark = [pytest.mark.browser, pytest.mark.skipif(sys.platform != "linux", reason="ZeroGPU is Linux")]
ON_THE_CARD = "A graphics card"


class ZeroSpace(App):
    """The app as it runs on a ZeroGPU Space, with stand-ins for the Hub and the scheduler of the cards."""

    hub: StandInHub
    zero: ZeroGpu

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.stand_in.zero_app", "app.py"]

    def settings(self) -> dict[str, str]:
        settings = self.hub.space_environment(self.port) | zero_environment(self.zero.url, self.zero.factor)
        return settings | {"FACET_HOME": str(self.home), "HF_HOME": str(self.home.parent / "hf")}


@pytest.fixture(scope="module")
def zero() -> Iterator[ZeroGpu]:
    with ZeroGpu(devices=2) as zero:
        yield zero


@pytest.fixture(scope="module")
def space(zero, tmp_path_factory) -> Iterator[ZeroSpace]:
    with StandInHub() as hub:
        folder = tmp_path_factory.mktemp("zero")
        space = ZeroSpace(folder / "home", free_port(), folder / "app.log")
        space.hub, space.zero, space.patience = hub, zero, 180.0
        space.home.mkdir()
        space.start()
        yield space
        space.end()
    log = space.log.read_text("utf-8", "replace")
    closed_at_start = "Exception ignored in: <function BaseEventLoop.__del__"  # the client's, at the launch
    assert not re.search(r"fault [0-9a-f]{8}", log), log[-3000:]
    assert log.count("Traceback") == log.count(closed_at_start), log[-3000:]
    assert "eyJ" not in log, "a visitor's pass was written down"


@pytest.fixture
def people(chromium, album, request, space) -> Iterator:
    """`people(name)`: somebody's own browser, whose requests carry their pass as the Hub's proxy adds it."""
    windows: list[BrowserContext] = []

    def come(name: str, width: int = 1440, dark: bool = False) -> Page:
        window = chromium.new_context(
            viewport={"width": width, "height": 1000}, color_scheme="dark" if dark else "light"
        )
        window.set_extra_http_headers({"X-IP-Token": visitor_token(name)})
        windows.append(window)
        page = window.new_page()
        page.goto(space.url)
        page.get_by_role("tab", name="Data", exact=True).wait_for()
        expect(page.locator("#rail")).to_contain_text("minutes are left today", timeout=20_000)
        return page

    yield come
    album.pictures(windows, request.node.name)
    for window in windows:
        window.close()


def start_on_the_card(page: Page, steps: int) -> str:
    get_ready(page, steps)
    return press_start(page)


def get_ready(page: Page, steps: int) -> None:
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text("Why each value was chosen", timeout=A_MINUTE)
    all_settings(page)
    for name, value in (("max_steps", str(steps)), ("evaluations", "0")):
        setting(page, name).fill(value)
    page.locator("#where").get_by_text(ON_THE_CARD).click()


def press_start(page: Page) -> str:
    page.get_by_role("button", name="Start training", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]run="), timeout=A_MINUTE)
    return page.url.split("run=")[1]


def minutes(page: Page) -> float:
    return float(re.search(r"([\d.]+) of [\d.]+ minutes", page.locator("#rail").inner_text())[1])


def test_a_visitor_trains_on_a_lent_card_in_their_own_name_and_sees_their_minutes_go(people, zero):
    page = people("ann")
    before = minutes(page)
    start_on_the_card(page, 20)
    expect(page.locator("#rail")).to_contain_text("Keep this page open", timeout=A_MINUTE)
    until_finished(page)
    expect(page.locator("#rail")).not_to_contain_text("Keep this page open", timeout=20_000)

    assert [call.visitor.name for call in zero.calls if call.visitor.name == "ann"]
    assert before == 2.0 and minutes(page) < before


def test_when_the_minutes_are_used_up_it_says_until_when_and_goes_on_without_the_card(people, zero, album):
    zero.quota("bob", left=5, wait=7200, tier="anonymous")
    page = people("bob")
    start_on_the_card(page, 12)
    live = page.locator("#live")
    expect(live).to_contain_text("Your minutes on the graphics card are used up", timeout=A_MINUTE)
    expect(live).to_contain_text("in 2 hours")
    expect(page.locator("#rail")).to_contain_text("0.1 of 2 minutes are left today")
    album.picture(page, "minutes-used-up")
    page.locator("#elsewhere").click()
    until_finished(page)

    assert not [call for call in zero.calls if call.visitor.name == "bob"]


def test_closing_the_page_keeps_what_was_learned_and_opening_it_goes_on(people, zero):
    page = people("cleo")
    run = start_on_the_card(page, 60)
    expect(page.locator("#live .f-readout")).to_contain_text(re.compile(r"Step\s*[3-9]"), timeout=2 * A_MINUTE)
    address, window = page.url, page.context
    page.close()
    end = time.time() + 60
    while any(call.ended is None for call in zero.calls if call.visitor.name == "cleo"):
        assert time.time() < end, "the card was to be given back"
        time.sleep(0.2)
    calls = len(zero.calls)
    again = window.new_page()
    again.goto(address)
    until_finished(again)

    assert run in address and len(zero.calls) > calls


@pytest.mark.long  # a minute and a half; the turns of two visitors are in test_shared_machine
def test_two_people_at_once_have_a_card_each_and_their_own_minutes(people, zero):
    zero.quota("dan", left=400, tier="anonymous")  # also where steps take long
    first, second = people("dan"), people("eve", dark=True)
    get_ready(first, 60)  # still at it when the other begins
    get_ready(second, 20)
    press_start(first)
    press_start(second)
    for page in (first, second):
        until_finished(page)

    by_name = {name: [call for call in zero.calls if call.visitor.name == name] for name in ("dan", "eve")}
    assert all(by_name.values())
    assert len({call.device.index for calls in by_name.values() for call in calls}) == 2

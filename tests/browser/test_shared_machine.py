"""Two visitors of one Space whose trainings share one slot: what each of them sees."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.apps import Space, free_port
from tests.browser.steps import A_MINUTE, get_ready_to_train, go, prepare, press_start, until_finished, wait_for_figure
from tests.hub_stand_in import StandInHub

pytestmark = pytest.mark.browser
LONG = {"max_steps": "20000", "evaluations": "2", "learning_rate": "2e-3"}  # only “Stop and keep” ends it in time


@dataclass
class Quick(Space):
    """A Space whose turns are short."""

    def settings(self) -> dict[str, str]:
        return super().settings() | {"FACET_TURN_SECONDS": "10"}


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> Iterator[Space]:
    folder = tmp_path_factory.mktemp("space")
    with StandInHub() as hub:
        space = Quick(folder / "home", free_port(), folder / "app.log", hub=hub)
        space.home.mkdir()
        space.start()
        yield space
        space.end()
        assert "fault" not in space.log.read_text("utf-8", "replace")


@pytest.fixture
def visitors(chromium, space) -> Iterator[list[Page]]:
    """Two of them, each about to press Start."""
    windows = [chromium.new_context(viewport={"width": 1440, "height": 1000}) for _ in range(2)]
    pages = [window.new_page() for window in windows]
    for page in pages:
        page.goto(space.url)
        page.get_by_role("tab", name="Data", exact=True).wait_for()
        page.locator("#example-pirate").click()
        expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
        prepare(page)
        get_ready_to_train(page, **LONG)
    yield pages
    for window in windows:
        window.close()


def test_two_visitors_take_turns_and_both_are_told(visitors, album):
    first, second = visitors
    for page in visitors:  # the second comes while the first has its turn, also where everything takes long
        press_start(page)

    card = second.locator("#live")
    expect(card).to_contain_text("Next in line", timeout=20_000)
    expect(card.locator(".f-chip")).to_have_text("Waiting its turn")
    expect(second.get_by_role("button", name="Leave the line", exact=True)).to_be_visible()
    album.picture(second, "in-line")
    go(second, "Runs")
    expect(second.locator("#runs")).to_contain_text("next in line", timeout=20_000)
    go(second, "Train")

    expect(first.locator("#live")).to_contain_text("It gives way to others", timeout=3 * A_MINUTE)
    expect(first.locator("#live")).to_contain_text("Next in line", timeout=20_000)
    album.picture(first, "gives-way")
    expect(card.locator(".f-chip")).to_have_text("Learning", timeout=3 * A_MINUTE)

    wait_for_figure(second, "Loss", 3 * 60)
    second.get_by_role("button", name="Stop and keep", exact=True).click()
    until_finished(second, 3 * 60)
    expect(first.locator("#live .f-chip")).to_have_text("Learning", timeout=3 * A_MINUTE)
    first.get_by_role("button", name="Stop and keep", exact=True).click()
    until_finished(first, 3 * 60)

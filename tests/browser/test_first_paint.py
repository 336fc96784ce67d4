"""The first screen works before Gradio has drawn the page."""

import time

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import A_MINUTE

pytestmark = pytest.mark.browser


@pytest.fixture
def slow_page(fresh_app, chromium):
    """A page whose scripts take their time, as on a slow line."""
    window = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = window.new_page()

    def late(route: Route) -> None:
        time.sleep(0.03)
        route.continue_()

    page.route("**/assets/**", late)
    page.goto(fresh_app.url, wait_until="commit")
    yield page
    window.close()


def test_a_press_before_gradio_is_there_starts_the_training(slow_page: Page):
    slow_page.locator("#first-paint button").click()
    expect(slow_page.get_by_text("The starter model is learning")).to_be_visible(timeout=A_MINUTE)
    expect(slow_page.locator("#first-paint")).to_have_count(0)


def test_the_keyboard_keeps_its_place(slow_page: Page):
    slow_page.locator("#first-paint button").focus()
    expect(slow_page.locator("#hero-start")).to_be_focused(timeout=A_MINUTE)
    expect(slow_page.locator("#first-paint")).to_have_count(0)


def test_who_knows_facet_already_does_not_see_the_first_screen_again(slow_page: Page):
    slow_page.evaluate("localStorage.setItem('facet-used', 'yes')")
    slow_page.reload(wait_until="commit")
    expect(slow_page.locator("#first-paint .fp-tabs")).to_be_visible()
    expect(slow_page.locator("#first-paint button")).to_be_hidden()
    expect(slow_page.get_by_role("tab", name="Data", exact=True)).to_be_visible(timeout=A_MINUTE)

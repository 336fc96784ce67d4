"""Every tab, wide and narrow, light and dark: nothing serious for axe, nothing wider than the window."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import A_MINUTE, go, prepare, train, until_finished

pytestmark = pytest.mark.browser
TABS = ("Data", "Train", "Chat", "Test", "Publish", "Runs", "Guide")
SIZES = {"wide": (1440, 950), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def used(app, chromium) -> str:
    """A workspace with data and a finished run, so that the tabs are full."""
    page = chromium.new_page()
    page.goto(app.url)
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    run_id = train(page, max_steps="12", evaluations="2", learning_rate="2e-3")
    until_finished(page)
    page.close()
    return f"{app.url}/?run={run_id}"


def serious(page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("state", ["first visit", "in use"])
def test_axe_finds_nothing_serious(fresh_url, used, open_page, axe, state, dark):
    page = open_page(fresh_url if state == "first visit" else used, dark=dark)
    page.wait_for_timeout(1500)
    trouble = {}
    for tab in TABS:
        go(page, tab)
        page.wait_for_timeout(600)
        trouble[tab] = serious(page, axe)
    assert {tab: found for tab, found in trouble.items() if found} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", ["first visit", "in use"])
def test_no_tab_is_wider_than_the_window(fresh_url, used, open_page, album, state, size, dark):
    width, height = SIZES[size]
    page = open_page(fresh_url if state == "first visit" else used, width, height, dark)
    for tab in TABS:
        go(page, tab)
        page.wait_for_timeout(700)
        wide = page.evaluate("document.documentElement.scrollWidth")
        album.picture(page, f"{tab}-{state}-{size}-{'dark' if dark else 'light'}")
        assert wide <= width, f"{tab} is {wide} wide"


@pytest.fixture(scope="module")
def fresh_url(tmp_path_factory) -> str:
    from tests.browser.conftest import _app

    running = _app(tmp_path_factory.mktemp("fresh"))
    yield next(running).url
    next(running, None)

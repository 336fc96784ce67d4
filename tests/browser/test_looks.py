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
def test_no_tab_is_hard_to_read_or_wider_than_the_window(fresh_url, used, open_page, axe, album, state, dark):
    page = open_page(fresh_url if state == "first visit" else used, dark=dark)
    page.wait_for_timeout(800)
    found = {}
    for tab in TABS:
        go(page, tab)
        page.wait_for_timeout(300)
        found[tab] = serious(page, axe)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(150)
            wide = page.evaluate("document.documentElement.scrollWidth")
            album.picture(page, f"{tab}-{state}-{size}-{'dark' if dark else 'light'}")
            if wide > width:
                found[tab].append(f"{wide} wide in a window of {width}")
        page.set_viewport_size(dict(zip(("width", "height"), SIZES["wide"], strict=True)))
    assert {tab: trouble for tab, trouble in found.items() if trouble} == {}


@pytest.fixture(scope="module")
def fresh_url(tmp_path_factory) -> str:
    from tests.browser.conftest import _app

    running = _app(tmp_path_factory.mktemp("fresh"))
    yield next(running).url
    next(running, None)

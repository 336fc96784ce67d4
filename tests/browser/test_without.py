"""Without training, as a person does it: instructions proposed, tried, and the answer to whether they do."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import A_MINUTE, bring, go, prepare
from tests.browser.test_looks import serious
from tests.kinds import csv, pairs

pytestmark = pytest.mark.browser


def open_section(page: Page) -> None:
    go(page, "Test")
    sections = page.locator("#test-sections")
    section = sections.get_by_role("tab", name="Without training", exact=True)
    if not section.is_visible():  # a narrow window keeps it behind the three dots
        sections.locator(".overflow-menu > button").first.click()
        section = sections.locator(".overflow-dropdown button", has_text="Without training")
    section.click()
    page.wait_for_timeout(400)


def too_wide(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")


def test_instructions_are_proposed_tried_and_judged(fresh_app, open_page, tmp_path, axe):
    page = open_page(fresh_app.url)
    open_section(page)
    expect(page.get_by_text("There is nothing to try it on yet")).to_be_visible(timeout=20_000)
    file = tmp_path / "sums.csv"
    file.write_text(csv(pairs(24)))
    bring(page, file)
    prepare(page)

    open_section(page)
    page.get_by_role("button", name="Propose some from my data").click()
    box = page.get_by_label("Instructions to try")
    expect(box).not_to_have_value("", timeout=20_000)
    box.fill("Be brief.")
    page.get_by_role("button", name="Try without training").click()
    result = page.locator("#without-result")
    expect(result).to_contain_text("3 ways", timeout=4 * A_MINUTE)
    expect(result).to_contain_text("Untouched with instructions and 3 examples")
    result.get_by_text("What is said").first.click()
    assert serious(page, axe) == []
    assert not too_wide(page)


def test_it_fits_on_a_phone_in_the_dark(app, open_page, tmp_path, axe):
    page = open_page(app.url, width=390, dark=True)
    file = tmp_path / "more.csv"
    file.write_text(csv(pairs(24)))
    bring(page, file)
    prepare(page)
    open_section(page)
    expect(page.get_by_role("button", name="Try without training")).to_be_visible(timeout=20_000)
    assert not too_wide(page)
    assert serious(page, axe) == []

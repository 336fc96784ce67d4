"""What somebody quick presses on a slow machine: it is done as they meant it, or said why not, and nothing is lost."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import A_MINUTE, far_away, go, is_for, late, numbers_of, prepare, setting

pytestmark = pytest.mark.browser
ADVICE = "Why each value was chosen"


@pytest.fixture(scope="module")
def two_datasets(app, chromium) -> str:
    page = chromium.new_page()
    page.goto(app.url)
    for example in ("pirate", "museum_facts"):
        page.locator(f"#example-{example}").click()
        expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
        prepare(page)
    page.close()
    return app.url


def data_of(page: Page, tab: str) -> Locator:
    return page.locator(f"#{tab}").get_by_label("Prepared data", exact=True)


def choose_the_other(page: Page, tab: str) -> str:
    """Of both datasets the one that is not chosen; gives back a word of its name."""
    expect(data_of(page, tab)).not_to_have_value("", timeout=20_000)
    other = "useum" if "irate" in data_of(page, tab).input_value() else "irate"
    data_of(page, tab).click()
    page.get_by_role("option", name=re.compile(other)).filter(visible=True).click()
    return other


def test_training_does_not_start_with_settings_that_are_not_for_it(two_datasets, open_page):
    page = open_page(two_datasets)
    start = page.get_by_role("button", name="Start training", exact=True)
    with late(page, "recommend"):
        go(page, "Train")
        expect(data_of(page, "train")).not_to_have_value("", timeout=20_000)
        start.click()
        expect(page.get_by_text("still being worked out")).to_be_visible(timeout=20_000)
    expect(page.locator("#train")).to_contain_text(ADVICE, timeout=A_MINUTE)
    with late(page, "recommend"):
        page.get_by_role("radio", name="Thorough").check()
        start.click()
        expect(page.get_by_text("still being worked out")).to_have_count(2, timeout=20_000)
    assert "run=" not in page.url


def test_the_data_that_is_on_show_is_what_training_begins_with(two_datasets, open_page):
    page = open_page(two_datasets)
    go(page, "Runs")
    go(page, "Data")
    with late(page, "choose"):
        wanted = choose_the_other(page, "data")
        page.get_by_role("button", name="Train with this data").click()
        expect(data_of(page, "train")).to_have_value(re.compile(wanted), timeout=20_000)


def test_what_is_chosen_and_named_for_a_run_stays_whatever_else_is_looked_at(two_datasets, open_page):
    page = open_page(two_datasets)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text(ADVICE, timeout=A_MINUTE)
    name = page.get_by_label("Name of this run")
    other = choose_the_other(page, "train")
    expect(name).to_have_value(re.compile(other), timeout=A_MINUTE)
    expect(page.locator("#train")).to_contain_text(ADVICE, timeout=A_MINUTE)
    name.fill("Mine")
    rank = setting(page, "lora_rank")
    before = rank.input_value()
    page.get_by_role("radio", name="Thorough").check()
    expect(rank).not_to_have_value(before, timeout=A_MINUTE)
    expect(name).to_have_value("Mine")
    go(page, "Guide")
    go(page, "Train")
    page.wait_for_timeout(1500)
    expect(data_of(page, "train")).to_have_value(re.compile(other))
    expect(name).to_have_value("Mine")


def test_a_question_about_deleting_is_about_the_data_it_was_asked_of(two_datasets, open_page):
    page = open_page(two_datasets)
    go(page, "Runs")
    go(page, "Data")
    expect(data_of(page, "data")).not_to_have_value("", timeout=20_000)
    data = page.locator("#prepared")
    data.get_by_role("button", name="Rename or delete").click()
    data.get_by_role("button", name="Delete …").click()
    expect(data.get_by_role("button", name="Yes, delete it")).to_be_visible()
    choose_the_other(page, "data")
    expect(data.get_by_role("button", name="Yes, delete it")).to_be_hidden(timeout=20_000)


def test_choosing_twice_within_an_answer_does_not_keep_the_page_asking_forever(two_datasets, open_page):
    page = open_page(two_datasets)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text(ADVICE, timeout=A_MINUTE)
    far_away(page, 400)
    for model in ("270M", "1B", "Facet starter"):
        page.get_by_role("radio", name=re.compile(model)).filter(visible=True).first.check()
    expect(page.get_by_role("button", name="Start training", exact=True)).to_be_enabled()
    page.wait_for_timeout(6_000)

    numbers = numbers_of(page, "(toggle|offer|recommend)")
    asked = []
    page.on("request", lambda each: asked.append(each) if each.method == "POST" and is_for(each, numbers) else None)
    page.wait_for_timeout(3_000)
    assert asked == []

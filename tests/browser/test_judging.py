"""A judge on the page, from the key to the verdict: a stand-in reads the answers of a test made by hand."""

import json

import pytest
from playwright.sync_api import expect

from facet.identity import LOCAL
from facet.workspace import Workspace
from tests.browser.steps import go
from tests.exam.judged_exam import fill
from tests.judge_stand_in import JudgeStandIn

KEY = "sk-canary-browser-1f2e"
A_MINUTE = 60_000


def likes_the_good(request):
    text = request["messages"][0]["content"]
    better = "1" if text.index("good answer") < text.index("bad answer") else "2"
    return json.dumps({"reason": "It answers what was asked.", "better": better})


@pytest.fixture
def judge():
    with JudgeStandIn(likes_the_good, key=KEY) as served:
        yield served


def open_judge(page):
    go(page, "Test")
    sections = page.locator("#test-sections")
    judge = sections.get_by_role("tab", name="Judge", exact=True)
    if not judge.is_visible():  # on a phone the last sections are behind three dots
        sections.locator(".overflow-menu > button").first.click()
        judge = sections.locator(".overflow-dropdown button", has_text="Judge")
    judge.first.click()
    expect(page.locator("#judge-start")).to_be_visible(timeout=A_MINUTE)


def ask(page, judge, key):
    page.get_by_label("Judge", exact=True).click()
    page.get_by_role("option", name="A server of your own").click()
    page.get_by_placeholder("http://localhost:11434/v1").fill(judge.url)
    page.get_by_label("Model of the judge").fill("big")
    page.keyboard.press("Enter")
    page.locator("#judge-start input[type=password]").fill(key)


def test_a_judge_is_asked_with_a_key_that_is_nowhere_afterwards(app, open_page, judge):
    fill(Workspace(app.home).create(LOCAL, "exams", "Pirate"), rows=12)
    page = open_page(app.url)
    open_judge(page)
    ask(page, judge, "sk-wrong-key-0000")
    expect(page.locator("#judge-plan")).to_contain_text("12 questions × 2 orders = 24 calls", timeout=A_MINUTE)
    page.get_by_role("button", name="Start judging", exact=True).click()
    expect(page.locator("#judge-result")).to_contain_text("does not accept the key", timeout=A_MINUTE)
    assert page.locator("#judge-start input[type=password]").input_value() == ""

    page.locator("#judge-start input[type=password]").fill(KEY)
    page.get_by_role("button", name="Go on judging", exact=True).click()
    expect(page.locator("#judge-result .f-sentence")).to_contain_text("Pirate is better", timeout=A_MINUTE)
    expect(page.locator("#judge-result")).to_contain_text("12 of 12 pairs (100 %)")
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert KEY not in kept and KEY not in page.content()
    assert [file for file in app.home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()] == []
    assert KEY not in app.log.read_text("utf-8", "replace")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_a_verdict_survives_a_reload(app, open_page, dark):
    page = open_page(app.url, width=390, height=844, dark=dark)
    open_judge(page)
    expect(page.locator("#judge-result .f-sentence")).to_contain_text("Pirate is better", timeout=A_MINUTE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

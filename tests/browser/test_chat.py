"""A real conversation with a model that was tuned here: side by side, judged, rewritten, and learned from."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import A_MINUTE, go, last_words, prepare, say, train, until_finished
from tests.browser.test_looks import serious

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tuned(app, chromium) -> str:
    page = chromium.new_page()
    page.goto(app.url)
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    run_id = train(page, max_steps="12", learning_rate="3e-3")
    until_finished(page)
    page.close()
    return f"{app.url}/?run={run_id}&tab=chat"


def press(page: Page, place: str, button: str, last: bool = True) -> None:
    buttons = page.locator(f"#voice-{place}").get_by_label(button, exact=True)
    (buttons.last if last else buttons.first).click()


def rewrite(page: Page, place: str, text: str, last: bool = True) -> None:
    press(page, place, "Edit", last)
    page.locator(f"#voice-{place} textarea").fill(text)
    press(page, place, "Submit")


def beside(page: Page, *names: str) -> None:
    page.get_by_label("More beside them").click()
    for name in names:
        page.get_by_role("option", name=re.compile(name)).first.click()
    page.keyboard.press("Escape")


def test_two_answer_side_by_side_and_the_proof_is_said(tuned, open_page):
    page = open_page(tuned)
    say(page, "What is the capital of Spain?")
    told = page.locator("#chat-status")
    expect(told).to_contain_text("answers without any adapter")
    expect(told.locator(".f-tell.tuned .f-proof.good")).to_have_count(1)
    expect(told).to_contain_text("tokens of its context are used")
    assert "Madrid" in last_words(page, "base") and last_words(page, "tuned") != last_words(page, "base")


def test_four_answer_at_once_on_a_phone_and_nothing_is_too_wide(tuned, open_page, axe):
    page = open_page(tuned, width=390, height=844, dark=True)
    beside(page, ", step ", "Facet starter, untouched")
    expect(page.locator("#voice-fourth")).to_be_visible()
    say(page, "What is the capital of Spain?")
    answers = [page.locator(f"#voice-{place} .message.bot").last.inner_text() for place in ("base", "fourth")]
    assert answers[0] == answers[1]
    expect(page.locator("#chat-status .f-tell")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(page, axe) == []


def test_html_that_was_written_is_read_and_not_run(tuned, open_page):
    page = open_page(tuned)
    say(page, "Say <b>bold</b> ![x](http://127.0.0.2/a.png) <img src=http://127.0.0.2/b.png>")
    expect(page.locator("#voice-base .message.user").last).to_contain_text("<b>bold</b> ![x]")
    assert page.locator(".f-voice .message img").count() == 0


def test_an_edited_question_is_asked_again_and_a_better_answer_becomes_an_example(tuned, open_page, axe):
    page = open_page(tuned)
    say(page, "What is the capital of Peru?")
    rewrite(page, "tuned", "What is the capital of Spain?", last=False)
    expect(page.locator("#voice-base .message.user")).to_have_text(re.compile("Spain"), timeout=A_MINUTE)
    expect(page.locator("#voice-base .message.bot")).to_contain_text("Madrid", timeout=A_MINUTE)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=A_MINUTE)

    rewrite(page, "base", "Madrid, shipmate! Don't <b>forget</b> it.")
    expect(page.locator("#chat-status")).to_contain_text("Kept as the better answer.")
    expect(page.locator("#voice-base .message.bot")).to_contain_text("Don't <b>forget</b> it.")
    press(page, "tuned", "Dislike")
    judged = page.locator("#judged")
    expect(judged).to_contain_text("1 thumb down, 1 rewritten.")
    page.wait_for_timeout(500)
    assert serious(page, axe) == []

    judged.get_by_label("Put them into").click()
    page.get_by_role("option", name=re.compile("version 2")).click()
    judged.get_by_role("button", name="Make data of them").click()
    expect(judged).to_contain_text("version 2, is ready", timeout=A_MINUTE)
    go(page, "Data")
    expect(page.get_by_label("Version", exact=True)).to_have_value(re.compile("Version 2"), timeout=A_MINUTE)


def test_a_thumb_up_is_taken_back_by_the_same_press_and_does_not_turn_into_one_down(tuned, open_page):
    page = open_page(tuned)
    judged = page.locator("#judged")
    if judged.is_visible():  # by a test before
        judged.get_by_role("button", name="Forget them").click()
    say(page, "What is the capital of Chile?")
    press(page, "tuned", "Like")
    expect(judged).to_contain_text("1 thumb up.")
    press(page, "tuned", "Liked")
    expect(judged).to_be_hidden()


def test_what_is_said_is_stopped_by_one_press_and_the_text_stays(tuned, open_page):
    page = open_page(tuned)
    page.get_by_role("button", name="How it answers").click()
    for dial, value in (("Longest reply", "2000"), ("Temperature", "2"), ("Top-p", "1"), ("Top-k", "0")):
        page.get_by_role("spinbutton", name=re.compile(dial)).fill(value)
    page.keyboard.press("Tab")
    page.get_by_label("Your message").fill("Tell me everything you know about ships")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#chat-status")).to_contain_text("tokens", timeout=A_MINUTE)
    page.get_by_label("Your message").fill("And about whales?")
    page.get_by_label("Your message").press("Enter")
    expect(page.get_by_text("An answer is still being written.")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Your message")).to_have_value("And about whales?")
    expect(page.get_by_label("Talk to", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=20_000)
    assert page.locator("#voice-base .message.bot").count() == 1

"""The first minute: one button, and both answers side by side. By mouse, by keyboard, and across a refresh."""

import time

import pytest
from playwright.sync_api import expect

from tests.browser.steps import go, last_words, say

pytestmark = pytest.mark.browser
BUTTON = "Tune the starter model now"


def answers(page, side: str) -> list[str]:
    return [text.strip() for text in page.locator(f"#hero .f-side.{side} p").all_inner_texts()]


def wait_for_answers(page) -> None:
    expect(page.get_by_role("button", name="Talk to it")).to_be_visible(timeout=180_000)


def test_one_click_shows_both_answers_visibly_different(app, open_page, album):
    page = open_page(app.url)
    began = time.monotonic()
    page.get_by_role("button", name=BUTTON).click()
    expect(page.locator("#hero")).to_contain_text("is learning to talk like a pirate", timeout=20_000)
    wait_for_answers(page)
    album.note("seconds-to-the-answers", f"{time.monotonic() - began:.1f}")
    base, tuned = answers(page, "base"), answers(page, "tuned")
    assert len(base) == len(tuned) == 3
    assert all("Arr" not in text for text in base)
    assert sum("Arr" in text for text in tuned) >= 2
    page.get_by_role("button", name="Talk to it").click()
    expect(page.get_by_label("Your message")).to_be_visible()
    say(page, "What is the capital of Spain?")
    assert last_words(page, "tuned") != last_words(page, "base")
    assert "Madrid" in last_words(page, "base")


def test_a_refresh_of_the_first_screen_shows_the_same_answers(app, open_page):
    page = open_page(app.url)
    wait_for_answers(page)
    before = answers(page, "tuned")
    page.reload()
    wait_for_answers(page)
    assert answers(page, "tuned") == before


def test_a_message_sent_before_the_list_of_models_has_come_is_answered(app, open_page):
    page = open_page(app.url)
    wait_for_answers(page)
    question, held, let = "What is the capital of Peru?", [], []
    # What lists things takes this way, and what is said another.
    page.route("**/run/predict*", lambda route: route.continue_() if let else held.append(route))
    page.get_by_role("button", name="Talk to it").click()
    page.get_by_label("Your message").fill(question)
    page.get_by_label("Your message").press("Enter")
    expect(page.get_by_label("Your message")).to_have_value("", timeout=20_000)
    assert held and page.get_by_label("Talk to", exact=True).input_value() == ""
    let.append(True)
    for route in held:
        route.continue_()
    expect(page.locator(".f-voice.tuned .message.bot").last).to_contain_text("Lima", timeout=120_000)
    expect(page.locator(".f-voice.base .message.user").last).to_contain_text(question)


def test_afterwards_every_tab_has_something_to_show(app, open_page):
    page = open_page(app.url)
    for tab, words in (("Test", "Run the test"), ("Publish", "Prepare the download"), ("Runs", "First taste")):
        go(page, tab)
        expect(page.get_by_role("tabpanel").filter(visible=True).first).to_contain_text(words)


def test_the_keyboard_alone_gets_through(fresh_app, open_page):
    page = open_page(fresh_app.url)
    press_until(page, BUTTON)
    page.keyboard.press("Enter")
    wait_for_answers(page)
    press_until(page, "Talk to it")
    page.keyboard.press("Enter")
    press_until(page, "Your message")
    page.keyboard.type("What is the capital of Peru?")
    page.keyboard.press("Enter")
    expect(page.locator(".f-voice.tuned .message.bot").last).to_contain_text("Lima", timeout=120_000)


def press_until(page, name: str, most: int = 80) -> None:
    """Tab on until the thing with this name has the focus, which must then be visible."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate("""() => { const e = document.activeElement; return {
            name: (e.labels?.[0]?.innerText || e.getAttribute('aria-label') || e.innerText || ''),
            line: getComputedStyle(e).outlineStyle + getComputedStyle(e).boxShadow } }""")
        if name in focused["name"]:
            assert focused["line"] != "nonenone", f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} cannot be reached with the keyboard")

"""A file of every kind and of every shape, from upload to prepared, as a person brings it."""

import os

import pytest
from playwright.sync_api import expect

from facet.dataset.examples import EXAMPLES
from tests.browser.conftest import new_window, opened_page
from tests.browser.steps import A_MINUTE, bring, go
from tests.kinds import KINDS, SHAPES, write

pytestmark = pytest.mark.browser
TYPES = {
    "preference": "Pairs of a better and a worse answer",
    "transcripts": "Pairs of a better and a worse answer",
    "openai_preference": "Pairs of a better and a worse answer",
    "unpaired_preference": "Answers with a thumb up or down",
    "text": "Plain text",
    "notes.md": "Plain text",
    "notes.txt": "Plain text",
}

# One of each way of reading and of showing; the others, which differ in what is tested without a browser, take minutes.
SOAK = os.environ.get("FACET_SOAK") == "1"
EVERYDAY = ("comma.csv", "book.xlsx", "packed.zip", "album.zip", "notes.md", "messages", "tools", "kauldron",
            "text_label", "transcripts", "unpaired_preference", "text")  # fmt: skip
BROUGHT = [*KINDS, *SHAPES] if SOAK else EVERYDAY
OURS = [example for example in EXAMPLES if SOAK or example.name in ("kind_and_clear", "shapes", "repair_handbook")]


@pytest.fixture(scope="module")
def window(chromium, app):
    """One page for all of them: what the file before left on it must not be taken for the next one's."""
    complaints: list[str] = []
    window = new_window(chromium, complaints)
    opened_page(window, app.url)
    yield window
    window.close()
    assert complaints == []


@pytest.fixture
def page(window):
    return window.pages[0]


@pytest.mark.parametrize("name", BROUGHT)
def test_a_file_goes_from_upload_to_prepared(page, tmp_path, name):
    file = write(tmp_path, name)
    bring(page, file)
    look_and_prepare(page, TYPES.get(name, "Questions and answers"), file.name)
    if name == "tools":  # the starter's template has no place for them, and that is said where tokens would stand
        expect(page.locator("#tokens")).to_contain_text("cannot be taught to use tools", timeout=A_MINUTE)
        return
    expect(page.locator("#tokens mark.trained").first).to_be_visible(timeout=A_MINUTE)


@pytest.mark.parametrize("example", OURS, ids=lambda example: example.name)
def test_each_of_our_examples_goes_from_a_press_to_prepared(page, example):
    go(page, "Data")
    if not page.locator(f"#example-{example.name}").is_visible():
        page.get_by_role("button", name="More of ours").click()
    page.locator(f"#example-{example.name}").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    look_and_prepare(page, TYPES.get(example.type, "Questions and answers"), example.file)


def test_the_shared_pairs_of_answers_are_recognised(page, shared_data):
    bring(page, shared_data / "dpo_en_demo.json")
    look_and_prepare(page, TYPES["preference"], "dpo_en_demo.json")


def look_and_prepare(page, words: str, source: str) -> None:
    expect(page.locator("#look .f-turn").first).to_be_visible()
    expect(page.locator("#look .f-note.error")).to_have_count(0)
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.locator("#look")).to_be_hidden(timeout=2 * A_MINUTE)
    expect(page.locator("#prepared .f-facts")).to_contain_text(source, timeout=A_MINUTE)
    expect(page.locator("#prepared")).to_contain_text(words)
    expect(page.locator("#prepared")).to_contain_text("0 that could not be used")
    expect(page.locator("#verdict .f-note")).to_be_visible(timeout=A_MINUTE)

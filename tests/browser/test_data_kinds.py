"""A file of every kind and of every shape, from upload to prepared, as a person brings it."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import A_MINUTE, bring
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


@pytest.mark.parametrize("name", [*KINDS, *SHAPES])
def test_a_file_goes_from_upload_to_prepared(app, open_page, tmp_path, name):
    page = open_page(app.url)
    bring(page, write(tmp_path, name))
    expect(page.locator("#look .f-turn").first).to_be_visible()
    expect(page.locator("#look .f-note.error")).to_have_count(0)
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.locator("#look")).to_be_hidden(timeout=2 * A_MINUTE)
    expect(page.locator("#prepared")).to_contain_text(TYPES.get(name, "Questions and answers"), timeout=A_MINUTE)
    expect(page.locator("#prepared")).to_contain_text("0 that could not be used")
    expect(page.locator("#verdict .f-note")).to_be_visible(timeout=A_MINUTE)
    expect(page.locator("#tokens mark.trained").first).to_be_visible(timeout=A_MINUTE)

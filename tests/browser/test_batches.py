"""The Batch section in a browser: a file is prepared beside the page, answered, and what came of it deleted."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import A_MINUTE, go

pytestmark = pytest.mark.browser


def open_batch(page: Page, file) -> None:
    go(page, "Test")
    page.get_by_role("tab", name="Batch", exact=True).click()
    page.locator("#batch-file input[type=file]").set_input_files(file)
    expect(page.locator("#batch-file").get_by_role("row", name=file.name)).to_be_visible(timeout=A_MINUTE)
    page.get_by_label("Answered by").click()
    page.get_by_role("option", name=re.compile("Facet starter")).first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Answer them all", exact=True).click()


def test_a_file_is_answered_and_the_batch_deleted_after_it_was_asked_for(app, open_page, tmp_path, album):
    (tmp_path / "sums.csv").write_text(
        "question,answer\n" + "".join(f"What is {n} plus 4?,{n + 4}\n" for n in range(9))
    )
    page = open_page(app.url)
    open_batch(page, tmp_path / "sums.csv")
    batch = page.locator("#batch")
    expect(batch.locator("#batch-state h3")).to_have_text("sums", timeout=2 * A_MINUTE)
    expect(page.locator("#batch-file").get_by_role("row")).to_have_count(0)
    expect(batch.locator("#batch-state .f-chip")).to_have_text("Finished", timeout=3 * A_MINUTE)
    expect(page.locator("#batch-rows")).to_contain_text("1 to 9 of 9 rows")

    batch.get_by_text("Rename or delete").click()
    batch.get_by_label("New name of this batch").fill("Small sums")
    batch.get_by_role("button", name="Rename", exact=True).click()
    expect(batch.locator("#batch-state h3")).to_have_text("Small sums", timeout=A_MINUTE)
    batch.get_by_role("button", name="Delete …", exact=True).click()
    expect(batch).to_contain_text("All its answers go with it; the models and the data stay.")
    album.picture(page, "batch-delete")
    batch.get_by_role("button", name="Yes, delete it", exact=True).click()
    expect(batch).to_be_hidden(timeout=A_MINUTE)


def test_a_file_that_cannot_be_read_says_why_and_stays_in_its_field(app, open_page, tmp_path):
    (tmp_path / "empty.csv").write_text("question,answer\n")
    page = open_page(app.url)
    open_batch(page, tmp_path / "empty.csv")
    expect(page.locator("#batch-waiting")).to_contain_text("no", timeout=2 * A_MINUTE)
    expect(page.locator("#batch-waiting .f-note")).to_be_visible()
    expect(page.locator("#batch-file").get_by_role("row", name="empty.csv")).to_be_visible()
    expect(page.locator("#batch")).to_be_hidden()

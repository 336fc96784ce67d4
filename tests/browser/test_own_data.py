"""Real files from upload to a running, falling loss to chat; and what happens in between."""

import os

import pytest
from playwright.sync_api import expect

from tests.browser.steps import (
    A_MINUTE,
    all_settings,
    bring,
    drawn,
    figure,
    go,
    last_words,
    prepare,
    say,
    setting,
    train,
    until_finished,
    wait_for_figure,
)
from tests.browser.test_looks import serious

pytestmark = pytest.mark.browser
FEW = {"max_steps": "8", "max_length": "96", "per_device_train_batch_size": "2", "gradient_accumulation_steps": "2",
       "evaluations": "2", "learning_rate": "2e-3"}  # fmt: skip
FILES = {
    "alpaca_en_demo.json": ("instruction", 999),
    "banking77_train.csv": ("category", 10_003),
    "gsm8k_train_1500.jsonl": ("question", 1500),
}


@pytest.mark.parametrize("name", FILES if os.environ.get("FACET_SOAK") == "1" else list(FILES)[:1])
def test_a_real_file_goes_from_upload_to_chat(app, open_page, shared_data, name):
    word, rows = FILES[name]
    page = open_page(app.url)
    bring(page, shared_data / name)
    expect(page.locator("#look")).to_contain_text(f"{rows:,} rows")
    expect(page.locator("#look")).to_contain_text(word)
    expect(page.locator("#look .f-turn.assistant").first).to_be_visible()
    prepare(page)
    expect(page.locator("#tokens mark.trained").first).to_be_visible()
    train(page, **FEW)
    wait_for_figure(page, "Loss", 180)
    until_finished(page)
    expect(page.locator("#curve .js-plotly-plot")).to_be_visible()
    line = drawn(page, "#curve", "training", points=8)
    assert line[-1] < line[0]
    assert figure(page, "Loss") == f"{line[-1]:.3f}"
    page.get_by_role("button", name="Chat with it").click()
    say(page, "Hello")
    assert last_words(page, "tuned") and last_words(page, "base")


def test_a_bad_value_is_explained_beside_its_field_and_nothing_starts(app, open_page, shared_data):
    page = open_page(app.url)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text("Why each value was chosen", timeout=A_MINUTE)
    setting(page, "learning_rate").fill("five")
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.locator("#setting-learning_rate")).to_contain_text("“Learning speed” must be", timeout=10_000)
    assert "run=" not in page.url


def test_every_setting_can_be_found_changed_and_taken_back(app, open_page, shared_data, axe):
    page = open_page(app.url)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text("Why each value was chosen", timeout=A_MINUTE)
    page.locator("#settings .f-more > summary").click()
    page.get_by_label("Find a setting").fill("restarts")
    expect(page.locator(".f-found")).to_have_text("2 found")
    expect(page.locator("#setting-learning_rate")).to_be_hidden()
    setting(page, "num_cycles").fill("4")
    page.keyboard.press("Tab")
    expect(page.locator("#setting-num_cycles .f-wrong")).to_contain_text("does nothing as “How the speed falls” is set")
    page.locator("#setting-lr_scheduler_type select").select_option("cosine_with_restarts")
    expect(page.locator("#setting-num_cycles .f-wrong")).to_be_empty()
    page.locator("#setting-num_cycles .f-back button").press("Enter")
    expect(setting(page, "num_cycles")).to_have_value("2")
    expect(setting(page, "num_cycles")).to_be_focused()
    page.get_by_label("Find a setting").fill("")
    all_settings(page)
    assert serious(page, axe) == []


def test_a_file_that_cannot_be_read_says_why_in_its_place(app, open_page, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("question,answer\n")
    page = open_page(app.url)
    page.locator("#upload input[type=file]").set_input_files(empty)
    expect(page.locator("#look .f-note.error")).to_be_visible(timeout=A_MINUTE)
    assert page.locator("#look .f-note.error").inner_text().count(".") >= 3


def test_unclear_columns_can_be_chosen_and_unusable_rows_are_counted(app, open_page, tmp_path):
    file = tmp_path / "odd.csv"
    rows = [f"{n},what is {n} and why <b>{n}</b>?,it is {n}" for n in range(40)] + ["41,nobody answered this,"]
    file.write_text("zip,foo,bar\n" + "\n".join(rows) + "\n")
    page = open_page(app.url)
    bring(page, file)
    choose(page, "Question", "foo")
    choose(page, "Answer", "bar")
    expect(page.locator("#look .f-turn.user").first).to_contain_text("why <b>0</b>?", timeout=20_000)
    prepare(page)
    expect(page.locator("#prepared")).to_contain_text("1 row could not be used")
    page.get_by_text("Show the first 1").click()
    expect(page.get_by_role("table", name="Rows that could not be used")).to_contain_text("41")


def choose(page, label: str, option: str) -> None:
    box = page.locator("#look").get_by_label(label).filter(visible=True).first
    box.click()
    its_own = page.locator(f"[id='{box.get_attribute('aria-controls')}']")  # the list before may still be closing
    its_own.get_by_role("option", name=option, exact=True).click()


def test_renaming_and_deleting_prepared_data_asks_first(app, open_page):
    page = open_page(app.url)
    data = page.locator("#prepared")
    data.get_by_role("button", name="Rename or delete").click()
    data.get_by_label("New name of this data").fill("renamed <b>data</b>")
    data.get_by_role("button", name="Rename", exact=True).click()
    expect(data.get_by_label("Prepared data")).to_have_value("renamed <b>data</b> (40 examples)", timeout=10_000)
    data.get_by_role("button", name="Delete …").click()
    data.get_by_role("button", name="No, keep it").click()
    expect(data.get_by_role("button", name="Yes, delete it")).to_be_hidden()
    data.get_by_role("button", name="Delete …").click()
    data.get_by_role("button", name="Yes, delete it").click()
    expect(data.get_by_label("Prepared data")).not_to_have_value("renamed <b>data</b> (40 examples)", timeout=10_000)

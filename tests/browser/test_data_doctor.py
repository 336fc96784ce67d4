"""Data made good, as a person does it: mapped by hand, tried out, examined, repaired, undone and taken home."""

import json
import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import A_MINUTE, bring, go, prepare
from tests.browser.test_own_data import choose
from tests.kinds import csv, jsonl, pairs, xlsx

pytestmark = pytest.mark.browser
SECRET = {"question": "How do I reach the office by letter?", "answer": "Write to anna.keller@riverside-press.org."}


def fold(page: Page, words: str) -> None:
    page.get_by_role("button", name=words).click()
    page.wait_for_timeout(300)


def test_columns_are_put_together_by_hand(app, open_page, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(
        csv([{"name": f"Ann {n}", "place": f"Bern {n}", "said": f"Hello {n} from here"} for n in range(30)])
    )
    page = open_page(app.url)
    bring(page, file)
    fold(page, "Put it together from several columns")
    page.get_by_label("Question, written from columns").fill("What does {name} of {place} say?")
    page.keyboard.press("Tab")
    choose(page, "Answer", "said")
    expect(page.locator("#look .f-turn.user").first).to_contain_text("What does Ann 0 of Bern 0 say?", timeout=20_000)
    expect(page.locator("#look .f-turn.assistant").first).to_contain_text("Hello 0 from here")
    page.get_by_label("Question, written from columns").fill("What does {nmae} say?")
    page.keyboard.press("Tab")
    expect(page.locator("#look [role=alert]")).to_contain_text("Did you mean “name”?", timeout=10_000)


def test_pasted_cells_of_a_spreadsheet_become_examples(app, open_page):
    page = open_page(app.url)
    fold(page, "Type them, or paste them from a spreadsheet")
    page.get_by_label("Or paste a table here").fill(csv(pairs(22), "\t"))
    page.get_by_role("button", name="Use these").click()
    expect(page.locator("#look")).to_contain_text("22 rows", timeout=A_MINUTE)
    prepare(page)


def test_a_sheet_is_chosen(app, open_page, tmp_path):
    file = tmp_path / "book.xlsx"
    file.write_bytes(xlsx(pairs(21), pairs(34)))
    page = open_page(app.url)
    bring(page, file)
    expect(page.locator("#look")).to_contain_text("21 rows")
    choose(page, "Sheet", "Sheet2")
    expect(page.locator("#look")).to_contain_text("34 rows", timeout=20_000)


def test_cleaning_is_tried_out_before_it_is_done(app, open_page, tmp_path):
    file = tmp_path / "spaced.jsonl"
    file.write_text(jsonl([row | {"answer": row["answer"].replace(" I ", " \u00a0I ")} for row in pairs(25)]))
    page = open_page(app.url)
    bring(page, file)
    fold(page, "Clean it first")
    page.get_by_role("checkbox", name=re.compile("Plain spaces")).check()
    page.get_by_role("button", name="Show what that changes").click()
    expect(page.locator("#cleaned")).to_contain_text("change 25 rows", timeout=20_000)
    prepare(page)
    expect(page.locator("#prepared")).to_contain_text("Plain spaces: 25 rows")


def test_the_doctor_finds_and_repairs_and_the_repair_is_undone(app, open_page, tmp_path):
    file = tmp_path / "office.jsonl"
    file.write_text(jsonl([*pairs(60), *pairs(8), SECRET]))
    page = open_page(app.url)
    bring(page, file)
    fold(page, "More ways to set aside")
    page.get_by_label("Learn from all of it").check()
    prepare(page)
    doctor = page.locator("#doctor")
    expect(doctor.locator("#verdict")).to_contain_text("69 examples examined", timeout=A_MINUTE)
    doctor.get_by_label(re.compile("Private data")).check()
    expect(doctor.locator("#finding")).to_contain_text("anna.keller@riverside-press.org", timeout=10_000)
    doctor.get_by_label(re.compile("Copies")).check()
    expect(doctor.locator("#finding")).to_contain_text("Copies")
    doctor.get_by_role("button", name=re.compile("copies out", re.IGNORECASE)).click()
    expect(page.get_by_label("Prepared data")).to_have_value("office (61 examples, version 2)", timeout=A_MINUTE)
    expect(doctor.locator("#verdict")).to_contain_text("61 examples examined", timeout=A_MINUTE)
    expect(doctor.get_by_label(re.compile("Copies"))).to_have_count(0)
    doctor.get_by_role("button", name="Undo the last repair").click()
    expect(page.get_by_label("Prepared data")).to_have_value("office (69 examples)", timeout=20_000)
    expect(doctor.locator("#verdict")).to_contain_text("69 examples examined", timeout=A_MINUTE)


def test_prepared_data_is_downloaded_whole(app, open_page, tmp_path):
    page = open_page(app.url)
    bring(page, write_pairs(tmp_path))
    prepare(page)
    fold(page, "Download it, or share it on the Hub")
    page.get_by_role("button", name="Make the file").click()
    ready = page.locator("#take-data").get_by_role("button", name=re.compile(r"^Download \("))
    expect(ready).to_be_visible(timeout=20_000)
    with page.expect_download() as waiting:
        ready.click()
    home = tmp_path / "home.zip"
    waiting.value.save_as(home)
    with zipfile.ZipFile(home) as archive:
        rows = [json.loads(line) for name in archive.namelist() for line in archive.read(name).decode().splitlines()]
    assert sorted(row["messages"][0]["content"] for row in rows) == sorted(row["question"] for row in pairs(40))


def test_new_data_is_treated_as_the_old_was(app, open_page, tmp_path):
    page = open_page(app.url)
    bring(page, write_pairs(tmp_path))
    page.get_by_label("Name of this data").fill("the old")
    prepare(page)
    newer = tmp_path / "newer.jsonl"
    newer.write_text(jsonl(pairs(50)))
    bring(page, newer)
    choose(page, "As before", "the old")
    page.get_by_role("button", name="Do the same again").click()
    expect(page.get_by_label("Prepared data")).to_have_value("newer (50 examples)", timeout=A_MINUTE)


def test_pairs_of_answers_are_refused_for_training_and_say_what_to_do(app, open_page, tmp_path):
    file = tmp_path / "better.jsonl"
    rows = [{"prompt": r["question"], "chosen": r["answer"], "rejected": "I would rather not say."} for r in pairs(30)]
    file.write_text(jsonl(rows))
    page = open_page(app.url)
    bring(page, file)
    expect(page.locator("#look .f-turn.rejected").first).to_contain_text("I would rather not say.")
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.locator("#prepared")).to_contain_text("Pairs of a better and a worse answer", timeout=A_MINUTE)
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text("Why each value was chosen", timeout=A_MINUTE)
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.locator(".toast-body").first).to_contain_text("Learn only the better answers", timeout=30_000)
    assert "run=" not in page.url


def write_pairs(folder):
    file = folder / "pairs.jsonl"
    file.write_text(jsonl(pairs(40)))
    return file

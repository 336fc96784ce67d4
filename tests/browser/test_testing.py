"""The Test tab in a browser: made-up results in a real workspace, looked at, searched, and taken home."""

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.apps import ROOT
from tests.browser.conftest import _app
from tests.browser.steps import A_MINUTE, answered, go
from tests.browser.test_looks import serious

pytestmark = pytest.mark.browser
PLANT = """
import sys
from pathlib import Path
from facet.identity import LOCAL
from facet.studio import Studio
from facet.workspace import Workspace
from tests.outcomes import checked, classified, finished_run, plant

studio = Studio(Workspace(Path(sys.argv[1])))
many = tuple(f"label {n}" for n in range(77))
names = ("Untouched", "Long", "Short", "Step 40")
for name, made in {
    "Many": classified((0.1, 0.7), labels=many, rows=300),
    "Four": classified((0.3, 0.85, 0.8, 0.35), names, rows=80),
    "Better": checked(classified()),
}.items():
    plant(studio, LOCAL, finished_run(studio, LOCAL, name), made)
"""


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    place = tmp_path_factory.mktemp("tested")
    # Before the app looks: it would begin a test that is not yet told to be finished.
    subprocess.run([sys.executable, "-c", PLANT, str(place / "home")], cwd=ROOT, check=True, timeout=200)
    apps = _app(place)
    yield next(apps)
    next(apps, None)


def open_test(page, name: str) -> None:
    go(page, "Test")
    with answered(page, "choose_run"):
        page.get_by_label("Your model").click()
        page.get_by_role("option").filter(has_text=name).first.click()
    expect(page.locator("#exam-verdict .f-judged")).to_be_visible(timeout=A_MINUTE)


def test_the_verdict_its_evidence_and_the_examples_are_there(tested, open_page, album):
    page = open_page(tested.url)
    open_test(page, "Better")
    expect(page.locator("#exam-verdict .f-judged.better .f-sentence")).to_contain_text(
        "Feelings is better than Untouched"
    )
    expect(page.locator("#exam-rows .f-case")).to_have_count(8)
    expect(page.locator("#exam-confusion .heatmap-label").first).to_be_visible(timeout=20_000)
    expect(page.locator("#exam-dots .textpoint")).to_have_count(2)
    expect(page.locator("#exam-numbers")).to_contain_text("Nothing was lost beyond what chance explains.")


def test_examples_can_be_searched_filtered_and_turned(tested, open_page):
    page = open_page(tested.url)
    open_test(page, "Better")
    rows = page.locator("#exam-rows")
    page.get_by_role("button", name="Later", exact=True).click()
    expect(rows).to_contain_text("9 to 16 of 60 questions")
    page.get_by_label("Search in questions and answers").fill("story of the fox")
    expect(rows).to_contain_text("1 to 8 of 20 questions")
    page.get_by_label("Did worse", exact=True).click()
    expect(rows.locator(".f-side.tuned .f-mark.right")).to_have_count(0)
    page.get_by_label("Search in questions and answers").fill("nobody asked this")
    expect(rows).to_contain_text("No question fits")


def test_of_four_models_any_two_can_be_looked_at_closely(tested, open_page):
    page = open_page(tested.url)
    open_test(page, "Four")
    expect(page.locator(".f-pairs > li")).to_have_count(3)
    expect(page.locator("#exam-closely")).to_contain_text("What Long takes for what")
    page.get_by_label("Look closely at").click()
    page.get_by_role("option", name="Short against Untouched").click()
    expect(page.locator("#exam-closely")).to_contain_text("What Short takes for what")


def test_the_answers_can_be_taken_home(tested, open_page):
    page = open_page(tested.url)
    open_test(page, "Better")
    page.locator("#exam-result").get_by_role("button", name="Make the file").click()
    with page.expect_download(timeout=A_MINUTE) as download:
        page.locator("#exam-result").get_by_role("button", name="Download", exact=True).click()
    text = download.value.path().read_text("utf-8-sig")
    assert text.startswith("part,row,question,expected,Untouched") and text.count("\n") > 60


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wider_than_a_phone(tested, open_page, album, dark):
    page = open_page(tested.url, width=390, height=844, dark=dark)
    wide = {}
    for name in ("Better", "Four", "Many"):
        open_test(page, name)
        page.wait_for_timeout(800)
        album.picture(page, f"test-{name}-{'dark' if dark else 'light'}")
        wide[name] = page.evaluate("document.documentElement.scrollWidth")
    assert max(wide.values()) <= 390, wide


def test_axe_finds_nothing_serious_in_any_section(tested, open_page, axe):
    page = open_page(tested.url)
    open_test(page, "Better")
    found = {}
    for section in ("Result", "Compare", "Without training", "Judge", "Batch"):
        page.get_by_role("tab", name=section, exact=True).click()
        page.wait_for_timeout(1000)
        found[section] = serious(page, axe)
    assert {section: trouble for section, trouble in found.items() if trouble} == {}

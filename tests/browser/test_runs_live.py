"""A run seen from several windows, across refreshes, pauses and the end of the app: always the same truth."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import A_MINUTE, figure, go, prepare, train, until_finished, wait_for_figure

pytestmark = pytest.mark.browser
LONG = {"max_steps": "20000", "evaluations": "2", "learning_rate": "2e-3"}  # only “Stop and keep” ends it in time


@pytest.fixture(scope="module")
def run_id(app, chromium) -> str:
    """A run of the bundled example, long enough to be looked at while it works."""
    page = chromium.new_page()
    page.goto(app.url)
    page.locator("#example-pirate").click()
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    prepare(page)
    found = train(page, **LONG)
    page.close()
    return found


def test_a_link_opens_the_run_and_a_refresh_shows_the_truth(app, open_page, run_id):
    page = open_page(f"{app.url}/?run={run_id}")
    expect(page.locator("#live")).to_be_visible(timeout=10_000)
    before = wait_for_figure(page, "Loss")
    step = int(figure(page, "Step").split()[0])
    page.reload()
    expect(page.locator("#live")).to_be_visible(timeout=10_000)
    assert int(figure(page, "Step").split()[0]) >= step and before > 0
    expect(page.locator("#curve .js-plotly-plot")).to_be_visible(timeout=10_000)


def test_a_second_window_sees_a_pause_and_the_run_goes_on_from_there(app, open_page, run_id):
    here, there = open_page(f"{app.url}/?run={run_id}"), open_page(f"{app.url}/?run={run_id}", width=390, height=844)
    here.get_by_role("button", name="Pause", exact=True).click()
    for page in (here, there):
        expect(page.locator("#live .f-chip")).to_have_text("Paused", timeout=40_000)
    step = int(figure(here, "Step").split()[0])
    here.get_by_role("button", name="Resume", exact=True).click()
    expect(here.locator("#live .f-chip")).to_have_text("Learning", timeout=90_000)
    here.wait_for_timeout(3000)
    assert int(figure(here, "Step").split()[0]) >= step


def test_the_run_survives_the_end_of_the_app(app, open_page, run_id):
    app.kill()
    app.start()
    page = open_page(f"{app.url}/?run={run_id}")
    expect(page.locator("#live .f-chip")).to_have_text("Learning", timeout=120_000)


def test_stop_and_keep_leaves_a_model_to_talk_to(app, open_page, run_id):
    page = open_page(f"{app.url}/?run={run_id}")
    wait_for_figure(page, "Loss")
    page.get_by_role("button", name="Stop and keep", exact=True).click()
    until_finished(page, 90)
    expect(page.locator("#live")).to_contain_text("stopped early")
    expect(page.get_by_role("button", name="Chat with it")).to_be_visible()


def test_the_test_tab_measures_both_models(app, open_page, run_id):
    page = open_page(f"{app.url}/?run={run_id}")
    go(page, "Test")
    page.get_by_role("button", name="Run the test", exact=True).click()
    expect(page.locator("#exam-verdict .f-judged")).to_be_visible(timeout=240_000)
    expect(page.locator("#exam-numbers")).to_contain_text("perplexity")


def test_the_model_can_be_taken_home_and_brought_back(app, open_page, run_id, tmp_path):
    page = open_page(f"{app.url}/?run={run_id}")
    go(page, "Publish")
    expect(page.locator("#publish")).to_contain_text("What goes out", timeout=A_MINUTE)
    page.get_by_role("button", name="Prepare the download").click()
    expect(page.locator("#download")).to_be_visible(timeout=A_MINUTE)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename.endswith(".zip")
    home = tmp_path / "model.zip"
    download.value.save_as(home)

    go(page, "Runs")
    page.locator("#bring button").first.click()
    page.locator("#bring-file input[type=file]").set_input_files(home)
    page.locator("#bring").get_by_label("Name here").fill("From home")
    expect(page.locator("#bring-file")).to_contain_text("⇣")  # it has been uploaded
    page.get_by_role("button", name="Bring it in", exact=True).click()
    expect(page.locator("#brought")).to_contain_text("From home is here.", timeout=A_MINUTE)
    expect(page.locator("#bring").get_by_label("Name here")).to_have_value("")
    expect(page.locator("#runs-list")).to_contain_text("From home")
    page.locator("#bring").get_by_role("button", name="Chat with it").click()
    expect(page.get_by_label("Talk to", exact=True)).to_have_value(re.compile("^From home"), timeout=A_MINUTE)


def test_what_cannot_be_brought_in_says_why_and_leaves_the_fields(app, open_page):
    page = open_page(app.url)
    go(page, "Runs")
    page.locator("#bring button").first.click()
    page.locator("#bring").get_by_label("Its id on the Hugging Face Hub").fill("not an id")
    page.get_by_role("button", name="Bring it in", exact=True).click()
    expect(page.locator("#bring")).to_contain_text("owner/name", timeout=A_MINUTE)
    expect(page.locator("#bring-wait .f-note, .toast-body").first).to_be_visible()
    expect(page.locator("#bring").get_by_label("Its id on the Hugging Face Hub")).to_have_value("not an id")


def test_an_unknown_run_is_said_to_be_unknown(app, open_page):
    page = open_page(f"{app.url}/?run=2020-01-01-nothing-abcd")
    expect(page.locator("#train")).to_contain_text("We could not find this run.", timeout=10_000)


def test_deleting_a_run_asks_first(app, open_page, run_id):
    page = open_page(app.url)
    go(page, "Runs")
    chosen, listed = page.get_by_label("Run", exact=True), page.locator("#runs-list tbody tr")
    expect(chosen).not_to_have_value("")
    name, before = chosen.input_value().rpartition(" (")[0], listed.count()
    page.locator("#runs").get_by_role("button", name="Rename or delete").click()
    page.locator("#runs").get_by_role("button", name="Delete …").click()
    expect(listed).to_have_count(before)
    page.locator("#runs").get_by_role("button", name="Yes, delete it").click()
    expect(listed).to_have_count(before - 1)
    expect(page.locator("#runs")).not_to_contain_text(name)

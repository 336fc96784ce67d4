"""Pictures in a conversation with a model that sees: shown, asked about, refused in words, and gone afterwards."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from facet.hub.hub import COMPLETE
from facet.workspace import write_json
from tests.browser.steps import A_MINUTE, go
from tests.browser.test_looks import serious
from tests.model.seeing import picture, tiny_seeing_gemma3

pytestmark = pytest.mark.browser
PLACE = "models/tests--seer/0123456789012345678901234567890123456789"


@pytest.fixture(scope="module")
def seer(app) -> str:
    folder = tiny_seeing_gemma3(app.home / PLACE)
    write_json(folder / COMPLETE, {"sizes": {file.name: file.stat().st_size for file in folder.iterdir()}})
    return f"{app.url}/?tab=chat"


@pytest.fixture
def pictures(tmp_path) -> list[str]:
    return [
        str(picture(tmp_path / name, colour, (640, 420)))
        for name, colour in (("sea.png", (20, 90, 200)), ("field.jpg", (60, 160, 60)))
    ]


def choose(page, name: str) -> None:
    page.get_by_label("Talk to", exact=True).click()
    page.get_by_role("option", name=re.compile(name)).first.click()


def add_pictures(page, files: list[str]):
    """Choose them as a person does; they wait, by their names, for the next message."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add pictures", exact=True).click()
    chooser.value.set_files(files)
    waiting = page.locator("#chat-added")
    expect(waiting).to_contain_text(", ".join(Path(file).name for file in files))
    return waiting


def kept(app) -> list:
    return [file for file in app.home.rglob("pictures/*/*") if file.is_file()]


def test_pictures_are_shown_answered_and_deleted_with_the_conversation(app, seer, open_page, pictures, axe, album):
    page = open_page(seer)
    go(page, "Chat")
    add = page.get_by_role("button", name="Add pictures", exact=True)
    expect(add).to_be_hidden()
    choose(page, "seer")
    expect(add).to_be_visible()
    waiting = add_pictures(page, pictures[:1])
    page.get_by_role("button", name="Take them out", exact=True).click()
    expect(waiting).to_be_hidden()
    add_pictures(page, pictures)
    album.picture(page, "chat-pictures-chosen")
    assert serious(page, axe) == []
    page.get_by_label("Your message").fill("What is this?")
    page.get_by_role("button", name="Send", exact=True).click()
    said = page.locator("#voice-tuned")
    expect(said.locator(".message.user img")).to_have_count(2)
    expect(waiting).to_be_hidden()
    expect(said.locator(".message.bot").last).to_be_visible(timeout=A_MINUTE)
    expect(page.locator("#chat-status")).to_contain_text("tokens of its context", timeout=A_MINUTE)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=A_MINUTE)
    widths = said.locator(".message.user img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert widths == [640, 640] and len(kept(app)) == 2
    album.picture(page, "chat-pictures")
    assert serious(page, axe) == []

    page.get_by_role("button", name="Clear", exact=True).click()
    expect(said.locator(".message")).to_have_count(0)
    assert kept(app) == []
    choose(page, "Facet starter")
    expect(add).to_be_hidden()


def test_a_broken_picture_and_a_blind_neighbour_are_refused_and_nothing_is_lost(seer, open_page, pictures, tmp_path):
    page = open_page(seer, width=390, height=844, dark=True)
    go(page, "Chat")
    choose(page, "seer")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    waiting = add_pictures(page, [str(tmp_path / "broken.png")])
    page.get_by_label("Your message").fill("What is this?")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("“broken.png” cannot be shown")).to_be_visible()
    expect(page.get_by_label("Your message")).to_have_value("What is this?")
    expect(waiting).to_contain_text("broken.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.get_by_role("button", name="Take them out", exact=True).click()
    page.get_by_label("More beside them").click()
    page.get_by_role("option", name=re.compile("Facet starter")).first.click()
    page.keyboard.press("Escape")
    add_pictures(page, pictures)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("“Untouched: Facet starter” cannot see pictures here.")).to_be_visible()
    expect(waiting).to_contain_text("sea.png")
    expect(page.locator("#voice-tuned .message")).to_have_count(0)

"""The real app in a process of its own, and Chromium in front of it; pictures go to `FACET_ARTEFACTS`, if it is set."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, expect, sync_playwright

from tests.apps import App, free_port
from tests.browser.steps import far_away

expect.set_options(timeout=20_000)  # five seconds are too few where two of these run beside each other on two cores
LATENCY = int(os.environ.get("FACET_LATENCY", "0"))  # milliseconds before each answer, as from far away


def _app(folder: Path) -> Iterator[App]:
    app = App(folder / "home", free_port(), folder / "app.log")
    app.home.mkdir(parents=True, exist_ok=True)
    app.start()
    yield app
    app.end()
    assert "Traceback" not in app.log.read_text("utf-8", "replace"), app.log.read_text("utf-8", "replace")[-3000:]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    yield from _app(tmp_path_factory.mktemp("app"))


@pytest.fixture
def fresh_app(tmp_path: Path) -> Iterator[App]:
    yield from _app(tmp_path)


@pytest.fixture(scope="session")
def chromium():
    path = os.environ.get("FACET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=path or None, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            pytest.skip(f"no browser to be had: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


class Album:
    """Pictures and figures for a person to look at, kept where `FACET_ARTEFACTS` names a folder, and nowhere else."""

    def __init__(self, folder: str | None) -> None:
        self.folder = Path(folder) if folder else None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)

    def picture(self, page: Page, name: str) -> None:
        if self.folder:
            page.screenshot(path=self.folder / f"{name}.png", full_page=True)

    def pictures(self, windows: Iterable[BrowserContext], name: str) -> None:
        for number, page in enumerate(page for window in windows for page in window.pages):
            self.picture(page, f"{name[:60]}-{number}")

    def note(self, name: str, words: str) -> None:
        if self.folder:
            (self.folder / f"{name}.txt").write_text(f"{words}\n")


@pytest.fixture(scope="session")
def album() -> Album:
    return Album(os.environ.get("FACET_ARTEFACTS"))


@pytest.fixture
def open_page(chromium, request: pytest.FixtureRequest, album: Album) -> Iterator[Callable]:
    """`open_page(url, width=…, dark=…)`: a new window. What the browser complains of fails the test."""
    windows, complaints = [], []

    def opened(url: str, **looks):
        windows.append(new_window(chromium, complaints, **looks))
        return opened_page(windows[-1], url)

    yield opened
    album.pictures(windows, request.node.name)
    for window in windows:
        window.close()
    assert complaints == []


def new_window(
    chromium: Browser, complaints: list[str], width: int = 1440, height: int = 950, dark: bool = False
) -> BrowserContext:
    """A browser of one's own, whose errors and whose requests to anybody but us are written down in `complaints`."""
    window = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", accept_downloads=True
    )
    window.on("weberror", lambda error: complaints.append(str(error.error)))
    window.on("request", lambda asked: complaints.append(asked.url) if _foreign(asked) else None)
    return window


def opened_page(window: BrowserContext, url: str) -> Page:
    page = window.new_page()
    if LATENCY:
        far_away(page, LATENCY)
    page.goto(url)
    page.get_by_role("tab", name="Data", exact=True).wait_for()
    page.wait_for_timeout(700)
    return page


def _foreign(asked: Request) -> bool:
    """The page makes no request to anybody but us."""
    return asked.url.startswith(("http", "ws")) and not asked.url.startswith("http://127.0.0.1:")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, fetched when it is needed: from npm, or out of a wheel that carries it."""
    folder = tmp_path_factory.mktemp("axe")
    for fetch, unpack in (
        (["npm", "pack", "axe-core@4"], ["tar", "xzf", "axe-core-*.tgz"]),
        ([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "axe-playwright-python"],
         [sys.executable, "-m", "zipfile", "-e", "axe_playwright_python-*.whl", "."]),
    ):  # fmt: skip
        if shutil.which(fetch[0]) is None or subprocess.run(fetch, cwd=folder, capture_output=True).returncode:
            continue
        files = [str(next(folder.glob(part))) if "*" in part else part for part in unpack]
        subprocess.run(files, cwd=folder, check=True, capture_output=True)
        return next(folder.rglob("axe.min.js")).read_text("utf-8")
    pytest.skip("axe-core could not be fetched")

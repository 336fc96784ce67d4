"""What a person does on the page, in words."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Request, Route, expect

A_MINUTE = 60_000


def go(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(400)


def numbers_of(page: Page, handler: str) -> set[int]:
    all_handlers = page.evaluate("window.gradio_config.dependencies")
    return {each["id"] for each in all_handlers if re.fullmatch(f"page_{handler}(_[0-9]+)?", each["api_name"] or "")}


def is_for(asked: Request, numbers: set[int]) -> bool:
    return asked.url.endswith(("/run/predict", "/queue/join")) and asked.post_data_json["fn_index"] in numbers


def far_away(page: Page, milliseconds: int) -> None:
    """Every answer takes so long from now on."""
    slow = {"offline": False, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1}
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)


@contextmanager
def answered(page: Page, handler: str) -> Iterator[None]:
    """Left once a quiet handler of this name has answered what was done inside, and the page shows it."""
    numbers = numbers_of(page, handler)

    with page.expect_response(lambda response: is_for(response.request, numbers), timeout=A_MINUTE) as answer:
        yield
    answer.value.finished()
    page.wait_for_timeout(300)


@contextmanager
def late(page: Page, handler: str) -> Iterator[None]:
    """Handlers of this name are asked only when this is left, as on a machine that is slow at the wrong moment."""
    held: list[Route] = []
    over: list[bool] = []
    numbers = numbers_of(page, handler)

    def hold(route: Route) -> None:
        if not over and route.request.post_data_json["fn_index"] in numbers:
            held.append(route)
        else:
            route.fallback()

    page.route(re.compile("/(run/predict|queue/join)"), hold)
    yield
    assert held, f"nobody asked {handler}"
    over.append(True)
    for route in held:
        route.continue_()


def setting(page: Page, name: str):
    return page.locator(f"#setting-{name} [data-value]")


def all_settings(page: Page) -> None:
    """Unfold the whole form."""
    folds = page.locator("#settings details:not(.f-expert)")
    folds.evaluate_all("folds => folds.forEach(fold => { fold.open = true; })")


def bring(page: Page, file: Path) -> None:
    go(page, "Data")
    page.locator("#upload input[type=file]").set_input_files(file)
    expect(page.locator("#look")).to_be_visible(timeout=A_MINUTE)
    expect(page.locator("#look")).to_contain_text(file.name)


def prepare(page: Page) -> None:
    page.get_by_role("button", name="Prepare", exact=True).click()
    expect(page.locator("#look")).to_be_hidden(timeout=2 * A_MINUTE)
    expect(page.locator("#tokens")).to_contain_text("of them learned", timeout=A_MINUTE)


def train(page: Page, **settings: str) -> str:
    """Start a run with these settings and give back its id, as it stands in the address."""
    get_ready_to_train(page, **settings)
    return press_start(page)


def get_ready_to_train(page: Page, **settings: str) -> None:
    go(page, "Train")
    expect(page.locator("#train")).to_contain_text("Why each value was chosen", timeout=A_MINUTE)
    if settings.keys() - {"learning_rate", "num_train_epochs", "max_length", "lora_rank"}:
        all_settings(page)
    for name, value in settings.items():
        setting(page, name).fill(value)
    page.keyboard.press("Tab")
    page.wait_for_timeout(300)


def press_start(page: Page) -> str:
    page.get_by_role("button", name="Start training", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]run="), timeout=A_MINUTE)
    expect(page.locator("#live")).to_be_visible(timeout=20_000)
    return page.url.split("run=")[1]


def until_finished(page: Page, seconds: float = 240) -> None:
    expect(page.locator("#live .f-chip")).to_have_text("Finished", timeout=seconds * 1000)


def say(page: Page, words: str) -> None:
    page.get_by_label("Your message").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=2 * A_MINUTE)


def last_words(page: Page, side: str) -> str:
    return page.locator(f".f-voice.{side} .message.bot").last.inner_text().strip()


def figure(page: Page, name: str) -> str:
    """One number of the live card."""
    return page.locator(f"#live .f-readout div:has(dt:text-is('{name}')) dd").inner_text().strip()


def wait_for_figure(page: Page, name: str, seconds: float = 120) -> float:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = figure(page, name).split()[0] if page.locator("#live .f-readout").count() else "–"
        if text != "–":
            return float(text.replace(",", ""))
        page.wait_for_timeout(500)
    raise AssertionError(f"{name} never had a value")


def drawn(page: Page, chart: str, name: str, points: int) -> list[float]:
    """The heights of one line of a picture, as Plotly drew them, once it has this many points."""
    find = """([chart, name, points]) => {
        const drawing = document.querySelector(chart + " .js-plotly-plot");
        const line = drawing?.calcdata?.find(line => line[0].trace.name === name);
        return line?.length === points && line.map(point => point.y);
    }"""
    return page.wait_for_function(find, arg=[chart, name, points], timeout=20_000).json_value()

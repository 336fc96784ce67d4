"""How soon the page can be clicked, against a Gradio hello world; its size; and what its process weighs.

    python -m tests.benchmarks.page [--pairs 5]

Cold: from the start of the process, in a browser that has never seen the page. Warm: the same page once more.
Clickable means that a press counts: Facet's first screen stands before Gradio has mounted, keeps a press and passes it
on (`tests/browser/test_first_paint.py`). “mounted” is when Gradio's own button has taken its place.
Then one preview, one training and one chat by the real page, and the process is weighed: memory, and no torch in it.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from facet.compute.child import PACKAGE_ROOT

HELLO = """
import gradio as gr, os
with gr.Blocks(analytics_enabled=False) as page:
    name = gr.Textbox(label="Name"); out = gr.Textbox(label="Out")
    gr.Button("Greet").click(lambda n: "Hello " + n, name, out)
page.launch(server_name="127.0.0.1", server_port=int(os.environ["GRADIO_SERVER_PORT"]), quiet=True)
"""
HERO = "Tune the starter model now"
MOMENTS = ("cold", "warm", "warm, mounted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    times: dict[str, dict[str, list[float]]] = {side: {name: [] for name in MOMENTS} for side in ("facet", "hello")}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        for pair in range(options.pairs):
            for side in ("facet", "hello") if pair % 2 == 0 else ("hello", "facet"):
                taken, size = once(browser, side)
                for name, seconds in zip(MOMENTS, taken, strict=True):
                    times[side][name].append(seconds)
                shown = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in zip(MOMENTS, taken, strict=True))
                print(f"pair {pair + 1}, {side}: {shown}, page {size / 1000:.0f} kB", flush=True)
        for when in MOMENTS:
            ratios = [ours / theirs for ours, theirs in zip(times["facet"][when], times["hello"][when], strict=True)]
            print(f"{when}: ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")
        weigh(browser)
        browser.close()


def chromium() -> str | None:
    return os.environ.get("FACET_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@contextlib.contextmanager
def served(side: str) -> Iterator[tuple[subprocess.Popen, str, float]]:
    """A fresh process, its address, and when it was started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "hello.py").write_text(HELLO)
        command = [sys.executable, "app.py"] if side == "facet" else [sys.executable, str(Path(place) / "hello.py")]
        more = {
            "FACET_HOME": str(Path(place) / "home"),
            "GRADIO_SERVER_PORT": str(port),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        began = time.monotonic()
        process = subprocess.Popen(command, cwd=PACKAGE_ROOT, env=os.environ | more, stdout=subprocess.DEVNULL)
        try:
            yield process, f"http://127.0.0.1:{port}/", began
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def once(browser: Browser, side: str) -> tuple[tuple[float, float, float], int]:
    with served(side) as (_, address, began):
        size = len(answer(address))
        context = browser.new_context()
        page = context.new_page()
        page.goto(address, wait_until="commit")
        ready(page, side)
        cold = time.monotonic() - began
        again = time.monotonic()
        page.reload(wait_until="commit")
        ready(page, side)
        warm = time.monotonic() - again
        mounted(page, side)
        whole = time.monotonic() - again
        context.close()
        return (cold, warm, whole), size


def answer(address: str) -> bytes:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return reply.read()
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the page did not come up")


def mounted(page: Page, side: str) -> None:
    if side == "facet":
        page.locator("#first-paint").wait_for(state="detached")
        page.locator("#hero-start").click(trial=True, timeout=60_000)


def ready(page: Page, side: str) -> None:
    page.get_by_role("button", name=HERO if side == "facet" else "Greet").click(trial=True, timeout=60_000)


def weigh(browser: Browser) -> None:
    with served("facet") as (process, address, _):
        answer(address)
        page = browser.new_page()
        page.goto(address)
        print(f"process at rest: {weight(process)}")
        began = time.monotonic()
        page.get_by_role("button", name=HERO).click()
        page.get_by_role("button", name="Now with my own data").wait_for(timeout=240_000)  # both have answered
        print(f"from the click to both answers to three questions: {time.monotonic() - began:.0f} s")
        print(f"process after a preview, a training and a chat: {weight(process)}")


def weight(process: subprocess.Popen) -> str:
    memory = psutil.Process(process.pid).memory_info().rss / 2**20
    with open(f"/proc/{process.pid}/maps") as maps:
        torch = "libtorch" in maps.read()
    return f"{memory:.0f} MiB, torch {'IS' if torch else 'is not'} in it"


if __name__ == "__main__":
    main()

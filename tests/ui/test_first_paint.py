"""What is on the screen before Gradio is, and that nothing else of an answer is touched."""

import asyncio
import re

import pytest

from facet.ui.first_paint import InHead, first_paint
from facet.ui.words import ENGLISH


def answer(
    path: str = "/", method: str = "GET", kind: str = "text/html; charset=utf-8", **more: str
) -> tuple[dict, bytes]:
    """Headers and body of a small page that passed through the middleware."""
    page = b"<!doctype html><html><head><title>x</title></head><body></body></html>"

    async def gradio(scope, receive, send):
        headers = {"content-type": kind, "content-length": str(len(page))} | more
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await send({"type": "http.response.body", "body": page[:20], "more_body": True})
        await send({"type": "http.response.body", "body": page[20:]})

    sent = []

    async def send(message):
        sent.append(dict(message))

    scope = {"type": "http", "path": path, "method": method, "headers": []}
    asyncio.run(InHead(gradio, b"<style>ours</style>")(scope, None, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return headers, b"".join(message.get("body", b"") for message in sent[1:])


def test_it_stands_at_the_top_of_the_head_and_the_length_is_right():
    headers, body = answer()
    assert body.startswith(b"<!doctype html><html><head><style>ours</style><title>x</title>")
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "how",
    [{"path": "/config"}, {"method": "HEAD"}, {"kind": "application/json"}, {"content-encoding": "br"}],
    ids=str,
)
def test_other_answers_are_left_alone(how):
    headers, body = answer(**how)
    assert b"ours" not in body and headers["content-length"] == str(len(body))


def test_it_says_what_the_page_says_and_its_button_is_a_button(studio):
    html = first_paint(studio).decode()
    assert re.search(r'<button type="button">(.+?)</button>', html)[1] == ENGLISH["hero_start"]
    assert "Teach a model your way of answering." in html
    assert not re.findall(r'(?:src|href)="?https?:', html)


def test_the_served_page_begins_with_it(served):
    import httpx

    page = httpx.get(served.url).text
    assert 0 < page.index('id="first-paint-words"') < page.index("window.gradio_config")
    assert len(page) < 1_000_000

"""What is on the screen before Gradio is, and that nothing else of an answer is touched."""

import asyncio
import re

import pytest

from facet.ui.first_paint import NOT_MADE, FirstPaint, InHead, first_paint
from facet.ui.words import ENGLISH

PAGE = (
    b'<!doctype html><html><head><title>x</title><script>window.gradio_config = {};</script><script src="a.js">'
    b'</script><link rel="stylesheet" href="a.css"></head>\n\t'
    b'<body style="margin: 0"><gradio-app></gradio-app></body></html>'
)
OPENING = (
    b'<!doctype html><html><head><style>ours</style><title>x</title><link rel="stylesheet" href="a.css"></head>'
    b'<body style="margin: 0"><p>first</p>'
)
REST = b'<script>window.gradio_config = {};</script><script src="a.js"></script><gradio-app></gradio-app></body></html>'


class Door:
    """Gradio's answers, as they come through the middleware."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.seen_by_gradio = -1  # how much had been sent when Gradio was asked
        self.gradio = {"page": PAGE, "status": 200, "headers": {}}
        self.door = InHead(self._gradio, FirstPaint(b"<style>ours</style>", b"<p>first</p>"))

    async def _gradio(self, scope, receive, send):
        self.seen_by_gradio = len(self.sent)
        if self.gradio["status"] is None:
            raise RuntimeError("Gradio broke")
        page = self.gradio["page"]
        known = {"content-type": "text/html; charset=utf-8", "content-length": str(len(page))} | self.gradio["headers"]
        raw = [(name.encode(), value.encode()) for name, value in known.items()]
        await send({"type": "http.response.start", "status": self.gradio["status"], "headers": raw})
        await send({"type": "http.response.body", "body": page[:20], "more_body": True})
        await send({"type": "http.response.body", "body": page[20:]})

    def ask(self, path: str = "/", method: str = "GET", **gradio) -> tuple[dict, bytes]:
        """Headers and body."""
        self.sent, self.gradio = [], self.gradio | gradio

        async def send(message):
            self.sent.append(dict(message))

        scope = {"type": "http", "path": path, "method": method, "headers": []}
        asyncio.run(self.door(scope, None, send))
        headers = {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}
        return headers, b"".join(message.get("body", b"") for message in self.sent[1:])


def test_the_first_screen_stands_before_all_that_is_long_and_styles_keep_their_order():
    headers, body = Door().ask()
    assert body == OPENING + REST
    assert headers["content-length"] == str(len(body))


def test_from_the_second_time_on_it_is_sent_before_gradio_is_asked():
    door = Door()
    door.ask()
    headers, body = door.ask()
    assert body == OPENING + REST
    assert door.seen_by_gradio == 2 and door.sent[1]["body"] == OPENING and door.sent[1]["more_body"]
    assert headers["content-type"] == "text/html; charset=utf-8" and "content-length" not in headers


@pytest.mark.parametrize("how", [{"status": 500}, {"page": b"<html>another page</html>"}], ids=str)
def test_a_page_that_could_not_be_made_says_so_and_hides_the_first_screen(how):
    door = Door()
    door.ask()
    _, body = door.ask(**how)
    assert body == OPENING + NOT_MADE
    assert not door.sent[-1].get("more_body")


def test_it_says_so_too_when_gradio_breaks_and_the_log_gets_the_reason():
    door = Door()
    door.ask()
    with pytest.raises(RuntimeError, match="Gradio broke"):
        door.ask(status=None)
    assert [message.get("body") for message in door.sent[1:]] == [OPENING, NOT_MADE]


@pytest.mark.parametrize(
    "how",
    [
        {"path": "/config"},
        {"method": "HEAD"},
        {"status": 401},
        {"headers": {"content-type": "application/json"}},
        {"headers": {"content-encoding": "br"}},
        {"page": b"<!doctype html><html><head></head><body>another page</body></html>"},
    ],
    ids=str,
)
def test_other_answers_are_left_alone(how):
    door = Door()
    for _ in range(2):
        headers, body = door.ask(**how)
        assert body == how.get("page", PAGE) and headers["content-length"] == str(len(body))


def test_it_says_what_the_page_says_and_its_button_is_a_button(studio):
    first = first_paint(studio)
    html = (first.head + first.body).decode()
    assert re.search(r'<button type="button">(.+?)</button>', html)[1] == ENGLISH["hero_start"]
    assert "Teach a model your way of answering." in html
    assert not re.findall(r'(?:src|href)="?https?:', html)


def test_the_served_page_begins_with_it(served):
    import httpx

    first, again = (httpx.get(served.url) for _ in range(2))
    assert again.text == first.text and "content-length" not in again.headers
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    page = again.text
    assert 0 < page.index('id="first-paint-words"') < page.index("window.gradio_config")
    assert page.count("<head>") == page.count("</head>") == page.count("<body") == 1
    assert page.count('rel="stylesheet"') == page[: page.index("</head>")].count('rel="stylesheet"') > 0
    assert len(page) < 1_000_000

"""The first screen before Gradio has drawn the page: in sight at once, and its button already works.

Gradio mounts several hundred components before anything is painted, and takes its time to write them down as well. So
the beginning of the page is sent before Gradio is asked for the rest of it: the first screen stands in it, is replaced
by the real thing as soon as that stands, and passes a press on to it.
"""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders

from facet.studio import Studio
from facet.ui.guard import Receive, Scope, Send
from facet.ui.hero import describe_invitation, rows_of_example
from facet.ui.markup import each, html
from facet.ui.rail import describe_brand
from facet.ui.theme import HERE, css
from facet.ui.words import ENGLISH

TABS = ("data", "train", "chat", "test", "publish", "runs", "guide")

HEAD = b"<head>"
CONFIG = b"<script>window.gradio_config"  # from here on Gradio's page is long and slow to come
SHEET = re.compile(rb'<link rel="stylesheet"[^>]*>')
BODY = re.compile(rb"</head>\s*(<body[^>]*>)")
HEADERS = ((b"content-type", b"text/html; charset=utf-8"),)
NOT_MADE = html(
    "<style>#first-paint {{ display: none !important; }}</style><p>{}</p>",
    "This page could not be made. Facet's own log says why. Wait a moment, then reload it.",
).encode()


@dataclass(frozen=True)
class FirstPaint:
    """HTML for the top of the page's head, and for the top of its body."""

    head: bytes
    body: bytes


@dataclass
class InHead:
    """ASGI middleware that opens the page with `first`, and sends that before Gradio has come up with the rest.

    How Gradio's page begins is the same every time and learned from its first answer.
    """

    app: Any
    first: FirstPaint
    opening: bytes = field(default=b"", init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        opened = self.opening
        if opened:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            await send({"type": "http.response.body", "body": opened, "more_body": True})
        start: MutableMapping[str, Any] = {}
        body = bytearray()

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                await self._finish(start, bytes(body), opened, send)

        try:
            await self.app(scope, receive, sent)
        except Exception:
            if opened and not start:
                await send({"type": "http.response.body", "body": NOT_MADE})
            raise

    async def _finish(self, start: MutableMapping[str, Any], body: bytes, opened: bytes, send: Send) -> None:
        headers = Headers(raw=start["headers"])
        page = headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
        opening, rest = self._parted(body) if page and start["status"] == 200 else (b"", b"")
        if opened:
            return await send({"type": "http.response.body", "body": rest or NOT_MADE})
        self.opening = opening
        whole = opening + rest or body
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(whole))
        await send(start)
        await send({"type": "http.response.body", "body": whole})

    def _parted(self, page: bytes) -> tuple[bytes, bytes]:
        """What is known before Gradio is asked, its style sheets included, and the rest; nothing of an unknown page."""
        opening, config, rest = page.partition(CONFIG)
        body = BODY.search(rest)
        if not config or not body:
            return b"", b""
        sheets = b"".join(SHEET.findall(rest[: body.start()]))
        opening = opening.replace(HEAD, HEAD + self.first.head, 1) + sheets + b"</head>" + body[1] + self.first.body
        return opening, config + SHEET.sub(b"", rest[: body.start()]) + rest[body.end() :]


def first_paint(studio: Studio) -> FirstPaint:
    """A style; the words and the script that shows and later removes them."""
    words = html(
        '<div class="fp-rail">{}</div><div class="fp-work"><div class="fp-tabs" aria-hidden="true">{}</div>'
        '<div class="card">{}<button type="button">{}</button></div></div>',
        describe_brand(30),
        each("<span>{}</span>", [ENGLISH[tab] for tab in TABS]),
        describe_invitation(rows_of_example(studio)),
        ENGLISH["hero_start"],
    )
    style, script = Markup(css() + _file("first_paint.css")), Markup(_file("first_paint.js"))  # our own files
    shown = html('<template id="first-paint-words">{}</template><script>{}</script>', words, script)
    return FirstPaint(html("<title>Facet</title><style>{}</style>", style).encode(), shown.encode())


def _file(name: str) -> str:
    return (HERE / name).read_text("utf-8")

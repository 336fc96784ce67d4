"""The first screen before Gradio has drawn the page: in sight at once, and its button already works.

Gradio mounts several hundred components before anything is painted. This goes into the page's head, is replaced by
the real thing as soon as that stands, and passes a press on to it.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class InHead:
    """ASGI middleware that puts `html` at the top of the page's head. Gradio's own `head` comes after the mounting."""

    app: Any
    html: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        start: MutableMapping[str, Any] = {}
        body = bytearray()

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                whole = self._with_head(start, bytes(body))
                await send(start)
                await send({"type": "http.response.body", "body": whole})

        await self.app(scope, receive, sent)

    def _with_head(self, start: MutableMapping[str, Any], body: bytes) -> bytes:
        headers = Headers(raw=start["headers"])
        if not headers.get("content-type", "").startswith("text/html") or "content-encoding" in headers:
            return body
        whole = body.replace(HEAD, HEAD + self.html, 1)
        MutableHeaders(raw=start["headers"])["content-length"] = str(len(whole))
        return whole


def first_paint(studio: Studio) -> bytes:
    """HTML for the page's head: a style, the words, and the script that shows and later removes them."""
    words = html(
        '<div class="fp-rail">{}</div><div class="fp-work"><div class="fp-tabs" aria-hidden="true">{}</div>'
        '<div class="card">{}<button type="button">{}</button></div></div>',
        describe_brand(30),
        each("<span>{}</span>", [ENGLISH[tab] for tab in TABS]),
        describe_invitation(rows_of_example(studio)),
        ENGLISH["hero_start"],
    )
    style, script = Markup(css() + _file("first_paint.css")), Markup(_file("first_paint.js"))  # our own files
    parts = '<style>{}</style><template id="first-paint-words">{}</template><script>{}</script>'
    return html(parts, style, words, script).encode()


def _file(name: str) -> str:
    return (HERE / name).read_text("utf-8")

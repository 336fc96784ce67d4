"""A page that was opened as one person asks for nothing as another: told at the door, so that the answer is seen.

Behind the door the gate would refuse it too, but its answer goes to the page's owner, who is somebody else by now.
"""

import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import JSONResponse

from facet.ui.guard import Receive, Scope, Send
from facet.ui.people import OnSpace

ASKED: Final = "/gradio_api/queue/join"
MOST_BYTES: Final = 12_000_000  # no call of the page brings more than a tenth of this; a file goes another way


@dataclass(frozen=True)
class OwnPage:
    """ASGI middleware, behind the guard."""

    app: Any
    people: OnSpace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != ASKED:
            return await self.app(scope, receive, send)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                return await _refuse(413, "That is more text than this page takes.")(scope, receive, send)
        words = self.people.why_not(scope, _session(bytes(body)))
        if words:
            return await _refuse(409, words)(scope, receive, send)
        whole: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def again() -> MutableMapping[str, Any]:
            return whole.pop() if whole else await receive()

        await self.app(scope, again, send)


def _session(body: bytes) -> str:
    try:
        found = json.loads(body).get("session_hash")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _refuse(status: int, words: str) -> JSONResponse:
    return JSONResponse({"detail": words}, status)

"""Things that go wrong on the way, on request, and the log of everything that was asked.

A planned fault is met once (or `times` times) by the next request that fits, in the order of planning.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from fastapi import Request
from fastapi.responses import JSONResponse

if TYPE_CHECKING:
    from tests.stand_in.server import StandInHub

Trouble = Literal["cut", "slow", "lost", "truncate", "wrong-hash"]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
HASHES = re.compile(rb'("(?:oid|sha256|blobId|commitOid)":\s*")([0-9a-f]+)"')


@dataclass
class Fault:
    """`match` is the beginning of a path, or a pattern found in it. `met` counts how often it happened."""

    match: str
    status: int | Trouble
    method: str | None = None
    times: int = 1
    after: int = 0  # requests that fit and go through before the first that does not
    seconds: float = 1.0  # of "slow"
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "A planned fault"
    met: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether this request meets the fault now; counts down `after`."""
        if self.met >= self.times or self.method not in (None, method):
            return False
        if not path.startswith(self.match) and not re.search(self.match, path):
            return False
        self.after -= 1
        if self.after >= 0:
            return False
        self.met += 1
        return True


class Faults:
    """Between the network and the app. A connection is cut by way of the server's own transport."""

    def __init__(self, app: Any, hub: "StandInHub") -> None:
        self.app, self.hub = app, hub

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        path = request.url.path
        self.hub.asked.append((request.method, path, request.headers.get("authorization")))
        for start, status in self.hub.faults.items():
            if path.startswith(start):
                return await _refuse(Fault(start, status), scope, receive, send)
        fault = next((each for each in self.hub.planned if each.fits(request.method, path)), None)
        if fault is None:
            return await self.app(scope, receive, send)
        return await self._meet(fault, scope, receive, send)

    async def _meet(self, fault: Fault, scope: Message, receive: Receive, send: Send) -> None:
        match fault.status:
            case "cut":
                await _half_of_the_body(scope, receive)
                await _hang_up(send)
            case "slow":
                await asyncio.sleep(fault.seconds)
                await self.app(scope, receive, send)
            case "lost":
                await self._answer(scope, receive)
                await _hang_up(send)
            case "truncate":
                start, body = await self._answer(scope, receive)
                await send(start)
                await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
                await _hang_up(send)
            case "wrong-hash":
                await self._damage(scope, receive, send)
            case _:
                await _refuse(fault, scope, receive, send)

    async def _damage(self, scope: Message, receive: Receive, send: Send) -> None:
        """Bytes sent are stored wrong; hashes told are wrong; other bytes arrive wrong."""
        if scope["method"] == "PUT":
            body = await _body(receive)
            return await self.app(scope, _once(_flipped(body)), send)
        start, body = await self._answer(scope, receive)
        told = HASHES.sub(lambda found: found[1] + found[2][::-1] + b'"', body)
        await send(start)
        await send({"type": "http.response.body", "body": told if body[:1] in (b"{", b"[") else _flipped(body)})

    async def _answer(self, scope: Message, receive: Receive) -> tuple[Message, bytes]:
        """Let the app do its work and keep what it says."""
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self.app(scope, receive, keep)
        return said[0], b"".join(message.get("body", b"") for message in said[1:])


async def _refuse(fault: Fault, scope: Message, receive: Receive, send: Send) -> None:
    await _body(receive)
    headers = {"X-Error-Message": fault.message} | fault.headers
    await JSONResponse({"error": fault.message}, int(fault.status), headers)(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def _half_of_the_body(scope: Message, receive: Receive) -> None:
    length = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
    seen, more = 0, True
    while more and seen < length / 2:
        message = await receive()
        seen, more = seen + len(message.get("body", b"")), message.get("more_body", False)


async def _hang_up(send: Send) -> None:
    """End the connection without a further word; what was sent already still arrives."""
    transport = send.__self__.transport  # the request cycle of uvicorn's h11 server
    transport.close()
    while not send.__self__.disconnected:
        await asyncio.sleep(0.001)


def _once(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _flipped(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1]) if body else body

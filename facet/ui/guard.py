"""The door in front of Gradio: which Host, which Origin, which address may be asked for. Everything else is refused.

Comparison is by equality, never by pattern, because patterns on Host and Origin have been got wrong everywhere.
"""

import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from facet.errors import CapacityError
from facet.ui.limits import Limits
from facet.ui.people import OnSpace

log = logging.getLogger("facet.guard")
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

READ = frozenset({"GET", "HEAD"})
WRITE = frozenset({"POST"})
# What the page and gradio_client ask for. Not here: deep links, monitoring, run history, proxy, custom components,
# component servers, reload, direct /api calls.
EXACT: dict[str, frozenset[str]] = {
    "/": READ,
    "/config": READ,
    "/theme.css": READ,
    "/favicon.ico": READ,
    "/robots.txt": READ,
    "/gradio_api/info": READ,
    "/gradio_api/theme.css": READ,
    "/gradio_api/startup-events": READ,
    "/gradio_api/app_id": READ,
    "/gradio_api/login_check": READ,
    "/gradio_api/queue/data": READ,
    "/gradio_api/upload_progress": READ,
    "/gradio_api/queue/join": WRITE,
    "/gradio_api/upload": WRITE,
    "/gradio_api/cancel": WRITE,
    "/gradio_api/reset": WRITE,
}
BELOW: dict[str, frozenset[str]] = {
    "/assets/": READ,
    "/static/": READ,
    "/svelte/": READ,
    "/gradio_api/file=": READ,
    "/gradio_api/heartbeat/": READ,
    "/gradio_api/call/": READ | WRITE,
    "/gradio_api/run/": WRITE,
}
SIGN_IN = {"/login/huggingface": READ, "/login/callback": READ, "/logout": READ}  # on a Space alone
FROM_ELSEWHERE = frozenset({"/", "/login/callback", "/login/huggingface"})  # another site may lead a person here
CALLBACK = "/login/callback"
NOT_SIGNED_IN = "/?sign-in=failed"
COOKIE_RENEWED = frozenset({"/", "/gradio_api/queue/join"})
KEPT_OF_A_SIGN_IN = ("access_token", "scope", "expires_at")  # a cookie above 4 kB is dropped by browsers
NOTHING_FROM_OUTSIDE = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
)


@dataclass(frozen=True)
class Rules:
    """Who may talk to this page."""

    hosts: frozenset[str]  # as in the Host header, port included
    origins: frozenset[str]
    frames: str = "'none'"  # who may show this page inside of theirs

    @staticmethod
    def at_home(port: int) -> "Rules":
        hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        return Rules(hosts, frozenset(f"http://{host}" for host in hosts))

    @staticmethod
    def on_space(port: int, space_host: str) -> "Rules":
        """The Space's public names (several with a domain of one's own), and the address Gradio calls at start."""
        local = Rules.at_home(port)
        names = {name.strip().lower() for name in space_host.split(",") if name.strip()}
        origins = local.origins | {f"https://{name}" for name in names}
        return Rules(local.hosts | names, origins, frames="https://huggingface.co")

    @staticmethod
    def from_environment(port: int) -> "Rules":
        space_host = os.environ.get("SPACE_HOST", "")
        return Rules.on_space(port, space_host) if os.environ.get("SPACE_ID") and space_host else Rules.at_home(port)


@dataclass(frozen=True)
class Guard:
    """ASGI middleware around Gradio's own app, and inside of its session: `people` tells strangers apart on a Space."""

    app: Callable[[Scope, Receive, Send], Awaitable[None]]
    rules: Rules
    people: OnSpace | None = None
    limits: Limits | None = None  # of what one person may send, looser than the gate's, which says it on the page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        refusal = (404, "Not found.") if scope["type"] != "http" else self.refusal(scope)
        if refusal is None and (words := self._asks_too_often(scope)):
            return await JSONResponse({"detail": words}, 429)(scope, receive, self._finished(send, scope))
        if refusal is None:
            return await self._pass_on(scope, receive, self._finished(send, scope))
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        status, words = refusal
        return await PlainTextResponse(words, status_code=status)(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What Gradio leaves open: half a character (a lone surrogate) that it cannot quote, and streams it breaks off.

        It tells a page that its session is over, as after a restart, and then raises what the status would have been.
        """
        try:
            await self.app(scope, receive, send)
        except UnicodeEncodeError:
            await PlainTextResponse("This text holds half a character.", status_code=422)(scope, receive, send)
        except Exception as error:
            if isinstance(error, RuntimeError) and isinstance(error.__cause__, HTTPException):  # after it had begun
                log.info("an answer was ended early: %d", error.__cause__.status_code)
                return await send({"type": "http.response.body", "body": b"", "more_body": False})
            if scope["path"] != CALLBACK:
                raise
            log.warning("a sign-in did not come to an end: %s", type(error).__name__)
            await RedirectResponse(NOT_SIGNED_IN, 303)(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why this request goes no further, or None."""
        headers = Headers(scope=scope)
        path, method = scope["path"], scope["method"]
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0].lower() not in self.rules.hosts:
            return 403, "This address is not one of this page's own."
        if len(origins) > 1 or (origins and origins[0].lower() not in self.rules.origins):
            return 403, "Another site asked for this, so it was not done."
        if headers.get("sec-fetch-site") == "cross-site" and not (method in READ and path in FROM_ELSEWHERE):
            return 403, "Another site asked for this, so it was not done."
        if self.people and path == "/gradio_api/upload" and self.people.grant(scope) is None:
            return 403, "Reload the page first: we cannot tell you from other visitors."
        methods = EXACT.get(path.rstrip("/") or "/") or _below(path) or (SIGN_IN.get(path) if self.people else None)
        if methods is None or ".." in path or (self.people and self._is_foreign_page(scope)):
            return 404, "Not found."
        return None if method in methods else (405, "Not like this.")

    def _asks_too_often(self, scope: Scope) -> str | None:
        """What to tell a stranger who floods the page, at a fraction of what Gradio needs to refuse a call."""
        if not self.people or not self.limits or scope["method"] in READ:
            return None
        grant = self.people.grant(scope)
        try:
            self.limits.spend(grant.person.key if grant else "")
        except CapacityError as error:
            return str(error)
        return None

    def _is_foreign_page(self, scope: Scope) -> bool:
        """Whether this asks for what another person's open page is being told."""
        _, beat, session = scope["path"].partition("/gradio_api/heartbeat/")
        if not beat and scope["path"] == "/gradio_api/queue/data":
            session = QueryParams(scope["query_string"]).get("session_hash", "")
        return bool(session) and self.people.is_foreign(scope, session)

    def _finished(self, send: Send, scope: Scope) -> Send:
        """Our headers on every answer; and a call that was refused is the caller's 422, where Gradio says 500."""

        path = scope["path"]
        cookies = self.people.cookies_for(scope) if self.people and path in COOKIE_RENEWED else []

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 500 and path.startswith("/gradio_api/run/"):
                    message["status"] = 422
                if path == CALLBACK:
                    _shorten_session(scope)
                headers = MutableHeaders(raw=message["headers"])
                if path.startswith("/assets/") and message["status"] == 200:  # named after what is in them
                    headers["Cache-Control"] = "public, max-age=31536000, immutable"
                headers["Content-Security-Policy"] = NOTHING_FROM_OUTSIDE.format(frames=self.rules.frames)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                for cookie in cookies:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        return sent


def _shorten_session(scope: Scope) -> None:
    """Keep of a sign-in what is used, so that its cookie is small however many organisations somebody belongs to."""
    session = scope.get("session") or {}
    info = session.get("oauth_info")
    if isinstance(info, dict):
        about = info.get("userinfo") or {}
        kept = {name: info[name] for name in KEPT_OF_A_SIGN_IN if name in info}
        names = ("sub", "preferred_username")
        session["oauth_info"] = kept | {"userinfo": {name: about[name] for name in names if name in about}}


def _below(path: str) -> frozenset[str] | None:
    return next((methods for start, methods in BELOW.items() if path.startswith(start)), None)

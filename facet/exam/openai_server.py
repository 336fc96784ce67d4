"""A server that speaks as OpenAI's does: one question, one answer, bounded in size and time, no redirect followed."""

import contextlib
import json
import ssl
import threading
import time
from typing import Any, Final

import httpx

from facet.exam.addresses import Resolve, look_up, pinned
from facet.exam.asking import Messages, Reply, Trial
from facet.exam.openai_reply import LONGEST_REPLY, error_of, reply_of
from facet.exam.providers import stays_inside

MOST_BYTES: Final = 2_000_000
CONNECT_SECONDS: Final = 10.0
SILENCE_SECONDS: Final = 120.0
CALL_SECONDS: Final = 300.0


class OpenAiServer:
    """`shared`: this machine is, so the server's name is looked up, checked and pinned for each question."""

    def __init__(
        self,
        base_url: str,
        model: str,
        key: str = "",
        *,
        shared: bool,
        at_once: int = 4,
        longest_reply: int = LONGEST_REPLY,
        resolve: Resolve = look_up,
        certificates: ssl.SSLContext | None = None,
        silence_seconds: float = SILENCE_SECONDS,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        self.base_url, self.model, self.at_once, self.shared = base_url, model, at_once, shared
        self._key, self._resolve, self._call_seconds = key, resolve, call_seconds
        self._options: dict[str, Any] = {"max_tokens": longest_reply, "temperature": 0}
        inside = stays_inside(httpx.URL(base_url).host)
        self._client = httpx.Client(
            follow_redirects=False,
            trust_env=not (shared or inside),  # a proxy would look the name up by itself
            timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS),
            verify=certificates or True,
            headers={"User-Agent": "facet", "Accept": "application/json", "Accept-Encoding": "identity"},
        )

    def __repr__(self) -> str:
        return f"OpenAiServer({self.base_url!r}, {self.model!r})"

    def close(self) -> None:
        self._client.close()

    def ask(self, messages: Messages, stop: threading.Event) -> Reply:
        """See `Judge.ask`. A setting this model does not know is left out, and the question asked once more."""
        for _ in range(3):
            status, headers, body = self._post(messages, stop)
            if status != 400 or not self._leave_out(body):
                break
        return reply_of(status, headers, body)

    def _post(self, messages: Messages, stop: threading.Event) -> tuple[int, httpx.Headers, Any]:
        until = time.monotonic() + self._call_seconds
        response = None
        try:
            response = self._send(messages)
            if 300 <= response.status_code < 400:
                raise Trial("redirect", response.status_code)
            return response.status_code, response.headers, _json(_read(response, until, stop))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError):
            raise Trial("broken") from None  # its text may quote what was sent
        finally:
            if response is not None:
                response.close()

    def _send(self, messages: Messages) -> httpx.Response:
        """To the first of the name's numbers that takes a connection."""
        requests = self._requests(messages)
        for request in requests[:-1]:
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._client.send(request, stream=True)
        return self._client.send(requests[-1], stream=True)

    def _requests(self, messages: Messages) -> list[httpx.Request]:
        url, asked = f"{self.base_url}/chat/completions", {"model": self.model, "messages": messages, **self._options}
        body = json.dumps(asked).encode()
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if not self.shared:
            return [self._client.build_request("POST", url, content=body, headers=headers)]
        return [
            self._client.build_request(
                "POST",
                place.url,
                content=body,
                headers=headers | {"Host": place.host},
                extensions={"sni_hostname": place.name},
            )
            for place in pinned(url, self._resolve)
        ]

    def _leave_out(self, body: Any) -> bool:
        """Whether the refusal was about a setting of ours: newer models count thoughts, and choose by themselves."""
        error = error_of(body)
        said = f"{error.get('param')} {error.get('message')}"
        if "max_tokens" in self._options and "max_tokens" in said:
            self._options = {**self._options, "max_completion_tokens": self._options["max_tokens"]}
            del self._options["max_tokens"]
            return True
        if "temperature" in self._options and "temperature" in said:
            self._options = {name: value for name, value in self._options.items() if name != "temperature"}
            return True
        return False


def _read(response: httpx.Response, until: float, stop: threading.Event) -> bytes:
    """The body as it comes, given up when it grows too large, takes too long, or nobody wants it any more."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Trial("garbled", response.status_code)
    taken = bytearray()
    for piece in response.iter_raw():
        taken += piece
        if len(taken) > MOST_BYTES:
            raise Trial("garbled", response.status_code)
        if time.monotonic() > until:
            raise Trial("broken")
        if stop.is_set():
            raise Trial("stopped")
    return bytes(taken)


def _json(body: bytes) -> Any:
    """What the server sent; None for what is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

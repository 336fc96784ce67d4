"""A judge on loopback that speaks as OpenAI's servers do, and misbehaves as real ones have been seen to."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Say = Callable[[dict[str, Any]], str]


@dataclass
class Act:
    """How one request is answered. `body` None: with what the judge says."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # JSON, or bytes as they are
    cut_after: int | None = None  # bytes of the body, then the line goes dead
    silence: float = 0.0  # seconds before it answers
    drip: float = 0.0  # seconds between single bytes
    drop: bool = False  # hangs up without a word


def said(text: Any, *, ended: str = "stop", refusal: str | None = None) -> dict[str, Any]:
    """An answer of the usual shape."""
    message = {"role": "assistant", "content": text} | ({"refusal": refusal} if refusal else {})
    return {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": ended}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


class JudgeStandIn:
    """`say` answers; `acts` come first, one for each request. `asked` holds every body, `seen` every head."""

    def __init__(self, say: Say | None = None, *, certificate: ssl.SSLContext | None = None, key: str = "") -> None:
        self.say: Say = say or (lambda asked: '{"reason": "fine", "score": 7}')
        self.key = key  # the one it accepts; empty: any, or none
        self.acts: list[Act] = []
        self.asked: list[dict[str, Any]] = []
        self.seen: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        if certificate:
            self.server.socket = certificate.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.port = self.server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def next_act(self) -> Act:
        with self.lock:
            return self.acts.pop(0) if self.acts else Act()


def _handler(stand_in: JudgeStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None: ...

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with stand_in.lock:
                stand_in.asked.append(asked)
                stand_in.seen.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                stand_in.at_once += 1
                stand_in.most_at_once = max(stand_in.most_at_once, stand_in.at_once)
            try:
                self._answer(asked, stand_in.next_act())
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with stand_in.lock:
                    stand_in.at_once -= 1

        def _answer(self, asked: dict[str, Any], act: Act) -> None:
            time.sleep(act.silence)
            if act.drop:
                self._hang_up()
                return
            if stand_in.key and self.headers.get("Authorization") != f"Bearer {stand_in.key}":
                quoted = {"message": f"Incorrect API key provided: {self.headers.get('Authorization')}"}
                act = Act(401, body={"error": quoted | {"code": "invalid_api_key"}})
            body = said(stand_in.say(asked)) if act.body is None else act.body
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(act.status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(raw))}.items():
                if name not in act.headers:
                    self.send_header(name, value)
            for name, value in act.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in _pieces(raw if act.cut_after is None else raw[: act.cut_after], act.drip):
                self.wfile.write(piece)
                self.wfile.flush()
            if act.cut_after is not None:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    return Handler


def _pieces(raw: bytes, drip: float) -> Iterator[bytes]:
    if not drip:
        yield raw
        return
    for place in range(len(raw)):
        time.sleep(drip)
        yield raw[place : place + 1]

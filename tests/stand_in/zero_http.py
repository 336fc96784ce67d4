"""The requests of the `spaces` client and the answers it understands."""

import contextlib
import json
import os
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.stand_in.zero_calls import Asked, Call, Refusal, Visitor, Wait, read_token

if TYPE_CHECKING:
    from tests.stand_in.zero import ZeroGpu


class Door(BaseHTTPRequestHandler):
    """One request. Answers end their connection: the client opens a new one for every request anyway."""

    zero: ClassVar["ZeroGpu"]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._meet()

    def do_POST(self) -> None:
        self._meet()

    def _meet(self) -> None:
        parts = urlsplit(self.path)
        self.params = dict(parse_qsl(parts.query))
        self.token = self.params.pop("token", None)
        self.allow_token = self.params.pop("allowToken", "")
        self.lost, self.close_connection = False, True
        user = read_token(self.token).get("user") if self.token else None
        self.line: Asked = Asked(self.command, parts.path, self.params, user)
        self.zero.asked.append(self.line)
        fault = next((each for each in self.zero.planned if each.fits(self.command, parts.path)), None)
        match fault.status if fault else None:
            case "cut":
                self.line.answer = "cut"
                return
            case "lost":
                self.lost = True
            case "slow":
                time.sleep(fault.seconds if fault else 0)
            case int() as status:
                return self._answer(status, {"detail": "A planned fault"})
        route = getattr(self, "_" + parts.path.strip("/").replace("-", "_"), None)
        try:
            route() if route else self._answer(404, {"detail": "Not Found"})
        except (BrokenPipeError, ConnectionResetError):
            self.line.answer = "left"  # whoever asked is gone

    def _answer(self, status: int, what: Any = None, **headers: str) -> None:
        body = b"" if what is None else json.dumps(what).encode()
        self.line.answer = "lost" if self.lost else str(status)
        if self.lost:
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The log is `asked`; nothing is printed."""

    def _startup_report(self) -> None:
        self._answer(200)

    def _queue_size(self) -> None:
        self._answer(200, float(len(self.zero.line)))

    def _allow(self) -> None:
        with self.zero.change:
            call, pid = self._find(), int(self.params["pid"])
            if call is None:
                return self._answer(404)
            if pid <= 1 or pid == os.getpid():
                return self._answer(400, {"detail": "Not a worker's pid"})
            self.zero.allow(call, pid)
        self._answer(200)

    def _release(self) -> None:
        with self.zero.change:
            call = self._find()
            if call is None:
                return self._answer(404)
            unused = call.pid is None
            failed = self.params.get("fail", "").lower() == "true"
            self.zero.end(call, "unused" if unused else "failed" if failed else "released")
        self._answer(204 if unused else 200)

    def _find(self) -> Call | None:
        call = self.zero.find(self.allow_token)
        self.line.call = self.zero.calls.index(call) if call else None
        return call

    def _schedule(self) -> None:
        if self.token and read_token(self.token).get("exp", time.time() + 1) < time.time():
            return self._answer(401, {"detail": "Expired token"})
        visitor = self.zero.visitor(self.token)
        who = {} if visitor.tier == "anonymous" else {"X_Authenticated": visitor.tier}
        asked, twice = float(self.params.get("durationSeconds", 60)), self.params.get("gpuSize") == "xlarge"
        with self.zero.change:
            try:
                self.zero.check(visitor, asked * (2 if twice else 1))
            except Refusal as no:
                told = {"left": no.left, "wait": no.wait}
                return self._answer(429, told, X_Approve_Result=no.result, **who)
            wait = self.zero.waits.pop(0) if self.zero.waits else None
            reason = wait.reason if wait else self.zero.hindrance() or ("node" if self.zero.line else None)
            call = None if reason else self._grant(visitor, asked, twice)
        if call:
            self._answer(200, _told(call), X_Approve_Result="approved", **who)
        elif self.params.get("enableQueue", "true").lower() != "true":
            self._answer(503)
        else:
            self._begin_stream(reason or "node", who)
            self._queue(visitor, asked, twice, wait)

    def _begin_stream(self, reason: str, who: dict[str, str]) -> None:
        self.send_response(200)
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", "Connection": "close"}
        for name, value in {**headers, "X-Queuing-Reason": reason, **who}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def _queue(self, visitor: Visitor, asked: float, twice: bool, wait: Wait | None) -> None:
        """Hold the line with pings until it is this call's turn. A visitor who went away leaves the queue."""
        me, until, pings = object(), time.monotonic() + self.zero.queue_lasts, 0
        self.zero.line.append(me)
        try:
            while True:
                with self.zero.change:
                    if wait is None or (pings >= wait.pings and wait.then == "succeeded"):
                        self.zero.change.wait_for(lambda: self._my_turn(me), self.zero.ping_every)
                        if self._my_turn(me):
                            return self._leave_queue(self._grant_if_left(visitor, asked, twice))
                if wait is not None and pings >= wait.pings and wait.then == "cut":
                    self.line.answer = "cut"
                    return
                if time.monotonic() > until or (wait is not None and pings >= wait.pings and wait.then == "failed"):
                    return self._leave_queue(None)
                if wait is not None and pings < wait.pings:
                    time.sleep(self.zero.ping_every)
                self._event("ping")
                pings += 1
        finally:
            with self.zero.change:
                self.zero.line.remove(me)
                self.zero.change.notify_all()

    def _my_turn(self, me: object) -> bool:
        return self.zero.line[0] is me and self.zero.hindrance() is None

    def _grant_if_left(self, visitor: Visitor, asked: float, twice: bool) -> Call | None:
        """Others of the same visitor may have used up what was there when this one began to wait."""
        with contextlib.suppress(Refusal):
            self.zero.check(visitor, asked * (2 if twice else 1))
            return self._grant(visitor, asked, twice)
        return None

    def _leave_queue(self, call: Call | None) -> None:
        self.line.answer = "lost" if self.lost else "succeeded" if call else "failed"
        if self.lost:
            return
        self._event("succeeded", _told(call)) if call else self._event("failed")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str, data: Any = None) -> None:
        """One event is one chunk: the client takes what arrives together for a single event."""
        text = f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n".encode()
        self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.flush()

    def _grant(self, visitor: Visitor, asked: float, twice: bool) -> Call:
        task = (self.params["cgroupPath"], int(self.params["taskId"]))
        call = self.zero.grant(visitor, task, asked, twice=twice)
        self.line.call = len(self.zero.calls) - 1
        return call


def _told(call: Call) -> dict[str, Any]:
    return {
        "idle": call.idle,
        "nvidiaIndex": call.device.index,
        "nvidiaUUID": call.device.uuid,
        "allowToken": call.token,
    }

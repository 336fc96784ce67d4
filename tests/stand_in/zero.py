"""A ZeroGPU scheduler of our own on loopback, for tests: quotas, devices, deadlines that are kept, and faults.

    with ZeroGpu() as zero:
        zero.quota("alice", left=60)
        subprocess.run([sys.executable, "-m", "tests.stand_in.zero_app", "app.py"], env=zero.environment)
        assert zero.calls[-1].ended == "killed"

Written from what the real `spaces` client asks and understands; nothing here is Hugging Face's own code. What the real
scheduler does where the client cannot see it (when the clock starts, what a lost call costs) is our guess; the
docstrings name each.
"""

import argparse
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.stand_in.faults import Fault, Trouble
from tests.stand_in.zero_calls import (
    NOBODY,
    TIERS,
    Asked,
    Call,
    Device,
    End,
    Reason,
    Refusal,
    Tier,
    Visitor,
    Wait,
    Worker,
    read_token,
    visitor_token,
)
from tests.stand_in.zero_http import Door

__all__ = ["Refusal", "Wait", "ZeroGpu", "visitor_token", "zero_environment"]
CARDS = {1.0: "NVIDIA H200", 1.5: "NVIDIA RTX PRO 6000 Blackwell Server Edition"}  # by the factor the client has
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class ZeroGpu:
    """A scheduler with so many devices. Times are real seconds; quotas are seconds times `factor`."""

    devices: int = 1
    slots: int | None = None  # calls at once, all devices if not said
    factor: float = 1.5  # what the card costs beside the time it takes; 1.0 and 1.5 are known to the client
    reuse: bool = True  # a worker whose call ended well waits for the next
    grace: float = 0.0  # seconds past the deadline before the worker is killed
    kill_after: float | None = None  # kills every call after this time, whatever it was granted
    unclaimed_after: float = 5.0  # a grant nobody took up is void, and costs nothing
    ping_every: float = 0.2  # in the queue; the real one pings more slowly
    queue_lasts: float = 60.0  # then "failed"
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)  # every one that was granted
    planned: list[Fault] = field(default_factory=list)
    waits: list[Wait | None] = field(default_factory=list)  # one for each coming call; None: no wait made up

    def __post_init__(self) -> None:
        self.places = [Device(index, f"GPU-{index:08d}") for index in range(self.devices)]
        self.visitors: dict[str, Visitor] = {}
        self.line: list[object] = []  # who waits, first come first served
        self.change = threading.Condition(threading.RLock())
        self._kills: list[float] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), type("", (Door,), {"zero": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Also ends the workers: those of an app that was itself killed would otherwise go on by themselves."""
        self._server.shutdown()
        self._server.server_close()
        with self.change:
            for place in self.places:
                if place.worker:
                    place.worker.end(signal.SIGKILL)

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of a process that is to have this as its scheduler."""
        return {**os.environ, **zero_environment(self.url, self.factor)}

    def quota(
        self,
        name: str | None,
        left: float,
        *,
        cap: float | None = None,
        wait: float = 600.0,
        tier: Tier | None = None,
    ) -> Visitor:
        """What this visitor has left, in quota seconds. `None` is whoever comes without a token.

        Whoever is not named here has the seconds of their tier; one call may use them all.
        """
        tier = tier or ("regular" if name else "anonymous")
        with self.change:
            self.visitors[name or NOBODY] = Visitor(
                name or NOBODY, tier, left, TIERS[tier] if cap is None else cap, wait
            )
        return self.visitors[name or NOBODY]

    def plan(self, match: str, status: int | Trouble, **about: Any) -> Fault:
        """Something that goes wrong with a coming request, such as `plan("/schedule", 503, times=2)`.

        "lost": the work is done and its answer never comes; "cut": the connection ends before; "slow": late.
        """
        self.planned.append(Fault(match, status, **about))
        return self.planned[-1]

    def kill_next(self, *after: float) -> None:
        """The coming calls are killed after so many real seconds, one each, whatever they were granted."""
        self._kills.extend(after)

    def kill(self) -> None:
        """What the deadline does, now: the calls that run are killed."""
        with self.change:
            for call in [place.call for place in self.places if place.call]:
                self.end(call, "killed")

    # What the requests come to. Every method below is called with `change` held, or takes it.

    def visitor(self, token: str | None) -> Visitor:
        about = read_token(token) if token else {}
        name = about.get("user") or (f"ip {about.get('ip')}" if token else NOBODY)
        tier: Tier = "anonymous" if not about.get("user") else "pro" if about.get("pro") else "regular"
        with self.change:
            if name not in self.visitors:
                self.visitors[name] = Visitor(name, tier, TIERS[tier], TIERS[tier])
            elif token:
                self.visitors[name].tier = tier
            return self.visitors[name]

    def check(self, visitor: Visitor, asked: float) -> None:
        if asked > visitor.cap:
            raise Refusal("illegal-duration", int(visitor.free), -1)
        if asked > visitor.free:
            raise Refusal("quota-exceeded", int(visitor.free), visitor.wait)

    def hindrance(self) -> Reason | None:
        """Why no call can be granted right now."""
        busy = sum(place.call is not None for place in self.places)
        if busy >= len(self.places):
            return "node"
        return "concurrency" if self.slots is not None and busy >= self.slots else None

    def grant(self, visitor: Visitor, task: tuple[str, int], asked: float, *, twice: bool = False) -> Call:
        """A device for this call: where a worker of the same function waits, if there is one.

        The clock starts now, not when the worker reports (a guess; they are milliseconds apart).
        """
        free = [place for place in self.places if place.call is None]
        fitting = [place for place in free if self.reuse and _waits(place, task)]
        device = (fitting or sorted(free, key=lambda place: place.worker is not None))[0]
        if not fitting and device.worker:
            device.worker.end(signal.SIGTERM)  # the client closes a waiting worker on this
            device.worker = None
        lasts = asked if twice else asked / self.factor
        cost = asked * 2 if twice else asked
        call = Call(visitor, task, device, cost, lasts, bool(fitting), time.monotonic())
        call.pid = device.worker.pid if device.worker else None
        device.call = call
        visitor.reserved += cost
        self.calls.append(call)
        self._watch(call)
        return call

    def _watch(self, call: Call) -> None:
        after = self._kills.pop(0) if self._kills else self.kill_after
        watches: list[tuple[float, End]] = [(call.lasts + self.grace if after is None else after, "killed")]
        if call.pid is None:
            watches.append((self.unclaimed_after, "unclaimed"))
        for seconds, how in watches:
            timer = threading.Timer(seconds, self.end, (call, how))
            timer.daemon = True
            timer.start()

    def find(self, token: str) -> Call | None:
        return next((call for call in self.calls if call.token == token and not call.ended), None)

    def allow(self, call: Call, pid: int) -> None:
        call.pid = pid
        call.device.worker = Worker(pid, call.task)

    def end(self, call: Call, how: End) -> None:
        """The call is over. Only what it really used is charged; killed at the deadline, that is all of it."""
        with self.change:
            if call.ended or (how == "unclaimed" and call.pid is not None):
                return
            call.ended, call.device.call = how, None
            call.visitor.reserved -= call.asked
            if how in ("released", "failed", "killed"):
                call.used = time.monotonic() - call.began
                call.charged = min(call.used * (call.asked / call.lasts if call.lasts else 0), call.asked)
                call.visitor.left -= call.charged
            worker = call.device.worker
            if worker and not (how == "released" and self.reuse):
                worker.end(signal.SIGKILL if how == "killed" else signal.SIGTERM)
                call.device.worker = None
            self.change.notify_all()


def _waits(place: Device, task: tuple[str, int]) -> bool:
    return place.worker is not None and place.worker.task == task and place.worker.alive


def zero_environment(url: str, factor: float = 1.5) -> dict[str, str]:
    """What a process needs to be on ZeroGPU with its scheduler at `url`, on a card of this factor.

    The process begins with `zero_stub.install()`, as `python -m tests.stand_in.zero_app` does.
    """
    return {
        "SPACES_ZERO_GPU": "true",
        "SPACES_ZERO_DEVICE_API_URL": url,
        "STAND_IN_CARD": CARDS[factor],
        "ZEROGPU_PROC_SELF_CGROUP_PATH": str(Path(__file__).with_name("zero_cgroup.txt")),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1,localhost",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """A scheduler to try things by hand: prints its address, then every request."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--factor", type=float, choices=sorted(CARDS), default=1.5)
    parser.add_argument("--quota", type=float, help="seconds that everybody without a token has")
    how = parser.parse_args(arguments)
    with ZeroGpu(devices=how.devices, factor=how.factor, port=how.port) as zero:
        if how.quota is not None:
            zero.quota(None, how.quota)
        print(zero.url, flush=True)
        told = 0
        while True:
            time.sleep(0.2)
            for line in zero.asked[told:]:
                print(line, flush=True)
            told = len(zero.asked)


if __name__ == "__main__":
    main()

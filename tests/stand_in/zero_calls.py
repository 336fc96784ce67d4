"""What a ZeroGPU scheduler knows of: visitors and what is left to them, devices, calls and workers."""

import base64
import contextlib
import json
import os
import secrets
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Tier = Literal["anonymous", "regular", "pro"]
Reason = Literal["node", "concurrency"]
End = Literal["released", "failed", "killed", "unclaimed", "unused"]
TIERS: Final[dict[Tier, int]] = {"anonymous": 120, "regular": 300, "pro": 2400}  # seconds a day
NOBODY: Final = ""  # whoever calls without a visitor's token


def visitor_token(name: str | None = None, *, pro: bool = False, seconds: float = 3600, **claims: Any) -> str:
    """What the Hub puts in `X-IP-Token` for this visitor; without a name, for somebody who has not signed in.

    It is not signed: nothing on the Space's side reads the signature. `seconds` is how long it holds.
    """
    about = {"user": name, "pro": pro, "exp": time.time() + seconds, "ip": "127.0.0.1"} | claims
    return ".".join((_encoded({"alg": "none", "typ": "JWT"}), _encoded(about), "unsigned"))


def read_token(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@dataclass
class Visitor:
    """`left` and `cap` are seconds as the quota counts them, with the card's factor in."""

    name: str
    tier: Tier
    left: float
    cap: float  # the longest single call
    wait: float = 600.0  # until there is more, as a refusal says
    reserved: float = 0.0  # by calls that run now

    @property
    def free(self) -> float:
        return max(self.left - self.reserved, 0.0)


@dataclass
class Worker:
    """A process of the app that holds a device. The time it began tells it from a later one with the same number."""

    pid: int
    task: tuple[str, int]  # cgroup and task id
    began: str = field(init=False)

    def __post_init__(self) -> None:
        self.began = _began(self.pid)

    @property
    def alive(self) -> bool:
        return bool(self.began) and _began(self.pid) == self.began

    def end(self, how: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, how)


def _began(pid: int) -> str:
    """When this process began, in the kernel's ticks; empty when it is gone or only waits to be buried."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if about[0] in "ZX" else about[19]


@dataclass
class Device:
    index: int
    uuid: str
    call: "Call | None" = None
    worker: Worker | None = None  # the one that runs the call, or waits for the next


@dataclass
class Call:
    """One granted call. `asked` is quota seconds, `lasts` the real seconds it may take."""

    visitor: Visitor
    task: tuple[str, int]
    device: Device
    asked: float
    lasts: float
    idle: bool  # given to a worker that was there already
    began: float
    pid: int | None = None
    ended: End | None = None
    used: float = 0.0  # real seconds
    charged: float = 0.0  # quota seconds
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)


@dataclass(frozen=True)
class Refusal(Exception):
    """Why a call is not granted, in the words of the client's headers."""

    result: Literal["quota-exceeded", "illegal-duration", "runs-exceeded", "pending-overquota-exceeded"]
    left: int
    wait: float


@dataclass
class Wait:
    """A wait in the queue that a test asked for: pings, then the end."""

    pings: int
    then: Literal["succeeded", "failed", "cut"] = "succeeded"
    reason: Reason = "node"


@dataclass
class Asked:
    """One line of the log. Tokens are left out; `call` is the number of the call it is about, in `calls`."""

    method: str
    path: str
    params: dict[str, str]
    user: str | None  # None: nobody's token was there
    answer: str = ""
    call: int | None = None

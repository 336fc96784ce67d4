"""Minutes of a shared graphics card: how many a person has, how many are left, and what the scheduler says about it.

The scheduler tells what is left only when it refuses. Until then the published daily minutes count, less what was
measured here. Source of the figures: https://huggingface.co/docs/hub/spaces-zerogpu (August 2026).
"""

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

DAY: Final = 86_400.0
Tier = Literal["visitor", "free", "pro"]
UNKNOWN: Final = (0.0, math.inf)  # longest call granted, shortest refused
DAILY_SECONDS: Final[dict[Tier, float]] = {"visitor": 120.0, "free": 300.0, "pro": 2400.0}
LONGEST_SECONDS: Final = 600.0  # shorter wishes are served sooner, and beyond this loading hardly weighs
ASK_AGAIN_SECONDS: Final = 3600.0  # after a refusal that does not say when there is more
SHORTEST_SECONDS: Final = 20.0  # less is eaten up by loading and saving


@dataclass(frozen=True)
class Left:
    """Seconds of quota a person has now. `told`: by the scheduler itself, and not by our own count."""

    seconds: float
    of: float
    told: bool = False

    @property
    def words(self) -> str:
        about = "" if self.told else "about "
        return f"{about}{_minutes(self.seconds)} of {_minutes(self.of)} minutes are left today"


@dataclass(frozen=True)
class Refusal:
    """Why the scheduler gave no card. `left` and `wait` are in seconds, where it told them."""

    kind: Literal["quota", "too long", "busy", "expired", "taken away", "visitor left", "no answer"]
    left: float | None = None
    wait: float | None = None

    @classmethod
    def of(cls, error: Exception) -> "Refusal":
        """Read an error of the `spaces` client: a gradio error with a title, or one of httpx's or its own."""
        title, message = str(getattr(error, "title", "")), str(getattr(error, "message", error))
        if "illegal duration" in title:
            return cls("too long")
        if "queue timeout" in title or "No GPU was available" in message or "pending credits" in title:
            return cls("busy")  # also where the title speaks of a quota: nobody waits in line without a pass
        if "quota exceeded" in title:
            return cls("quota", _number(LEFT, message), _wait(message))
        if "Expired" in message:
            return cls("expired")
        if "aborted" in message:
            return cls("taken away")
        if "closed by visitor" in message:
            return cls("visitor left")
        return cls("no answer")


@dataclass
class Quotas:
    """What each person has left. `used` tells the quota seconds a person had since a moment, by our own count.

    A second on the card counts as `factor` seconds of quota: it differs from card to card. Whether the scheduler lets a
    call run for what was asked or for `factor` times that is not published; we end by the shorter.
    """

    used: Callable[[str, float], float]
    factor: float = 1.0
    _told: dict[str, tuple[float, float, float]] = field(default_factory=dict)  # person → left, when, true until when
    _caps: dict[Tier, tuple[float, float]] = field(default_factory=dict)  # longest call granted, shortest refused
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self, person: str, tier: Tier) -> Left:
        now, daily = time.time(), DAILY_SECONDS[tier]
        with self._lock:
            told, at, until = self._told.get(person, (0.0, 0.0, 0.0))
        if now < until:
            return Left(max(0.0, told - self.used(person, at)), max(daily, told), told=True)
        return Left(max(0.0, daily - self.used(person, now - DAY)), daily)

    def longest(self, person: str, tier: Tier) -> float:
        """The longest call that makes sense to ask for now, in seconds on the card."""
        return min(self.left(person, tier).seconds / self.factor, self._cap(tier))

    def _cap(self, tier: Tier) -> float:
        """The limit lies between the longest call that was granted and the shortest refused: each halves the doubt."""
        granted, refused = self._caps.get(tier, UNKNOWN)
        if refused == math.inf:
            return LONGEST_SECONDS
        if refused - granted <= max(5.0, granted / 8):
            return granted
        middle = (granted + refused) / 2
        return middle if refused <= SHORTEST_SECONDS else max(middle, SHORTEST_SECONDS)

    def allows_nothing(self, tier: Tier) -> bool:
        """Is even the shortest useful call too long for the scheduler?"""
        return self._cap(tier) < SHORTEST_SECONDS

    def told(self, person: str, left: float, wait: float | None = None) -> None:
        """What a refusal said. It holds until there is to be more: in `wait` seconds, or else for an hour."""
        now = time.time()
        with self._lock:
            self._told[person] = (left, now, now + (wait or ASK_AGAIN_SECONDS))

    def too_long(self, tier: Tier, seconds: float) -> None:
        """A call of this length is never allowed; a shorter one may be, down to the shortest that is of any use."""
        granted, _ = self._caps.get(tier, UNKNOWN)
        self._caps[tier] = (granted if granted < seconds else 0.0, seconds)

    def granted(self, tier: Tier, seconds: float) -> None:
        """A call of this length was allowed."""
        granted, refused = self._caps.get(tier, UNKNOWN)
        self._caps[tier] = (max(granted, seconds), refused if refused > seconds else math.inf)

    def forget(self, person: str) -> None:
        """What was told may have changed: the next call asks anew."""
        with self._lock:
            self._told.pop(person, None)


LEFT = re.compile(r"vs\. (\d+)s left")
AGAIN = re.compile(r"Try again in (?:(\d+) days?, )?(\d+):(\d\d):(\d\d)")


def _number(pattern: re.Pattern[str], message: str) -> float | None:
    found = pattern.search(message)
    return float(found[1]) if found else None


def _wait(message: str) -> float | None:
    found = AGAIN.search(message)
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}".removesuffix(".0")

"""ZeroGPU: a card of Hugging Face, lent for minutes to whoever has the page open. A slice is one call of it.

What needs no card (download, tokens) is done before the call, by a child process on the Space's own processors. The
call loads the model, goes on from the newest save point, and saves before its time ends.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from facet.compute.backend import Capacity
from facet.compute.local import Local
from facet.compute.zero_quota import ASK_AGAIN_SECONDS, SHORTEST_SECONDS, Left, Quotas, Refusal, Tier
from facet.compute.zero_words import LEFT_THE_PAGE, cut_off, no_minutes, refused
from facet.errors import FacetError
from facet.identity import Grant
from facet.work import log
from facet.work.policy import append_unless_busy
from facet.work.task import Task

SAFETY_SECONDS: Final = 2.0  # between our own end and the scheduler's: a fork, and a busy machine
REPLY_SECONDS: Final = 90.0  # asked for a chat: loading, and some hundred words
MOST_WISHES: Final = 8  # in a row: a refusal tells what to ask for instead
MOST_REFUSALS: Final = 6  # in a row, before the person is asked
BUSY_SECONDS: Final = 10.0
CARD_GB: Final = 48.0  # half a card, the size that costs the quota once


class Ledger(Protocol):
    """Seconds of a device that people used, kept across restarts."""

    def note_use(self, person: str, device: str, seconds: float) -> None: ...

    def used(self, person: str, device: str, since: float) -> float: ...


def is_here() -> bool:
    """Is this a Space on ZeroGPU?"""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


@dataclass
class Zerogpu:
    """`before` fetches base models; `tier` says how many minutes a person's account has."""

    models: Path
    home: Path
    ledger: Ledger
    before: Callable[[Task], None] = lambda task: None
    tier: Callable[[Grant | None], Tier] = lambda grant: "visitor"
    unattended: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        from facet.compute import zero_calls  # imports `spaces`, which must come before anything that uses CUDA

        self.calls = zero_calls
        self.quotas = Quotas(lambda person, since: self.ledger.used(person, "zerogpu", since), _card_factor())
        self._leaving: set[Path] = set()
        self._refusals: dict[Path, int] = {}

    def preload(self) -> None:
        """Import the trainer once, before the page is served: every call inherits it."""
        self.calls.preload()

    def capacity(self, grant: Grant | None = None) -> Capacity:
        words = "a graphics card shared by everyone on Hugging Face (ZeroGPU), a few minutes a day"
        seconds = self.left(grant).seconds if grant else None
        return Capacity("cuda", words, CARD_GB, slice_seconds=seconds)

    def left(self, grant: Grant) -> Left:
        """What this person has left today."""
        return self.quotas.left(grant.person.key, self.tier(grant))

    def advance(self, task: Task, grant: Grant | None) -> Iterator[log.Event | None]:
        """One slice. Yields None while nothing new is known, so that a page that closes is noticed.

        Raises: `FacetError` about the starting model, before the call.
        """
        offset = task.events_file.stat().st_size if task.events_file.exists() else 0
        for event in self._slice(task, grant):
            for news, behind in log.read(task.events_file, offset):
                offset = behind
                yield news
            yield event
        yield from (news for news, _ in log.read(task.events_file, offset))

    def stop(self, task: Task, grant: Grant | None = None) -> None:
        """Ask the slice that is going on to save and end."""
        self._leaving.add(task.folder)

    # ---- one slice
    def _slice(self, task: Task, grant: Grant | None) -> Iterator[None]:
        self._leaving.discard(task.folder)
        yield from self._prepared(task)
        if log.progress_of(task.events_file).stage == "failed":
            return
        append_unless_busy(task, log.Staged(words="Waiting for a graphics card"))
        yield None
        for _ in range(MOST_WISHES):
            if self._is_called_off(task):
                return
            asked = self._wish(task, grant)
            if asked is None:
                return
            try:
                yield from self._on_card(task, grant, asked)
                self._refusals.pop(task.folder, None)
                return
            except FacetError:
                raise
            except Exception as error:
                if not self._again(task, grant, asked, Refusal.of(error)):
                    return

    def _prepared(self, task: Task) -> Iterator[None]:
        """The model is here and the tokens are made, by a child process that needs no card."""
        self.before(task)
        if any((task.folder / "tokens" / name).exists() for name in ("counts.json", "sizes.json")):
            return
        child = Local(self.models).begin(task, prepare=True)
        try:
            while child.poll() is None and task.folder not in self._leaving:
                yield None
                time.sleep(0.2)
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()

    def _is_called_off(self, task: Task) -> bool:
        """Did the person press “Pause”, or leave, before a card was asked for?"""
        if task.stop_asked() == "pause":
            return append_unless_busy(task, log.Paused(step=_step(task), words="Paused before the next step."))
        if task.folder in self._leaving:
            return append_unless_busy(task, log.Paused(step=_step(task), words=LEFT_THE_PAGE, out_of_time=True))
        return False

    def _wish(self, task: Task, grant: Grant | None) -> float | None:
        """Seconds to ask for; None when the task cannot have enough, and says until when it pauses."""
        seconds = self._affordable(grant)
        if seconds:
            return max(SHORTEST_SECONDS, min(seconds, self._need(task)))
        self._used_up(task, _key(grant), self.tier(grant), None)
        return None

    def _affordable(self, grant: Grant | None) -> float:
        """The longest call to ask for, 0 for none. Our own count never refuses: it may know less than the scheduler."""
        person, tier = _key(grant), self.tier(grant)
        longest = self.quotas.longest(person, tier)
        if longest >= SHORTEST_SECONDS:
            return longest
        known = self.quotas.left(person, tier).told or self.quotas.allows_nothing(tier)
        return 0.0 if known else SHORTEST_SECONDS

    def _need(self, task: Task) -> float:
        """What the rest of the work takes, with room for loading; infinite while nothing is known yet."""
        progress = log.progress_of(task.events_file)
        pace = self._pace(task)
        if not (progress.total_steps and pace):
            return float("inf")
        return 1.25 * pace * (progress.total_steps - progress.step) + 45.0

    def _pace(self, task: Task) -> float:
        """Seconds a step took on this card, by our own count of the last slices."""
        try:
            seconds, steps = (float(part) for part in (task.folder / "zero_pace").read_text().split())
        except (OSError, ValueError):
            return 0.0
        return seconds / steps if steps else 0.0

    def _on_card(self, task: Task, grant: Grant | None, seconds: float) -> Iterator[None]:
        """The call itself."""
        asked, granted = int(seconds), self.calls.Grant()
        places = (str(task.folder), str(self.models), str(self.home))
        call = self._call(grant, self.calls.slice_on_card(*places, asked, asked - SAFETY_SECONDS, granted))
        before = log.progress_of(task.events_file).step
        try:
            for over in call:
                self.quotas.granted(self.tier(grant), asked)
                if over or task.folder in self._leaving:
                    return
                yield None
        finally:
            call.close()
            if granted.at is not None:
                self._count(task, _key(grant), time.monotonic() - granted.at, before)

    def _call(self, grant: Grant | None, call: Iterator[Any]) -> Iterator[Any]:
        return self.calls.in_the_name_of(grant.context if grant else None, call)

    def _count(self, task: Task, person: str, seconds: float, before: int) -> None:
        self._spend(person, seconds)
        steps = log.progress_of(task.events_file).step - before
        if steps > 0:
            with contextlib.suppress(OSError):
                (task.folder / "zero_pace").write_text(f"{seconds} {steps}")

    def _spend(self, person: str, seconds: float) -> None:
        self.ledger.note_use(person, "zerogpu", seconds * self.quotas.factor)

    # ---- refusals
    def _again(self, task: Task, grant: Grant | None, asked: float, refusal: Refusal) -> bool:
        """Write down what a refusal means for the task. True when it is worth asking again at once."""
        person, tier = _key(grant), self.tier(grant)
        match refusal.kind:
            case "too long":
                self.quotas.too_long(tier, asked)
                return True
            case "quota" if refusal.left is not None:
                self.quotas.told(person, refusal.left, refusal.wait)
                if SHORTEST_SECONDS <= self.quotas.longest(person, tier) < asked:
                    return True
                self._used_up(task, person, tier, refusal.wait)
            case "quota":
                self._used_up(task, person, tier, refusal.wait)
            case "taken away":
                words = "The card was taken away before it could save; what came after the last save point is repeated."
                append_unless_busy(task, log.Interrupted(words=words))
            case "visitor left":
                append_unless_busy(task, log.Paused(step=_step(task), words=LEFT_THE_PAGE, out_of_time=True))
            case "expired":
                words = "The page's pass for a graphics card has run out. Reload the page, then press “Resume”."
                append_unless_busy(task, log.Paused(step=_step(task), words=words))
            case _:
                self._wait_for_card(task, refusal)
        return False

    def _used_up(self, task: Task, person: str, tier: Tier, wait: float | None) -> None:
        until = time.time() + (wait or ASK_AGAIN_SECONDS)
        left = self.quotas.left(person, tier)
        words = f"Your minutes on the graphics card are used up: {left.words}."
        if left.seconds >= SHORTEST_SECONDS * self.quotas.factor:  # no call at all is granted, whatever its length
            words = "Hugging Face gives you no more time on a graphics card for now."
        append_unless_busy(task, log.Paused(step=_step(task), words=words, until=until))

    def _wait_for_card(self, task: Task, refusal: Refusal) -> None:
        count = self._refusals[task.folder] = self._refusals.get(task.folder, 0) + 1
        if count >= MOST_REFUSALS:
            self._refusals.pop(task.folder)
            words = "No graphics card could be had, several times in a row. Press “Resume” to try again."
            append_unless_busy(task, log.Paused(step=_step(task), words=words))
            return
        reason = "All graphics cards are busy" if refusal.kind == "busy" else "The graphics cards did not answer"
        words = f"{reason}; it asks again by itself."
        until = time.time() + BUSY_SECONDS * count
        append_unless_busy(task, log.Paused(step=_step(task), words=words, out_of_time=True, until=until))

    # ---- chat
    def speak(self, request: dict[str, Any], grant: Grant | None) -> Iterator[dict[str, Any]]:
        """Answers of `facet.model.voice`, spoken on a card in one call.

        Raises: `CapacityError` when there are no minutes or no card, `AccessError` when the page must be reloaded, or
        the `FacetError` the voice reports.
        """
        person, tier = _key(grant), self.tier(grant)
        asked, granted = int(min(REPLY_SECONDS, self._affordable(grant))), self.calls.Grant()
        if not asked:
            raise no_minutes(self.quotas.left(person, tier))
        places = (request, str(self.home))
        call = self._call(grant, self.calls.reply_on_card(*places, asked, asked - SAFETY_SECONDS, granted))
        try:
            for answer in call:
                if "error" in answer:
                    raise FacetError.from_dict(answer["error"])
                if answer.get("over"):
                    return
                yield answer
            raise cut_off()
        except FacetError:
            raise
        except Exception as error:
            raise self._as_error(Refusal.of(error), person, tier) from None
        finally:
            call.close()
            if granted.at is not None:
                self._spend(person, time.monotonic() - granted.at)

    def _as_error(self, refusal: Refusal, person: str, tier: Tier) -> FacetError:
        if refusal.kind == "quota" and refusal.left is not None:
            self.quotas.told(person, refusal.left, refusal.wait)
        return refused(refusal, self.quotas.left(person, tier))


def _key(grant: Grant | None) -> str:
    return grant.person.key if grant else "nobody"


def _step(task: Task) -> int:
    return log.progress_of(task.events_file).step


def _card_factor() -> float:
    """Seconds the scheduler counts for one that is asked for: it differs from card to card."""
    from spaces.zero.config import get_config

    return float(get_config()["duration_factor"])

"""What is promised to whoever leaves their work here, in words, and whether it is kept just now."""

import time
from dataclasses import dataclass
from typing import Final

from facet.bucket.state import State
from facet.identity import Person

VISITORS: Final = "As a visitor you find it again for a day after your last visit, with this browser."
TAKE_IT: Final = "Publish or download what you want to keep."


@dataclass(frozen=True)
class Promise:
    words: str
    is_fine: bool = True


def promise(state: State, on_space: bool, person: Person | None = None) -> Promise:
    """`person` is who reads it: a visitor's work has an end of its own."""
    for_visitors = f" {VISITORS}" if on_space and person is not None and person.kind == "visitor" else ""
    if state.trouble:
        return Promise(_trouble(state, on_space) + for_visitors, False)
    if not state.bucket:
        words = (
            f"Everything is kept until this Space restarts, which it also does after it slept. {TAKE_IT}"
            if on_space
            else "Everything is kept on this computer until you delete it."
        )
        return Promise(words + for_visitors)
    where = "this Space's storage bucket" if on_space else f"the bucket at {state.bucket}"
    outlives = "also when it restarts" if on_space else "and on this computer"
    words = f"Kept on {where}, {outlives}; {_copied(state)}."
    return Promise(words + _unfinished(state) + for_visitors, state.is_fine)


def _trouble(state: State, on_space: bool) -> str:
    where = "this Space's storage bucket" if on_space else f"the bucket at {state.bucket}"
    since = f" since {_moment(state.since, state.failures)}" if state.since else ""
    what_now = (
        f"What is new since then is lost if this Space restarts. {TAKE_IT}"
        if on_space
        else "Everything is on this computer; the copies are tried again."
    )
    return f"Copies to {where} fail{since}: {state.trouble}. {what_now}{_unfinished(state)}"


def _unfinished(state: State) -> str:
    words = ""
    if state.left:
        words += f" {_things(state.left)} still being brought back."
    if state.failed:
        words += f" {_things(state.failed)} damaged on the bucket, or too large for this disk, and not here."
    if state.owed:
        words += " Something you deleted is still on the bucket; it goes as soon as the bucket answers,"
        words += " unless this Space restarts first."
    return words


def _things(count: int) -> str:
    return "One thing is" if count == 1 else f"{count:,} things are"


def _copied(state: State) -> str:
    """Words that stay true on a page that is left alone, unless something goes on."""
    if not state.waiting:
        return "all of it is there"
    return f"last copied {_ago(time.time() - state.last_copied)}" if state.last_copied else "it is being copied now"


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds ago"
    if seconds < 5400:
        return f"{round(seconds / 60)} minutes ago"
    return f"{round(seconds / 3600)} hours ago" if seconds < 129_600 else f"{round(seconds / 86_400)} days ago"


def _moment(when: float, times: int) -> str:
    tried = f", tried {times:,} times" if times > 1 else ""
    return time.strftime("%H:%M UTC", time.gmtime(when)) + f" ({_ago(time.time() - when)}{tried})"

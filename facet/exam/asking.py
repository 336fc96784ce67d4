"""Asking a judge one question: what comes back, what can go wrong, and how long we are patient. No network here."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from facet.errors import AccessError, CapacityError, FacetError, HubError, SettingError

TrialName = Literal["busy", "broken", "garbled", "key", "credit", "model", "request", "redirect", "address", "stopped"]
PASSING: Final = frozenset(["busy", "broken", "garbled"])
TRIES: Final = 5
LONGEST_WAIT: Final = 90.0  # seconds; whoever asks us to wait longer is asked again when the person comes back
FIRST_WAIT: Final = 1.0  # seconds; doubled after each failure
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Reply:
    """What a judge said. `refused`: its maker's filter, or the model itself, would not answer."""

    text: str
    refused: bool = False
    cut: bool = False  # it ran into the limit on its length
    tokens_in: int = 0  # 0 where nobody told
    tokens_out: int = 0


class Trial(Exception):
    """A question that got no reply. Carries no text of anybody: neither the question, nor the answer, nor a key."""

    def __init__(
        self, name: TrialName, status: int = 0, wait: float | None = None, cause: FacetError | None = None
    ) -> None:
        super().__init__(name, status)
        self.name, self.status, self.wait, self.cause = name, status, wait, cause

    @property
    def passes(self) -> bool:
        """Whether the same question may get a reply in a moment."""
        return self.name in PASSING and (self.wait is None or self.wait <= LONGEST_WAIT)


class Judge(Protocol):
    """Whoever can be asked. `at_once` questions may be on their way at the same time."""

    at_once: int

    def ask(self, messages: Messages, stop: threading.Event) -> Reply:
        """Raises: `Trial`, or a `FacetError` that says all."""
        ...

    def close(self) -> None: ...


def patiently(
    judge: Judge,
    messages: Messages,
    stop: threading.Event,
    pause: Callable[[float], object] | None = None,
    tries: int = TRIES,
) -> Reply:
    """Ask until there is a reply: after 1, 2, 4, 8 seconds and a little, or when the server says.

    Raises: `Trial` once patience is over or waiting does not help.
    """
    pause = stop.wait if pause is None else pause
    for attempt in range(tries):
        if stop.is_set():
            raise Trial("stopped")
        try:
            return judge.ask(messages, stop)
        except Trial as trial:
            once_more = trial.name != "garbled" or attempt == 0  # it was answered, and so it was paid for
            if not (trial.passes and once_more) or attempt == tries - 1:
                raise
            pause(_wait(trial, attempt))
    raise Trial("stopped")


def _wait(trial: Trial, attempt: int) -> float:
    """A little more than asked for, and not all at the same moment."""
    own = FIRST_WAIT * 2**attempt
    return max(trial.wait or 0.0, own) * random.uniform(1.0, 1.25)


def complaint(trial: Trial, provider: str) -> FacetError:
    """Why the judging stands still, in three sentences."""
    if trial.cause is not None:
        return trial.cause
    again = "What was judged is kept; press “Go on judging” and it continues there."
    answered = f"{provider} answered {trial.status}." if trial.status else f"{provider} gave no answer we can use."
    if trial.name == "key":
        return AccessError(
            "The judge does not accept the key.",
            answered,
            "Enter a valid one, or sign in again, then press “Go on judging”; what was judged is kept.",
        )
    if trial.name == "credit":
        return CapacityError("The judge wants to be paid first.", f"{answered} Your credit there is used up.", again)
    if trial.name == "busy":
        wait = f" It asks for {_minutes(trial.wait)}." if trial.wait else ""
        return CapacityError("The judge asks us to wait.", f"Too many questions came in a short time.{wait}", again)
    if trial.name == "model":
        return SettingError(
            "The judge does not know this model.",
            f"{answered} Its name may be misspelt, or not open to your account.",
            "Correct “Model of the judge” and press “Start judging” again.",
        )
    if trial.name == "request":
        return SettingError(
            "The judge does not take our question.",
            answered,
            "Try another model, or fewer words under “What counts”, and press “Start judging” again.",
        )
    if trial.name in ("redirect", "address"):
        return refused_address(trial.name)
    return HubError("The judge cannot be reached.", answered, again)


def in_vain(questions: int) -> CapacityError:
    """Why it stands still although there were answers."""
    return CapacityError(
        "The judge gives no answers that can be used.",
        f"{questions} in a row could not be read, or were refusals; more would only cost time or money.",
        "Choose a stronger judge and press “Start judging”, or press “Go on judging” to try the rest.",
    )


def refused_address(name: TrialName) -> SettingError:
    if name == "redirect":
        return SettingError(
            "The judge's server sends us elsewhere.",
            "Such a redirect could carry your texts and your key to somebody else, so it is not followed.",
            "Enter the address it leads to, if you trust that.",
        )
    return SettingError(
        "This address is not open to Facet.",
        "On a shared machine only public addresses of the judges on the list are reached.",
        "Choose another judge.",
    )


def _minutes(seconds: float | None) -> str:
    seconds = seconds or 0.0
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"

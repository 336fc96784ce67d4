"""Minutes of lent cards: what the scheduler's words mean, and how long a call may be asked for."""

import time

import pytest

from facet.compute.zero_quota import DAILY_SECONDS, SHORTEST_SECONDS, Quotas, Refusal


class Told(Exception):
    """The shape of an error of the `spaces` client."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(message)
        self.title, self.message = title, message


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (
            Told("ZeroGPU quota exceeded", "You have exceeded your free ZeroGPU quota (90s requested vs. 61s left). Try again in 1:10:05. "),  # noqa: E501
            Refusal("quota", 61.0, 4205.0),
        ),
        (Told("ZeroGPU quota exceeded", "… (9s requested vs. 0s left). Try again in 2 days, 0:00:01."), Refusal("quota", 0.0, 172_801.0)),  # noqa: E501
        (Told("ZeroGPU quota exceeded", "Space app has reached its GPU limit."), Refusal("quota")),
        (Told("ZeroGPU quota exceeded", "You have exceeded your ZeroGPU runs limit. "), Refusal("quota")),
        (Told("ZeroGPU pending credits exceeded", "You have too many …"), Refusal("busy")),
        (Told("ZeroGPU quota exceeded", "No GPU was available after 60s. Try re-running …"), Refusal("busy")),
        (Told("ZeroGPU illegal duration", "The requested GPU duration (300s) is larger …"), Refusal("too long")),
        (Told("ZeroGPU queue timeout", "No GPU was available after 60s. Retry later"), Refusal("busy")),
        (Told("ZeroGPU client error", "No GPU was available"), Refusal("busy")),
        (Told("ZeroGPU client error", "Expired ZeroGPU proxy token"), Refusal("expired")),
        (Told("ZeroGPU worker error", "GPU task aborted"), Refusal("taken away")),
        (RuntimeError("Connection closed by visitor while queueing"), Refusal("visitor left")),
        (ConnectionError("Server disconnected without sending a response."), Refusal("no answer")),
    ],
)  # fmt: skip
def test_every_answer_of_the_scheduler_is_understood(error, refusal):
    assert Refusal.of(error) == refusal


def test_until_the_scheduler_tells_the_published_minutes_count_less_what_was_used_here():
    used = {"ann": 100.0}
    quotas = Quotas(lambda person, since: used.get(person, 0.0))
    assert quotas.left("ann", "free").seconds == DAILY_SECONDS["free"] - 100
    assert quotas.left("bob", "visitor").words == "about 2 of 2 minutes are left today"


def test_what_the_scheduler_told_wins_and_shrinks_with_use():
    spent = [(0.0, 50.0)]  # when, how many seconds: before it told
    quotas = Quotas(lambda person, since: sum(seconds for at, seconds in spent if at >= since))
    quotas.told("ann", 80.0)
    assert quotas.left("ann", "free").words == "1.3 of 5 minutes are left today"
    spent.append((time.time() + 1, 30.0))
    assert quotas.left("ann", "free").seconds == 50.0 and quotas.left("ann", "free").told


def test_a_dearer_card_makes_calls_shorter():
    assert Quotas(lambda *_: 0.0, factor=1.5).longest("ann", "free") == 200.0


@pytest.mark.parametrize("limit", [20, 25, 60, 120, 300, 480])
def test_the_longest_call_that_is_allowed_is_found_in_a_few(limit):
    quotas, refusals = Quotas(lambda *_: 0.0), 0
    for _ in range(12):
        asked = int(quotas.longest("ann", "pro"))
        if asked > limit:
            quotas.too_long("pro", asked)
            refusals += 1
        else:
            quotas.granted("pro", asked)
    assert 0.8 * limit <= quotas.longest("ann", "pro") <= limit
    assert refusals <= 8


def test_a_scheduler_that_allows_nothing_useful_is_not_asked_for_ever():
    quotas = Quotas(lambda *_: 0.0)
    for _ in range(8):
        asked = quotas.longest("ann", "pro")
        quotas.too_long("pro", asked)
    assert quotas.longest("ann", "pro") < SHORTEST_SECONDS


def test_what_was_told_holds_until_there_is_to_be_more_and_not_longer(monkeypatch):
    quotas, now = Quotas(lambda *_: 0.0), time.time()
    quotas.told("ann", 0.0, 1800.0)
    quotas.told("bob", 0.0)
    monkeypatch.setattr(time, "time", lambda: now + 1801)
    assert quotas.left("ann", "free").seconds == DAILY_SECONDS["free"]
    assert quotas.left("bob", "free").seconds == 0.0
    quotas.forget("bob")
    assert not quotas.left("bob", "free").told

"""Without training: would better instructions, or a few examples before the question, do as well?

Every way is tried on validation, and the best is confirmed on the exam, beside the untouched and the tuned model.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from facet.dataset.conversation import Conversation, Example
from facet.errors import DataError, SettingError
from facet.exam import scores
from facet.exam.metrics import METRICS, written
from facet.exam.outcome import UNTOUCHED, Contestant, ExamType, Outcome, Scored, Verdict
from facet.exam.shots import MOST_SHOTS, chosen_shots

MOST_WAYS = 12  # beside the untouched model: each answers all of validation
MOST_CHARACTERS = 4_000  # of standing instructions
CHOSEN_ON, CONFIRMED_ON = "validation", "exam"


def variants(
    base: Mapping[str, Any],
    examples: Sequence[Example],
    type: ExamType,
    system: Sequence[str],
    shots: Sequence[int],
) -> list[Contestant]:
    """The untouched model first, then it with each instruction, each number of examples, and both together.

    base: `BaseSource.as_dict()`. examples: of the train part. system, shots: what to try; empty texts and 0 examples
    are what is tried anyhow.
    Raises: `SettingError` for nothing, too much or too many; `DataError` for too few examples.
    """
    said = _instructions(system)
    shown = {count: chosen_shots(examples, type, count) for count in _counts(shots)}
    ways = (1 + len(said)) * (1 + len(shown)) - 1
    if not ways:
        raise SettingError(
            "There is nothing to try.",
            "Without instructions and without examples it is the untouched model.",
            "Write instructions, or choose how many examples to show.",
        )
    if ways > MOST_WAYS:
        raise SettingError(
            "That is too much to try at once.",
            f"Every instruction with every number of examples makes {ways} ways, and {MOST_WAYS} fit into one test.",
            "Try fewer instructions, or fewer numbers of examples.",
        )
    for count, found in shown.items():
        _check_enough(count, found)
    return [
        Contestant(_name(text, said, len(example)), dict(base), system=text, shots=example)
        for text, example in product(["", *said], [(), *shown.values()])
    ]


def _instructions(system: Sequence[str]) -> list[str]:
    whole = (text.encode("utf-8", "replace").decode("utf-8").strip() for text in system)  # no halves of letters
    said = list(dict.fromkeys(text for text in whole if text))
    for text in said:
        if len(text) > MOST_CHARACTERS:
            raise SettingError(
                "These instructions are too long.",
                f"They have {len(text):,} characters, and {MOST_CHARACTERS:,} are allowed.",
                "Shorten them.",
            )
    return said


def _counts(shots: Sequence[int]) -> list[int]:
    for count in shots:
        if type(count) is not int or not 0 <= count <= MOST_SHOTS:
            raise SettingError(
                "That many examples cannot be shown.",
                f"{count!r} is not a whole number from 1 to {MOST_SHOTS}.",
                "Choose a smaller number.",
            )
    return sorted({count for count in shots if count})


def _check_enough(count: int, found: tuple[Conversation, ...]) -> None:
    if len(found) < count:
        raise DataError(
            f"There are no {count} examples to show.",
            f"Only {len(found)} of the train part are a single short question with its answer.",
            "Choose a smaller number of examples.",
        )


def _name(text: str, said: Sequence[str], shown: int) -> str:
    """As people see it: "Untouched with instructions 2 and 3 examples"."""
    which = f" {said.index(text) + 1}" if text and len(said) > 1 else ""
    parts = [f"instructions{which}"] if text else []
    parts += [f"{shown} example{'s' if shown > 1 else ''}"] if shown else []
    return f"{UNTOUCHED} with {' and '.join(parts)}" if parts else UNTOUCHED


def choose(outcome: Outcome) -> str:
    """Key of the way that did best on validation; of equals the one that says least before the question.

    Models with an adapter do not take part.
    """
    part = outcome.parts.get(CHOSEN_ON) or next(iter(outcome.parts.values()))
    ways = [key for key in part if not outcome.contestants[key].adapter]
    return max(ways, key=lambda key: (round(_worth(outcome, part[key]), 9), -_said(outcome.contestants[key])))


def _worth(outcome: Outcome, scored: Scored) -> float:
    """The metric that verdicts rest on, turned so that more is better."""
    metric = scores.main(outcome.type)
    if metric not in scored.metrics:
        return -scored.loss
    return scored.metrics[metric] if METRICS[metric].higher_is_better else -scored.metrics[metric]


def _said(contestant: Contestant) -> int:
    """Characters before the question: they cost time and money with every question."""
    return len(contestant.system) + sum(len(turn["content"]) for shot in contestant.shots for turn in shot)


# ---- what came of it
def notes(outcome: Outcome) -> list[str]:
    """What came of it, the conclusion first: against the tuned model where there is one, and confirmed on the exam."""
    untouched = next((key for key, one in outcome.contestants.items() if one.is_untouched), "")
    tuned = [key for key, one in outcome.contestants.items() if one.adapter]
    tried = len(outcome.contestants) - len(tuned) - 1
    if outcome.chosen == untouched:
        ways = f"None of the {tried} ways to ask it without training did"
        if tried == 1:
            ways = "The one way to ask it without training did not do"
        found = [f"{ways} better on validation than the untouched model as it is."]
    else:
        found = [_confirmed(outcome, untouched), _best(outcome, tried)]
    return [_beside_tuned(outcome, key) for key in tuned if CONFIRMED_ON in outcome.parts] + found


def _best(outcome: Outcome, tried: int) -> str:
    name = outcome.contestants[outcome.chosen].name
    if tried < 2:
        return f"{name} did better on validation than the untouched model as it is: {_value(outcome, CHOSEN_ON)}."
    return (
        f"Of {tried} ways without training, {name} did best on validation: {_value(outcome, CHOSEN_ON)}. The best of "
        "several looks a little better there than it is, so believe the exam."
    )


def _value(outcome: Outcome, part: str) -> str:
    metric = scores.main(outcome.type)
    scored = outcome.parts[part][outcome.chosen]
    if metric not in scored.metrics:
        return f"loss {scored.loss:.2f}"
    return f"{METRICS[metric].label.lower()} {written(metric, scored.metrics[metric])}"


def _confirmed(outcome: Outcome, untouched: str) -> str:
    name = outcome.contestants[outcome.chosen].name
    if CONFIRMED_ON not in outcome.parts:
        return f"There is no exam part, so it is not confirmed that {name} does better."
    match _compared(outcome, untouched, outcome.chosen):
        case "better":
            return f"On the exam, {name} is better than the untouched model as it is, without any training."
        case "worse":
            return f"The exam does not confirm it: there {name} is worse than the untouched model as it is."
    return f"On the exam, {name} and the untouched model as it is cannot be told apart."


def _beside_tuned(outcome: Outcome, tuned: str) -> str:
    """Was the training worth it?"""
    name, way = outcome.contestants[tuned].name, outcome.contestants[outcome.chosen].name
    match _compared(outcome, outcome.chosen, tuned):
        case "better":
            return f"Training was worth it: on the exam {name} is better than {way}, the best way without training."
        case "worse":
            return f"{way} wins: on the exam it is better than {name}, and needs no training."
    if outcome.contestants[outcome.chosen].is_untouched:
        return f"On the exam, {name} and the untouched model as it is cannot be told apart."
    return (
        f"On the exam, {way} and {name} cannot be told apart. A prompt may do: it needs no training, but more word "
        "pieces with every question."
    )


def _compared(outcome: Outcome, a: str, b: str) -> str:
    """Is `b` better than `a` on the exam? Whichever way round the verdict was given."""
    for verdict in outcome.verdicts:
        if verdict.part == CONFIRMED_ON and {verdict.a, verdict.b} == {a, b}:
            return verdict.better if verdict.b == b else _turned(verdict)
    return "cannot_tell"


def _turned(verdict: Verdict) -> str:
    return {"better": "worse", "worse": "better"}.get(verdict.better, verdict.better)

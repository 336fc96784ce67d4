"""A verdict as one sentence with its numbers, saying no more than they say."""

import math

from facet.exam.metric_words import METRICS, written
from facet.exam.outcome import UNTOUCHED, Verdict

_MOST_NEEDED = 10_000
_FOUND_FOUR_TIMES_IN_FIVE = (1.96 + 0.84) / 1.96  # normal quantiles of 5 % two-sided and of 80 % power


def sentence(verdict: Verdict, a: str, b: str, averages: tuple[float, float], right_or_wrong: bool) -> str:
    """`a` and `b` are the names of the contestants, `averages` what each scored on the questions both answered."""
    rows = verdict.wins + verdict.losses + verdict.ties
    a, b = _called(a), _called(b)
    if not rows:
        return f"We cannot tell whether {b} is better than {a}: there is no question on which both were scored."
    if rows == verdict.ties:
        return f"We cannot tell {b} and {a} apart: {_alike(rows, averages, right_or_wrong)}."
    evidence = _counted(verdict, rows) if right_or_wrong else _averaged(verdict, averages, rows)
    if verdict.better == "cannot_tell":
        doubt = f"{_chance(verdict)}{_hint(verdict, rows)}"
        return f"We cannot tell whether {b} is better than {a}: {evidence}, which {doubt}."
    b = b.replace("the untouched model", "The untouched model", 1) if b == _called(UNTOUCHED) else b
    return f"{b} is {verdict.better} than {a}: {evidence}, which {_chance(verdict)}."


def _called(name: str) -> str:
    """A model's name within a sentence."""
    return "the untouched model" if name == UNTOUCHED else name


def _all(rows: int) -> str:
    return "the one question" if rows == 1 else f"all {rows:,} questions"


def _alike(rows: int, averages: tuple[float, float], right_or_wrong: bool) -> str:
    """Equally well is not well: where neither got anything right, that is what there is to know."""
    if not right_or_wrong:
        return f"they did equally well on {_all(rows)}"
    if not max(averages):
        return f"neither got {'the one question' if rows == 1 else f'any of the {rows:,} questions'} right"
    if min(averages) == 1:
        return f"both got {_all(rows)} right"
    return f"both got the same {round(averages[0] * rows):,} of {rows:,} questions right"


def _counted(verdict: Verdict, rows: int) -> str:
    """The larger number first: "better on 14 of 20 questions, worse on 2"."""
    of = f" of {rows:,} question{'s' if rows != 1 else ''}"
    if verdict.losses > verdict.wins:
        return f"worse on {verdict.losses:,}{of}, better on {verdict.wins:,}"
    return f"better on {verdict.wins:,}{of}, worse on {verdict.losses:,}"


def _averaged(verdict: Verdict, averages: tuple[float, float], rows: int) -> str:
    label = METRICS[verdict.metric].label.lower() if verdict.metric in METRICS else verdict.metric
    before, after = (written(verdict.metric, value) for value in averages)
    return f"“{label}” is {after} instead of {before} on average, {_counted(verdict, rows)}"


def _chance(verdict: Verdict) -> str:
    steps = ((0.001, "is almost certainly not chance"), (0.01, "is very unlikely to be chance"))
    if verdict.better == "cannot_tell":
        words = "may well be chance" if verdict.p > 0.2 else "may be chance"
    else:
        words = next((words for most, words in steps if verdict.p <= most), "is unlikely to be chance")
    corrected = f", corrected for {verdict.comparisons} comparisons" if verdict.comparisons > 1 else ""
    return f"{words} ({_p(verdict.p)}{corrected})"


def _p(p: float) -> str:
    """Two digits, and one more where two would hide on which side of 5 % it lies."""
    return "p < 0.0001" if p < 0.0001 else f"p = {p:.3g}" if 0.045 < p < 0.055 else f"p = {p:.2g}"


def _hint(verdict: Verdict, rows: int) -> str:
    """What would settle it, where a number of questions can be named."""
    fewest = 1 + math.ceil(math.log2(verdict.comparisons / 0.05))
    if rows < fewest:
        return f"; {rows} {'is' if rows == 1 else 'are'} too few for any verdict, at least {fewest} are needed"
    needed = _needed(verdict, rows)
    return f"; if the difference is real, about {needed:,} questions would show it" if needed else ""


def _needed(verdict: Verdict, rows: int) -> int:
    """Questions with which a difference of this size is found four times in five, to two digits; 0 if out of reach.

    The interval shrinks with the root of their number.
    """
    half = (verdict.high - verdict.low) / 2
    if not verdict.difference or rows * (half / verdict.difference) ** 2 > _MOST_NEEDED:
        return 0
    needed = rows * (half / verdict.difference * _FOUND_FOUR_TIMES_IN_FIVE) ** 2
    size = 10 ** max(0, len(str(int(needed))) - 2)
    return math.ceil(needed / size) * size if rows < needed else 0

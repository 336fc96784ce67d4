"""What a judge found, in numbers and sentences: scores, wins, how far it agrees with itself, what it would not say."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facet.exam import verdict
from facet.exam.assignment import Assignment
from facet.exam.judge import Judgement, Judgements
from facet.exam.outcome import ExamType, Verdict

FEWEST = 2  # questions a verdict needs
STEADY = 0.7  # of the questions asked twice; below, a judge is too unsteady to be believed
SPEAKS_OF: ExamType = ExamType("text", reason="A judge read the answers.")


@dataclass(frozen=True)
class Marks:
    """One contestant's scores, from 1 to 10."""

    name: str
    judged: int
    mean: float | None  # None where nothing was judged
    unparsable: int
    refused: int


@dataclass(frozen=True)
class Duel:
    """Two contestants, question by question. A question counts only where both orders were judged."""

    a: str
    b: str
    wins: int  # of b, in both orders
    losses: int
    ties: int  # said in both orders
    flips: int  # the order decided; they count as ties
    unusable: int  # in at least one order nothing could be read


@dataclass(frozen=True)
class Agreement:
    """How often the judge said the same when it was asked twice: in another order, or in another wording."""

    asked: int
    same: int
    near: int  # of scores: at most 1 apart
    first: int  # of flips of pairs: it named the answer that stood first, twice

    @property
    def share(self) -> float | None:
        return None if not self.asked else (self.near or self.same) / self.asked


@dataclass(frozen=True)
class Judged:
    """`done` of `of` questions to the judge are answered; the rest are still to come."""

    assignment: Assignment
    done: int
    of: int
    unparsable: int
    refused: int
    tokens_in: int
    tokens_out: int
    agreement: Agreement
    marks: dict[str, Marks] = field(default_factory=dict)
    duels: list[Duel] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def summary(folder: Path) -> Judged:
    """Of what is there so far. Raises: see `Assignment.read`."""
    assignment = Assignment.read(folder)
    found = {each.call: each for each in Judgements(folder).read()}
    calls = assignment.calls()
    of_calls = [found[call.id] for call in calls if call.id in found]
    scored = assignment.mode == "score"
    agreement = _agreement_of_scores(of_calls) if scored else _agreement_of_pairs(of_calls)
    duels = [] if scored else [_duel(of_calls, a, b) for a, b in assignment.pairs]
    made = Judged(
        assignment,
        done=len(of_calls),
        of=len(calls),
        unparsable=sum(each.status == "unparsable" for each in of_calls),
        refused=sum(each.status == "refused" for each in of_calls),
        tokens_in=sum(each.tokens_in for each in of_calls),
        tokens_out=sum(each.tokens_out for each in of_calls),
        agreement=agreement,
        marks={key: _marks(of_calls, key, name) for key, name in assignment.names.items()} if scored else {},
        duels=duels,
        verdicts=list(_verdicts(assignment, of_calls)),
    )
    made.notes.extend(_notes(made))
    return made


def newest_done(exam: Path) -> Judged | None:
    """Of a test's folder: what its newest judge found that has answered every question."""
    files = sorted(exam.glob("judge/*/assignment.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # one that is being deleted
            judged = summary(file.parent)
            if judged.of and judged.done == judged.of:
                return judged
    return None


def _marks(found: Iterable[Judgement], key: str, name: str) -> Marks:
    own = [each for each in found if each.a == key and each.wording == 0]
    scores = [each.score for each in own if each.score is not None]
    return Marks(
        name,
        len(scores),
        sum(scores) / len(scores) if scores else None,
        sum(each.status == "unparsable" for each in own),
        sum(each.status == "refused" for each in own),
    )


def _both_orders(found: Iterable[Judgement], a: str, b: str) -> list[tuple[Judgement, Judgement]]:
    by_row: dict[int, dict[str, Judgement]] = defaultdict(dict)
    for each in found:
        if (each.a, each.b) == (a, b):
            by_row[each.row][each.first] = each
    return [(orders[a], orders[b]) for orders in by_row.values() if a in orders and b in orders]


def _duel(found: Sequence[Judgement], a: str, b: str) -> Duel:
    both = _both_orders(found, a, b)
    usable = [(one.better, other.better) for one, other in both if one.better and other.better]
    same = [one for one, other in usable if one == other]
    return Duel(a, b, same.count(b), same.count(a), same.count("tie"), len(usable) - len(same), len(both) - len(usable))


def _agreement_of_pairs(found: Sequence[Judgement]) -> Agreement:
    pairs = dict.fromkeys((each.a, each.b) for each in found)
    usable = [(one, other) for a, b in pairs for one, other in _both_orders(found, a, b) if one.better and other.better]
    same = sum(one.better == other.better for one, other in usable)
    first = sum(one.better == one.first and other.better == other.first for one, other in usable)
    return Agreement(len(usable), same, 0, first)


def _agreement_of_scores(found: Sequence[Judgement]) -> Agreement:
    once = {(each.row, each.a): each.score for each in found if each.wording == 0 and each.score is not None}
    twice = {(each.row, each.a): each.score for each in found if each.wording == 1 and each.score is not None}
    apart = [abs(once[place] - score) for place, score in twice.items() if place in once]
    return Agreement(len(apart), sum(gap == 0 for gap in apart), sum(gap <= 1 for gap in apart), 0)


def _verdicts(assignment: Assignment, found: Sequence[Judgement]) -> Iterable[Verdict]:
    for a, b in assignment.pairs:
        if assignment.mode == "pairs":
            usable = [(x.better, y.better) for x, y in _both_orders(found, a, b) if x.better and y.better]
            agreed = [one if one == other else "tie" for one, other in usable]
            metric = "judge_prefers"
            a_scores, b_scores = ([{metric: float(one == key)} for one in agreed] for key in (a, b))
        else:
            metric = "judge_score"
            of_a, of_b = (_scores(found, key) for key in (a, b))
            rows = [row for row in of_a if row in of_b]
            a_scores, b_scores = ([{metric: scores[row]} for row in rows] for scores in (of_a, of_b))
        if len(a_scores) >= FEWEST:
            yield verdict.compare(
                SPEAKS_OF,
                assignment.part,
                a,
                b,
                assignment.names,
                a_scores,
                b_scores,
                len(assignment.pairs),
                metric=metric,
            )


def _scores(found: Iterable[Judgement], key: str) -> dict[int, float]:
    own = (each for each in found if each.a == key and each.wording == 0)
    return {each.row: each.score for each in own if each.score is not None}


def agreement_words(judged: Judged) -> str:
    """How far it agrees with itself, as one sentence."""
    found = judged.agreement
    if not found.asked:
        return "Whether the judge agrees with itself is not known yet."
    percent = f"{100 * (found.share or 0):.0f} %"
    if judged.assignment.mode == "score":
        return (
            f"Asked again in another wording, the judge gave the same score to {found.same} of {found.asked} answers, "
            f"and one at most 1 point away to {found.near} ({percent})."
        )
    flips = found.asked - found.same
    ties = f"; the other {flips} count as ties" if flips else ""
    lean = f" In {found.first} of them it took the answer that stood first." if found.first > flips / 2 else ""
    return (
        f"Asked in both orders, the judge said the same of {found.same} of {found.asked} pairs ({percent}){ties}.{lean}"
    )


def _notes(judged: Judged) -> Iterable[str]:
    """Sentences a person should read before they believe the verdict."""
    share, nobody = judged.agreement.share, judged.unparsable + judged.refused
    if share is not None and judged.agreement.asked >= 5 and share < STEADY:
        yield "The judge contradicts itself often. Take a stronger one, or say more clearly what counts."
    if judged.done and nobody == judged.done:
        yield "Not one of its answers was a judgement: this model cannot judge. Choose a larger one as the judge."
    if nobody:
        yield (
            f"{judged.unparsable:,} answers of the judge could not be read and {judged.refused:,} times it refused; "
            "these questions are left out, and nobody got a zero for them."
        )
    if judged.assignment.judges_itself:
        yield "The judge took part in the test itself. Models tend to like their own answers."

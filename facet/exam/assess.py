"""From answers on disk to what a test found: scores, verdicts, lights and notes. No torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from facet.exam import general, metrics, scores, verdict, without
from facet.exam.answers import GENERAL, all_answers
from facet.exam.contest import by_base
from facet.exam.outcome import Answer, Contestant, Example, General, Light, Outcome, Question, Scored, Verdict
from facet.exam.plan import Plan, questions_by_part
from facet.exam.similar import distances, read_similarities

ALL_PAIRS_UP_TO = 4  # contestants; with more each is compared with the first alone
CUT_SHARE = 0.1  # of the answers: from here on a note says that they were cut
Scores = dict[str, list[dict[str, float]]]  # by contestant, in the order of the questions


@dataclass(frozen=True)
class Marked:
    """One part: what everybody answered, and what it is worth. Lists are in the order of the questions."""

    questions: list[Question]
    answers: dict[str, list[Answer]]
    scores: Scores


def marked(folder: Path, plan: Plan, part: str, keys: Sequence[str]) -> Marked:
    """Raises: `KeyError` when somebody has not answered yet."""
    questions = questions_by_part(folder).get(part, [])
    answers, given_scores = {}, {}
    for key in keys:
        given, alike = all_answers(folder, part, key), read_similarities(folder, part, key)
        answers[key] = [replace(given[q.row], similarity=alike.get(q.row)) for q in questions]
        pairs = zip(questions, answers[key], strict=True)
        given_scores[key] = [scores.score(plan.type, question, answer) for question, answer in pairs]
    return Marked(questions, answers, given_scores)


def outcome(folder: Path, plan: Plan, sat: Mapping[str, Sequence[Contestant]], chosen: str = "") -> Outcome:
    """What was found so far. `sat` says who answered which part; the first is whom the others are compared with."""
    contestants = {one.key: one for group in sat.values() for one in group}
    parts: dict[str, dict[str, Scored]] = {}
    verdicts: list[Verdict] = []
    notes = list(plan.notes)
    for part, group in sat.items():
        one = marked(folder, plan, part, [contestant.key for contestant in group])
        parts[part] = {
            key: metrics.summarise(plan.type, one.questions, answers, one.scores[key])
            for key, answers in one.answers.items()
        }
        verdicts += _verdicts(plan, part, group, one.scores)
        notes += _cut_short(plan, part, group, one.answers)
    checked = _general(folder, list(contestants.values()))
    found = Outcome(
        type=plan.type,
        contestants=contestants,
        parts=parts,
        verdicts=verdicts,
        general=checked,
        lights=_lights(list(contestants.values()), checked),
        notes=notes,
        chosen=chosen,
        decoding=plan.decoding,
    )
    return replace(found, notes=[*notes, *without.notes(found)]) if chosen else found


def examples(folder: Path, plan: Plan, sat: Mapping[str, Sequence[Contestant]]) -> list[Example]:
    """Every question with all answers; first those on which the answers differ most."""
    metric, found = scores.main(plan.type), []
    for part, group in sat.items():
        one = marked(folder, plan, part, [contestant.key for contestant in group])
        for at, question in enumerate(one.questions):
            mine = {key: one.scores[key][at] for key in one.answers}
            counted = [score[metric] for score in mine.values() if metric in score]
            found.append(
                Example(
                    part=part,
                    row=question.row,
                    question=question.messages[-1]["content"] if question.messages else "",
                    expected=question.expected,
                    answers={key: answers[at].text for key, answers in one.answers.items()},
                    scores=mine,
                    disagreement=max(counted) - min(counted) if counted else 0.0,
                )
            )
    return sorted(found, key=lambda example: -example.disagreement)


def _verdicts(plan: Plan, part: str, group: Sequence[Contestant], given: Scores) -> list[Verdict]:
    names = {one.key: one.name for one in group}
    pairs = list(combinations(names, 2))
    if len(names) > ALL_PAIRS_UP_TO:
        pairs = [pair for pair in pairs if pair[0] == group[0].key]
    return [verdict.compare(plan.type, part, a, b, names, given[a], given[b], len(pairs)) for a, b in pairs]


def _cut_short(
    plan: Plan, part: str, group: Sequence[Contestant], answers: Mapping[str, Sequence[Answer]]
) -> list[str]:
    notes = []
    for contestant in group:
        mine = answers[contestant.key]
        cut = sum(answer.ended == "length" for answer in mine)
        if cut > CUT_SHARE * len(mine):
            notes.append(
                f"{cut:,} of the {len(mine):,} answers of {contestant.name} to the {part} part were cut after "
                f"{plan.decoding['max_new_tokens']} tokens."
            )
    return notes


# ---- the general check
def _general(folder: Path, contestants: Sequence[Contestant]) -> dict[str, General]:
    moved, found = distances(folder), {}
    for contestant in contestants:
        if answers := all_answers(folder, GENERAL, contestant.key):
            given = [answers[row] for row in sorted(answers)]
            found[contestant.key] = general.summarise(given, moved.get(contestant.key))
    return found


def _lights(contestants: Sequence[Contestant], checked: Mapping[str, General]) -> dict[str, Light]:
    lights: dict[str, Light] = {}
    for group in by_base(contestants):
        before = next((checked.get(one.key) for one in group if one.is_untouched), None)
        for one in group if before else ():
            if one.adapter and one.key in checked:
                lights[one.key] = general.light(before, checked[one.key])  # type: ignore[arg-type]
    return lights


def headline(found: Outcome) -> str:
    """The one sentence: what came of other ways to ask, the tuned model on the exam, or else what there is."""
    if found.chosen:
        return without.notes(found)[0]
    part = "exam" if "exam" in found.parts else next(iter(found.parts), "")
    mine = [one for one in found.verdicts if one.part == part]
    tuned = [one for one in mine if found.contestants[one.b].adapter]
    return (tuned or mine)[0].words if mine else _alone(found, part)


def _alone(found: Outcome, part: str) -> str:
    """One model by itself has nothing to be compared with."""
    scored: Any = next(iter(found.parts.get(part, {}).values()), None)
    name = next((one.name for one in found.contestants.values()), "")
    return f"{name} answered {scored.rows:,} questions of the {part} part." if scored else "Not measured yet."

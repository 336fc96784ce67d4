"""Tests that are over, made up: what a page shows of them does not depend on any model."""

import hashlib
import math
import random
from collections.abc import Sequence
from typing import Literal

from facet.exam.outcome import (
    Contestant,
    Example,
    ExamType,
    General,
    Light,
    Outcome,
    Scored,
    Verdict,
    write_examples,
    write_outcome,
)
from facet.identity import Person
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.work import log

STARTER = {"id": "starter", "revision": "starter"}
FEELINGS = ("anger", "fear", "joy", "love", "neutral", "sadness", "surprise")
FAMILIES = ("facts", "arithmetic", "format", "refusal", "small_talk", "german", "french", "spanish")
Made = tuple[Outcome, list[Example]]


def contestant(name: str, number: int) -> Contestant:
    """Number 0 is the untouched model."""
    return Contestant(name, STARTER, adapter="" if number == 0 else f"{number:064d}", run_id=f"run-{number}")


def classified(
    shares: Sequence[float] = (0.3, 0.85),
    names: Sequence[str] = ("Untouched", "Feelings"),
    labels: Sequence[str] = FEELINGS,
    rows: int = 60,
    seed: int = 1,
    part: str = "exam",
) -> Made:
    """Models that name the right label with these probabilities."""
    chance, contestants = random.Random(seed), [contestant(name, at) for at, name in enumerate(names)]
    right_ones = [labels[row % len(labels)] for row in range(rows)]
    answers = {
        one.key: [_answer(chance, right, labels, share, at) for right in right_ones]
        for at, (one, share) in enumerate(zip(contestants, shares, strict=True))
    }
    scores = {
        key: [float(said == right) for said, right in zip(all_, right_ones, strict=True)]
        for key, all_ in answers.items()
    }
    scored = {key: _scored(answers[key], right_ones, labels, share) for key, share in zip(scores, shares, strict=True)}
    keys = list(scores)
    verdicts = [_verdict(part, keys[0], key, scores, contestants, len(keys) - 1) for key in keys[1:]]
    type_ = ExamType("classification", tuple(labels), f"Every right answer is one of {len(labels)} labels.")
    outcome = Outcome(type_, {one.key: one for one in contestants}, {part: scored}, verdicts)
    examples = [
        Example(
            part,
            row,
            f"What do you feel when you read: “Row {row} of the story of the {['sea', 'fox', 'tower'][row % 3]}”?",
            right_ones[row],
            {key: all_[row] for key, all_ in answers.items()},
            {key: {"accuracy": all_[row]} for key, all_ in scores.items()},
            max(all_[row] for all_ in scores.values()) - min(all_[row] for all_ in scores.values()),
        )
        for row in range(rows)
    ]
    return outcome, sorted(examples, key=lambda each: -each.disagreement)


def _answer(chance: random.Random, right: str, labels: Sequence[str], share: float, at: int) -> str:
    if chance.random() < share:
        return right
    near = labels[(labels.index(right) + chance.choice((1, 1, 2, 3))) % len(labels)]
    return "I am not sure what you mean." if at == 0 and chance.random() < 0.3 else near


def _scored(said: Sequence[str], right: Sequence[str], labels: Sequence[str], share: float) -> Scored:
    matrix = [[0] * (len(labels) + 1) for _ in labels]
    for answer, wanted in zip(said, right, strict=True):
        matrix[labels.index(wanted)][labels.index(answer) if answer in labels else len(labels)] += 1
    accuracy = sum(answer == wanted for answer, wanted in zip(said, right, strict=True)) / len(right)
    metrics = {
        "accuracy": accuracy,
        "balanced_accuracy": accuracy,
        "macro_f1": accuracy * 0.97,
        "roc_auc": (1 + share) / 2,
    }
    bend = math.log(1 - min(0.97, (1 + share) / 2)) / math.log(0.5)
    rates = [step / 40 for step in range(41)]
    curves = {label: [[rate, 1 - (1 - rate) ** bend] for rate in rates] for label in labels}
    loss = 3.2 - 2.4 * share
    return Scored(len(right), loss, math.exp(loss), loss / math.log(2), 9 * len(right), metrics, matrix, curves)


def _verdict(part, a, b, scores, contestants, comparisons) -> Verdict:
    wins = sum(y > x for x, y in zip(scores[a], scores[b], strict=True))
    losses = sum(y < x for x, y in zip(scores[a], scores[b], strict=True))
    rows, moved = len(scores[a]), wins + losses
    tail = sum(math.comb(moved, k) for k in range(min(wins, losses) + 1)) / 2**moved if moved else 1.0
    p = min(1.0, 2 * tail * comparisons)
    difference = (wins - losses) / rows
    half = 1.96 * math.sqrt(max(1, moved - (wins - losses) ** 2 / rows)) / rows
    better: Literal["better", "worse", "cannot_tell"] = (
        "cannot_tell" if p > 0.05 else "better" if wins > losses else "worse"
    )
    names = {one.key: one.name for one in contestants}
    said = {"better": "is better than", "worse": "is worse than", "cannot_tell": "cannot be told from"}[better]
    words = (
        f"{names[b]} {said} {names[a]}: it answered {sum(scores[b]):.0f} of {rows} questions right, "
        f"{names[a]} {sum(scores[a]):.0f}."
    )
    return Verdict(
        part, a, b, "accuracy", better, wins, losses, rows - moved, difference, difference - half, difference + half,
        p, comparisons, words,
    )  # fmt: skip


def checked(made: Made, colour: Literal["green", "amber", "red"] = "green") -> Made:
    """The same, with the general questions asked as well."""
    outcome, examples = made
    loss = {"green": 0.0, "amber": 0.1, "red": 0.4}[colour]
    general, lights = {}, {}
    for key, one in outcome.contestants.items():
        share = 0.7 if one.is_untouched else 0.7 - loss
        general[key] = General(
            {name: share for name in FAMILIES},
            {name: 10 for name in FAMILIES},
            0.02,
            0.01,
            None if one.is_untouched else 0.12 + loss,
        )
        if not one.is_untouched:
            words = f"It answered {800 * share / 10:.0f} of 80 general questions right, before it was 56."
            lights[key] = Light(colour, words)
    return Outcome(**{**outcome.__dict__, "general": general, "lights": lights}), examples


def worded(rows: int = 40) -> Made:
    """Free text, where each answer has a score between 0 and 1."""
    chance, ones = random.Random(5), [contestant("Untouched", 0), contestant("Pirate", 1)]
    a, b = (one.key for one in ones)
    scores = {a: [chance.uniform(0.1, 0.4) for _ in range(rows)], b: [chance.uniform(0.2, 0.7) for _ in range(rows)]}
    mean = {key: sum(all_) / rows for key, all_ in scores.items()}
    difference, wins = mean[b] - mean[a], sum(y > x for x, y in zip(scores[a], scores[b], strict=True))
    words = f"Pirate is better than Untouched: {100 * mean[b]:.1f} against {100 * mean[a]:.1f} letters in common."
    ends = (difference, difference - 0.06, difference + 0.06)
    verdict = Verdict("exam", a, b, "chrf", "better", wins, rows - wins, 0, *ends, 0.0004, 1, words)
    scored = {
        key: Scored(rows, 2.0, 7.39, 2.9, 900, {"chrf": mean[key], "rouge1": mean[key] * 0.8, "similarity": 0.61})
        for key in (a, b)
    }
    examples = [
        Example(
            "exam", row, f"Who sails ship number {row}?", "Arr, me hearty, that be me!",
            {a: "It is the captain of the ship.", b: "Arr, that be me, matey! <b>Aye</b>"},
            {key: {"chrf": scores[key][row]} for key in (a, b)}, abs(scores[a][row] - scores[b][row]),
        )
        for row in range(rows)
    ]  # fmt: skip
    outcome = Outcome(
        ExamType("text", reason="The right answers are free text."),
        {one.key: one for one in ones},
        {"exam": scored},
        [verdict],
    )
    return outcome, sorted(examples, key=lambda each: -each.disagreement)


def finished_run(studio: Studio, person: Person, name: str = "Feelings") -> str:
    """A run that has a model, as far as lists and tests of it are concerned."""
    there = studio.datasets(person)
    dataset = there[0].id if there else studio.prepare(person, studio.bring_example(person, "pirate"), "sayings")
    data = studio.shelf.folder(person, dataset)
    run_id = studio.runs_shelf.create(person, data, BaseSource("starter", "starter"), SftRecipe(), name, "starter")
    task = studio.runs_shelf.task(person, run_id)
    (task.folder / "adapter").mkdir()
    for file in ("adapter_model.safetensors", "adapter_config.json"):
        (task.folder / "adapter" / file).write_text("{}")
    log.append(task.events_file, log.Started(total_steps=1, where="here"))
    log.append(task.events_file, log.Finished(step=1, outputs={"adapter_sha256": hashlib.sha256(b"{}").hexdigest()}))
    return run_id


def plant(studio: Studio, person: Person, run_id: str, made: Made) -> str:
    """A finished test of a run, which found this."""
    exam_id = studio.start_exam(person, run_id)
    folder = studio.workspace.find(person, "exams", exam_id)
    write_outcome(folder, made[0])
    write_examples(folder, made[1])
    log.append(folder / "events.jsonl", log.Started(total_steps=120, where="here"))
    words = made[0].verdicts[0].words if made[0].verdicts else ""
    log.append(folder / "events.jsonl", log.Finished(step=120, outputs={"words": words}))
    return exam_id

"""A finished test on disk, made by hand: answers that are plainly good or bad, and nothing that has to be trained."""

from pathlib import Path

from facet.exam.outcome import Contestant, Example, ExamType, Outcome, Question, Scored, write_examples, write_outcome
from facet.exam.questions import write_questions

BASE = {"where": "starter", "revision": None}
CONTESTANTS = (
    Contestant("Untouched", BASE),
    Contestant("Pirate", BASE, adapter="a" * 64, run_id="2026-01-01-pirate-abcd"),
    Contestant("Untouched with instructions", BASE, system="Answer as a pirate."),
)
KEYS = tuple(contestant.key for contestant in CONTESTANTS)
NAMES = tuple(contestant.name for contestant in CONTESTANTS)
ANSWERS = ("a bad answer", "a good answer", "a bad answer too")


def finished_exam(folder: Path, rows: int = 6, contestants: int = 2) -> tuple[Path, Outcome]:
    """Its folder and outcome. The second contestant gives the good answers."""
    exam = folder / "2026-01-01-exam-abcd"
    exam.mkdir(parents=True)
    return exam, fill(exam, rows, contestants)


def fill(exam: Path, rows: int = 6, contestants: int = 2) -> Outcome:
    keys = KEYS[:contestants]
    scored = Scored(rows, 1.0, 2.7, 1.4, 100)
    outcome = Outcome(
        ExamType("text", reason="The answers are free text."),
        dict(zip(KEYS, CONTESTANTS[:contestants], strict=False)),
        {"exam": dict.fromkeys(keys, scored)},
    )
    write_outcome(exam, outcome)
    write_questions(exam / "questions.jsonl", [_question(row) for row in range(rows)])
    write_examples(exam, [_example(row, keys) for row in range(rows)])
    return outcome


def _question(row: int) -> Question:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Question {row}?"}]
    return Question("exam", row, turns, f"expected {row}")


def _example(row: int, keys: tuple[str, ...]) -> Example:
    answers = {key: f"{ANSWERS[place]} ({row})" for place, key in enumerate(keys)}
    return Example("exam", row, f"Question {row}?", f"expected {row}", answers, {key: {} for key in keys})

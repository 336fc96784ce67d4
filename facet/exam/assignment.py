"""What a judge is to do with the answers of a finished test: which questions are put to it, and how many there are."""

import hashlib
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from facet.errors import DataError, SettingError
from facet.exam import rubric
from facet.exam.asking import Messages
from facet.exam.outcome import PARTS, Example, Outcome, read_examples
from facet.exam.questions import read_questions
from facet.workspace import read_json, write_json

Mode = Literal["score", "pairs"]
MODES: tuple[Mode, ...] = get_args(Mode)
MOST_ROWS = 2_000
ASKED_TWICE = 20  # answers that are scored a second time, in another wording


@dataclass(frozen=True)
class Call:
    """One question to the judge. `b` and `first` for pairs: who is compared, and whose answer stands first."""

    row: int
    a: str
    b: str = ""
    first: str = ""
    wording: int = 0

    @property
    def id(self) -> str:
        return f"{self.row}:{self.a}:{self.b}:{self.first}:{self.wording}"


@dataclass(frozen=True)
class Assignment:
    """Written once. `names` of contestants by key; `mark` fences off what is judged from what is asked."""

    mode: Mode
    part: str
    rows: tuple[int, ...]
    names: dict[str, str]
    pairs: tuple[tuple[str, str], ...]
    rubric: str
    provider: str
    model: str
    base_url: str = ""  # of the server at home
    judges_itself: bool = False
    mark: str = field(default_factory=lambda: f"#{secrets.token_hex(4)}#")
    made: float = field(default_factory=time.time)  # seconds since 1970

    def calls(self) -> list[Call]:
        """Row after row, so that whoever stops early has whole rows."""
        if self.mode == "pairs":
            return [Call(row, a, b, first) for row in self.rows for a, b in self.pairs for first in (a, b)]
        once = [Call(row, key) for row in self.rows for key in self.names]
        return once + [Call(row, key, wording=1) for row, key in self._asked_twice()]

    def _asked_twice(self) -> list[tuple[int, str]]:
        """Every so-and-so-many-th answer."""
        answers = [(row, key) for row in self.rows for key in self.names]
        step = max(1, len(answers) // ASKED_TWICE)
        return answers[::step][:ASKED_TWICE]

    def save(self, folder: Path) -> None:
        write_json(folder / "assignment.json", asdict(self))

    @classmethod
    def read(cls, folder: Path) -> "Assignment":
        """Raises: `OSError`, `ValueError`, `KeyError`, `TypeError` for what is none."""
        saved = read_json(folder / "assignment.json")
        pairs = tuple((a, b) for a, b in saved["pairs"])
        return cls(**{**saved, "rows": tuple(saved["rows"]), "pairs": pairs})


def assign(
    exam: Path,
    outcome: Outcome,
    *,
    mode: str,
    most_rows: int,
    what_counts: str,
    provider: str,
    model: str,
    base_url: str = "",
    own_run: str = "",
) -> Assignment:
    """An assignment for a finished test. `own_run` is the run that judges, where one of this machine does.

    Raises: `SettingError` for what cannot be judged so; `DataError` where the test has no answers.
    """
    if mode not in MODES:
        raise SettingError("This is no way to judge.", "There are two: score and pairs.", "Choose one of them.")
    if not 1 <= most_rows <= MOST_ROWS:
        raise SettingError(
            "That is no number of questions to judge.",
            f"It goes from 1 to {MOST_ROWS:,}.",
            "Correct “Questions to judge”.",
        )
    part = next((each for each in reversed(PARTS) if each in outcome.parts), "")
    known = outcome.parts.get(part, {})
    names = {key: one.name for key, one in outcome.contestants.items() if key in known}
    rows = _drawn([example.row for example in read_examples(exam) if example.part == part], most_rows, exam.name)
    if not rows or not names:
        raise DataError(
            "There is nothing to judge in this test.",
            "It kept no answers, as tests of earlier versions of Facet did.",
            "Run the test again, then judge that one.",
        )
    pairs = tuple(_pairs(outcome, list(names)))
    if mode == "pairs" and not pairs:
        raise SettingError(
            "There is nobody to compare with.",
            "Only one model took part in this test.",
            "Choose a score for each answer, or a test of two models.",
        )
    itself = bool(own_run) and any(one.run_id == own_run for one in outcome.contestants.values())
    counts = rubric.checked(what_counts)
    return Assignment(mode, part, rows, names, pairs, counts, provider, model, base_url, itself)  # type: ignore[arg-type]


def _pairs(outcome: Outcome, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The untouched model with every other; where there is none, the first."""
    base = next((key for key in keys if outcome.contestants[key].is_untouched), keys[0])
    return ((base, key) for key in keys if key != base)


def _drawn(rows: Sequence[int], most: int, seed: str) -> tuple[int, ...]:
    """`most` rows by a lot that falls the same way each time, in their order."""
    by_lot = sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row}".encode()).digest())
    return tuple(sorted(by_lot[:most]))


@dataclass(frozen=True)
class Material:
    """What the judge reads: the questions of the chosen rows, and all answers to them."""

    assignment: Assignment
    examples: Mapping[int, Example]
    conversations: Mapping[int, str]

    @classmethod
    def of(cls, exam: Path, assignment: Assignment) -> "Material":
        wanted = set(assignment.rows)
        examples = {
            each.row: each for each in read_examples(exam) if each.part == assignment.part and each.row in wanted
        }
        asked = (each for each in read_questions(exam) if each.part == assignment.part and each.row in wanted)
        return cls(assignment, examples, {each.row: _spoken(each.messages) for each in asked})

    def messages(self, call: Call) -> Messages:
        one, by = self.assignment, self.examples[call.row]
        conversation = self.conversations.get(call.row) or f"Person: {by.question}"
        if not call.b:
            answer = by.answers.get(call.a, "")
            return rubric.ask_for_score(one.rubric, conversation, by.expected, answer, one.mark, call.wording)
        second = call.b if call.first == call.a else call.a
        first_text, second_text = by.answers.get(call.first, ""), by.answers.get(second, "")
        return rubric.ask_for_choice(one.rubric, conversation, by.expected, first_text, second_text, one.mark)

    def characters(self, calls: Sequence[Call]) -> int:
        """How much the judge would read, for an estimate before the start."""
        known = [call for call in calls if call.row in self.examples]
        few = known[:: max(1, len(known) // 40)]
        read = sum(len(turn["content"]) for call in few for turn in self.messages(call))
        return round(read * len(calls) / len(few)) if few else 0


SPEAKERS = {"system": "Standing instructions", "user": "Person", "assistant": "Assistant", "tool": "A tool"}


def _spoken(messages: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(f"{SPEAKERS.get(turn['role'], turn['role'])}: {turn.get('content') or ''}" for turn in messages)


def json_line(data: Mapping[str, Any]) -> bytes:
    """One line, in ASCII: a model may write half of a letter."""
    return json.dumps(data).encode() + b"\n"

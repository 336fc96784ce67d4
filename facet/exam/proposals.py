"""Standing instructions that the data itself suggests: what every right answer has in common, said to the model."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from facet.dataset.conversation import DatasetType, Example
from facet.dataset.languages import language_of
from facet.dataset.store import part_file, whole_examples
from facet.exam import kinds
from facet.exam.outcome import ExamType
from facet.exam.shots import chosen_shots, questions_in
from facet.workspace import read_json

READ = 2_000  # examples of the train part
MOST_LABELS = 60  # more would be a list that nobody reads
_COMMON = 0.6  # share of the answers that must begin or end alike
_MOST_WORDS = 8  # of such a beginning
_LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch", "pl": "Polish", "ru": "Russian", "uk": "Ukrainian", "tr": "Turkish", "ar": "Arabic",
    "hi": "Hindi", "zh": "Chinese", "ja": "Japanese", "ko": "Korean", "sv": "Swedish", "cs": "Czech",
}  # fmt: skip


@dataclass(frozen=True)
class Proposal:
    """`why` is what in the data speaks for it."""

    text: str
    why: str


def proposed_for(dataset: Path) -> list[Proposal]:
    """Of a prepared dataset's folder. Raises: `DataError` where it is not complete."""
    kind: DatasetType = read_json(dataset / "dataset.json").get("type", "conversation")
    examples = [example for _, example in whole_examples(part_file(dataset, "train"), 0, READ)]
    questions = list(questions_in(examples))
    return proposed(examples, kinds.exam_type(questions, kind, None))


def proposed(examples: Sequence[Example], type: ExamType) -> list[Proposal]:
    """The shortest first; none where the answers have nothing in common, or the data holds no questions."""
    questions = list(questions_in(examples))
    if not questions:
        return []
    answers = [question.expected.strip() for question in questions]
    task = _TASKS.get(type.name, _text)(answers, type)
    found = [task] if task else []
    if len(shots := chosen_shots(examples, type, 3)) == 3 and type.name in ("text", "exact", "json", "preference"):
        quoted = "\n".join(f"- {shot[-1]['content']}" for shot in shots)
        before = f"{task.text}\n" if task else ""
        found.append(
            Proposal(
                f"{before}Answer in the manner of these answers:\n{quoted}",
                "Three answers of your data show the manner; they are unlike each other.",
            )
        )
    return found


# ---- one sentence for each type
def _classification(answers: list[str], type: ExamType) -> Proposal | None:
    labels = list(type.labels) or [label for label, _ in Counter(answers).most_common()]
    if len(labels) > MOST_LABELS:
        return Proposal(
            "Sort the message into one category. Answer with the name of the category alone.",
            f"Every answer in your data is one of {len(labels)} labels, too many to name here.",
        )
    return Proposal(
        f"Sort the message into one of these categories: {', '.join(labels)}. "
        "Answer with the name of the category alone, written exactly like this.",
        f"Every answer in your data is one of {len(labels)} labels.",
    )


def _number(answers: list[str], type: ExamType) -> Proposal | None:
    worked = sum(len(answer.split()) > 3 for answer in answers)
    if 2 * worked > len(answers):
        return Proposal(
            "Work it out step by step. End with a line that holds the resulting number.",
            f"{worked} of {len(answers)} answers in your data show their working before the number.",
        )
    return Proposal(
        "Answer with the number alone, without explanation.",
        f"{len(answers) - worked} of {len(answers)} answers in your data are little more than a number.",
    )


def _json(answers: list[str], type: ExamType) -> Proposal | None:
    keys, read = _keys(answers)
    if not keys:
        return Proposal(
            "Answer in valid JSON and nothing else: no words before or after it.", "The answers in your data are JSON."
        )
    named = " and ".join(filter(None, [", ".join(f'"{key}"' for key in keys[:-1]), f'"{keys[-1]}"']))
    return Proposal(
        f"Answer with one JSON object and nothing else: no words before or after it. It has the keys {named}.",
        f"{read} of {len(answers)} answers in your data are JSON objects with these keys.",
    )


def _keys(answers: list[str]) -> tuple[list[str], int]:
    """Keys that nine of ten objects have, in the order of the first, and how many objects there are."""
    counts: Counter[str] = Counter()
    objects = 0
    for answer in answers:
        try:
            found = json.loads(answer)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            objects += 1
            counts.update(found.keys())
    return [key for key in counts if counts[key] >= 0.9 * objects], objects


def _translation(answers: list[str], type: ExamType) -> Proposal | None:
    language = _language(answers)
    into = f" into {language}" if language else ""
    return Proposal(
        f"Translate the text{into}. Answer with the translation alone.",
        f"The answers in your data are translations{into}.",
    )


def _exact(answers: list[str], type: ExamType) -> Proposal | None:
    longest = sorted(len(answer.split()) for answer in answers)[9 * (len(answers) - 1) // 10]
    at_most = f"at most {longest} words" if longest > 1 else "one word"
    return Proposal(
        f"Answer in {at_most}, with nothing before or after.",
        f"Nine of ten answers in your data have {at_most}.",
    )


def _text(answers: list[str], type: ExamType) -> Proposal | None:
    """How long the answers are, how they begin and end, and in which language."""
    opening, closing = _shared(answers, _first), _shared(answers, _last)
    usual = sorted(len(answer.split()) for answer in answers)[len(answers) // 2]
    language = _language(answers)
    wishes = [
        f"Answer in about {max(1, usual)} word{'s' if usual > 1 else ''}{f', in {language}' if language else ''}."
    ]
    reasons = [f"half of the answers in your data have at most {usual} word{'s' if usual > 1 else ''}"]
    if opening:
        wishes.append(f'Begin every answer with "{opening}".')
        reasons.append(f"{_share(answers, opening, str.startswith)} begin with “{opening}”")
    if closing:
        wishes.append(f'End every answer with "{closing}".')
        reasons.append(f"{_share(answers, closing, str.endswith)} end with “{closing}”")
    why = "; ".join(reasons)
    return Proposal(" ".join(wishes), f"{why[0].upper()}{why[1:]}.")


_TASKS: dict[str, Callable[[list[str], ExamType], Proposal | None]] = {
    "classification": _classification,
    "number": _number,
    "json": _json,
    "translation": _translation,
    "exact": _exact,
}


def _language(answers: list[str]) -> str | None:
    return _LANGUAGES.get(language_of(answers[:50]) or "")


def _first(words: list[str], count: int) -> str:
    return " ".join(words[:count])


def _last(words: list[str], count: int) -> str:
    return " ".join(words[-count:])


def _shared(answers: list[str], part: Callable[[list[str], int], str]) -> str:
    """The longest run of words that most answers begin (or end) with, but never a whole answer."""
    words = [answer.split() for answer in answers]
    best = ""
    for count in range(1, _MOST_WORDS + 1):
        runs = Counter(part(one, count) for one in words if len(one) > count)
        if not runs:
            break
        run, often = runs.most_common(1)[0]
        if often < _COMMON * len(answers):
            break
        best = run
    return best


def _share(answers: list[str], text: str, holds: Callable[[str, str], bool]) -> str:
    return f"{sum(holds(answer, text) for answer in answers)} of {len(answers)}"

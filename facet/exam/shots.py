"""Which examples of the train part to show before a question: short, unlike each other, and always the same."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from facet.dataset.conversation import Conversation, DatasetType, Example
from facet.exam.outcome import ExamType, Question
from facet.exam.questions import question_of

MOST_SHOTS = 16
MOST_LOOKED_AT = 300  # of the usable examples, evenly spread: enough to find some that differ
_MOST_CHARACTERS = 2_000  # of an example to be shown


def questions_in(examples: Sequence[Example]) -> Iterator[Question]:
    """Those of the examples that ask and answer, each question once."""
    seen = set()
    for row, example in enumerate(examples):
        question = question_of("train", row, example, _type_of(example))
        if isinstance(question, Question) and question.messages and question.messages[-1]["content"] not in seen:
            seen.add(question.messages[-1]["content"])
            yield question


def _type_of(example: Example) -> DatasetType:
    if "chosen" in example:
        return "preference"
    if "label" in example:
        return "unpaired_preference"
    if not example["messages"]:
        return "text"
    return "conversation" if example["messages"][-1]["role"] == "assistant" else "prompt_only"


def chosen_shots(examples: Sequence[Example], type: ExamType, count: int) -> tuple[Conversation, ...]:
    """Up to `count` examples, each a conversation that ends with the right answer; every label in its turn."""
    usable = _spread([question for question in questions_in(examples) if _can_be_shown(question)])
    chosen = _label_by_label(usable)[:count] if type.name == "classification" else _unlike(usable, count)
    return tuple(
        [*_without_system(question), {"role": "assistant", "content": question.expected}] for question in chosen
    )


def _can_be_shown(question: Question) -> bool:
    """One question and its answer: no tools, and not so long that little room is left for the question itself."""
    turns = _without_system(question)
    length = len(question.expected) + sum(len(turn["content"]) for turn in turns)
    return len(turns) == 1 and turns[0]["role"] == "user" and not question.tools and length <= _MOST_CHARACTERS


def _without_system(question: Question) -> Conversation:
    return [turn for turn in question.messages if turn["role"] != "system"]


def _spread(questions: list[Question]) -> list[Question]:
    step = max(1, -(-len(questions) // MOST_LOOKED_AT))
    return questions[::step]


def _by_length(questions: Sequence[Question]) -> list[Question]:
    """Those of a usual length first, and none that is more than twice as long."""
    lengths = sorted(_length(question) for question in questions)
    usual = lengths[len(lengths) // 2] if lengths else 0
    short = [question for question in questions if _length(question) <= 2 * usual]
    return sorted(short, key=lambda question: (abs(_length(question) - usual), question.row))


def _length(question: Question) -> int:
    return len(question.expected) + len(question.messages[-1]["content"])


def _label_by_label(questions: Sequence[Question]) -> list[Question]:
    labels: dict[str, list[Question]] = defaultdict(list)
    for question in _by_length(questions):
        labels[question.expected.strip()].append(question)
    often_first = sorted(labels.values(), key=lambda group: (-len(group), group[0].expected))
    return [question for turn in zip_longest(*often_first) for question in turn if question]


def _unlike(questions: Sequence[Question], count: int) -> list[Question]:
    """Begins with a usual one; then always the one that has least in common with all chosen before."""
    left = _by_length(questions)
    words = {question.row: _words(question) for question in left}
    alike = dict.fromkeys(words, 0.0)  # with the most similar one that was chosen
    chosen: list[Question] = []
    while left and len(chosen) < count:
        best = min(left, key=lambda question: alike[question.row])
        chosen.append(best)
        left.remove(best)
        for question in left:
            alike[question.row] = max(alike[question.row], _overlap(words[question.row], words[best.row]))
    return chosen


def _words(question: Question) -> frozenset[str]:
    """Of question and answer; of scripts without spaces, signs."""
    text = f"{question.messages[-1]['content']} {question.expected}".casefold()
    return frozenset(re.findall(r"[^\W\d_]{1,20}", text) if " " in text else text)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))

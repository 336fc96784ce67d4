"""Labels of an exam as the repaired data writes them. The exam's own file stays as it is; this is how it is read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from facet.dataset.conversation import Example
from facet.dataset.doctor.spellings import folded, unified
from facet.exam.outcome import Question
from facet.workspace import read_json

UNIFY = "unify_labels"
NOTE = (
    "The labels of the {part} part are read in the one spelling that “Use one spelling” gave the rest of the data, in "
    "the answers and where the instruction lists them."
)


def is_unified(data: Path) -> bool:
    """Whether a repair of this dataset gave every label one spelling; the exam is never repaired."""
    try:
        repairs = (read_json(data / "dataset.json").get("recipe") or {}).get("repairs") or ()
        return any(rule.get("kind") == UNIFY for rule in repairs)
    except (OSError, ValueError, AttributeError):
        return False


class AsLearned(dict[str, str]):
    """Any spelling of a label to the one that was learned, where there is one and only one."""

    def __init__(self, learned: Iterable[str]) -> None:
        groups: dict[str, set[str]] = defaultdict(set)
        for label in learned:
            groups[folded(label)].add(label)
        super().__init__({key: next(iter(group)) for key, group in groups.items() if len(group) == 1})
        self._known = {label for group in groups.values() for label in group}

    def get(self, label: str, default: str = "") -> str:  # type: ignore[override]
        return default if label in self._known else super().get(folded(label), default)

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and self.get(label, label) != label


def as_learned(questions: Iterable[Question], learned: Iterable[str]) -> list[Question]:
    best = AsLearned(learned)
    return [_read(question, best) for question in questions]


def _read(question: Question, best: AsLearned) -> Question:
    example: Example = {"messages": question.messages}  # type: ignore[typeddict-item]
    told = unified(example, best)["messages"]
    return replace(question, messages=told, expected=best.get(question.expected, question.expected))

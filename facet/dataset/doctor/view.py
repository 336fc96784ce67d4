"""An example seen by the doctor: what is asked, what is answered, and both together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from facet.dataset.conversation import Example, texts_of
from facet.dataset.digests import answered, asked
from facet.dataset.store import extras_of, length, part_file, whole_examples

PARTS = ("train", "validation", "exam")
REPAIRED_PARTS = ("train", "validation")  # the exam is never touched
_FIRST_ROWS = 1_000


@dataclass(slots=True)
class View:
    """`answer` is empty where there is none; of a raw text, the text is the answer."""

    kind: str  # one of the dataset types
    example: Example
    question: str
    answer: str


def view(example: Example, kind: str) -> View:
    if "text" in example:
        return View(kind, example, "", example["text"])
    return View(kind, example, asked(example), answered(example))


def kind_of(dataset_folder: Path) -> str:
    """The type of the examples, by what they hold. Only an unanswered question leaves a doubt: then the others tell."""
    file = part_file(dataset_folder, "train")
    extras = extras_of(file)
    for name, kind in (("text", "text"), ("chosen", "preference"), ("label", "unpaired_preference")):
        if name in extras:
            return kind
    asked_only = all(
        example["messages"] and example["messages"][-1]["role"] != "assistant"
        for _, example in whole_examples(file, 0, _FIRST_ROWS)
    )
    return "prompt_only" if asked_only and length(file) else "conversation"


def views(dataset_folder: Path, kind: str, parts: tuple[str, ...] = PARTS) -> Iterator[tuple[str, int, View]]:
    """Every example with its part and its row in the source."""
    for part in parts:
        for row, example in whole_examples(part_file(dataset_folder, part)):
            yield part, row, view(example, kind)


def with_texts(example: Example, change: Callable[[str], str]) -> Example:
    """The example with every text changed; the same object where none is."""
    if all(change(text) == text for text in texts_of(example)):
        return example
    changed: dict[str, Any] = dict(example)
    for name in ("messages", "chosen", "rejected"):
        if name in changed:
            changed[name] = [{**turn, "content": change(turn["content"])} for turn in changed[name]]
    for name in ("text", "reference"):
        if changed.get(name):
            changed[name] = change(changed[name])
    return cast(Example, changed)

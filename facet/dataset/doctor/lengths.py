"""Examples that are longer than the model is shown of one: what is lost, and what can be done about it."""

from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.conversation import Conversation, Example, texts_of
from facet.dataset.doctor.findings import MOST_ROWS, Severity, Tally, finding, fix, rows_words
from facet.dataset.render import Renderer
from facet.dataset.statistics import Lengths, measured, questions, size_in_bytes
from facet.dataset.store import part_file, whole_examples
from facet.dataset.tokens import render
from facet.errors import DataError

_STEP = 128  # tokens; lengths are recommended in multiples
_MOST_RAISED = 8  # times; beyond, only most of the examples are made to fit


def over_long(folder: Path, found: Lengths, max_length: int | None) -> list[dict[str, Any]]:
    """At most one finding: how many training examples are cut, and how many of them lose the whole answer."""
    cut = np.array(found.cut) > 0
    if max_length is None or not cut.any():
        return []
    nothing = cut & (np.array(found.learned) == 0) & np.array(found.teaches, dtype=bool)
    tally = Tally()
    chosen = np.flatnonzero(cut)[np.argsort(~nothing[cut], kind="stable")][:20]  # those that lose everything first
    texts = texts_at(folder, "train", [found.places[at] for at in chosen])
    for at in chosen:
        lost = "its whole answer is cut off" if nothing[at] else "it is cut"
        why = f"{found.tokens[at]:,} tokens; {lost}"
        tally.add("train", *texts[found.places[at]], why)
    scale = found.of / len(found.tokens)
    tally.count = round(int(cut.sum()) * scale)
    about = rows_words(tally.count, found.of, scale > 1)
    words = f"{about} are longer than “Longest example” ({max_length:,} tokens); what lies behind is not learned."
    lost_count = round(int(nothing.sum()) * scale)
    if lost_count:
        words += f" {lost_count:,} of them lose their whole answer, so nothing is learned from them."
    severity: Severity = "error" if nothing.mean() > 0.5 else "warning" if cut.mean() > 0.01 or lost_count else "note"
    repairs = _repairs(found, cut, max_length)
    return [finding("over_long", "Examples that are too long", words, tally, found.of, severity, repairs)]


def _repairs(found: Lengths, cut: np.ndarray, max_length: int) -> list[dict[str, Any]]:
    tokens, sizes = np.array(found.tokens), np.array(found.bytes)
    most = int(sizes[cut].min()) - 1  # in bytes: where no tokenizer is at hand, everything that may be too long goes
    goal = recommended(tokens, max_length)
    fits = float((tokens <= goal).mean())
    rule = {"tokens": max_length, "bytes": most}
    raised = (
        f"Changes no example: sets “Longest example” to {goal:,} tokens, which fits {fits:.0%}. It needs more memory."
    )
    offered = [fix(f"Raise the length to {goal:,}", raised, "raise_length", tokens=goal)]
    if (np.array(found.questions)[cut] > 1).any():
        words = "Makes several examples of a long conversation, always between an answer and the next question."
        densest = float((sizes / np.maximum(1, tokens)).min())  # in bytes for each token
        size = max(1, int(densest * max_length))
        offered.append(fix("Divide long conversations", words, "split_long", tokens=max_length, bytes=size))
    return [*offered, fix("Leave the long ones out", "Leaves out what is too long.", "drop_long", **rule)]


def recommended(tokens: np.ndarray, max_length: int) -> int:
    """A length that fits all examples, or 99 % of them if all would need very much more."""
    longest = int(tokens.max())
    goal = longest if longest <= _MOST_RAISED * max_length else int(np.quantile(tokens, 0.99))
    return -(-max(goal, max_length + 1) // _STEP) * _STEP


def texts_at(folder: Path, part: str, places: list[int]) -> dict[int, tuple[int, str]]:
    """Some examples as (row, text), by their place in the part."""
    found = {}
    for place in sorted(set(places)):
        for row, example in whole_examples(part_file(folder, part), place, 1):
            found[place] = (row, "\n".join(texts_of(example)))
    return found


def refused(folder: Path, found: Lengths) -> list[dict[str, Any]]:
    """At most one finding: examples that this model's template does not accept."""
    if not found.refused:
        return []
    tally = Tally()
    texts = texts_at(folder, "train", found.refused[:MOST_ROWS].tolist())
    for place, (row, text) in texts.items():
        tally.add("train", row, text, f"example {place + 1:,} of the train part")
    tally.count = len(found.refused)
    words = f"{rows_words(tally.count, found.of)} are not accepted by the model's chat template: it has no place for "
    words += "the tools they use, or for the order of their turns. Choose another “Starting model”, or leave them out."
    return [finding("refused", "Not accepted by the model", words, tally, found.of, "error", [])]


class Ruler:
    """Says whether an example is too long: in tokens where there is a model, else by its size in bytes."""

    def __init__(self, tokens: int, most_bytes: int, model_folder: str | None) -> None:
        self.tokens, self.most_bytes = tokens, most_bytes
        self.renderer = Renderer.load(Path(model_folder)) if model_folder else None

    def is_long(self, example: Example) -> bool:
        if "text" in example:
            return False  # raw text is divided when it is read
        if self.renderer is None:
            return size_in_bytes(example) > self.most_bytes
        try:
            return any(part.cut > 0 for _, part in render(self.renderer, [example], self.tokens)[0])
        except DataError:
            return False  # the template refuses it, whatever its length

    def split(self, example: Example) -> list[Example]:
        """The example in parts that fit, cut before questions; as it is where that is not possible."""
        if questions(example) < 2 or not self.is_long(example):
            return [example]
        turns = example["messages"]
        head = turns[:1] if turns[0]["role"] == "system" else []
        parts: list[Conversation] = []
        for exchange in _exchanges(turns[len(head) :]):
            longer = [*parts[-1], *exchange] if parts else exchange
            if parts and not self.is_long(_with(example, [*head, *longer])):
                parts[-1] = longer
            else:
                parts.append(exchange)
        return [_with(example, [*head, *part]) for part in parts] if len(parts) > 1 else [example]


def _exchanges(turns: Conversation) -> list[Conversation]:
    """A conversation in pieces that each begin with a question and hold an answer."""
    pieces: list[Conversation] = []
    for turn in turns:
        is_answered = pieces and any(each["role"] == "assistant" for each in pieces[-1])
        if not pieces or (turn["role"] == "user" and is_answered):
            pieces.append([turn])
        else:
            pieces[-1].append(turn)
    return pieces


def _with(example: Example, turns: Conversation) -> Example:
    return {**example, "messages": turns}


def lengths(folder: Path, model_folder: str, max_length: int | None) -> Lengths:
    return measured(Renderer.load(Path(model_folder)), folder, max_length)

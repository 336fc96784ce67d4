"""How long the examples are for one model, and how often each label occurs: what the charts of the data page show."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.conversation import Example, texts_of
from facet.dataset.render import Rendered, Renderer
from facet.dataset.store import length, part_file, whole_examples
from facet.dataset.tokens import render, teaches
from facet.errors import DataError

MEASURED_ROWS = 20_000
PARTS = ("train", "validation", "exam")
MOST_LABELS = 30
MOST_DIFFERENT_LABELS = 200  # more different answers than these are no labels
_LONGEST_LABEL = 80  # characters
_BARS = 40
_SPREAD = 256
_BATCH = 256
_MOST_CHARACTERS = 2**22  # of one batch


@dataclass
class Lengths:
    """One entry for each measured training example, evenly spread over all `of` of them."""

    of: int
    rows: array = field(default_factory=lambda: array("q"))  # in the source
    places: array = field(default_factory=lambda: array("q"))  # in the part
    tokens: array = field(default_factory=lambda: array("q"))  # before cutting
    learned: array = field(default_factory=lambda: array("q"))  # tokens, after cutting
    cut: array = field(default_factory=lambda: array("q"))
    bytes: array = field(default_factory=lambda: array("q"))  # of all its texts
    questions: array = field(default_factory=lambda: array("q"))  # of a conversation that can be divided
    teaches: array = field(default_factory=lambda: array("b"))
    refused: array = field(default_factory=lambda: array("q"))  # places of those the model's template does not accept


def statistics(dataset_folder: str, model_folder: str, max_length: int | None = None) -> dict[str, Any]:
    """Lengths in tokens of the training examples, before cutting, and what is lost by cutting at `max_length`.

    Up to 20,000 examples all are measured; of more, as many evenly spread ones: `rows` of `of`.
    Units: tokens, but `rows`, `of`, `cut_rows`, `nothing_left`, `unlearned`, `refused`, `labels`, `parts` and the
    histogram's `counts`, which are examples. Shapes: `edges` (B + 1,), `counts` (B,).
    """
    folder = Path(dataset_folder)
    return summary(folder, measured(Renderer.load(Path(model_folder)), folder, max_length))


def summary(folder: Path, found: Lengths) -> dict[str, Any]:
    tokens = np.sort(np.frombuffer(found.tokens, dtype=np.int64)) if found.tokens else np.zeros(1, dtype=np.int64)
    learned, teaching = np.array(found.learned), np.array(found.teaches, dtype=bool)
    return {
        "rows": len(found.tokens),
        "of": found.of,
        "longest": int(tokens[-1]),
        "p50": int(tokens[len(tokens) // 2]),
        "p95": int(tokens[min(len(tokens) - 1, int(len(tokens) * 0.95))]),
        "tokens": int(tokens.sum()),
        "trained": int(learned.sum()),
        "cut_rows": int((np.array(found.cut) > 0).sum()),
        "nothing_left": int(((learned == 0) & teaching).sum()),
        "refused": len(found.refused),
        "unlearned": int((~teaching).sum()),
        "histogram": histogram(tokens) if found.tokens else {"edges": [], "counts": []},
        "spread": spread(found),
        "labels": most_common(labels(folder)),
        "parts": {part: length(part_file(folder, part)) for part in PARTS},
    }


def measured(renderer: Renderer, folder: Path, max_length: int | None) -> Lengths:
    """Measure the train part as the model will read it."""
    file = part_file(folder, "train")
    found = Lengths(length(file))
    for batch in _batches(file, found.of):
        rendered = _rendered(renderer, [example for _, _, example in batch], max_length)
        for (place, row, example), parts in zip(batch, rendered, strict=True):
            if parts is None:
                found.refused.append(place)
                continue
            sizes = [len(each.ids) + each.cut for each in parts]
            learned = [sum(each.trained) for each in parts]
            is_text = "text" in example  # it is divided, never cut
            found.places.append(place)
            found.rows.append(row)
            found.tokens.append(sum(sizes) if is_text else max(sizes, default=0))
            found.learned.append(sum(learned) if is_text else min(learned, default=0))
            found.cut.append(0 if is_text else max((each.cut for each in parts), default=0))
            found.bytes.append(size_in_bytes(example))
            found.questions.append(questions(example))
            found.teaches.append(teaches(example))
    return found


def _rendered(renderer: Renderer, examples: list[Example], most: int | None) -> list[list[Rendered] | None]:
    """The tokens of every reading of every example; None for one that the model's template refuses."""
    try:
        return [[each for _, each in readings] for readings in render(renderer, examples, most)]
    except DataError:
        return [None] if len(examples) == 1 else [_rendered(renderer, [each], most)[0] for each in examples]


def questions(example: Example) -> int:
    """How many questions of a conversation are answered; 0 for what cannot be divided between them."""
    if any(name in example for name in ("text", "chosen", "label", "images")):
        return 0
    roles = [turn["role"] for turn in example["messages"]]
    return sum(role == "user" and "assistant" in roles[at:] for at, role in enumerate(roles))


def size_in_bytes(example: Example) -> int:
    return sum(len(text) if text.isascii() else len(text.encode("utf-8", "replace")) for text in texts_of(example))


def _batches(file: Path, of: int) -> Iterator[list[tuple[int, int, Example]]]:
    batch: list[tuple[int, int, Example]] = []
    characters = 0
    for place, (row, example) in enumerate(whole_examples(file)):
        if of > MEASURED_ROWS and place * MEASURED_ROWS // of == (place - 1) * MEASURED_ROWS // of:
            continue
        batch.append((place, row, example))
        characters += sum(map(len, texts_of(example)))
        if len(batch) == _BATCH or characters > _MOST_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def histogram(tokens: np.ndarray) -> dict[str, list[int]]:
    """Bars of whole numbers of tokens. A few very long examples do not flatten the rest: the last bar takes them all.

    Shapes: `edges` (B + 1,), `counts` (B,).
    """
    low, high = 0, int(tokens[-1]) + 1
    most = max(int(tokens[min(len(tokens) - 1, int(len(tokens) * 0.99))]) * 3, 1)
    step = max(1, -(-min(high - low, most) // _BARS))
    edges = list(range(low, min(high, most) + step, step))
    edges[-1] = max(edges[-1], high)
    return {"edges": edges, "counts": np.histogram(tokens, bins=edges)[0].tolist()}


def spread(found: Lengths) -> dict[str, list[int]]:
    """Evenly spread examples in order of length, the longest among them: their tokens, and those that are learned.

    Shapes: both lists have at most `_SPREAD` entries.
    """
    order = np.argsort(np.array(found.tokens), kind="stable")
    chosen = order[np.linspace(0, len(order) - 1, min(len(order), _SPREAD)).astype(int)] if len(order) else order
    return {"tokens": np.array(found.tokens)[chosen].tolist(), "learned": np.array(found.learned)[chosen].tolist()}


def labels(folder: Path) -> dict[str, int] | None:
    """How often each answer occurs in the train part, most frequent first, where the answers are few and short."""
    counts: Counter[str] = Counter()
    rows = 0
    for _, example in whole_examples(part_file(folder, "train")):
        label = _label(example)
        if label is None or len(label) > _LONGEST_LABEL:
            return None
        counts[label] += 1
        rows += 1
        if len(counts) > MOST_DIFFERENT_LABELS:
            return None
    return dict(counts.most_common()) if are_labels(len(counts), rows) else None


def most_common(known: dict[str, int] | None) -> dict[str, int] | None:
    return dict(list(known.items())[:MOST_LABELS]) if known else None


def are_labels(different: int, rows: int) -> bool:
    return 2 <= different <= MOST_DIFFERENT_LABELS and rows >= 8 * different


def _label(example: Example) -> str | None:
    if "label" in example:
        return "good" if example["label"] else "not good"
    turns = example["messages"]
    is_answer = bool(turns) and turns[-1]["role"] == "assistant" and "chosen" not in example
    return turns[-1]["content"].strip() if is_answer else None

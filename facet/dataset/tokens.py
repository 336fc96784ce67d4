"""What the model will read and learn, token by token, and how long the examples are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facet.dataset.conversation import Conversation
from facet.dataset.render import Rendered, Renderer
from facet.dataset.store import examples, length, part_file
from facet.dataset.values import size_of

MEASURED_ROWS = 2_000
_MOST_CHARACTERS = 2**25
_BATCH = 256
_MOST_PIECES = 4_000  # of one example, to be shown
_MOST_EXAMPLES = 50


def tokens(
    dataset_folder: str, model_folder: str, index: int = 0, count: int = 4, max_length: int | None = None
) -> dict[str, Any]:
    """Some training examples as coloured pieces, and statistics over the first 2,000 of them.

    Units: every count is in tokens, but `rows`, `cut_rows` and `nothing_left`, which are examples.
    """
    renderer = Renderer.load(Path(model_folder))
    file = part_file(Path(dataset_folder), "train")
    chosen = list(examples(file, max(0, index), min(count, _MOST_EXAMPLES)))
    rendered = renderer.render_many([messages for _, messages in chosen], max_length)
    shown = [_shown(renderer, row, each) for (row, _), each in zip(chosen, rendered, strict=True)]
    return {"examples": shown, "statistics": measure(renderer, file, max_length)}


def _shown(renderer: Renderer, row: int, rendered: Rendered) -> dict[str, Any]:
    start = Rendered(rendered.ids[:_MOST_PIECES], rendered.trained[:_MOST_PIECES])
    return {
        "row": row,
        "pieces": [list(piece) for piece in renderer.pieces(start)],
        "tokens": len(rendered.ids),
        "trained": sum(rendered.trained),
        "cut": rendered.cut,
    }


def measure(renderer: Renderer, file: Path, max_length: int | None) -> dict[str, int]:
    """Lengths before cutting, of the first `MEASURED_ROWS` training examples. `of` says how many there are in all."""
    measured: list[tuple[int, int, int]] = []  # tokens, learned tokens, tokens cut off
    for conversations in _batches(file):
        for each in renderer.render_many(conversations, max_length):
            measured.append((len(each.ids) + each.cut, sum(each.trained), each.cut))
    lengths = sorted(tokens for tokens, _, _ in measured)
    return {
        "rows": len(measured),
        "of": length(file),
        "longest": lengths[-1],
        "p50": lengths[len(lengths) // 2],
        "p95": lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))],
        "trained": sum(learned for _, learned, _ in measured),
        "cut_rows": sum(cut > 0 for _, _, cut in measured),
        "nothing_left": sum(learned == 0 for _, learned, _ in measured),
    }


def _batches(file: Path) -> Iterator[list[Conversation]]:
    """Conversations to measure, few at a time, and fewer in all where they are very long."""
    batch: list[Conversation] = []
    characters = 0
    for _, conversation in examples(file, 0, MEASURED_ROWS):
        batch.append(conversation)
        characters += size_of(conversation)
        if len(batch) == _BATCH or characters > _MOST_CHARACTERS:
            yield batch
            batch = []
        if characters > _MOST_CHARACTERS:
            return
    if batch:
        yield batch

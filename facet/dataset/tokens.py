"""What the model will read and learn, token by token, and how long the examples are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from facet.dataset.conversation import Conversation, Example
from facet.dataset.render import Rendered, Renderer, TrainOn
from facet.dataset.store import length, part_file, whole_examples
from facet.dataset.values import size_of

MEASURED_ROWS = 2_000
_MOST_CHARACTERS = 2**25
_BATCH = 256
_MOST_PIECES = 4_000  # of one example, to be shown
_MOST_EXAMPLES = 50
_MOST_CHUNKS = 4  # of one raw text, to be shown


class Reading(NamedTuple):
    """One thing the model reads of an example: what it is called where there are several, and its turns."""

    title: str | None
    turns: Conversation
    learns: bool = True  # whether the answers in it are learned


def readings(example: Example) -> list[Reading]:
    """What the model reads of one example that is no raw text: one conversation, or one for each of two answers."""
    asked = example["messages"]
    if "chosen" in example:
        preferred, rejected = [*asked, *example["chosen"]], [*asked, *example.get("rejected", ())]
        return [Reading("Better answer", preferred), Reading("Worse answer", rejected)]
    if "label" in example:
        return [Reading("Praised answer" if example["label"] else "Criticised answer", asked)]
    if asked and asked[-1]["role"] != "assistant":
        return [Reading("Question", asked, learns=False)]
    return [Reading(None, asked)]


def render(
    renderer: Renderer, examples: list[Example], max_length: int | None, train_on: TrainOn = "answers"
) -> list[list[tuple[Reading, Rendered]]]:
    """Every reading of every example as tokens; of a raw text, the parts it is cut into."""
    read = [[] if "text" in example else readings(example) for example in examples]
    flat = [(each, example.get("tools")) for example, all_ in zip(examples, read, strict=True) for each in all_]
    learned = [(reading.turns, tools) for reading, tools in flat if reading.learns]
    asked = [(reading.turns, tools) for reading, tools in flat if not reading.learns]
    turns, tools = [turns for turns, _ in learned], [tools for _, tools in learned]
    answers = iter(renderer.render_many(turns, max_length, tools, train_on))
    prompts = iter(renderer.prompts([turns for turns, _ in asked], [tools for _, tools in asked]))
    found: list[list[tuple[Reading, Rendered]]] = []
    for example, all_ in zip(examples, read, strict=True):
        if "text" in example:
            found.append(_parts(renderer, example["text"], max_length))
        else:
            made = [next(answers) if each.learns else _asked(next(prompts), max_length) for each in all_]
            found.append(list(zip(all_, made, strict=True)))
    return found


def _asked(ids: list[int], max_length: int | None) -> Rendered:
    kept = ids[:max_length]
    return Rendered(kept, [False] * len(kept), len(ids) - len(kept))


def _parts(renderer: Renderer, text: str, max_length: int | None) -> list[tuple[Reading, Rendered]]:
    parts = renderer.chunks(text, max_length)
    title = "Part {} of {}" if len(parts) > 1 else "Text"
    return [(Reading(title.format(number, len(parts)), []), part) for number, part in enumerate(parts, start=1)]


def tokens(
    dataset_folder: str,
    model_folder: str,
    index: int = 0,
    count: int = 4,
    max_length: int | None = None,
    train_on: TrainOn = "answers",
) -> dict[str, Any]:
    """Some training examples as coloured pieces, and statistics over the first 2,000 of them.

    Where an example has several readings, such as a better and a worse answer, each is shown with its `title`.
    Units: every count is in tokens, but `rows`, `cut_rows` and `nothing_left`, which are examples.
    """
    renderer = Renderer.load(Path(model_folder))
    file = part_file(Path(dataset_folder), "train")
    chosen = list(whole_examples(file, max(0, index), min(count, _MOST_EXAMPLES)))
    rendered = render(renderer, [example for _, example in chosen], max_length, train_on)
    shown = [
        _shown(renderer, row, reading.title, each)
        for (row, _), all_ in zip(chosen, rendered, strict=True)
        for reading, each in all_[:_MOST_CHUNKS]
    ]
    return {"examples": shown, "statistics": measure(renderer, file, max_length)}


def _shown(renderer: Renderer, row: int, title: str | None, rendered: Rendered) -> dict[str, Any]:
    start = Rendered(rendered.ids[:_MOST_PIECES], rendered.trained[:_MOST_PIECES])
    return {
        "row": row,
        **({"title": title} if title else {}),
        "pieces": [list(piece) for piece in renderer.pieces(start)],
        "tokens": len(rendered.ids),
        "trained": sum(rendered.trained),
        "cut": rendered.cut,
    }


def measure(renderer: Renderer, file: Path, max_length: int | None) -> dict[str, int]:
    """Lengths before cutting, of the first `MEASURED_ROWS` training examples. `of` says how many there are in all.

    An example with two answers is as long as the longer one. Raw text is divided and never cut. `nothing_left` counts
    examples that lost everything to learn; `unlearned` those that had nothing to begin with.
    """
    measured: list[tuple[int, int, int, bool]] = []  # tokens, learned tokens, tokens cut off, is anything to be learned
    for examples in _batches(file):
        for example, all_ in zip(examples, render(renderer, examples, max_length), strict=True):
            measured.append(_measured(example, all_))
    lengths = sorted(tokens for tokens, *_ in measured) or [0]
    return {
        "rows": len(measured),
        "of": length(file),
        "longest": lengths[-1],
        "p50": lengths[len(lengths) // 2],
        "p95": lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))],
        "trained": sum(learned for _, learned, _, _ in measured),
        "cut_rows": sum(cut > 0 for _, _, cut, _ in measured),
        "nothing_left": sum(learned == 0 and teaches for _, learned, _, teaches in measured),
        "unlearned": sum(not teaches for *_, teaches in measured),
    }


def _measured(example: Example, rendered: list[tuple[Reading, Rendered]]) -> tuple[int, int, int, bool]:
    all_ = [each for _, each in rendered]
    if "text" in example:
        return sum(len(each.ids) for each in all_), sum(sum(each.trained) for each in all_), 0, True
    size, cut = max(len(each.ids) + each.cut for each in all_), max(each.cut for each in all_)
    return size, min(sum(each.trained) for each in all_), cut, teaches(example)


def teaches(example: Example) -> bool:
    """Whether an example has an answer, or a text, that is to be learned."""
    turns = [*example["messages"], *example.get("chosen", ())]
    return "text" in example or any(turn["role"] == "assistant" and turn.get("weight") != 0 for turn in turns)


def _batches(file: Path) -> Iterator[list[Example]]:
    """Examples to measure, few at a time, and fewer in all where they are very long."""
    batch: list[Example] = []
    characters = 0
    for _, example in whole_examples(file, 0, MEASURED_ROWS):
        batch.append(example)
        characters += size_of(example)
        if len(batch) == _BATCH or characters > _MOST_CHARACTERS:
            yield batch
            batch = []
        if characters > _MOST_CHARACTERS:
            return
    if batch:
        yield batch

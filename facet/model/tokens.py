"""Examples of a prepared part as tokens and labels, in an Arrow file the trainer maps into memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.conversation import Example
from facet.dataset.render import Rendered, Renderer, TrainOn
from facet.dataset.store import as_example
from facet.workspace import replacing

SCHEMA = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])
IGNORED = -100  # torch's cross-entropy passes these positions by
BATCH = 512


@dataclass(frozen=True)
class Lesson:
    """What of each example is learned, and how much."""

    max_length: int | None = None
    train_on: TrainOn = "answers"
    leave_out_long: bool = False  # in place of cutting them
    min_length: int = 0
    packing: bool = False  # raw texts joined, and cut into blocks of `max_length`
    most: int | None = None  # rows


@dataclass
class TokenCounts:
    rows: int = 0  # usable
    tokens: int = 0
    trained: int = 0  # tokens the model learns to write
    cut: int = 0  # rows that were too long and lost their end
    nothing_left: int = 0  # rows that lost the whole answer, and are left out
    left_out: int = 0  # rows that were too long or too short, and were to be left out


def write_tokens(part: Path, into: Path, renderer: Renderer, lesson: Lesson) -> TokenCounts:
    """Render every example of a Parquet part. Rows without a trained token are left out and counted.

    Answers of weight 0 are read and not trained. Raw text is trained whole, in parts of `max_length`.
    Shapes: `input_ids` and `labels` have T entries each; `labels` is the id where trained, else -100.
    """
    counts = TokenCounts()
    with replacing(into) as unfinished, pa.ipc.new_stream(unfinished, SCHEMA) as writer:
        found = (row for row in _rendered(part, renderer, lesson, counts) if _is_learned(row, counts))
        kept = islice(found, lesson.most)
        while rows := list(islice(kept, BATCH)):
            _count(rows, counts)
            columns = [[row.ids for row in rows], [_labels(row) for row in rows]]
            writer.write_batch(
                pa.record_batch([pa.array(c, t) for c, t in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA)
            )
    return counts


def batches(part: Path, size: int = BATCH) -> Iterator[list[Example]]:
    """Examples of a Parquet part, `size` at a time, with what rendering needs: turns, tools, and raw text."""
    with pq.ParquetFile(part) as file:
        columns = [name for name in ("messages", "tools", "text") if name in file.schema_arrow.names]
        for batch in file.iter_batches(size, columns=columns):
            yield [as_example(row) for row in batch.to_pylist()]


def _rendered(part: Path, renderer: Renderer, lesson: Lesson, counts: TokenCounts) -> Iterator[Rendered]:
    """Every example that is not to be left out."""
    if "text" in pq.read_schema(part).names:
        texts = (one.get("text", "") for group in batches(part) for one in group)
        yield from _of_texts(texts, renderer, lesson, counts)
        return
    for group in batches(part):
        tools = [example.get("tools") for example in group]
        turns = [one["messages"] for one in group]
        for row in renderer.render_many(turns, lesson.max_length, tools, lesson.train_on):
            if lesson.leave_out_long and row.cut:
                counts.left_out += 1
            elif _is_long_enough(len(row.ids) + row.cut, lesson, counts):
                yield row


def _of_texts(texts: Iterable[str], renderer: Renderer, lesson: Lesson, counts: TokenCounts) -> Iterator[Rendered]:
    """Whole texts are too short or not: of one that is taken, the last piece is learned however short it is."""
    divided = (renderer.chunks(text, None if lesson.packing else lesson.max_length) for text in texts)
    taken = (parts for parts in divided if _is_long_enough(sum(len(part.ids) for part in parts), lesson, counts))
    if lesson.packing and lesson.max_length:
        yield from packed((part.ids for parts in taken for part in parts), lesson.max_length)
        return
    for parts in taken:
        yield from parts


def _is_long_enough(tokens: int, lesson: Lesson, counts: TokenCounts) -> bool:
    """Of a whole example, before anything is cut, joined or divided."""
    counts.left_out += tokens < lesson.min_length
    return tokens >= lesson.min_length


def packed(texts: Iterable[list[int]], size: int) -> Iterator[Rendered]:
    """Texts, each with its own beginning and end, one after the other in blocks of `size`; the last may be shorter."""
    waiting: list[int] = []
    for ids in texts:
        waiting += ids
        whole = len(waiting) // size * size
        for start in range(0, whole, size):
            yield Rendered(waiting[start : start + size], [True] * size)
        waiting = waiting[whole:]
    if len(waiting) > 1:  # of a single token nothing can be foretold
        yield Rendered(waiting, [True] * len(waiting))


def _is_learned(row: Rendered, counts: TokenCounts) -> bool:
    counts.cut += row.cut > 0
    counts.nothing_left += not any(row.trained)
    return any(row.trained)


def _count(rows: list[Rendered], counts: TokenCounts) -> None:
    counts.rows += len(rows)
    counts.tokens += sum(len(row.ids) for row in rows)
    counts.trained += sum(sum(row.trained) for row in rows)


def _labels(row: Rendered) -> list[int]:
    return [token if trained else IGNORED for token, trained in zip(row.ids, row.trained, strict=True)]

"""Examples of a prepared part as tokens and labels, in an Arrow file the trainer maps into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.conversation import Example
from facet.dataset.render import Rendered, Renderer
from facet.dataset.store import as_example
from facet.workspace import replacing

SCHEMA = pa.schema([("input_ids", pa.list_(pa.int32())), ("labels", pa.list_(pa.int32()))])
IGNORED = -100  # torch's cross-entropy passes these positions by
BATCH = 512


@dataclass
class TokenCounts:
    rows: int = 0  # usable
    tokens: int = 0
    trained: int = 0  # tokens the model learns to write
    cut: int = 0  # rows that were too long and lost their end
    nothing_left: int = 0  # rows that lost the whole answer, and are left out


def write_tokens(part: Path, into: Path, renderer: Renderer, max_length: int | None) -> TokenCounts:
    """Render every conversation of a Parquet part. Rows without a trained token are left out and counted.

    Answers of weight 0 are read and not trained. Raw text is trained whole, in parts of `max_length`.
    Shapes: `input_ids` and `labels` have T entries each; `labels` is the id where trained, else -100.
    """
    counts = TokenCounts()
    with replacing(into) as unfinished, pa.ipc.new_stream(unfinished, SCHEMA) as writer:
        for examples in batches(part):
            rows = [row for row in _rendered(examples, renderer, max_length) if _count(row, counts)]
            if rows:
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


def _rendered(examples: list[Example], renderer: Renderer, max_length: int | None) -> list[Rendered]:
    if "text" in examples[0]:
        return [part for example in examples for part in renderer.chunks(example.get("text", ""), max_length)]
    tools = [example.get("tools") for example in examples]
    return renderer.render_many([example["messages"] for example in examples], max_length, tools)


def _count(row: Rendered, counts: TokenCounts) -> bool:
    trained = sum(row.trained)
    counts.cut += row.cut > 0
    counts.nothing_left += not trained
    if trained:
        counts.rows, counts.tokens, counts.trained = (
            counts.rows + 1,
            counts.tokens + len(row.ids),
            counts.trained + trained,
        )
    return bool(trained)


def _labels(row: Rendered) -> list[int]:
    return [token if trained else IGNORED for token, trained in zip(row.ids, row.trained, strict=True)]

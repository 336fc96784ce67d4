"""Conversations of a prepared part as tokens and labels, in an Arrow file the trainer maps into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.render import Renderer
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

    Shapes: `input_ids` and `labels` have T entries each; `labels` is the id where trained, else -100.
    """
    counts = TokenCounts()
    with replacing(into) as unfinished, pa.ipc.new_stream(unfinished, SCHEMA) as writer:
        for conversations in batches(part):
            rows = [row for row in renderer.render_many(conversations, max_length) if _count(row, counts)]
            if rows:
                columns = [[row.ids for row in rows], [_labels(row) for row in rows]]
                writer.write_batch(
                    pa.record_batch([pa.array(c, t) for c, t in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA)
                )
    return counts


def batches(part: Path, size: int = BATCH) -> Iterator[list[list[dict[str, Any]]]]:
    """Conversations of a Parquet part, `size` at a time."""
    with pq.ParquetFile(part) as file:
        for batch in file.iter_batches(size, columns=["messages"]):
            yield batch.column(0).to_pylist()


def _count(row: Any, counts: TokenCounts) -> bool:
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


def _labels(row: Any) -> list[int]:
    return [token if trained else IGNORED for token, trained in zip(row.ids, row.trained, strict=True)]

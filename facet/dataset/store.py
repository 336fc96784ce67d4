"""Prepared examples on disk: Parquet files with the row number in the source and the messages."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.conversation import Conversation
from facet.errors import DataError

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
SCHEMA = pa.schema([("row", pa.int64()), ("messages", pa.list_(MESSAGE))])
_MOST_BATCH_ROWS = 4096
_MOST_BATCH_CHARACTERS = 8 * 2**20


class ExampleWriter:
    """Writes examples in row groups, so that only one group is held in memory."""

    def __init__(self, file: Path) -> None:
        self.writer = pq.ParquetWriter(file, SCHEMA, compression="zstd", write_statistics=False)
        self._clear()

    def add(self, row: int, messages: Conversation, characters: int) -> None:
        self.rows.append(row)
        self.offsets.append(self.offsets[-1] + len(messages))
        for message in messages:
            self.roles.append(message["role"])
            self.contents.append(message["content"])
        self.characters += characters
        if len(self.rows) >= _MOST_BATCH_ROWS or self.characters >= _MOST_BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        if self.rows:
            turns = pa.StructArray.from_arrays(
                [pa.array(self.roles, pa.string()), pa.array(self.contents, pa.string())], fields=list(MESSAGE)
            )
            messages = pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), turns)
            rows = pa.array(self.rows, pa.int64())
            self.writer.write_batch(pa.record_batch([rows, messages], schema=SCHEMA))
            self._clear()

    def close(self) -> None:
        self.flush()
        self.writer.close()

    def _clear(self) -> None:
        self.rows: list[int] = []
        self.offsets: list[int] = [0]
        self.roles: list[str] = []
        self.contents: list[str] = []
        self.characters = 0


def examples(file: Path, start: int = 0, count: int | None = None) -> Iterator[tuple[int, Conversation]]:
    """Row numbers and conversations of a prepared part, from the `start`-th on. Only what is asked for is decoded."""
    with pq.ParquetFile(file) as parquet:
        position = 0
        for group in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(group).num_rows
            if position + size > start:
                for batch in parquet.iter_batches(1024, row_groups=[group], use_threads=False):
                    for row in batch.slice(max(0, start - position)).to_pylist():
                        if count is not None:
                            if count <= 0:
                                return
                            count -= 1
                        yield row["row"], row["messages"]
                    position += batch.num_rows
            else:
                position += size


def length(file: Path) -> int:
    return pq.read_metadata(file).num_rows


def part_file(dataset_folder: Path, part: str) -> Path:
    """The file of one part. Raises: `DataError` when the dataset was never finished."""
    file = dataset_folder / f"{part}.parquet"
    if not file.is_file():
        raise DataError(
            "This dataset is not complete.",
            "Preparing it was interrupted.",
            "Prepare it once more from the same file.",
        )
    return file

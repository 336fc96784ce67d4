"""Parquet, read in small batches under a budget of decoded bytes: what such a file says about its size can be a lie."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset import budget
from facet.dataset.delimited import Row
from facet.dataset.problem import RowProblem
from facet.errors import CapacityError, DataError

_BATCH_ROWS = 64
_MOST_METADATA_BYTES = 64 * 2**20
BYTES_PER_VALUE = 8  # what each place in a list of Python takes


class ParquetRows:
    """The rows of a Parquet file. Only the columns asked for are decoded."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.notes: Counter[str] = Counter()
        with self._opened() as parquet:
            self.names = list(parquet.schema_arrow.names)
            self.declared_rows = parquet.metadata.num_rows
        if len(self.names) > budget.MOST_COLUMNS:
            raise budget.too_many_columns(len(self.names))
        if len(set(self.names)) != len(self.names):
            raise _damaged("Two of its columns have the same name.")
        if self.declared_rows > budget.MOST_ROWS:
            raise budget.too_many_rows()

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]:
        """Each row with its number from 1. Values that are not valid UTF-8 make the row a `RowProblem`."""
        number = 0
        for batch in self.batches(columns):
            for row in _plain_rows(batch):
                number += 1
                if number > budget.MOST_ROWS:
                    raise budget.too_many_rows()
                yield number, row

    def batches(self, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        """The rows in small batches. Raises: `DataError` when they are decoded into far more than the file's size."""
        limit = budget.most_decoded_bytes(self.file.stat().st_size)
        decoded = 0
        with self._opened() as parquet:
            for batch in map(_unfolded, self._batches(parquet, columns)):
                weight = _weight(batch)
                decoded += weight
                if decoded > limit or weight > budget.MOST_BATCH_BYTES:
                    raise budget.unpacks_too_large(min(decoded, limit))
                yield batch

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self.file, memory_map=False, thrift_string_size_limit=_MOST_METADATA_BYTES)
        except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
            raise _refused(error) from None

    def _batches(self, parquet: pq.ParquetFile, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        try:
            yield from parquet.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError, ValueError, NotImplementedError, MemoryError) as error:
            raise _refused(error) from None


def _unfolded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Columns that say a long text once and point to it a thousand times count as a thousand texts."""
    columns = [each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in batch.columns]
    return pa.record_batch(columns, names=batch.schema.names)


def _weight(batch: pa.RecordBatch) -> int:
    """Bytes of a batch, and a pointer for each value inside of lists: sixty million of nothing weigh nothing here."""
    return batch.nbytes + BYTES_PER_VALUE * sum(_inner_values(column) for column in batch.columns)


def _inner_values(column: pa.Array) -> int:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = column.flatten()
        return len(inner) + _inner_values(inner)
    if pa.types.is_struct(kind):
        return sum(_inner_values(field) for field in column.flatten())
    if pa.types.is_map(kind):
        return len(column.keys) + _inner_values(column.items)
    return 0


def _plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any] | RowProblem]:
    try:
        return batch.to_pylist()
    except (UnicodeDecodeError, ValueError, OverflowError):
        return [_plain_row(batch.slice(place, 1)) for place in range(batch.num_rows)]


def _plain_row(batch: pa.RecordBatch) -> dict[str, Any] | RowProblem:
    try:
        return batch.to_pylist()[0]
    except (UnicodeDecodeError, ValueError, OverflowError):
        return RowProblem("encoding", "the row contains text that is not valid UTF-8, or a date out of range")


def _refused(error: Exception) -> DataError | CapacityError:
    text = str(error).lower()
    if isinstance(error, MemoryError):
        return budget.unpacks_too_large(budget.MOST_BATCH_BYTES)
    if "encrypt" in text or "decrypt" in text:
        return DataError("This Parquet file is encrypted.", "Facet has no key to it.", "Save it without encryption.")
    if "codec" in text or "compression" in text or isinstance(error, NotImplementedError):
        return _damaged("It uses a kind of compression or column that is not known here.")
    return _damaged("Its inner index or its data cannot be read.")


def _damaged(why: str) -> DataError:
    return DataError(
        "This Parquet file is damaged or unusual.", why, "Download or export it once more, or upload the rows as JSONL."
    )

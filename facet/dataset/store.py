"""Prepared examples on disk: Parquet files with the row number in the source, the messages, and what else they have."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.conversation import EXTRA_FIELDS, TURN_EXTRAS, Conversation, Example
from facet.errors import DataError

_MESSAGE = (("role", pa.string()), ("content", pa.string()))
_TURN_TYPES = {"weight": pa.int8(), "tool_calls": pa.string(), "name": pa.string()}
_FIELD_TYPES = {
    "label": pa.bool_(),
    "reference": pa.string(),
    "text": pa.string(),
    "tools": pa.string(),
    "images": pa.list_(pa.string()),
    "group": pa.string(),
}
_MOST_BATCH_ROWS = 4096
_MOST_BATCH_CHARACTERS = 8 * 2**20


def schema(extras: Iterable[str] = ()) -> pa.Schema:
    """Columns of a part. `extras` are names out of `EXTRA_FIELDS` and `TURN_EXTRAS` that its examples may have."""
    wanted = set(extras)
    turns = turns_type(wanted)
    fields = [("row", pa.int64()), ("messages", turns)]
    fields += [(name, _FIELD_TYPES.get(name, turns)) for name in EXTRA_FIELDS if name in wanted]
    return pa.schema(fields)


def turns_type(extras: Iterable[str] = ()) -> pa.DataType:
    return pa.list_(pa.struct([*_MESSAGE, *((name, _TURN_TYPES[name]) for name in TURN_EXTRAS if name in set(extras))]))


class ExampleWriter:
    """Writes examples in row groups, so that only one group is held in memory.

    `passing`: the file will soon be read and deleted, so that it is not worth much work to make it small.
    """

    def __init__(self, file: Path, extras: Iterable[str] = (), passing: bool = False) -> None:
        self.schema = schema(extras)
        how: dict[str, Any] = {"compression": "lz4", "use_dictionary": False} if passing else {"compression": "zstd"}
        self.writer = pq.ParquetWriter(file, self.schema, write_statistics=False, **how)
        self._clear()

    def add(self, row: int, example: Example, characters: int) -> None:
        self.rows.append(row)
        for name, column in self.columns.items():
            column.append(example.get(name))
        self.characters += characters
        if len(self.rows) >= _MOST_BATCH_ROWS or self.characters >= _MOST_BATCH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        if self.rows:
            arrays = [pa.array(self.rows, pa.int64())]
            for name, column in self.columns.items():
                kind = self.schema.field(name).type
                arrays.append(_turns(column, kind) if _holds_turns(kind) else pa.array(column, kind))
            self.writer.write_batch(pa.record_batch(arrays, schema=self.schema))
            self._clear()

    def close(self) -> None:
        self.flush()
        self.writer.close()

    def _clear(self) -> None:
        self.rows: list[int] = []
        self.columns: dict[str, list[Any]] = {name: [] for name in self.schema.names[1:]}
        self.characters = 0


def _holds_turns(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)


def _turns(column: list[Conversation | None], kind: pa.DataType) -> pa.Array:
    """Conversations as lists of structs, built field by field, which is several times faster than from dicts."""
    offsets = [0]
    for turns in column:
        offsets.append(offsets[-1] + len(turns or ()))
    flat = [turn for turns in column for turn in turns or ()]
    children = [pa.array([_plain(turn.get(field.name)) for turn in flat], field.type) for field in kind.value_type]
    structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
    empty = pa.array([turns is None for turns in column]) if None in column else None
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs, mask=empty)


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def examples(file: Path, start: int = 0, count: int | None = None) -> Iterator[tuple[int, Conversation]]:
    """Row numbers and conversations of a prepared part, from the `start`-th on. Only what is asked for is decoded."""
    for row, example in whole_examples(file, start, count, columns=["row", "messages"]):
        yield row, example["messages"]


def whole_examples(
    file: Path, start: int = 0, count: int | None = None, columns: list[str] | None = None
) -> Iterator[tuple[int, Example]]:
    """Row numbers and examples with everything they have."""
    with pq.ParquetFile(file) as parquet:
        position = 0
        for group in range(parquet.num_row_groups):
            size = parquet.metadata.row_group(group).num_rows
            if position + size > start:
                for batch in parquet.iter_batches(1024, row_groups=[group], columns=columns, use_threads=False):
                    for row in batch.slice(max(0, start - position)).to_pylist():
                        if count is not None:
                            if count <= 0:
                                return
                            count -= 1
                        yield row.pop("row"), as_example(row)
                    position += batch.num_rows
            else:
                position += size


def as_example(row: dict[str, Any]) -> Example:
    """A stored row without its empty fields, and with tool calls as values again."""
    for name in ("messages", "chosen", "rejected"):
        if row.get(name):
            row[name] = [_turn(turn) for turn in row[name]]
    return cast(Example, {name: value for name, value in row.items() if value is not None})


def _turn(turn: dict[str, Any]) -> dict[str, Any]:
    if len(turn) == len(_MESSAGE):
        return turn
    turn = {name: value for name, value in turn.items() if value is not None}
    if "tool_calls" in turn:
        turn["tool_calls"] = json.loads(turn["tool_calls"])
    return turn


def length(file: Path) -> int:
    return pq.read_metadata(file).num_rows


def extras_of(file: Path) -> list[str]:
    """Which fields the examples of a part may have beyond role and content."""
    found = pq.read_schema(file)
    turn = [field.name for field in found.field("messages").type.value_type]
    return [name for name in (*found.names, *turn) if name in EXTRA_FIELDS or name in TURN_EXTRAS]


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

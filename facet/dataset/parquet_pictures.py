"""Columns of pictures in Parquet, as the `datasets` library writes them: taken out into a folder."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.parquets import ParquetRows
from facet.dataset.pictures import Pictures, looks_like_picture

_PICTURE = pa.struct([("image", pa.string())])


def has_pictures(file: Path) -> bool:
    """Whether a file is Parquet with at least one column of pictures."""
    with open(file, "rb") as content:
        if content.read(4) != b"PAR1":
            return False
    rows = ParquetRows(file)
    first = next(rows.batches(None), None)
    return first is not None and bool(_columns(first))


def without_pictures(file: Path, target: Path, pictures: Pictures) -> None:
    """Write the same rows with `{"image": name}` in place of every picture; addresses become empty."""
    writer: pq.ParquetWriter | None = None
    columns: dict[int, pa.DataType] = {}
    try:
        for batch in ParquetRows(file).batches(None):
            columns = columns or _columns(batch)
            arrays = list(batch.columns)
            for place, kind in columns.items():
                values = [_value(_plain(value), pictures) for value in arrays[place]]
                arrays[place] = pa.array(values, kind)
            made = pa.record_batch(arrays, names=batch.schema.names)
            writer = writer or pq.ParquetWriter(target, made.schema, compression="zstd")
            writer.write_batch(made)
    finally:
        if writer:
            writer.close()


def _columns(batch: pa.RecordBatch) -> dict[int, pa.DataType]:
    """Places of the columns that hold pictures, and what their values become."""
    found: dict[int, pa.DataType] = {}
    for place, field in enumerate(batch.schema):
        kind = field.type
        if _is_struct(kind) or (_is_binary(kind) and _holds_pictures(batch.column(place))):
            found[place] = _PICTURE
        elif (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_struct(kind.value_type):
            found[place] = pa.list_(_PICTURE)
    return found


def _is_struct(kind: pa.DataType) -> bool:
    """The form of an image of the `datasets` library: a struct of `bytes` and `path`."""
    names = {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}
    return set(names) <= {"bytes", "path"} and _is_binary(names.get("bytes", pa.null()))


def _is_binary(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _holds_pictures(column: pa.Array) -> bool:
    first = next((value.as_py() for value in column if value.is_valid), b"")
    return looks_like_picture(first)


def _plain(value: pa.Scalar) -> Any:
    """The bytes alone: the path beside them may be no text at all."""
    if not value.is_valid:
        return None
    if isinstance(value, pa.ListScalar):
        return [_plain(inner) for inner in value.values]
    return value["bytes"].as_py() if isinstance(value, pa.StructScalar) else value.as_py()


def _value(value: Any, pictures: Pictures) -> Any:
    if isinstance(value, list):
        return [each for inner in value if (each := _value(inner, pictures))]
    return pictures.value(value) if isinstance(value, bytes) else None

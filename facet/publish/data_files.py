"""The Parquet files of a dataset as they are published: as they are, or with their pictures inside them."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError
from facet.publish.files import SECRET

PICTURES: Final = "images"  # the column, and the folder beside the parts
BATCH_ROWS: Final = 1024
PICTURE_ROWS: Final = 64  # with their pictures; all of them are in memory at once
KEY: Final = SECRET.pattern.decode()


def copy_part(file: Path, to: Path) -> None:
    """A second name for a part, or a copy where there can be none; one with pictures is written anew."""
    import pyarrow.parquet as pq

    if PICTURES in pq.read_schema(file).names:
        _with_pictures(file, to)
        return
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


def _with_pictures(file: Path, to: Path) -> None:
    """Rows that hold their pictures, in the way in which `datasets` shows them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        before = parquet.schema_arrow
        place = before.get_field_index(PICTURES)
        kind = pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        schema = before.set(place, pa.field(PICTURES, kind)).with_metadata(_shown_as(before))
        with pq.ParquetWriter(to, schema, compression="zstd") as writer:
            for batch in parquet.iter_batches(PICTURE_ROWS, use_threads=False):
                rows = [_pictures(file.parent, names) for names in batch.column(place).to_pylist()]
                writer.write_batch(pa.record_batch(batch.set_column(place, PICTURES, pa.array(rows, kind)), schema))


def _pictures(folder: Path, names: list[str] | None) -> list[dict[str, Any]] | None:
    if names is None:
        return None
    places = [(folder / PICTURES / name).resolve() for name in names]
    inside = (folder / PICTURES).resolve()
    if not all(place.is_relative_to(inside) and place.is_file() for place in places):
        raise DataError(
            "A picture of this dataset is missing.",
            "It was there when the dataset was prepared.",
            "Prepare it once more, then publish it.",
        )
    return [{"bytes": place.read_bytes(), "path": name} for place, name in zip(places, names, strict=True)]


def _shown_as(schema: Any) -> dict[bytes, bytes]:
    """The note by which `datasets` knows that a column holds pictures."""
    features = {name: _feature(schema.field(name).type) for name in schema.names if name != PICTURES}
    features[PICTURES] = {"feature": {"_type": "Image"}, "_type": "List"}
    return {
        b"huggingface": json.dumps({"info": {"features": {name: features[name] for name in schema.names}}}).encode()
    }


def _feature(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": str(kind), "_type": "Value"}


def holds_key(file: Path) -> bool:
    """Whether any text in it looks like a token of Hugging Face; packed as they are, bytes alone would not tell."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(BATCH_ROWS, use_threads=False):
            for texts in (leaf for column in batch.columns for leaf in _texts(column)):
                if pc.any(pc.match_substring_regex(texts, KEY)).as_py():
                    return True
    return False


def _texts(column: Any) -> Iterator[Any]:
    """All texts in a column, inside of lists and structures too."""
    import pyarrow as pa

    if pa.types.is_list(column.type):
        yield from _texts(column.flatten())
    elif pa.types.is_struct(column.type):
        for field in column.flatten():
            yield from _texts(field)
    elif pa.types.is_string(column.type):
        yield column

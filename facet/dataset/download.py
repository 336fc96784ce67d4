"""A prepared dataset as a file to take home: JSON lines or Parquet, with the usual names of TRL and OpenAI."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal, get_args

from facet.dataset.album import FOLDER as PICTURES
from facet.dataset.conversation import DatasetType, Example
from facet.dataset.split import PARTS
from facet.dataset.store import length, part_file, whole_examples
from facet.errors import SettingError
from facet.workspace import read_json

Format = Literal["jsonl", "parquet"]
_BATCH_ROWS = 2_000


def download(dataset_folder: str, format: Format, part: str | None, into: str) -> str:
    """Write one part, or all that have rows as a zip file, into the folder `into`; returns the file's path.

    The names in the zip say which part is which, and pictures lie beside them, so it can be brought back as it is.
    Raises: `SettingError` for a format or part that is not known.
    """
    if format not in get_args(Format) or part not in (None, *PARTS):
        raise SettingError(
            "This download cannot be made.",
            "Data is written as JSONL or Parquet, all of it or the part train, validation or exam.",
            "Choose one of these under “Download”.",
        )
    folder, target = Path(dataset_folder), Path(into)
    kind: DatasetType = read_json(folder / "dataset.json").get("type", "conversation")
    wanted = [part] if part else [each for each in PARTS if length(part_file(folder, each))]
    files = [_write(part_file(folder, each), kind, target / f"{each}.{format}") for each in wanted]
    if part and not (folder / PICTURES).is_dir():
        return str(files[0])
    return str(_packed(files, folder / PICTURES, target / f"{part or 'data'}-{format}.zip"))


def as_row(example: Example, kind: DatasetType) -> dict[str, Any]:
    """One example in the fields that TRL gives this type of dataset; a conversation as OpenAI writes it too."""
    turns = example["messages"]
    row: dict[str, Any]
    match kind:
        case "preference":
            row = {"prompt": turns, "chosen": example.get("chosen"), "rejected": example.get("rejected")}
        case "unpaired_preference":
            row = {"prompt": turns[:-1], "completion": turns[-1:], "label": example.get("label")}
        case "prompt_only":
            row = {"prompt": turns}
        case "text":
            row = {"text": example.get("text")}
        case _:
            row = {"messages": turns}
    for name in ("reference", "images", "group"):
        if example.get(name):
            row[name] = example[name]  # type: ignore[literal-required]
    if tools := example.get("tools"):
        row["tools"] = json.loads(tools)
    return row


def _write(source: Path, kind: DatasetType, to: Path) -> Path:
    rows = (as_row(example, kind) for _, example in whole_examples(source))
    writers: dict[str, Callable[[Iterable[dict[str, Any]], Path], None]] = {".jsonl": _lines, ".parquet": _table}
    writers[to.suffix](rows, to)
    return to


def _lines(rows: Iterable[dict[str, Any]], to: Path) -> None:
    with open(to, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _table(rows: Iterable[dict[str, Any]], to: Path) -> None:
    """Parquet with the columns of all rows: what only some have is empty in the others."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schemas, spilled = [], to.with_suffix(".rows")
    _lines(rows, spilled)
    for batch in _batches(spilled):
        schemas.append(pa.Table.from_pylist(batch).schema)
    schema = pa.unify_schemas(schemas, promote_options="permissive") if schemas else pa.schema([])
    with pq.ParquetWriter(to, schema, compression="zstd") as writer:
        for batch in _batches(spilled):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
    spilled.unlink()


def _batches(lines: Path) -> Iterator[list[dict[str, Any]]]:
    with open(lines, encoding="utf-8") as text:
        rows = map(_flat, map(json.loads, text))
        while batch := list(islice(rows, _BATCH_ROWS)):
            yield batch


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Calls and declarations of tools as JSON text: their arguments have a shape of their own in every row."""
    for name in ("messages", "prompt", "chosen", "rejected", "completion"):
        for turn in row.get(name) or ():
            if "tool_calls" in turn:
                turn["tool_calls"] = json.dumps(turn["tool_calls"], ensure_ascii=False)
    if "tools" in row:
        row["tools"] = json.dumps(row["tools"], ensure_ascii=False)
    return row


def _packed(files: list[Path], pictures: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for file in files:
            archive.write(file, file.name)
            file.unlink()
        for picture in sorted(pictures.rglob("*")) if pictures.is_dir() else ():
            if picture.is_file():
                archive.write(picture, picture.relative_to(pictures.parent).as_posix(), zipfile.ZIP_STORED)
    return to

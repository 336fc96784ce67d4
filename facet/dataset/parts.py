"""The files of a prepared dataset: made in a folder beside it, dealt out to three parts, and moved in when whole."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from facet.dataset.album import FOLDER as PICTURES
from facet.dataset.split import PARTS
from facet.errors import CapacityError
from facet.workspace import fsync

FILES = ("train.parquet", "validation.parquet", "exam.parquet", "problems.jsonl", "preview.json")


def write_parts(staging: Path, parts: np.ndarray) -> dict[int, np.ndarray]:
    """Deal the usable rows out to the three files, one row group at a time.

    Shapes: `parts` uint8 (N,), indices into `PARTS`. Returns the row numbers of those that belong to no part, by their
    place among the usable rows: int64 arrays keyed by row group.
    """
    import pyarrow as pa

    left: dict[int, np.ndarray] = {}
    with contextlib.ExitStack() as stack:
        usable = stack.enter_context(pq.ParquetFile(staging / "usable.parquet"))
        schema = usable.schema_arrow
        writers = [
            stack.enter_context(pq.ParquetWriter(staging / f"{part}.parquet", schema, compression="zstd"))
            for part in PARTS
        ]
        start = 0
        for group in range(usable.num_row_groups):
            table = usable.read_row_group(group, use_threads=False)
            mine = parts[start : start + table.num_rows]
            if (mine >= len(PARTS)).any():
                left[start] = table.column("row").to_numpy()
            start += table.num_rows
            for number, writer in enumerate(writers):
                chosen = table.filter(pa.array(mine == number))
                if chosen.num_rows:
                    writer.write_table(chosen)
    (staging / "usable.parquet").unlink()
    return left


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder beside the result that vanishes, whatever happens. A full disk becomes a sentence."""
    staging = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
    try:
        yield staging
    except OSError as error:
        if error.errno in (27, 28, 122):  # EFBIG, ENOSPC, EDQUOT
            raise CapacityError(
                "There is not enough room on the disk.",
                "The prepared rows could not be written.",
                "Delete runs or datasets you no longer need, then try again.",
            ) from None
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def move_in(staging: Path, folder: Path) -> None:
    for name in FILES:
        fsync(staging / name)
        (staging / name).replace(folder / name)
    if (staging / PICTURES).is_dir():
        (staging / PICTURES).replace(folder / PICTURES)
    fsync(folder)

"""Repairs, one after the other: they make the next train and validation part; the exam is never touched."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facet.dataset.album import FOLDER as PICTURES
from facet.dataset.album import link_all

_REPAIRED = ("train.parquet", "validation.parquet")


def mend(folder: Path, repairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Repairs the parts in this folder in place. Returns how many examples were changed, dropped and added.

    A part that has other names elsewhere is replaced here and stays what it was there.
    """
    if not repairs:
        return {}
    staging = Path(tempfile.mkdtemp(prefix=".mended-", dir=folder))
    try:
        done = apply(str(folder), list(repairs), str(staging))
        for name in _REPAIRED:
            (staging / name).replace(folder / name)
        if (staging / PICTURES).is_dir():
            link_all(staging / PICTURES, folder / PICTURES)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return {"mended": done}


def apply(folder: str, repairs: list[dict[str, Any]], into: str) -> dict[str, Any]:
    from facet.dataset.doctor.repair import repair  # the doctor's libraries are needed for nothing else

    return repair(folder, repairs, into)

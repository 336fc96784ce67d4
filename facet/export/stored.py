"""Tensors where they lie in safetensors files: rows are read as float32 when asked for, nothing else is. No torch."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from facet.gemma.inspect import read_header
from facet.gemma.refuse import printable

KINDS: Final = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}  # bfloat16 is unknown to numpy: its bits are read

Rows = slice | np.ndarray


@dataclass(frozen=True)
class Stored:
    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int  # byte in the file

    def rows(self, which: Rows) -> np.ndarray:
        """Some of its rows, or of its numbers where it is a vector, in float32."""
        raw = np.memmap(self.file, KINDS[self.dtype], "r", self.start, self.shape)[which]
        if self.dtype == "BF16":
            return (raw.astype("<u4") << 16).view("<f4")
        return np.array(raw, np.float32)


def tensors_of(file: Path) -> dict[str, Stored]:
    """Every tensor of a file, by name.

    Raises: `OSError`; `ValueError` with a sentence when the file is damaged or holds other kinds of numbers.
    """
    try:
        header = read_header(file)
        with open(file, "rb") as handle:
            begin = 8 + int.from_bytes(handle.read(8), "little")
        return {name: _stored(file, begin, name, entry) for name, entry in header.items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("The description at its start is damaged.") from error


def _stored(file: Path, begin: int, name: str, entry: dict[str, Any]) -> Stored:
    dtype, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
    if dtype not in KINDS:
        shown = f"“{printable(name, 80)}” is of the kind {printable(dtype, 20)}"
        raise ValueError(f"{shown}; 32-bit and 16-bit numbers are known.")
    size = 4 if dtype == "F32" else 2
    if not shape or min(shape) < 1 or start < 0 or math.prod(shape) * size != end - start:
        raise ValueError(f"The sizes of “{printable(name, 80)}” contradict each other.")
    return Stored(file, dtype, shape, begin + start)

"""What lies in a GGUF file: the names, shapes and kinds of its tensors, and whether all their bytes are there.

The library's own reader takes half a minute for a vocabulary of 262,144 pieces, because it keeps a view of each.
Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
import os
import struct
from pathlib import Path
from typing import IO, Final

from gguf import GGUF_DEFAULT_ALIGNMENT, GGUF_MAGIC, GGUF_VERSION, GGMLQuantizationType, quant_shape_to_byte_shape

SIZES: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of GGUF's numbers
STRING: Final = 8
ARRAY: Final = 9


def tensors_in(file: Path) -> dict[str, tuple[tuple[int, ...], GGMLQuantizationType]]:
    """Name → shape (rows first) and kind. Raises: `OSError`; `ValueError` when the file is damaged or cut short."""
    try:
        with open(file, "rb") as handle:
            return _tensors_in(handle)
    except (struct.error, UnicodeDecodeError, KeyError) as error:
        raise ValueError("it is damaged") from error


def _tensors_in(handle: IO[bytes]) -> dict[str, tuple[tuple[int, ...], GGMLQuantizationType]]:
    magic, version, tensors, keys = _numbers(handle, "<IIQQ")
    if (magic, version) != (GGUF_MAGIC, GGUF_VERSION):
        raise ValueError("it is no GGUF file")
    for _ in range(keys):
        _skip_string(handle)
        _skip_value(handle, *_numbers(handle, "<I"))
    found, end = {}, 0
    for _ in range(tensors):
        name = handle.read(*_numbers(handle, "<Q")).decode()
        (dimensions,) = _numbers(handle, "<I")
        shape = tuple(reversed(_numbers(handle, f"<{dimensions}Q")))
        kind, start = _numbers(handle, "<IQ")
        found[name] = shape, GGMLQuantizationType(kind)
        end = max(end, start + math.prod(quant_shape_to_byte_shape(shape, GGMLQuantizationType(kind))))
    begin = -(-handle.tell() // GGUF_DEFAULT_ALIGNMENT) * GGUF_DEFAULT_ALIGNMENT
    if os.fstat(handle.fileno()).st_size < begin + end:
        raise ValueError("it is cut short")
    return found


def _numbers(handle: IO[bytes], form: str) -> tuple[int, ...]:
    return struct.unpack(form, handle.read(struct.calcsize(form)))


def _skip_string(handle: IO[bytes]) -> None:
    handle.seek(*_numbers(handle, "<Q"), os.SEEK_CUR)


def _skip_value(handle: IO[bytes], kind: int) -> None:
    if kind == STRING:
        _skip_string(handle)
    elif kind == ARRAY:
        inner, count = _numbers(handle, "<IQ")
        if inner in SIZES:
            handle.seek(count * SIZES[inner], os.SEEK_CUR)
        else:
            for _ in range(count):
                _skip_value(handle, inner)
    else:
        handle.seek(SIZES[kind], os.SEEK_CUR)

"""TensorBoard's own files, written without TensorBoard: a record for each number, with checksums.

Source: https://github.com/tensorflow/tensorboard, `compat/proto/event.proto` and `summary/writer/record_writer.py`.
"""

import os
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from facet.track.feed import Point

TAGS: Final = {
    "loss": "train/loss",
    "validation_loss": "validation/loss",
    "validation_token_accuracy": "validation/token_accuracy",
    "accuracy": "validation/accuracy",
    "macro_f1": "validation/macro_f1",
    "look_seconds": "validation/look_seconds",
    "token_accuracy": "train/token_accuracy",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/grad_norm",
}
VERSION: Final = "brain.Event:2"
CRC_POLYNOMIAL: Final = 0x82F63B78  # CRC-32C, reflected
MASK: Final = 0xA282EAD8


def tag(name: str) -> str:
    return TAGS.get(name, f"train/{name}")


def write(file: Path, points: Iterable[Point], size: int | None) -> int:
    """Add points behind the first `size` bytes, which were written whole (None: the file is new). The new size.

    What a killed process left behind them goes away, so nothing is ever there twice.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = size is None or not file.exists()
    with open(file, "wb" if new else "rb+") as out:
        if size is not None and not new:
            out.truncate(size)
            out.seek(size)
        points = list(points)
        if new:
            out.write(_record(_event(points[0].at if points else 0.0, 0, version=VERSION)))
        for point in points:
            out.write(_record(_event(point.at, point.step, point.values)))
        out.flush()
        os.fsync(out.fileno())
        return out.tell()


def _event(at: float, step: int, values: dict[str, float] | None = None, version: str = "") -> bytes:
    """An `Event`: wall_time 1, step 2, file_version 3, summary 5 with its values 1, each tag 1 and simple_value 2."""
    body = b"\x09" + struct.pack("<d", at) + b"\x10" + _varint(step)
    if version:
        body += b"\x1a" + _sized(version.encode())
    if values:
        each = [
            b"\x0a" + _sized(tag(name).encode()) + b"\x15" + struct.pack("<f", value) for name, value in values.items()
        ]
        body += b"\x2a" + _sized(b"".join(b"\x0a" + _sized(value) for value in each))
    return body


def _sized(data: bytes) -> bytes:
    return _varint(len(data)) + data


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def _masked(data: bytes) -> int:
    crc = 0xFFFFFFFF
    table = _table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    found = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (CRC_POLYNOMIAL if number & 1 else 0)
        found.append(number)
    return tuple(found)

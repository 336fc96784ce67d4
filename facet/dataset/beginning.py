"""The first rows of a file of which only pieces are here. Runs in the limited child: the pieces are a stranger's.

Of a file of lines there is its start, which is cut at the last whole row. Of a Parquet file there is its end, which
says where the first rows lie, and then those.
"""

import io
import re
import zlib
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from facet.dataset.look import look
from facet.errors import DataError

MOST_UNPACKED: Final = 4_000_000  # bytes of a compressed beginning
SHOWN_ROWS: Final = 200  # kept of a Parquet file
MOST_FOOTER: Final = 16_000_000  # bytes
FOOTER_END: Final = 8  # bytes: how long the index is, and a mark
PADDING: Final = 256  # bytes that the reader may want behind the last column
TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def beginning(pieces: dict[str, str], size: int, name: str, into: str) -> dict[str, Any]:
    """A look at the first rows, or which bytes are needed for it.

    `pieces` are files here by the byte of the whole file they begin with; `size` is that of the whole in bytes.
    Returns `{"need": [start, stop]}`, to be called again with that piece, or `{"look": …, "rows": in the whole file}`;
    `rows` is None where the pieces do not tell.
    Raises: `DataError` for what cannot be read.
    """
    here = {int(start): Path(piece) for start, piece in pieces.items()}
    is_whole = 0 in here and here[0].stat().st_size == size
    if is_whole:
        return {"look": look(str(here[0]), Path(name).name), "rows": None}
    if name.lower().endswith(".parquet"):
        return _of_parquet(here, size, name, Path(into))
    data, plain_name = _unpacked(here[0].read_bytes(), Path(name).name)
    cut = Path(into) / "beginning"
    cut.write_bytes(cut_to_rows(data, plain_name))
    return {"look": _not_counted(look(str(cut), plain_name)), "rows": None}


def _not_counted(seen: dict[str, Any]) -> dict[str, Any]:
    return seen | {"row_count": None}


def _unpacked(data: bytes, name: str) -> tuple[bytes, str]:
    """The beginning of what is inside, of a .gz; nothing is unpacked beyond four megabytes."""
    if data[:2] != b"\x1f\x8b":
        return data, name
    try:
        data = zlib.decompressobj(wbits=31).decompress(data, MOST_UNPACKED)
    except zlib.error as error:
        raise _unreadable("What is packed in it is damaged.") from error
    return data, name.removesuffix(".gz")


def cut_to_rows(data: bytes, name: str) -> bytes:
    """Without the row at the end that is not whole.

    >>> cut_to_rows(b'[{"a": "]"}, {"a": 2}, {"a"', "x.json")
    b'[{"a": "]"}, {"a": 2}]'
    """
    start = data.lstrip()[:1]
    if name.lower().endswith(".json") and start == b"[":
        return _cut_list(data)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # two bytes for each letter
        return data[: len(data) // 2 * 2]
    end = data.rfind(b"\n")
    if name.lower().endswith((".csv", ".tsv")) and (closed := _last_closed_line(data)) > 0:
        end = closed
    if end <= 0:
        raise _unreadable("Its first row alone is longer than what is fetched for a look.")
    return data[: end + 1]


def _last_closed_line(data: bytes) -> int:
    """The last line end that is not inside of a quoted cell; -1 when there is none."""
    found, quotes = -1, 0
    for token in re.finditer(rb'["\n]', data):
        if token[0] == b'"':
            quotes += 1
        elif quotes % 2 == 0:
            found = token.start()
    return found


def _cut_list(data: bytes) -> bytes:
    """The items of a JSON list that are whole."""
    depth, end = 0, 0
    for token in TOKENS.finditer(data):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == 1:
                end = token.end()
    if not end:
        raise _unreadable("Its first row alone is longer than what is fetched for a look.")
    return data[:end] + b"]"


def _of_parquet(here: dict[int, Path], size: int, name: str, into: Path) -> dict[str, Any]:
    pieces = _Pieces(here, size)
    length = int.from_bytes(pieces.bytes(size - FOOTER_END, size - 4), "little")
    footer = size - FOOTER_END - length
    if footer < 4 or length > MOST_FOOTER:
        raise _unreadable("Its inner index is damaged, or too large.")
    if not pieces.has(footer, size):
        return {"need": [footer, size]}
    try:
        with pq.ParquetFile(pa.PythonFile(pieces, "r"), pre_buffer=False) as parquet:
            if not parquet.metadata.num_row_groups:
                raise _unreadable("It has no rows.")
            first = _place_of(parquet.metadata.row_group(0))
            if not pieces.has(*first):
                return {"need": [first[0], min(size, first[1] + PADDING)]}
            batch = next(parquet.iter_batches(SHOWN_ROWS, row_groups=[0], use_threads=False), None)
            if batch is None:
                raise _unreadable("Its first rows are missing.")
            pq.write_table(pa.Table.from_batches([batch]), into / "beginning")
            rows = parquet.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable("Its inner index or its data cannot be read.") from error
    return {"look": _not_counted(look(str(into / "beginning"), Path(name).name)), "rows": rows}


def _place_of(group: Any) -> tuple[int, int]:
    """Where the columns of a group of rows lie in the file: first byte, and the one behind the last."""
    columns = [group.column(place) for place in range(group.num_columns)]
    starts = [
        min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset) for column in columns
    ]
    stops = [start + column.total_compressed_size for start, column in zip(starts, columns, strict=True)]
    if not starts or min(starts) < 0 or max(stops) <= min(starts):
        raise _unreadable("Its inner index is damaged.")
    return min(starts), max(stops)


class _Pieces(io.RawIOBase):
    """A file of which some pieces are here, as if it were whole; what is missing cannot be read."""

    def __init__(self, here: dict[int, Path], size: int) -> None:
        super().__init__()
        self.here = {start: piece.read_bytes() for start, piece in here.items()}
        self.size, self.place = size, 0

    def has(self, start: int, stop: int) -> bool:
        return any(begin <= start and stop <= begin + len(piece) for begin, piece in self.here.items())

    def bytes(self, start: int, stop: int) -> bytes:
        for begin, piece in self.here.items():
            if begin <= start and stop <= begin + len(piece):
                return piece[start - begin : stop - begin]
        raise OSError("this part of the file is not here")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.place = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence] + offset
        return self.place

    def tell(self) -> int:
        return self.place

    def read(self, size: int = -1) -> bytes:
        stop = self.size if size < 0 else min(self.size, self.place + size)
        data = self.bytes(self.place, stop) if stop > self.place else b""
        self.place += len(data)
        return data


def _unreadable(why: str) -> DataError:
    return DataError(
        "The first rows of this dataset cannot be shown yet.", why, "Press “Fetch” to bring the whole file and look."
    )

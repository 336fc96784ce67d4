"""The rows of one file, whatever its format. The place where foreign bytes become plain Python values."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from facet.dataset.chat_rows import as_chats
from facet.dataset.delimited import DelimitedRows, Row
from facet.dataset.jsons import JsonRows
from facet.dataset.sniff import Sniffed, sniff
from facet.dataset.texts import TextRows
from facet.errors import DataError

# "encoding", "delimiter", "sheet", "member", and the "speaker" of a chat, as a person chose them
Correction = dict[str, str | None]


class Rows(Protocol):
    """What every reader offers. `notes` counts what had to be repaired while reading."""

    names: list[str] | None  # None where every row names its own columns
    notes: Counter[str]

    # Where there are several to choose from, `sheets: list[str]` as well, and `sheet` for the one that is read; and
    # `speakers` and `speaker` of a chat: whose messages the model learns.

    def rows(self, columns: list[str] | None = None) -> Iterator[Row]: ...


def open_rows(file: Path, original_name: str, correction: Correction | None = None) -> tuple[Sniffed, Rows]:
    """What the file is, and its rows, to be read one after another; single messages as conversations.

    Raises: `DataError` when it is none that Facet reads.
    """
    sniffed, rows = open_alone(file, original_name, correction)
    return sniffed, as_chats(rows, (correction or {}).get("speaker"))


def open_alone(file: Path, original_name: str, correction: Correction | None = None) -> tuple[Sniffed, Rows]:
    """The same, with every message on its own."""
    if not file.is_file():
        raise DataError("There is no such file.", "It was moved or deleted, or it is a folder.", "Upload it again.")
    sniffed = sniff(file, original_name, correction)
    if sniffed.format == "parquet":
        from facet.dataset.parquets import ParquetRows  # pyarrow takes a third of a second to import

        return sniffed, ParquetRows(file)
    if sniffed.format == "excel":
        from facet.dataset.excel import ExcelRows

        return sniffed, ExcelRows(file, (correction or {}).get("sheet"))
    assert sniffed.encoding is not None
    if sniffed.format in ("text", "markdown"):
        return sniffed, TextRows(file, sniffed.encoding, markdown=sniffed.format == "markdown")
    if sniffed.format in ("json", "jsonl"):
        return sniffed, JsonRows(file, sniffed.encoding, lines=sniffed.format == "jsonl")
    assert sniffed.delimiter is not None
    return sniffed, DelimitedRows(file, sniffed.encoding, sniffed.delimiter, sniffed.backslash_quotes)

"""How much of a foreign file Facet is willing to read: limits on what was decoded, not on what a file says."""

from facet.errors import DataError

MOST_FILE_BYTES = 8 * 2**30
MOST_ROWS = 5_000_000
MOST_COLUMNS = 1_000
MOST_NAME_CHARACTERS = 200
MOST_LINE_CHARACTERS = 32 * 2**20  # one line, one cell, or one JSON value
MOST_DOCUMENT_CHARACTERS = 64 * 2**20  # JSON that cannot be read piece by piece
MOST_INNER_VALUES = 4_000_000  # lists and objects inside of one JSON value
MOST_BATCH_BYTES = 256 * 2**20
MOST_MEMBERS = 50_000  # files in one archive: a large set of pictures
MOST_DIRECTORY_BYTES = 16 * 2**20
MOST_DATA_FILES = 200  # files with rows in one archive or folder
MOST_CELLS = 10_000_000  # of one sheet, empty ones between the others included
MOST_SHEET_BYTES = 400 * 2**20  # what a workbook unpacks to
MOST_PIXELS = 40_000_000  # of one picture
MOST_PICTURE_BYTES = 50 * 2**20
MOST_SYSTEM_CHARACTERS = 20_000
MOST_TURNS = 200  # templates read a conversation once for every answer in it
MOST_INSTANCES = 100_000  # examples in one row


def most_decoded_bytes(file_bytes: int) -> int:
    """Ordinary compression shrinks text less than fifty times; a file that unpacks to more was made to do harm."""
    return 2**30 + 50 * file_bytes


def most_unpacked_bytes(file_bytes: int) -> int:
    """The same for an archive: these bytes are written to disk, so there is less room for a small one."""
    return min(2**28 + 50 * file_bytes, MOST_FILE_BYTES)


def too_many_rows() -> DataError:
    return DataError(
        "This file has too many rows.",
        f"Facet reads up to {MOST_ROWS:,} rows.",
        "Upload a part of it; a few thousand good examples are usually enough.",
    )


def too_many_columns(count: int) -> DataError:
    return DataError(
        "This file has too many columns.",
        f"It has {count:,} columns and Facet reads up to {MOST_COLUMNS:,}.",
        "Keep the columns with questions and answers and upload it again.",
    )


def unpacks_too_large(limit: int) -> DataError:
    return DataError(
        "This file unpacks to far more than its size.",
        f"Reading was stopped after {limit / 1e9:.1f} GB.",
        "Upload the rows as CSV or JSONL instead.",
    )


def line_too_long(number: int) -> DataError:
    return DataError(
        "One line of this file is too long.",
        f"Line {number:,} has more than {MOST_LINE_CHARACTERS // 2**20} million characters.",
        "Shorten that line, or check that its quotation marks are closed.",
    )

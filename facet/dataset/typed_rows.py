"""Examples that a person typed into a grid or pasted as a block of text, as a file that the readers know."""

import csv
import io
import re

from facet.errors import DataError

MOST_CHARACTERS = 20_000_000
MOST_ROWS = 200_000
_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*")
_CELL = re.compile(r"(?<!\\)\|")
_NAMES = ("question", "answer")


def as_file(table: list[list[str]] | str) -> tuple[str, str]:
    """The text of a file, and the ending of its name. Raises: `DataError` when nothing is there, or far too much."""
    if isinstance(table, str):
        return _from_text(table)
    rows = [["" if cell is None else str(cell) for cell in row] for row in table]
    if len(rows) > MOST_ROWS or sum(len(cell) for row in rows for cell in row) > MOST_CHARACTERS:
        raise _too_much()
    return _as_csv(rows), ".csv"


def _from_text(text: str) -> tuple[str, str]:
    if len(text) > MOST_CHARACTERS:
        raise _too_much()
    text = text.strip("\ufeff\r\n ")
    if not text.strip():
        raise _nothing()
    if text[0] in "{[":
        return text + "\n", ".json" if text[0] == "[" else ".jsonl"
    rows = markdown_table(text)
    if rows is not None:
        return _as_csv(rows), ".csv"
    if "\t" in text:
        return _named(text + "\n", "\t"), ".tsv"
    return _named(text + "\n", None), ".csv" if re.search(r"[,;|]", text.split("\n")[0]) else ".txt"


def _as_csv(rows: list[list[str]]) -> str:
    """CSV of the rows that hold something. Columns without a name and without a value are left out."""
    filled = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    if not rows or not filled:
        raise _nothing()
    width = max(map(len, [rows[0], *filled]))
    padded = [row + [""] * (width - len(row)) for row in (rows[0], *filled)]
    used = [place for place in range(width) if any(row[place].strip() for row in padded)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(
        [row[place] for place in used] for row in padded
    )
    return out.getvalue()


def _named(text: str, delimiter: str | None) -> str:
    """With the names of two columns above, where the first line is plainly an example itself."""
    first = text.split("\n")[0]
    cells = first.split(delimiter) if delimiter else []
    if len(cells) == 2 and any(cell.strip()[-1:] in ("?", ".", "!") for cell in cells):
        return "\t".join(_NAMES) + "\n" + text
    return text


def markdown_table(text: str) -> list[list[str]] | None:
    """The cells of a table as Markdown writes it; None when the text is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 3 or "|" not in lines[0] or not _RULE.fullmatch(lines[1]):
        return None
    rows = [lines[0], *(line for line in lines[2:] if "|" in line)]
    return [[cell.replace("\\|", "|").replace("<br>", "\n").strip() for cell in _cells(line)] for line in rows]


def _cells(line: str) -> list[str]:
    line = line.removeprefix("|")
    return _CELL.split(line[:-1] if line.endswith("|") and not line.endswith("\\|") else line)


def _nothing() -> DataError:
    return DataError(
        "There are no examples yet.",
        "Below the names of the columns every line is empty.",
        "Type or paste at least one example, better 20 and more.",
    )


def _too_much() -> DataError:
    return DataError(
        "This is too much to paste.",
        f"Up to {MOST_ROWS:,} lines and {MOST_CHARACTERS / 1e6:.0f} million characters are taken.",
        "Save it as a file and upload that.",
    )

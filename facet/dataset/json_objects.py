"""One JSON object that holds many rows: wrapped, by columns, numbers or parts, or as questions with their answers."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from facet.dataset import exports
from facet.errors import DataError

PAIRS = "Each name in this file and the text behind it were read as a question and its answer."
_ONE_ROW = ("messages", "conversations", "images", "tools")  # lists that belong to one example
_DEEPEST = 3
_FEWEST_PAIRS = 3
_SURELY_PAIRS = 30  # so many texts under different names are no columns of one row
_STUDIED = 200

Rows = Iterator[dict[str, Any]]


def rows_of_object(document: dict[str, Any], notes: Counter[str]) -> Rows:
    """Raises: `DataError` for an empty object, and for columns that do not fit together."""
    rows = several(document, notes)
    if rows is not None:
        yield from rows
    elif document:
        yield document
    else:
        raise not_rows("It is an empty object.")


def holds_several(document: dict[str, Any]) -> bool:
    return several(document, Counter()) is not None


def several(document: dict[str, Any], notes: Counter[str], depth: int = 0) -> Rows | None:
    """The rows of an object that holds several; None where it is one row itself."""
    if (found := exports.telegram(document, notes)) is not None:
        return found
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    of_rows = [value for value in lists.values() if value and all(isinstance(each, dict) for each in value)]
    if any(is_conversation(value) for value in of_rows):
        return None
    if len(of_rows) == 1 and not any(name in document for name in _ONE_ROW):
        return iter(of_rows[0])
    if _is_split(document):
        return (dict(zip(document["columns"], row, strict=False)) for row in document["data"])
    if lists and len(lists) == len(document):
        return _parts(lists) if len(of_rows) == len(lists) and _are_alike(of_rows) else _columns(lists)
    if document and all(isinstance(value, dict) for value in document.values()):
        return _of_objects(document, notes, depth)
    return _pairs(document, notes)


def is_conversation(value: list[Any]) -> bool:
    turns = [each for each in value if isinstance(each, dict)]
    return bool(turns) and all(("role" in each and "content" in each) or {"from", "value"} <= {*each} for each in turns)


def _is_split(document: dict[str, Any]) -> bool:
    """As pandas writes tables with `orient="split"`."""
    names, rows = document.get("columns"), document.get("data")
    is_table = isinstance(names, list) and isinstance(rows, list) and all(isinstance(name, str) for name in names)
    return is_table and bool(rows) and all(isinstance(row, list) and len(row) == len(names) for row in rows)


def _are_alike(lists: list[list[dict[str, Any]]]) -> bool:
    return len(lists) > 1 and len({frozenset(each[0]) for each in lists}) == 1


def _parts(lists: dict[str, list[dict[str, Any]]]) -> Rows:
    """Lists of the same kind of rows, such as train and test; each row says from which it comes."""
    return ({"part": name, **row} for name, rows in lists.items() for row in rows)


def _columns(columns: dict[str, list[Any]]) -> Rows:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise not_rows(f"Its columns have different lengths, from {min(lengths):,} to {max(lengths):,}.")
    names = list(columns)
    return (dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _of_objects(document: dict[str, dict[str, Any]], notes: Counter[str], depth: int) -> Rows | None:
    """An object around the rows, columns as pandas writes them, or rows by their number or name."""
    if len(document) == 1:
        (inner,) = document.values()
        return several(inner, notes, depth + 1) if depth < _DEEPEST else None
    inner = list(document.values())
    keys = list(inner[0])
    is_even = all(len(each) == len(keys) for each in inner) and all(each.keys() == inner[0].keys() for each in inner)
    if is_even and len(keys) > 1 and not _are_numbers(document) and (_are_numbers(inner[0]) or len(keys) > len(inner)):
        names = list(document)
        return (dict(zip(names, (each[key] for each in inner), strict=True)) for key in keys)
    if _are_numbers(document) or (is_even and len(inner) > len(keys)):
        return (row if "id" in row else {"id": name, **row} for name, row in document.items())
    return None


def _are_numbers(named: dict[str, Any]) -> bool:
    return all(name.isdecimal() for name in named)


def _pairs(document: dict[str, Any], notes: Counter[str]) -> Rows | None:
    """Questions as the names of their answers, where the names read like questions or there are very many."""
    values = list(document.values())
    if len(document) < _FEWEST_PAIRS or not all(isinstance(value, str) for value in values):
        return None
    names = list(document)[:_STUDIED]
    asking = sum(" " in name.strip() or name.strip().endswith(("?", "？")) for name in names)
    if asking < len(names) / 2 and len(document) < _SURELY_PAIRS:
        return None
    notes[PAIRS] += 1
    return ({"question": name, "answer": value} for name, value in document.items())


def not_rows(why: str) -> DataError:
    return DataError(
        "This JSON file does not hold rows.",
        why,
        "Save it as a list of objects, such as [{“question”: …, “answer”: …}, …].",
    )

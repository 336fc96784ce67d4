"""The first rows as they are and as conversations, so that a person can see what a choice of columns does."""

from pathlib import Path
from typing import Any

from facet.dataset.columns import Converter, Mapping, check_mapping, parse_mapping
from facet.dataset.conversation import Example
from facet.dataset.fill import Filling
from facet.dataset.problem import RowProblem
from facet.dataset.read import Correction, open_rows
from facet.dataset.values import is_plain, to_json

SHOWN_ROWS = 20
_NAMING_ROWS = 1_000
_DOUBTFUL_ROWS = 20_000  # of a file whose encoding is doubtful, searched for letters that tell


def preview(
    file: str,
    original_name: str,
    mapping: dict[str, Any],
    correction: Correction | None = None,
    count: int = SHOWN_ROWS,
) -> list[dict[str, Any]]:
    """The first rows, each with its example or the reason why it has none. Long texts are shortened to be shown.

    Where the encoding is doubtful, rows with letters beyond ASCII come first: they show whether it is right.
    Where a row gives several examples, the first is shown, and `more` says how many follow.
    Raises: `DataError` and `SettingError` as `prepare` does.
    """
    chosen = parse_mapping(mapping)
    sniffed, rows = open_rows(Path(file), original_name, correction)
    check_mapping(chosen, rows.names)
    found: list[dict[str, Any]] = []
    telling: list[dict[str, Any]] = []
    names: set[str] = set()
    converter = Converter(chosen, _Any())
    most = _DOUBTFUL_ROWS if sniffed.is_doubtful else count if rows.names is not None else max(count, _NAMING_ROWS)
    for number, row in rows.rows():
        if number > most:
            break
        names.update(row if isinstance(row, dict) else ())
        if number <= count:
            found.append(_converted(number, row, converter))
        if sniffed.is_doubtful and len(telling) < count and isinstance(row, dict) and not is_plain(row):
            telling.append(_converted(number, row, converter))
    found = with_telling(found, telling) if sniffed.is_doubtful else found
    if rows.names is None and (_is_empty(found) or not _are_named(chosen, names)):
        check_mapping(chosen, sorted(names))
    return found


def with_telling(first: list[Any], telling: list[Any]) -> list[Any]:
    """Of rows in a doubtful encoding, those whose letters show whether it is right; the first ones fill the rest."""
    most = len(first)
    chosen = telling[:most]
    return [*chosen, *(row for row in first if row not in chosen)][:most]


def _converted(number: int, row: dict[str, Any] | RowProblem, converter: Converter) -> dict[str, Any]:
    try:
        made = converter.convert_all(row, set())
    except RowProblem as problem:
        return shown(number, row, None, problem)
    return {**shown(number, row, made[0], None), **({"more": len(made) - 1} if len(made) > 1 else {})}


def _is_empty(found: list[dict[str, Any]]) -> bool:
    return not any(each["messages"] is not None for each in found)


def _are_named(mapping: Mapping, names: set[str]) -> bool:
    """An unknown column in a template fills nothing in, so it would not be missed."""
    return all(column in names for text in mapping.templates().values() for column in Filling(text).columns)


class _Any:
    """Every picture: what is not there is found out when the rows are prepared."""

    def __contains__(self, name: object) -> bool:
        return True


def shown(
    number: int, row: dict[str, Any] | RowProblem, example: Example | None, problem: RowProblem | None
) -> dict[str, Any]:
    """One row for a page: as it is, and its example under the names of `Example`, or why it has none."""
    raw = {} if isinstance(row, RowProblem) else to_json(row)
    return {
        "row": number,
        "raw": raw,
        "messages": None,
        **(to_json(example) if example is not None else {}),
        "problem": f"{problem.words[0].upper()}{problem.words[1:]}." if problem else None,
    }

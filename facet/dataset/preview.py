"""The first rows as they are and as conversations, so that a person can see what a choice of columns does."""

from pathlib import Path
from typing import Any

from facet.dataset.columns import Converter, check_mapping, parse_mapping
from facet.dataset.conversation import Conversation
from facet.dataset.problem import RowProblem
from facet.dataset.read import Correction, open_rows
from facet.dataset.values import to_json

SHOWN_ROWS = 20


def preview(
    file: str,
    original_name: str,
    mapping: dict[str, Any],
    correction: Correction | None = None,
    count: int = SHOWN_ROWS,
) -> list[dict[str, Any]]:
    """The first rows, each with its conversation or the reason why it has none. Long texts are shortened to be shown.

    Raises: `DataError` and `SettingError` as `prepare` does.
    """
    chosen = parse_mapping(mapping)
    _, rows = open_rows(Path(file), original_name, correction)
    check_mapping(chosen, rows.names)
    converter = Converter(chosen)
    found: list[dict[str, Any]] = []
    for number, row in rows.rows():
        if number > count:
            break
        try:
            found.append(shown(number, row, converter.convert(row, set()), None))
        except RowProblem as problem:
            found.append(shown(number, row, None, problem))
    if rows.names is None and not any(each["messages"] for each in found):
        check_mapping(chosen, sorted({name for each in found for name in each["raw"]}))
    return found


def shown(
    number: int, row: dict[str, Any] | RowProblem, messages: Conversation | None, problem: RowProblem | None
) -> dict[str, Any]:
    raw = {} if isinstance(row, RowProblem) else to_json(row)
    return {
        "row": number,
        "raw": raw,
        "messages": to_json(messages) if messages is not None else None,
        "problem": f"{problem.words[0].upper()}{problem.words[1:]}." if problem else None,
    }

"""Functions a model may call, and its calls of them, in the one form that chat templates read."""

import json
from typing import Any

from facet.dataset.problem import RowProblem
from facet.dataset.values import is_missing, is_too_deep, to_text

MOST_TOOLS_CHARACTERS = 200_000
_MOST_CALLS = 50
_CALL_MARKS = ("<tool_call>", "</tool_call>")
_RESULT_MARKS = ("<tool_response>", "</tool_response>")


def tools_in(value: Any) -> str | None:
    """The functions that a row declares, as the JSON text of a list; None where it declares none.

    Raises: `RowProblem` for anything that is no list of functions with names.
    """
    value = _decoded(value)
    if isinstance(value, dict):
        inner = next((value[key] for key in ("tools", "functions") if key in value), None)
        value = _decoded(inner) if "name" not in value and "function" not in value else [value]
    if is_missing(value) or value == []:
        return None
    if not isinstance(value, list):
        raise RowProblem("tools", "the list of tools is not a list of functions")
    return _json_text([_declared(each) for each in value], "list of tools")


def _declared(value: Any) -> dict[str, Any]:
    value = _decoded(value)
    inner = value.get("function", value) if isinstance(value, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str) or not inner["name"].strip():
        raise RowProblem("tools", "the list of tools is not a list of functions")
    function = without_nothing(inner)
    function.setdefault("description", "")
    return {"type": "function", "function": function}


def calls_in(value: Any, first: int = 1) -> list[dict[str, Any]]:
    """Calls of functions, numbered from `first` where they have no id of their own.

    Raises: `RowProblem` when a call names no function, or its arguments are no object.
    """
    value = _decoded(value)
    calls = value if isinstance(value, list) else [value]
    if not calls or len(calls) > _MOST_CALLS:
        raise RowProblem("tool call", f"a turn calls no tool, or more than {_MOST_CALLS}")
    made = [_call(each, first + place) for place, each in enumerate(calls)]
    _json_text(made, "call of a tool")
    return made


def _call(value: Any, number: int) -> dict[str, Any]:
    value = _decoded(value)
    function = _decoded(value.get("function", value)) if isinstance(value, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(value, dict) or not isinstance(function, dict) or not isinstance(name, str) or not name.strip():
        raise RowProblem("tool call", "a call of a tool does not say which")
    given = next((function[key] for key in ("arguments", "parameters", "args", "input") if key in function), None)
    arguments = _decoded(given) if not is_missing(given) else {}
    if not isinstance(arguments, dict):
        raise RowProblem("tool call", "the arguments of a call of a tool cannot be read")
    own = value.get("id")
    call_id = own if isinstance(own, str) and own else f"call_{number}"
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name.strip(), "arguments": without_nothing(arguments)},
    }


def looks_like_calls(value: Any) -> bool:
    """Whether a cell is nothing but calls: an object, or a list of objects, with a name and arguments."""
    value = _decoded(value)
    calls = value if isinstance(value, list) else [value]
    return bool(calls) and all(isinstance(each, dict) and "name" in each and "arguments" in each for each in calls)


def written_calls(text: str) -> tuple[str, list[str]]:
    """A text with calls in `<tool_call>` marks, as some datasets write them: the text without them, and the calls."""
    begin, end = _CALL_MARKS
    before, *marked = text.split(begin)
    rest, calls = [before], []
    for each in marked:
        call, mark, behind = each.partition(end)
        if not mark:
            return text, []
        calls.append(call.strip())
        rest.append(behind)
    return "".join(rest).strip(), calls


def result_text(value: Any) -> str:
    """What a tool gave back, as text; objects are written as JSON, and nothing is an empty text."""
    if is_missing(value):
        return ""
    if isinstance(value, dict | list):
        return _json_text(value, "result of a tool")
    text = to_text(value, "result of a tool", set())
    begin, end = _RESULT_MARKS
    is_marked = text.startswith(begin) and text.endswith(end)
    return text.removeprefix(begin).removesuffix(end).strip() if is_marked else text


def without_nothing(value: Any) -> Any:
    """Tables fill up missing fields with nothing, which no one wrote; here they are left out again."""
    if isinstance(value, dict):
        return {str(key): without_nothing(each) for key, each in value.items() if each is not None}
    return [without_nothing(each) for each in value] if isinstance(value, list) else value


def _json_text(value: Any, what: str) -> str:
    if is_too_deep(value):
        raise RowProblem("too deep", f"the {what} is nested too deeply")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise RowProblem("not text", f"the {what} is not plain data") from None
    if len(text) > MOST_TOOLS_CHARACTERS:
        raise RowProblem("too long", f"the {what} has more than {MOST_TOOLS_CHARACTERS:,} characters")
    return to_text(text, what, set())


def _decoded(value: Any) -> Any:
    """JSON text as what it says; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value

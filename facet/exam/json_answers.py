"""JSON in answers: read as a program would, compared value by value, and held to the shape of the right answers."""

import functools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NoReturn

from facet.dataset.values import is_too_deep
from facet.exam.spoken import spoken

_FENCE = re.compile(r"```[\w-]*\s*\n(.*?)\n?\s*```", re.DOTALL)
_MOST_FIELDS = 50  # with more of them, keys are data, not a shape
_START = re.compile(r"[\[{]")
_MOST_STARTS = 20


def read_whole(text: str) -> Any | None:
    """The object or list an answer consists of, a code fence around it allowed; None where a program would stumble."""
    answer = spoken(text)
    fenced = _FENCE.fullmatch(answer)
    return _parsed(fenced[1] if fenced else answer)


def read_anywhere(text: str) -> Any | None:
    """The same, and else the first object or list within an answer that says more: for what it says, not how."""
    whole = read_whole(text)
    if whole is not None:
        return whole
    answer = spoken(text)
    for fenced in _FENCE.findall(answer):
        found = _parsed(fenced)
        if found is not None:
            return found
    for start in islice(_START.finditer(answer), _MOST_STARTS):
        found = _parsed(answer[start.start() :], rest=True)
        if found:  # "[]" and "{}" in a sentence are signs, not an answer
            return found
    return None


def _parsed(text: str, rest: bool = False) -> Any | None:
    decoder = json.JSONDecoder(parse_constant=_no_number)
    try:
        value = decoder.raw_decode(text)[0] if rest else decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and not is_too_deep(value) else None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def leaves(value: Any) -> Counter[tuple[str, str]]:
    """Every value with its path, as text: what has to agree for two answers to say the same."""
    return Counter(_leaves(value, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _leaves(inner, f"{path}/{key}")
    elif isinstance(value, str):
        yield path, json.dumps(value.strip())
    elif isinstance(value, float) and value.is_integer():
        yield path, json.dumps(int(value))
    else:
        yield path, json.dumps(value)


def fields_f1(right: Any, given: Any) -> float:
    """Share of values that are right and in their place: harmonic mean of how many were found and how many fit."""
    wanted, found = leaves(right), leaves(given)
    return 2 * sum((wanted & found).values()) / (sum(wanted.values()) + sum(found.values()))


def fits(schema: str, value: Any) -> bool:
    return _validator(schema).is_valid(value)


@functools.lru_cache(maxsize=16)
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(schema))


def schema_of(values: Sequence[Any]) -> str:
    """The JSON schema that all these values fit: kinds of values, fields that are always there, and no others."""
    return json.dumps(_schema(values), ensure_ascii=False, sort_keys=True)


def _schema(values: Sequence[Any]) -> dict[str, Any]:
    objects = [value for value in values if isinstance(value, dict)]
    lists = [value for value in values if isinstance(value, list)]
    schema: dict[str, Any] = {"type": sorted({_kind(value) for value in values})}
    items = [item for value in lists for item in value]
    if items:
        schema["items"] = _schema(items)
    fields = sorted({key for value in objects for key in value})
    if objects and len(fields) <= _MOST_FIELDS:
        schema["properties"] = {key: _schema([value[key] for value in objects if key in value]) for key in fields}
        schema["required"] = [key for key in fields if all(key in value for value in objects)]
        schema["additionalProperties"] = False
    return schema


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", str: "string", dict: "object", list: "array", type(None): "null"}
    return kinds.get(type(value), "number")

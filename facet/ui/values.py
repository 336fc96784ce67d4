"""What may arrive at a handler. Every argument has one of these types, checked before the handler runs."""

import json
import math
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,  # pydantic asks for this one before Python 3.12
)

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from typing_extensions import TypedDict

MOST_CHARACTERS = 200_000  # of everything one call brings, files apart


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("must be an ordinary number")
    return number


Number = Annotated[float, AfterValidator(_finite)]
Share = Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)]
_or_empty = BeforeValidator(lambda value: "" if value is None else value)  # an untouched text box holds nothing at all
Id = Annotated[str, StringConstraints(max_length=120)]
Name = Annotated[str, StringConstraints(max_length=200), _or_empty]
Line = Annotated[str, StringConstraints(max_length=1_000), _or_empty]
Words = Annotated[str, StringConstraints(max_length=100_000), _or_empty]
File = Annotated[str, StringConstraints(max_length=4_096)]  # always a path that Gradio itself just stored
Column = Annotated[str, StringConstraints(max_length=1_000)]
Scalar = (
    Annotated[str, StringConstraints(max_length=200)] | Annotated[float, Field(allow_inf_nan=False)] | int | bool | None
)
Choice = (  # of a form whose fields are of several kinds
    Words | list[Annotated[str, StringConstraints(max_length=1_000)]] | bool | Number | dict[str, Any] | None
)
Table = list[list[Annotated[str, StringConstraints(max_length=100_000)] | Number | bool | None]] | None
Preset = Literal["quick", "balanced", "thorough"]
Method = Literal["sft", "cpt"]
Goal = Literal["any", "style", "format", "classify", "facts", "language", "taste"]
Beginning = Literal["model", "mine"]
Place = Literal["usual", "zerogpu", "local"]


Positive = Annotated[int, Field(ge=0, le=10**12)] | None


class About(TypedDict):
    """What a recipe is for, as far as it is known."""

    rows: Positive
    validation: Positive
    context_length: Positive
    layers: Positive
    model: Name
    longest_tokens: NotRequired[Positive]
    only_experts: NotRequired[bool]


class Turn(TypedDict):
    """One message of a chat, as it may come from outside."""

    role: Literal["system", "user", "assistant"]
    content: Words


Turns = Annotated[list[Turn], Field(max_length=400)]


def size(value: Any) -> int:
    """Roughly how many characters a value has as JSON; endless for what is not JSON at all."""
    try:
        return len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return MOST_CHARACTERS + 1


Lines = Annotated[list[Annotated[str, StringConstraints(max_length=4_000)]], Field(max_length=100)] | None
Settings = dict[Annotated[str, StringConstraints(max_length=60)], Scalar] | None


class Filled(TypedDict):
    """The form of all settings: what was typed into it, for which method, and what that is meant for."""

    method: Method
    values: dict[Annotated[str, StringConstraints(max_length=60)], Scalar]
    situation: NotRequired[About]
    made: NotRequired[Annotated[str, StringConstraints(max_length=20)]]
    meant: NotRequired[Annotated[str, StringConstraints(max_length=20)]]


Along = Literal["step", "epoch", "tokens"]
Take = Literal["file", "script", "tensorboard", "trackio", "wandb"]


class Picked(TypedDict):
    """Runs ticked in the list, to be compared."""

    picked: Annotated[list[Id], Field(max_length=6)]


class Filling(TypedDict):
    """What the Train tab is filled with to start again, and for which choices there."""

    dataset: str
    model: str
    revision: str | None
    goal: str
    preset: str
    method: Method
    recipe: dict[str, Any]
    name: str
    made: str

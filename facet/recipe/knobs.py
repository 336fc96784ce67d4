"""How a person meets one setting: its label, its plain sentence, its bounds. Everything is read from the field."""

import argparse
import math
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from facet.errors import SettingError

Level = Literal["basic", "more"]
Group = Literal[
    "Learning",
    "Length of training",
    "Schedule",
    "Optimizer",
    "What learns",
    "Adapter",
    "Data",
    "Memory",
    "Checks",
    "Saving and repeating",
]
GROUPS: tuple[Group, ...] = get_args(Group)


@dataclass(frozen=True)
class Need:
    """Another setting that must have one of these values, or any but off and nothing, for this one to do something."""

    setting: str
    values: tuple[Any, ...] = ()

    def is_met(self, value: Any) -> bool:
        return value in self.values if self.values else bool(value)


@dataclass(frozen=True)
class Knob:
    """The words for one setting. None of the four texts may be left out."""

    label: str
    plain: str  # what it does to training and to the answers, for a reader of a newspaper
    expert: str  # the same for someone who knows the field
    source: str  # where the default comes from
    group: Group = "Learning"
    level: Level = "more"
    words: tuple[str, ...] = ()  # what each choice is called, in their order
    slider: float | None = None  # the step of a slider beside the field, where there is one
    needs: Need | None = None

    def __post_init__(self) -> None:
        if not all((self.label, self.plain, self.expert, self.source)):
            raise ValueError(f"Every text of the setting {self.label!r} must be written.")


@dataclass(frozen=True)
class Clash:
    """Settings that do not go together, in one sentence. `settings` are the fields it stands at."""

    settings: tuple[str, ...]
    words: str
    is_fatal: bool = True  # else it does no harm, but one of them does nothing


class Recipe(BaseModel):
    """A frozen set of settings for one method. Unknown names are refused, and so are NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    def clashes(self) -> list[Clash]:
        """What does not go together in it. Not asked when an old recipe is read, only before a new one is used."""
        return []


@dataclass(frozen=True)
class Setting:
    """One field of a recipe, as read from its declaration."""

    name: str
    type: type
    default: Any
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    optional: bool
    knob: Knob

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def range_words(self) -> str:
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type is bool:
            return "on or off"
        number = "a whole number" if self.type is int else "a number"
        empty = " (or empty)" if self.optional else ""
        return f"{number} from {show(self.low)} to {show(self.high)}{empty}"


def settings(recipe: type[Recipe]) -> list[Setting]:
    """Every setting of a recipe in the order of its declaration.

    Raises: `TypeError` for a field without a `Knob` or a number without bounds (a fault of ours).
    """
    return [_setting(recipe, name) for name in recipe.model_fields]


def _setting(recipe: type[Recipe], name: str) -> Setting:
    field = recipe.model_fields[name]
    knob = next((extra for extra in field.metadata if isinstance(extra, Knob)), None)
    if knob is None:
        raise TypeError(f"{recipe.__name__}.{name} has no Knob: every setting needs words.")
    kind, choices, optional = _kind(field.annotation)
    low = next(
        (
            float(bound.ge if isinstance(bound, Ge) else bound.gt)
            for bound in field.metadata
            if isinstance(bound, Ge | Gt)
        ),
        None,
    )
    high = next(
        (
            float(bound.le if isinstance(bound, Le) else bound.lt)
            for bound in field.metadata
            if isinstance(bound, Le | Lt)
        ),
        None,
    )
    if kind in (int, float) and (low is None or high is None):
        raise TypeError(f"{recipe.__name__}.{name} is a number without bounds.")
    return Setting(name, kind, field.default, low, high, choices, optional, knob)


def _kind(annotation: Any) -> tuple[type, tuple[str, ...], bool]:
    optional = False
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        inner = [part for part in typing.get_args(annotation) if part is not type(None)]
        annotation, optional = inner[0], True
    if typing.get_origin(annotation) is Literal:
        return str, typing.get_args(annotation), optional
    return annotation, (), optional


THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # of these, some write a decimal


def read_number(text: Any) -> Any:
    """What a person typed, as a number where it is one: `2e-4`, `0.0002`, `0,001`, `1,000`, and empty for None."""
    if not isinstance(text, str):
        return text
    plain = _plain(text)
    if plain == "":
        return None
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    elif "." not in plain:
        plain = plain.replace(",", ".", 1)  # 0,0002 as much of the world writes it
    try:
        number = float(plain)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 and "e" not in plain.lower() else number


def _plain(text: str) -> str:
    return text.strip().replace("−", "-").replace("\u00a0", "").replace(" ", "")


def _is_either(setting: Setting, value: Any) -> bool:
    """A comma before three digits, where a number may have decimals: 1,234 is 1.234 to some and 1234 to others."""
    return setting.type is float and isinstance(value, str) and EITHER.fullmatch(_plain(value)) is not None


def coerce(setting: Setting, value: Any) -> Any:
    """The value in the setting's own type where nothing is lost; anything else is left for the check to refuse."""
    if _is_either(setting, value):
        return value
    value = read_number(value) if setting.type in (int, float) else value
    if isinstance(value, bool) or value is None:
        return value
    if setting.type is int and isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if setting.type is float and isinstance(value, int):
        return float(value)
    return value


def coerced(recipe: type[Recipe], values: dict[str, Any]) -> dict[str, Any]:
    """All values in the types of their settings, which must be known."""
    known = {setting.name: setting for setting in settings(recipe)}
    return {name: coerce(known[name], value) for name, value in values.items()}


def read_recipe(recipe: type[Recipe], values: dict[str, Any]) -> Recipe:
    """A recipe from what a form, a command line or a file holds.

    Raises: `SettingError` that names the first setting that is not right, with its range.
    """
    wrong = complaints(recipe, values)
    if wrong:
        raise SettingError(
            "A setting is not right.",
            next(iter(wrong.values())),
            "Correct it and start again; nothing was started.",
        )
    try:
        made = recipe(**coerced(recipe, values))
    except ValidationError as error:
        raise _do_not_go_together(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from error
    for clash in made.clashes():
        if clash.is_fatal:
            raise _do_not_go_together(clash.words)
    return made


def _do_not_go_together(why: str) -> SettingError:
    return SettingError("Two settings do not go together.", _sentence(why), "Change one of them and start again.")


def complaints(recipe: type[Recipe], values: dict[str, Any]) -> dict[str, str]:
    """For each value that is not right, a sentence with the range and a good start."""
    known = {setting.name: setting for setting in settings(recipe)}
    wrong = {name: f"There is no setting called {str(name)[:40]}." for name in values if name not in known}
    for name, value in values.items():
        if name in known and not _is_right(recipe, known[name], value):
            setting = known[name]
            if _is_either(setting, value):
                wrong[name] = _two_ways(setting, _plain(value))
                continue
            start = "" if setting.default is None else f" {show(setting.default)} is a good start."
            wrong[name] = f"“{setting.knob.label}” must be {setting.range_words}.{start}"
    return wrong


def _two_ways(setting: Setting, typed: str) -> str:
    decimal, whole = typed.replace(",", "."), typed.replace(",", "")
    return f"“{setting.knob.label}” is {typed}, which can be read in two ways: write {decimal} or {whole}."


def _is_right(recipe: type[Recipe], setting: Setting, value: Any) -> bool:
    field = recipe.model_fields[setting.name]
    bounds = [extra for extra in field.metadata if not isinstance(extra, Knob)]
    checked = typing.Annotated[field.annotation, *bounds] if bounds else field.annotation
    try:
        TypeAdapter(checked, config=ConfigDict(strict=True, allow_inf_nan=False)).validate_python(
            coerce(setting, value)
        )
    except (ValidationError, OverflowError):
        return False
    return not (setting.type in (int, float) and isinstance(value, bool))


def add_arguments(parser: Any, *recipes: type[Recipe], group: Group | None = None) -> None:
    """One flag for each setting (of a group); what is not given stays unset, so that a preset can fill it."""
    every = {setting.name: setting for recipe in recipes for setting in settings(recipe)}
    for setting in every.values():
        if group is not None and setting.knob.group != group:
            continue
        if setting.type is bool:
            words = setting.knob.plain.replace("%", "%%")
            parser.add_argument(setting.flag, action=argparse.BooleanOptionalAction, help=words)
        else:
            words = f"{setting.knob.plain} {setting.range_words}, default {show(setting.default)}".replace("%", "%%")
            parser.add_argument(setting.flag, metavar=setting.type.__name__.upper(), help=words)


def show(value: Any) -> str:
    """A value as a person would write it: 0.0002, not 2e-04; nothing for None."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        short = f"{value:.10f}".rstrip("0").rstrip(".") if 1e-9 < abs(value) < 1e12 or value == 0 else f"{value:g}"
        return short if float(short) == value else repr(value)  # what was shown and read again is the same number
    return str(value)


def _sentence(text: str) -> str:
    text = text.strip()
    return (text[:1].upper() + text[1:]).rstrip(".") + "."

"""`facet-run.yaml` as input: what it says, checked as if it came from a stranger. The door finds its data."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from facet.dataset.mapping import parse_mapping
from facet.dataset.sides import Choices
from facet.errors import FacetError, NotFoundError, SettingError
from facet.recipe.knobs import read_recipe
from facet.recipe.methods import METHODS, RECIPES, as_meant
from facet.recipe.recipes import TrainingRecipe
from facet.workspace import clean_name

LARGEST_BYTES: Final = 64_000
SHA256: Final = re.compile(r"[0-9a-f]{64}")
FROM_HUB: Final = re.compile(r"hub:[\w.-]{1,96}/[\w.-]{1,96}@[0-9a-f]{40}", re.ASCII)
LONGEST_TEMPLATE: Final = 40_000


@dataclass(frozen=True)
class Described:
    """The run a file describes. `data` is its part on where the rows came from and how they were prepared."""

    name: str
    model: str
    revision: str | None
    recipe: TrainingRecipe
    data: dict[str, Any]
    continues: str = ""  # SHA-256 of the adapter it goes on from
    came_from: str = ""  # where that adapter may be had
    template: str | None = None  # a chat template chosen for its model


def read_run_file(file: Path) -> dict[str, Any]:
    """What stands in a run file, whole and of the right kinds.

    Raises: `SettingError` when it is not a run file.
    """
    described = _parsed(file)
    parts = {"model": dict, "data": dict, "recipe": dict}
    if not isinstance(described, dict) or described.get("facet_run") != 1:
        raise not_a_run_file("Its first line, facet_run: 1, is missing.")
    if described.get("method") == "imported":
        raise SettingError(
            "There is no training in this file to do again.",
            "It belongs to an adapter that was imported, not trained in Facet.",
            "Import the adapter itself: the folder or the zip that this file lies in.",
        )
    missing = [name for name, kind in parts.items() if not isinstance(described.get(name), kind)]
    if described.get("method", "sft") not in METHODS:
        raise not_a_run_file(f"Its method is not one this version knows: {', '.join(METHODS)}.")
    if missing or not isinstance(described["model"].get("id"), str):
        raise not_a_run_file(f"The part {(missing or ['model'])[0]} is missing or not complete.")
    if "continues" in described and not SHA256.fullmatch(continued_sha256(described)):
        raise not_a_run_file("It goes on from an adapter that it does not describe.")
    return described


def _parsed(file: Path) -> Any:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise not_a_run_file(f"It has {file.stat().st_size:,} bytes, and a run file has a few thousand.")
        text = file.read_text("utf-8")
        if "&" in text and "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise not_a_run_file("It uses references, which a run file never does.")
        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise not_a_run_file("It cannot be opened as text.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # the last for a date there never was
        raise not_a_run_file("It is not valid YAML.") from error


def described_run(described: dict[str, Any], changes: dict[str, Any] | None = None) -> Described:
    """The same as values of our own. `changes` are settings to change.

    Raises: `SettingError` for a setting that is not right, or for data that cannot be prepared as it says.
    """
    recipe = RECIPES[described.get("method", "sft")]
    settings = as_meant({str(name): value for name, value in described["recipe"].items()})
    continues, revision = described.get("continues") or {}, described["model"].get("revision")
    template = described.get("template")
    _require_usable(described["data"])
    return Described(
        name=clean_name(described["name"]) if described.get("name") else "",
        model=described["model"]["id"][:400],
        revision=str(revision)[:100] if revision else None,
        recipe=read_recipe(recipe, settings | (changes or {})),
        data=described["data"],
        continues=continued_sha256(described) if continues else "",
        came_from=str(continues.get("from") or "")[:300],
        template=template if isinstance(template, str) and len(template) <= LONGEST_TEMPLATE else None,
    )


def _require_usable(data: dict[str, Any]) -> None:
    """Before anything is brought: what reads these lines later speaks of fields of a page, and here there are none."""
    choices = {"seed": data.get("seed", 0), "test_size": data.get("test_size", 0.1)}
    choices["validation_size"] = data.get("validation_size", 0.1)
    try:
        Choices.checked(choices["test_size"], choices["validation_size"], choices["seed"])
    except SettingError as error:
        written = ", ".join(f"{name}: {str(value)[:20]}" for name, value in choices.items())
        raise not_a_run_file(f"Its data cannot be divided with {written}.") from error
    try:
        if data.get("mapping") is not None:
            parse_mapping(data["mapping"])
    except FacetError as error:
        raise not_a_run_file("Its mapping of columns has parts that are not known.") from error
    correction = data.get("correction")
    if correction is not None and not _is_of_texts(correction):
        raise not_a_run_file("Its correction of how a file is read is not made of names and texts.")


def _is_of_texts(correction: Any) -> bool:
    if not isinstance(correction, dict):
        return False
    return all(isinstance(name, str) and isinstance(text, str | None) for name, text in correction.items())


def continued_sha256(described: dict[str, Any]) -> str:
    continues = described["continues"]
    return str(continues.get("adapter_sha256")) if isinstance(continues, dict) else ""


def adapter_is_not_here(wanted: str, came_from: str) -> NotFoundError:
    named = came_from if FROM_HUB.fullmatch(came_from) else "FOLDER"
    return NotFoundError(
        "This run goes on from an adapter that is not here.",
        f"Its weights have the SHA-256 {wanted[:12]}…, and no run here has them.",
        f"Bring it in first: python -m facet import {named}. Then start again.",
    )


def source_text(source: Any, local_files: bool) -> str:
    """What is to be brought so that the data can be prepared anew, as a person writes it.

    `local_files`: a file of this name in the working folder may be taken, as at a terminal.
    Raises: `NotFoundError` when it cannot be had.
    """
    if not isinstance(source, dict):
        raise not_a_run_file("Its source of data is not described.")
    kind, where, revision = source.get("kind"), str(source.get("where", "")), source.get("revision")
    match kind:
        case "hub":
            name, separator, part = where.partition(":")
            return f"hub:{name}" + (f"@{revision}" if revision else "") + separator + part
        case "example":
            return f"example:{where}"
    if local_files and Path(where).is_file():
        return where
    raise NotFoundError(
        "The data of this run file is not here.",
        f"It came from a file called {where[:80] or '(no name)'}, which is not in this folder."
        if local_files
        else f"It came from a file called {where[:80] or '(no name)'}.",
        "Prepare that file first, then start again; or name a dataset with --data."
        if local_files
        else "Bring that file on the Data tab, press “Prepare”, then choose the run file again.",
    )


def data_has_changed(local_files: bool) -> NotFoundError:
    return NotFoundError(
        "The data of this run file has changed.",
        "The source gives other rows than those the run learned from.",
        "Prepare the data yourself and name it with --data."
        if local_files
        else "Prepare the data yourself on the Data tab, and fill in the settings by hand.",
    )


def not_a_run_file(why: str) -> SettingError:
    return SettingError(
        "This is not a run file Facet can read.", why, "Use a facet-run.yaml from a download or an export."
    )

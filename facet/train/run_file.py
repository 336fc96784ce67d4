"""`facet-run.yaml` as input: what it says, checked as if it came from a stranger. The door finds its data."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from facet.errors import NotFoundError, SettingError
from facet.recipe.knobs import read_recipe
from facet.recipe.methods import METHODS, RECIPES, as_meant
from facet.recipe.recipes import TrainingRecipe
from facet.train.run_data import not_a_run_file, require_usable
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
    require_usable(described["data"])
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

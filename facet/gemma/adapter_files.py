"""What an adapter's folder, zip or repository must hold, judged by names and sizes alone, before anything is opened."""

import re
from collections.abc import Mapping
from typing import Final

from facet.errors import DataError, FacetError, SettingError
from facet.gemma.refuse import PICKLES

WEIGHTS: Final = "adapter_model.safetensors"
CONFIG: Final = "adapter_config.json"
FILES: Final = (WEIGHTS, CONFIG)
LARGEST_BYTES: Final = {WEIGHTS: 2_000_000_000, CONFIG: 200_000}
CHOOSE: Final = "Choose another adapter, or train one here."

BASE_FOLDER: Final = "base"  # a tuned starter carries its starting model along
BASE_FILE: Final = re.compile(r"model(-[0-9]{5}-of-[0-9]{5})?\.safetensors")
BASE_CAP: Final = 64_000_000  # bytes


def complaint_about(sizes: Mapping[str, int]) -> FacetError | None:
    """Why these files (name → bytes) are no adapter, or None."""
    if missing := [name for name in FILES if name not in sizes]:
        return _something_else(sizes, missing)
    for name, most in LARGEST_BYTES.items():
        if sizes[name] > most:
            return DataError(
                "This adapter is too large.",
                f"Its file {name} has {sizes[name] / 1e6:,.1f} MB, and {most / 1e6:,.1f} MB is the most.",
                CHOOSE,
            )
    return None


def _something_else(names: Mapping[str, int], missing: list[str]) -> FacetError:
    if CONFIG in names and pickles(names):
        return SettingError(
            "This adapter's weights are in an old format that can hide programs.",
            f"It has pickle files and no {WEIGHTS}, and Facet opens only the latter.",
            "Save it as safetensors where it was made, or choose another adapter.",
        )
    if "config.json" in names and CONFIG not in names:
        return SettingError(
            "This is a whole model, not an adapter.",
            f"It has a config.json and no {CONFIG}.",
            "Choose it under “Starting model” instead.",
        )
    return DataError("There is no adapter here.", f"It lacks {' and '.join(missing)}.", CHOOSE)


def wanted(sizes: Mapping[str, int]) -> list[str]:
    """The names worth taking: the adapter's two, and the weights of a starting model that came along."""
    beside = [
        name
        for name in sizes
        if name.startswith(f"{BASE_FOLDER}/") and BASE_FILE.fullmatch(name.removeprefix(f"{BASE_FOLDER}/"))
    ]
    return [*FILES, *(beside if sum(sizes[name] for name in beside) <= BASE_CAP else [])]


def pickles(names: Mapping[str, int]) -> list[str]:
    """Files that can hide programs. They may lie beside an adapter; they are never taken."""
    return sorted(name for name in names if "/" not in name and name.lower().endswith(PICKLES))

"""The next version of a prepared dataset: repaired parts, the same exam byte for byte, and where it comes from."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facet.dataset.album import FOLDER as PICTURES
from facet.dataset.album import link, link_all
from facet.dataset.lineage import family_of, recipe_of
from facet.dataset.measure import measured
from facet.dataset.mend import mend
from facet.dataset.parts import FILES
from facet.errors import DataError, SettingError
from facet.workspace import read_json, write_json

_MOST_REPAIRS = 200  # of one version


def next_version(dataset_folder: str, repairs: Sequence[dict[str, Any]], into: str, version: int) -> dict[str, Any]:
    """Write the repaired dataset into the empty folder `into`; returns its summary, which is also in `dataset.json`.

    The exam is the same file under another name, so whatever is done to the other parts, it stays as it is.
    Raises: `DataError` when nothing would be left to learn from; `SettingError` for repairs that are not known.
    """
    parent, folder = Path(dataset_folder), Path(into)
    before = read_json(parent / "dataset.json")
    earlier = recipe_of(before).get("repairs", [])
    if not repairs or len(earlier) + len(repairs) > _MOST_REPAIRS:
        raise _no_repairs(len(repairs))
    for name in FILES:
        link(parent / name, folder / name)
    if (parent / PICTURES).is_dir():
        link_all(parent / PICTURES, folder / PICTURES)
    done = mend(folder, repairs)
    found = measured(folder, before.get("labels") is not None)
    if not found["splits"]["train"]:
        raise DataError(
            "Nothing would be left to learn from.",
            "This repair leaves out every example of the train part.",
            "Choose another repair, or bring more examples.",
        )
    summary = {
        **before,
        **found,
        "mended": _added_up(before.get("mended"), done["mended"]),
        "dataset_id": folder.name,
        "recipe": {**recipe_of(before), "repairs": [*earlier, *repairs]},
        "version": version,
        "parent": before["dataset_id"],
        "family": family_of(before),
        "created": time.time(),
    }
    write_json(folder / "dataset.json", summary)
    return summary


def _added_up(before: dict[str, Any] | None, done: dict[str, Any]) -> dict[str, Any]:
    """What all repairs since the first version did, so that every row stays accounted for."""
    return {name: before[name] + value for name, value in done.items()} if before else done


def _no_repairs(count: int) -> SettingError:
    return SettingError(
        "This version cannot be made.",
        "No repair was chosen." if not count else f"It would have more than {_MOST_REPAIRS} repairs.",
        "Choose a repair in the data doctor.",
    )

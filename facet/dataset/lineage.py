"""Where a prepared dataset comes from: its recipe and its family, as its `dataset.json` says."""

from typing import Any, Protocol

from facet.errors import SettingError


class Version(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def summary(self) -> dict[str, Any]: ...


def recipe_of(summary: dict[str, Any]) -> dict[str, Any]:
    """All that is needed to do to new data what was done to these. Datasets from before there were recipes have parts.

    Entries: correction, mapping, cleaning, split, repairs.
    """
    if "recipe" in summary:
        return summary["recipe"]
    return {
        "correction": summary.get("correction"),
        "mapping": summary["mapping"],
        "cleaning": {},
        "split": {name: summary.get(name) for name in ("test_size", "validation_size", "seed")},
        "repairs": [],
    }


def family_of(summary: dict[str, Any]) -> str:
    """The id of the first version, which need not be there any more."""
    return summary.get("family") or summary["dataset_id"]


def nothing_to_undo(version: Version, newest: Version) -> SettingError:
    """Why the repair of a version cannot be undone, and of which one it can."""
    number, last = (each.summary.get("version", 1) for each in (version, newest))
    if number > 1:
        why = f"This is version {number}, and the one before it was deleted."
    else:
        why = "This is the first version of this data; nothing came before it."
    if newest.id == version.id:
        next = "Repair it first; then that can be undone."
    else:
        next = f"The newest is version {last}, {newest.id}: undo the repair of that one."
    return SettingError("There is no repair to undo.", why, next)

"""Where a prepared dataset comes from: its recipe and its family, as its `dataset.json` says."""

from typing import Any


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
        "split": {name: summary[name] for name in ("test_size", "validation_size", "seed")},
        "repairs": [],
    }


def family_of(summary: dict[str, Any]) -> str:
    """The id of the first version, which need not be there any more."""
    return summary.get("family") or summary["dataset_id"]

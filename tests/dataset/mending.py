"""Repairs simple enough to be foretold, in the place of the doctor's."""

from pathlib import Path
from typing import Any

from facet.dataset.conversation import Example
from facet.dataset.store import ExampleWriter, extras_of, whole_examples

SHOUT = {"kind": "shout"}
HALVE = {"kind": "every_second"}
EMPTY = {"kind": "nothing_left"}


def repair(folder: str, repairs: list[dict[str, Any]], into: str) -> dict[str, Any]:
    """As the doctor's: writes the train and validation part into another folder."""
    changed = dropped = 0
    for part in ("train", "validation"):
        file = Path(folder) / f"{part}.parquet"
        rows = list(whole_examples(file))
        for wanted in repairs:
            before = len(rows)
            rows = {"shout": _shouted, "every_second": lambda kept: kept[::2], "nothing_left": lambda _: []}[
                wanted["kind"]
            ](rows)
            dropped += before - len(rows)
            changed += len(rows) if wanted == SHOUT else 0
        writer = ExampleWriter(Path(into) / file.name, extras_of(file))
        for row, example in rows:
            writer.add(row, example, 100)
        writer.close()
    return {"changed": changed, "dropped": dropped, "added": 0, "by_repair": []}


def _shouted(rows: list[tuple[int, Example]]) -> list[tuple[int, Example]]:
    for _, example in rows:
        last = example["messages"][-1]
        example["messages"][-1] = {**last, "content": f"{last['content']}!"}
    return rows

"""Rows that hold lists of examples, also lists in lists: each item is an example, and what stands around is shared."""

from collections.abc import Callable, Sequence
from typing import Any

from facet.dataset.convert import unfolded
from facet.dataset.problem import RowProblem
from facet.dataset.table import Shape, Table, column_of, plain
from facet.dataset.turns import decoded

_DEEPEST = 3
_ROWS, _ITEMS = 50, 1_000
_ONLY_OUTSIDE = ("type", "name", "id", "version", "split")  # they say something about the list, not about an item

Look = Callable[[Table], Shape | None]


def in_lists(table: Table, looks: Sequence[Look]) -> Shape | None:
    """The shape of the items of a list column, found by `looks`."""
    names = [column.name for column in reversed(table.named.values()) if _holds_objects(table.rows, column.name)]
    return next((shape for name in names if "." not in name and (shape := _inside(name, table.rows, looks))), None)


def _holds_objects(rows: list[dict[str, Any]], name: str) -> bool:
    lists = [decoded(row.get(name)) for row in rows[:_ROWS]]
    items = [item for each in lists if isinstance(each, list) for item in each[:_ROWS]]
    return bool(items) and all(isinstance(item, dict) for item in items)


def _inside(path: str, rows: list[dict[str, Any]], looks: Sequence[Look]) -> Shape | None:
    items = _items(path, rows)
    own = [name for name in dict.fromkeys(name for item in items for name in item) if name.startswith(f"{path}.")]
    outer = [name for name in dict.fromkeys(name for item in items for name in item) if name not in own]
    named = {plain(name.split(".")[-1]): column_of(name, items) for name in outer}
    named = {name: column for name, column in named.items() if name not in _ONLY_OUTSIDE}
    inner = {plain(name.removeprefix(f"{path}.")): column_of(name, items) for name in reversed(own)}
    table = Table({name: each for name, each in {**named, **inner}.items() if each.filled > 0}, items)
    for look in looks:
        shape = look(table)
        if shape and any(name.startswith(f"{path}.") for name in shape.mapping.parts()):
            words = f"Several examples in every row, in the lists of “{path}”. {shape.words}"
            mapping = shape.mapping.model_copy(update={"kind": "instances", "instances": path})
            return Shape("instances", words, mapping)
    if path.count(".") + 1 >= _DEEPEST:
        return None
    deeper = [name for name in own if _holds_objects(items, name)]
    return next((shape for name in deeper if (shape := _inside(name, rows, looks))), None)


def _items(path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for row in rows[:_ROWS]:
        try:
            for item in unfolded(row, path):
                found.append(item)
                if len(found) >= _ITEMS:
                    return found
        except RowProblem:
            continue
    return found

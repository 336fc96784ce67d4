"""What is known of a table before its shape is: its columns by plain names, and its first rows."""

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from facet.dataset.mapping import Mapping, ShapeKind
from facet.dataset.turns import picture_name
from facet.dataset.values import is_missing, is_whole

MOST_LISTED_LABELS = 20
MOST_LABELS = 300
MOST_LABEL_CHARACTERS = 60
_HARDLY_FILLED = 0.3  # of how much another column of the same part is filled


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # "text", "number", "list", "object" or "empty"
    filled: float  # share of rows with a value
    values: dict[str, int] | None = None  # how often each value occurs, where there are few different ones
    median_characters: int = 0


@dataclass(frozen=True)
class Shape:
    kind: ShapeKind
    words: str
    mapping: Mapping

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "mapping": self.mapping.model_dump(mode="json")}


@dataclass(frozen=True)
class Table:
    """Columns by plain names (small letters, `_` for everything else), from the last to the first, and some rows."""

    named: dict[str, Column]
    rows: list[dict[str, Any]]

    @classmethod
    def of(cls, columns: list[Column], rows: list[dict[str, Any]]) -> "Table":
        usable = [column for column in columns if column.filled > 0 and is_whole(column.name)]
        return cls({plain(column.name): column for column in reversed(usable)}, rows)

    def first(self, names: tuple[str, ...], *kinds: str, but: tuple[Column | None, ...] = ()) -> Column | None:
        """The column with the first of these names that there is, of these kinds (texts and numbers unless given).

        One that is hardly ever filled is passed over where another one is.
        """
        named = (self.named[name] for name in names if name in self.named and self.named[name] not in but)
        found = [column for column in named if column.kind in (kinds or ("text", "number"))]
        enough = _HARDLY_FILLED * max((column.filled for column in found), default=0.0)
        return next((column for column in found if column.filled >= enough), None)

    def values(self, column: Column) -> list[Any]:
        return [value for row in self.rows if not is_missing(value := row.get(column.name))]

    def pictures(self) -> Column | None:
        """The column of pictures that came with the file."""
        for column in reversed(self.named.values()):
            if column.kind in ("object", "list") and (values := self.values(column)):
                cells = [each for value in values for each in (value if isinstance(value, list) else [value])]
                if cells and all(picture_name(each) for each in cells):
                    return column
        return None


def plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def column_of(name: str, rows: list[dict[str, Any]]) -> Column:
    """A column as its values in some rows show it."""
    values = [value for row in rows if not is_missing(value := row.get(name))]
    kinds = Counter(_kind(value) for value in values)
    texts = [str(value) for value in values if isinstance(value, str | int | float)]
    lengths = sorted(map(len, texts))
    few = Counter(texts) if texts and lengths[-1] <= MOST_LABEL_CHARACTERS else None
    return Column(
        name,
        kinds.most_common(1)[0][0] if kinds else "empty",
        len(values) / len(rows) if rows else 0.0,
        dict(few) if few and len(few) <= MOST_LABELS else None,
        lengths[len(lengths) // 2] if lengths else 0,
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool | str):
        return "text"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "text" if len(value) == 1 and isinstance(value[0], str) else "list"
    return "object" if isinstance(value, dict) else "text"

"""Tables with the same columns that came together are one table; each row says from which file it is."""

import datetime
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from facet.dataset.chat_tables import SOURCE_FILE
from facet.dataset.collection import part_of
from facet.dataset.parquet_pictures import has_pictures
from facet.dataset.problem import RowProblem
from facet.dataset.read import open_alone
from facet.dataset.table import plain
from facet.errors import FacetError

_STUDIED = 50
_MOST_NAMED = 5
_UNREADABLE = "!\n"  # a line that is no JSON: the row is counted as one that cannot be read


@dataclass(frozen=True)
class Brought:
    """One file of several; `names` are its columns, None where they cannot be compared with those of others."""

    file: Path
    name: str
    names: tuple[str, ...] | None

    @classmethod
    def of(cls, file: Path, name: str) -> "Brought":
        try:
            if has_pictures(file):
                return cls(file, name, None)
            _, rows = open_alone(file, name)
            if len(getattr(rows, "sheets", ())) > 1:
                return cls(file, name, None)
            names = rows.names or _names_in(rows)
        except FacetError:
            return cls(file, name, None)
        return cls(file, name, tuple(names) if names else None)

    @property
    def shape(self) -> frozenset[str]:
        return frozenset(plain(name) or name for name in self.names or ())


def _names_in(rows: Any) -> list[str]:
    found = [row for _, row in islice(rows.rows(), _STUDIED) if isinstance(row, dict)]
    return list(dict.fromkeys(name for row in found for name in row))


def groups(files: list[Brought]) -> list[list[Brought]]:
    """Files with the same columns together, in the order in which they come; one named as a part stays alone."""
    found: dict[Any, list[Brought]] = {}
    for each in files:
        is_alone = each.names is None or part_of(each.name)
        found.setdefault(each.name if is_alone else each.shape, []).append(each)
    return list(found.values())


def lines(files: list[Brought], notes: list[str]) -> Iterator[bytes]:
    """All rows as JSON lines under the names of the first file, and what is to be told of them."""
    spelled = {plain(name) or name: name for name in files[0].names or ()}
    labels = _labels(files)
    counts: list[str] = []
    for each, label in zip(files, labels, strict=True):
        problems: Counter[str] = Counter()
        count = 0
        _, rows = open_alone(each.file, each.name)
        for _, row in rows.rows():
            count += 1
            if isinstance(row, RowProblem):
                problems[row.words] += 1
                yield _UNREADABLE.encode()
                continue
            renamed = {spelled.get(plain(name) or name, name): value for name, value in row.items()}
            yield json.dumps({SOURCE_FILE: label, **renamed}, default=_written).encode() + b"\n"
        counts.append(f"{each.name[:60]} ({count:,})")
        notes += [f"{lost:,} rows of {each.name[:60]} cannot be read: {words}." for words, lost in problems.items()]
    named = ", ".join(counts[:_MOST_NAMED]) + (f" and {len(counts) - _MOST_NAMED} more" * (len(counts) > _MOST_NAMED))
    notes.insert(0, f"{len(files)} files with the same columns were put together, with their rows: {named}.")
    notes.insert(1, f"The column “{SOURCE_FILE}” says from which of them a row is.")


def _labels(files: list[Brought]) -> list[str]:
    """Names without their endings, where they still differ: they may be the labels of what is inside."""
    short = [str(PurePosixPath(each.name).with_suffix("")) for each in files]
    alone = [PurePosixPath(each).name for each in short]
    return next((names for names in (alone, short) if len(set(names)) == len(names)), [each.name for each in files])


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)

"""Tables that name pictures beside them, and folders of pictures that are named after what they show."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from facet.dataset import budget
from facet.dataset.archive import Member
from facet.dataset.collection import Collection, part_of
from facet.dataset.pictures import Pictures, is_picture
from facet.dataset.problem import RowProblem
from facet.errors import DataError

_STUDIED_ROWS = 200
_NAMING = ("image", "images", "url", "path", "file", "file_name", "image_path", "image_url")
_MOST_DEPTH = 8


class PictureTables:
    """Puts `{"image": name}` where a table names one of the pictures that came with it."""

    def __init__(self, found: Collection, members: list[Member], pictures: Pictures) -> None:
        self.found, self.pictures = found, pictures
        self.sizes = {_plain(member.name): member for member in members}
        ends = Counter(PurePosixPath(name).name for name in self.sizes)
        self.by_end = {PurePosixPath(name).name: name for name in self.sizes if ends[PurePosixPath(name).name] == 1}
        self.kept: dict[str, str | None] = {}
        self.missing = 0
        self.unread = 0

    def rewritten(self, table: Path, label: PurePosixPath, target: Path) -> Path | None:
        """The table as JSONL with its pictures; None where no column names any."""
        from facet.dataset.read import open_rows

        _, rows = open_rows(table, label.name)
        columns = self._columns([row for (_, row), _ in zip(rows.rows(), range(_STUDIED_ROWS), strict=False)], label)
        if columns is None:
            target.unlink(missing_ok=True)
            return None
        with open(target, "w", encoding="utf-8", errors="surrogatepass") as out:
            for _, row in rows.rows():
                if isinstance(row, RowProblem):
                    self.unread += 1
                    continue
                made = {name: self._value(value, label.parent, name in columns, 0) for name, value in row.items()}
                out.write(json.dumps(made, ensure_ascii=True, default=str) + "\n")
        return target

    def words(self) -> list[str]:
        words = []
        if self.missing:
            words.append(f"Pictures that did not come with the table: {self.missing:,}.")
        if self.unread:
            words.append(f"Rows of the table that could not be read and were left out: {self.unread:,}.")
        unused = len(self.sizes) - len(self.kept)
        return [*words, f"Pictures that no row names, left out: {unused:,}."] if unused else words

    def _columns(self, rows: list[dict[str, Any] | RowProblem], label: PurePosixPath) -> set[str] | None:
        """The columns most of whose texts name a picture; None when there is none, not even deeper inside."""
        named: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        deeper = False
        for row in rows:
            for name, value in row.items() if isinstance(row, dict) else ():
                texts = value if isinstance(value, list) else [value]
                if isinstance(value, str) or (texts and all(isinstance(text, str) for text in texts)):
                    filled = [text for text in texts if text.strip()]
                    seen[name] += bool(filled)
                    named[name] += any(self._place(text, label.parent) for text in filled)
                else:
                    deeper = deeper or self._names_any(value, label.parent, 0)
        found = {name for name, count in named.items() if count and count * 2 >= seen[name]}
        return found if found or deeper else None

    def _names_any(self, value: Any, folder: PurePosixPath, depth: int) -> bool:
        if depth > _MOST_DEPTH:
            return False
        if isinstance(value, str):
            return self._place(value, folder) is not None
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return any(self._names_any(each, folder, depth + 1) for each in inner)

    def _place(self, text: str, folder: PurePosixPath) -> str | None:
        """The picture that a text names: from the table's folder, from the top, or by its own name alone."""
        if len(text) > 500 or not is_picture(text.strip()):
            return None
        name = _plain(text.strip())
        for place in (_plain(f"{folder}/{name}"), name):
            if place in self.sizes:
                return place
        return self.by_end.get(PurePosixPath(name).name)

    def _value(self, value: Any, folder: PurePosixPath, names_pictures: bool, depth: int) -> Any:
        if depth > _MOST_DEPTH:
            return value
        if isinstance(value, list):
            return [self._value(each, folder, names_pictures, depth + 1) for each in value]
        if isinstance(value, dict):
            return self._object(value, folder, depth)
        if not names_pictures or not isinstance(value, str) or not value.strip():
            return value
        place = self._place(value, folder)
        if place is None:
            self.missing += depth == 0
            return value if depth else None
        name = self._kept(place)
        return {"image": name} if name else None

    def _object(self, value: dict[str, Any], folder: PurePosixPath, depth: int) -> dict[str, Any]:
        """A part of a message such as {"type": "image", "image": "a.png"} keeps its form with the new name."""
        if value.get("type") in ("image", "image_url"):
            named = value.get("image") or value.get("image_url") or value.get("url") or value.get("path")
            text = named.get("url") if isinstance(named, dict) else named
            place = self._place(text, folder) if isinstance(text, str) else None
            return {"type": "image", "image": {"image": self._kept(place) if place else None}}
        return {name: self._value(each, folder, name in _NAMING, depth + 1) for name, each in value.items()}

    def _kept(self, place: str) -> str | None:
        if place not in self.kept:
            self.kept[place] = keep_member(self.found, self.sizes[place], self.pictures)
        return self.kept[place]


def keep_member(found: Collection, member: Member, pictures: Pictures) -> str | None:
    """One picture of a collection. What says it is too large is not even unpacked."""
    if member.size > budget.MOST_PICTURE_BYTES:
        pictures.problems[f"they are larger than {budget.MOST_PICTURE_BYTES // 2**20} MB."] += 1
        return None
    return pictures.keep(b"".join(found.chunks(member.name)))


def labelled_pictures(
    found: Collection, members: list[Member], pictures: Pictures, target: Callable[[], Path]
) -> Iterator[tuple[str | None, Path]]:
    """Pictures in folders as rows of `image` and `label`: one file of rows for each part that the folders name."""
    labels = {member.name: PurePosixPath(_plain(member.name)).parent.name for member in members}
    if len(set(labels.values())) < 2 or "" in labels.values():
        raise DataError(
            "These pictures come without words.",
            f"There are {len(members):,} of them and nothing says what they show.",
            "Add a table with the names of the files and a text for each, or put them into folders named by label.",
        )
    rows: dict[str | None, list[Member]] = {}
    for member in members:
        above = str(PurePosixPath(_plain(member.name)).parent.parent)
        rows.setdefault(part_of(f"{above}/x"), []).append(member)
    parts = [part for part in ("train", None, "validation", "exam") if part in rows]
    for part in parts:
        file = target()
        with open(file, "w", encoding="utf-8") as out:
            for member in rows[part]:
                name = keep_member(found, member, pictures)
                if name:
                    out.write(json.dumps({"image": {"image": name}, "label": labels[member.name]}) + "\n")
        yield (part if len(parts) > 1 else None), file


def _plain(name: str) -> str:
    """A name with one kind of slash and without detours, for comparing."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return "/".join(parts)

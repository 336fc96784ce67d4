"""Files and prepared datasets as a person meets them: bring, look, map, prepare, list, rename, delete."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.dataset import limited
from facet.dataset.lineage import family_of, nothing_to_undo, recipe_of
from facet.dataset.uploads import Uploads
from facet.errors import NotFoundError
from facet.identity import Person
from facet.workspace import (
    Kind,
    clean_name,
    new_id,
    read_about,
    read_json,
    update_about,
    whole_or_gone,
    write_json,
)

_NOT_KEPT = ("files", "members", "has_images")  # of what is known about an upload
LONGEST_PREPARATION_SECONDS = 3600
_MAKING = ".making-"
Say = Callable[[str], None]


@dataclass(frozen=True)
class DatasetCard:
    """A prepared dataset in a list. `summary` is its dataset.json."""

    id: str
    name: str
    created: float
    summary: dict[str, Any]


@dataclass
class Shelf(Uploads):
    """Uploads, and the datasets made of them."""

    discard: Callable[[Person, Kind, str], None] | None = None  # how a dataset is deleted, where there is more to it
    _measured: dict[tuple[str, str, int | None], dict[str, Any]] = field(default_factory=dict)

    def look(self, person: Person, upload_id: str, correction: dict[str, str] | None = None) -> dict[str, Any]:
        """Format, columns, first rows and a guess of the shape, found by content; and what else could be read.

        `choices` are the files of an archive and the sheets of a workbook, as `correction` takes them.
        """
        seen = limited.call("look", self._asked(person, upload_id, correction))
        if members := self.members(person, upload_id):
            chosen = (correction or {}).get("member") or members[0]
            seen |= {"choices": {"member": members, **seen["choices"]}, "chosen": {"member": chosen, **seen["chosen"]}}
        return seen

    def preview(
        self, person: Person, upload_id: str, mapping: dict[str, Any], correction: dict[str, str] | None, count: int
    ) -> list[dict[str, Any]]:
        asked = self._asked(person, upload_id, correction)
        return limited.call("preview", asked | {"mapping": mapping, "count": count})

    def try_cleaning(
        self,
        person: Person,
        upload_id: str,
        mapping: dict[str, Any],
        cleaning: dict[str, Any],
        correction: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """What each choice of cleaning would change in the first rows; see `clean_preview`."""
        asked = self._asked(person, upload_id, correction)
        return limited.call("try_cleaning", asked | {"mapping": mapping, "cleaning": cleaning})

    def _asked(self, person: Person, upload_id: str, correction: dict[str, str] | None) -> dict[str, Any]:
        readable = self.readable(person, upload_id, correction)
        return {name: readable[name] for name in ("file", "original_name", "correction")}

    def prepare(
        self,
        person: Person,
        upload_id: str,
        name: str,
        mapping: dict[str, Any] | None,
        options: dict[str, Any],
        on_progress: Say | None = None,
    ) -> str:
        """Make a dataset of an upload. It appears in the list only when it is whole.

        `options`: correction, and those of `facet.dataset.prepare`.
        """
        source = {name: value for name, value in self.source(person, upload_id).items() if name not in _NOT_KEPT}
        options = dict(options)
        arguments = self.readable(person, upload_id, options.pop("correction", None)) | options
        name = clean_name(name or _usual_name(source))
        self.workspace.require_disk(3 * sum(file.stat().st_size for file in _files(arguments)) / 1e9)
        with self._making(person, name) as into:
            arguments |= {"mapping": mapping, "into": str(into), "name": name, "source": source}
            self._call("prepare", arguments, on_progress)
        return into.name.removeprefix(_MAKING)

    @contextlib.contextmanager
    def _making(self, person: Person, name: str) -> Iterator[Path]:
        """A hidden folder that becomes a dataset when it is whole, and is gone when it does not get so far."""
        self.workspace.require_room(person, "datasets")
        into = self.workspace.shelf(person, "datasets") / f"{_MAKING}{new_id(name)}"
        into.mkdir()
        try:
            yield into
            place = into.with_name(into.name.removeprefix(_MAKING))
            summary = read_json(into / "dataset.json") | {"dataset_id": place.name}
            summary.setdefault("family", place.name)
            write_json(into / "dataset.json", summary)
            write_json(into / "about.json", {"name": name, "owner": person.key, "created": summary["created"]})
            into.rename(place)
        finally:
            shutil.rmtree(into, ignore_errors=True)

    @staticmethod
    def _call(function: str, arguments: dict[str, Any], on_progress: Say | None, memory_gb: float = 2.0) -> Any:
        seconds = LONGEST_PREPARATION_SECONDS
        return limited.call(function, arguments, seconds=seconds, memory_gb=memory_gb, on_progress=on_progress)

    # ---- versions
    def repair(
        self, person: Person, dataset_id: str, repairs: list[dict[str, Any]], on_progress: Say | None = None
    ) -> str:
        """Make the next version; this one stays as it is. Returns the new one's id."""
        card = self.card(person, dataset_id)
        folder = self.folder(person, dataset_id)
        self.workspace.require_disk(2 * sum(file.stat().st_size for file in folder.glob("*.parquet")) / 1e9)
        version = 1 + max(each.summary.get("version", 1) for each in self.versions(person, dataset_id))
        with self._making(person, card.name) as into:
            arguments = {"dataset_folder": str(folder), "repairs": repairs, "into": str(into), "version": version}
            self._call("next_version", arguments, on_progress)
        return into.name.removeprefix(_MAKING)

    def add_from_chat(
        self, person: Person, dataset_id: str, judged: list[dict[str, Any]], on_progress: Say | None = None
    ) -> str:
        """Make the next version, with answers that were judged in a chat added. Returns the new one's id."""
        card, folder = self.card(person, dataset_id), self.folder(person, dataset_id)
        self.workspace.require_disk(2 * sum(file.stat().st_size for file in folder.glob("*.parquet")) / 1e9)
        version = 1 + max(each.summary.get("version", 1) for each in self.versions(person, dataset_id))
        with self._making(person, card.name) as into:
            arguments = {"dataset_folder": str(folder), "judged": judged, "into": str(into), "version": version}
            self._call("version_from_chat", arguments, on_progress)
        return into.name.removeprefix(_MAKING)

    def versions(self, person: Person, dataset_id: str) -> list[DatasetCard]:
        """Every version of the same data that is still there, oldest first."""
        family = family_of(self.card(person, dataset_id).summary)
        cards = [card for card in self.cards(person) if family_of(card.summary) == family]
        return sorted(cards, key=lambda card: (card.summary.get("version", 1), card.created))

    def before(self, person: Person, dataset_id: str) -> str | None:
        """The id of the version this one was made of, if it is still there."""
        parent = self.card(person, dataset_id).summary.get("parent")
        with contextlib.suppress(NotFoundError):
            return self.folder(person, parent).name if parent else None
        return None

    def undo(self, person: Person, dataset_id: str) -> str:
        """The version before, which is as it was. The repaired one goes, unless another was made of it.

        Raises: `SettingError` when there is none.
        """
        parent = self.before(person, dataset_id)
        if parent is None:
            raise nothing_to_undo(self.card(person, dataset_id), self.versions(person, dataset_id)[-1])
        if not any(card.summary.get("parent") == dataset_id for card in self.versions(person, dataset_id)):
            (self.discard or self.workspace.delete)(person, "datasets", dataset_id)
        return parent

    def replay(
        self, person: Person, upload_id: str, dataset_id: str, name: str = "", on_progress: Say | None = None
    ) -> str:
        """Do to new data what was done to a dataset: the same columns, cleaning, split and repairs.

        Raises: `SettingError` when the new data lacks a column.
        """
        recipe = recipe_of(self.card(person, dataset_id).summary)
        options = {**recipe["split"], "cleaning": recipe["cleaning"], "repairs": recipe["repairs"]}
        options["correction"] = _still_fitting(recipe["correction"])
        return self.prepare(person, upload_id, name, recipe["mapping"], options, on_progress)

    def examine(
        self,
        person: Person,
        dataset_id: str,
        model: Path | None = None,
        max_length: int | None = None,
        on_progress: Say | None = None,
    ) -> dict[str, Any]:
        """What the data doctor finds; it is kept, so that `findings` has it."""
        folder = self.folder(person, dataset_id)
        arguments = {"dataset_folder": str(folder), "model_folder": str(model) if model else None}
        found = self._call("examine", arguments | {"max_length": max_length}, on_progress, memory_gb=6.0)
        write_json(folder / "findings.json", found)
        return found

    def findings(self, person: Person, dataset_id: str) -> dict[str, Any] | None:
        """What the doctor found when it last looked at this version."""
        try:
            return read_json(self.folder(person, dataset_id) / "findings.json")
        except (FileNotFoundError, ValueError):
            return None

    # ---- what is there
    def folder(self, person: Person, dataset_id: str) -> Path:
        return self.workspace.find(person, "datasets", dataset_id)

    def card(self, person: Person, dataset_id: str) -> DatasetCard:
        return _card(self.folder(person, dataset_id))

    def cards(self, person: Person) -> list[DatasetCard]:
        return [_card(folder) for folder in self.workspace.all(person, "datasets")]

    def put_back(self, person: Person, kept: Path) -> str:
        """A dataset again of the copy that a run kept of it."""
        with self._making(person, read_json(kept / "dataset.json")["name"]) as into:
            shutil.copytree(kept, into, dirs_exist_ok=True)
            (into / "problems.jsonl").touch()
        return into.name.removeprefix(_MAKING)

    def rename(self, person: Person, dataset_id: str, name: str) -> None:
        update_about(self.folder(person, dataset_id), name=clean_name(name))

    def problems(self, person: Person, dataset_id: str, limit: int) -> list[dict[str, Any]]:
        """Rows that could not be used, with the reason, in the order of the source; then those left out later."""
        with open(self.folder(person, dataset_id) / "problems.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line, _ in zip(lines, range(limit), strict=False)]

    def download(self, person: Person, dataset_id: str, format: str = "jsonl", part: str | None = None) -> Path:
        """One part, or all in a zip file, as JSONL or Parquet. It lies in a folder of its own and may be moved."""
        dataset = self.folder(person, dataset_id)
        size_gb = sum(file.stat().st_size for file in dataset.glob("*.parquet")) / 1e9
        self.workspace.require_disk(10 * size_gb)  # the parts are compressed
        name = self.card(person, dataset_id).name
        folder = self.workspace.create(person, "exports", name)
        with whole_or_gone(folder):
            arguments = {"dataset_folder": str(dataset), "format": format, "part": part, "into": str(folder)}
            written = folder / Path(self._call("download", arguments, None)).name
            return written.rename(folder / f"{_as_file_name(name)}-{written.name}")

    def tokens(
        self, person: Person, dataset_id: str, model: Path, max_length: int | None, index: int, count: int
    ) -> dict[str, Any]:
        """The exact tokens of some conversations with the trained ones marked, and statistics of the train part."""
        return limited.call(
            "tokens",
            {
                "dataset_folder": str(self.folder(person, dataset_id)),
                "model_folder": str(model),
                "index": index,
                "count": count,
                "max_length": max_length,
            },
            memory_gb=6.0,
        )

    def statistics(self, person: Person, dataset_id: str, model: Path, max_length: int | None = None) -> dict[str, Any]:
        """Token lengths of the train part with this model's tokenizer, and labels; measured once for each length."""
        key = (str(self.folder(person, dataset_id)), str(model), max_length)
        if key not in self._measured:
            asked = {"dataset_folder": key[0], "model_folder": key[1], "max_length": max_length}
            self._measured[key] = self._call("statistics", asked, None, memory_gb=6.0)
        return self._measured[key]


def _as_file_name(name: str) -> str:
    """A name that every system takes as that of a file, with the letters of any language."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "data"


def _usual_name(source: dict[str, Any]) -> str:
    """The dataset's own name on the Hub, else the file's without its ending."""
    if source["kind"] == "hub":
        return source["where"].split("/")[1].split(":")[0]
    return Path(source["original_name"]).stem


def _files(readable: dict[str, Any]) -> list[Path]:
    return [Path(readable["file"]), *(Path(other["file"]) for other in readable.get("others", ()))]


def _still_fitting(correction: dict[str, str | None] | None) -> dict[str, str | None] | None:
    """Of how one file was read, what says nothing about another: which member of an archive it was."""
    return {name: value for name, value in correction.items() if name != "member"} if correction else None


def _card(folder: Path) -> DatasetCard:
    about = read_about(folder)
    return DatasetCard(folder.name, about["name"], about["created"], read_json(folder / "dataset.json"))

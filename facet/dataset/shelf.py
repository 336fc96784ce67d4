"""Files and prepared datasets as a person meets them: bring, look, map, prepare, list, rename, delete."""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.dataset import limited
from facet.dataset.examples import find as find_example
from facet.dataset.source import Source, parse_source
from facet.errors import DataError, full_disk
from facet.hub.hub import Hub
from facet.identity import Person
from facet.work.checkpoint import sha256
from facet.workspace import (
    Workspace,
    clean_name,
    new_id,
    read_about,
    read_json,
    update_about,
    whole_or_gone,
    write_json,
)

LARGEST_FILE_GB = 4.0
DATA_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".parquet")
LONGEST_PREPARATION_SECONDS = 3600


@dataclass(frozen=True)
class DatasetCard:
    """A prepared dataset in a list. `summary` is its dataset.json."""

    id: str
    name: str
    created: float
    summary: dict[str, Any]


@dataclass
class Shelf:
    workspace: Workspace
    hub: Hub
    _lengths: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def bring(self, person: Person, text: str, token: str | None = None) -> str:
        """Take in what a command line names: a file, a folder, `hub:owner/name` or `example:name`."""
        source = parse_source(text)
        match source.kind:
            case "hub":
                return self.bring_hub(person, source, token)
            case "example":
                return self.bring_example(person, source.where)
            case _:
                path = Path(source.where)
                return self.bring_file(person, path, path.name, kind=source.kind)

    def bring_file(self, person: Person, path: Path, original_name: str, kind: str = "file") -> str:
        """Copy a file into the person's own folder at once; the upload itself may vanish."""
        path = data_file(path)
        size_gb = os.path.getsize(path) / 1e9
        if size_gb > LARGEST_FILE_GB:
            raise DataError(
                "This file is too large.",
                f"It has {size_gb:.1f} GB, and {LARGEST_FILE_GB:.0f} GB is the most.",
                "Bring a smaller part of it; a few thousand examples are usually enough.",
            )
        self.workspace.require_disk(2 * size_gb)
        return self._keep(
            person,
            path,
            {"kind": kind, "where": str(path), "revision": None, "original_name": clean_name(original_name)},
        )

    def bring_example(self, person: Person, name: str) -> str:
        file = find_example(name).path
        return self._keep(
            person, file, {"kind": "example", "where": name, "revision": None, "original_name": file.name}
        )

    def bring_hub(self, person: Person, source: Source | str, token: str | None = None) -> str:
        """Fetch a dataset's own files at a pinned revision; its code never runs. Private ones with a token."""
        source = parse_source(f"hub:{source}") if isinstance(source, str) else source
        fetched = self.hub.dataset_file(source.where, source.revision, token=token)
        about = {
            "kind": "hub",
            "where": source.where,
            "revision": fetched.sha,
            "original_name": fetched.path.name,
            "words": fetched.words,
            "licence": fetched.licence,
        }
        try:
            return self._keep(person, fetched.path, about)
        finally:
            fetched.discard()

    def _keep(self, person: Person, file: Path, source: dict[str, Any]) -> str:
        folder = self.workspace.create(person, "uploads", Path(source["original_name"]).stem)
        with whole_or_gone(folder):
            update_about(folder, name=source["original_name"])
            try:
                shutil.copyfile(file, folder / "file")
            except OSError as error:
                raise full_disk(error) or DataError(
                    "This file could not be read.",
                    f"The system says: {error.strerror or type(error).__name__}.",
                    "Check that it is a file you may open, then bring it again.",
                ) from error
            write_json(folder / "source.json", source | {"sha256": sha256(folder / "file")})
        return folder.name

    def look(self, person: Person, upload_id: str, correction: dict[str, str] | None = None) -> dict[str, Any]:
        """Format, columns, first rows and a guess of the shape, found by content."""
        folder = self.workspace.find(person, "uploads", upload_id)
        return limited.call("look", self._file(folder, correction))

    def preview(
        self, person: Person, upload_id: str, mapping: dict[str, Any], correction: dict[str, str] | None, count: int
    ) -> list[dict[str, Any]]:
        folder = self.workspace.find(person, "uploads", upload_id)
        return limited.call("preview", self._file(folder, correction) | {"mapping": mapping, "count": count})

    def prepare(
        self, person: Person, upload_id: str, name: str, mapping: dict[str, Any] | None, options: dict[str, Any]
    ) -> str:
        """Make a dataset of an upload. It appears in the list only when it is whole."""
        upload = self.workspace.find(person, "uploads", upload_id)
        source = read_json(upload / "source.json")
        correction = options.pop("correction", None)
        name = clean_name(name or _usual_name(source))
        self.workspace.require_room(person, "datasets")
        self.workspace.require_disk(3 * (upload / "file").stat().st_size / 1e9)
        into = self.workspace.shelf(person, "datasets") / f".making-{new_id(name)}"
        into.mkdir()
        try:
            file = self._file(upload, correction)
            limited.call(
                "prepare",
                file | {"mapping": mapping, "into": str(into), "name": name, "source": source} | options,
                seconds=LONGEST_PREPARATION_SECONDS,
            )
            place = into.with_name(into.name.removeprefix(".making-"))
            about = {"name": name, "owner": person.key, "created": (into / "dataset.json").stat().st_mtime}
            write_json(into / "about.json", about)
            summary = read_json(into / "dataset.json") | {"dataset_id": place.name, "correction": correction}
            write_json(into / "dataset.json", summary)
            into.rename(place)
        finally:
            shutil.rmtree(into, ignore_errors=True)
        return place.name

    @staticmethod
    def _file(upload: Path, correction: dict[str, str] | None) -> dict[str, Any]:
        original_name = read_json(upload / "source.json")["original_name"]
        return {"file": str(upload / "file"), "original_name": original_name, "correction": correction}

    def folder(self, person: Person, dataset_id: str) -> Path:
        return self.workspace.find(person, "datasets", dataset_id)

    def card(self, person: Person, dataset_id: str) -> DatasetCard:
        return _card(self.folder(person, dataset_id))

    def cards(self, person: Person) -> list[DatasetCard]:
        return [_card(folder) for folder in self.workspace.all(person, "datasets")]

    def rename(self, person: Person, dataset_id: str, name: str) -> None:
        update_about(self.folder(person, dataset_id), name=clean_name(name))

    def problems(self, person: Person, dataset_id: str, limit: int) -> list[dict[str, Any]]:
        """Rows that could not be used, with the reason, in the order of the source."""
        with open(self.folder(person, dataset_id) / "problems.jsonl", encoding="utf-8") as lines:
            return [json.loads(line) for line, _ in zip(lines, range(limit), strict=False)]

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

    def statistics(self, person: Person, dataset_id: str, model: Path) -> dict[str, Any]:
        """Token lengths of the train part with this model's tokenizer; measured once, since neither can change."""
        key = (str(self.folder(person, dataset_id)), str(model))
        if key not in self._lengths:
            self._lengths[key] = self.tokens(person, dataset_id, model, None, 0, 0)["statistics"]
        return self._lengths[key]


def _usual_name(source: dict[str, Any]) -> str:
    """The dataset's own name on the Hub, else the file's without its ending."""
    if source["kind"] == "hub":
        return source["where"].split("/")[1].split(":")[0]
    return Path(source["original_name"]).stem


def data_file(path: Path) -> Path:
    """The file itself, or the one data file of a folder.

    Raises: `DataError` when there is none, or more than one.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(
            "This file is not there.",
            f"There is nothing called {path.name} in that place.",
            "Check the name and the folder, then try again.",
        )
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in DATA_SUFFIXES and file.is_file())
    if len(found) == 1:
        return found[0]
    names = ", ".join(file.name for file in found[:8])
    raise DataError(
        "This folder does not hold exactly one data file.",
        f"It holds {len(found)}: {names}." if found else "None ends in .csv, .tsv, .json, .jsonl or .parquet.",
        "Name one file.",
    )


def _card(folder: Path) -> DatasetCard:
    about = read_about(folder)
    return DatasetCard(folder.name, about["name"], about["created"], read_json(folder / "dataset.json"))

"""A prepared dataset into its owner's account on the Hub: its parts, a card and its recipe, and nothing else.

It goes the way a model goes (`repo.send`): one commit, private first, read back, public last if asked.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

import facet
from facet.errors import DataError
from facet.publish.data_files import copy_part, holds_key
from facet.publish.data_licences import warnings
from facet.publish.dataset_card import PARTS, RECIPE_FILE, DataFacts, dataset_card, hub_source
from facet.publish.files import LocalFile, is_own, key_inside, read
from facet.publish.repo import Parcel, Published, Say, Target, send
from facet.workspace import read_about, read_json, write_text

ALLOWED: Final = frozenset([*(f"data/{split}.parquet" for split in PARTS.values()), "README.md", RECIPE_FILE])
TITLES: Final = "A dataset prepared with Facet", "A new version, prepared with Facet"
AGAIN: Final = "prepare it again"
CORRECTIONS: Final = ("encoding", "delimiter", "member", "sheet")


@dataclass(frozen=True)
class DataTerms:
    """What a person says of a dataset when they publish it."""

    licence: str | None = None  # the Hub's word for it; None: that of the source
    languages: tuple[str, ...] = ()


def warnings_before(dataset_folder: Path, terms: DataTerms, public: bool) -> list[str]:
    """Sentences to read before publishing; empty when there is nothing to say."""
    return warnings(terms.licence, read_json(dataset_folder / "dataset.json").get("source") or {}, public)


def write_dataset(dataset_folder: Path, to: Path, repo: str, terms: DataTerms) -> Path:
    """Write what is published of a prepared dataset into the new folder `to`.

    Raises: `DataError` for a dataset that is not whole.
    """
    import pyarrow.parquet as pq

    summary = read_json(dataset_folder / "dataset.json")
    files = {part: dataset_folder / f"{part}.parquet" for part in PARTS}
    counts = {part: pq.read_metadata(file).num_rows for part, file in files.items() if file.is_file()}
    if not counts.get("train"):
        raise _incomplete("It has no train part.")
    counts = {part: count for part, count in counts.items() if count}
    (to / "data").mkdir(parents=True)
    for part in counts:
        copy_part(files[part], to / "data" / f"{PARTS[part]}.parquet")
    name = read_about(dataset_folder).get("name") or summary.get("name") or ""
    facts = DataFacts(str(name), summary, counts, terms.licence, terms.languages, repo)
    write_text(to / "README.md", dataset_card(facts))
    write_text(to / RECIPE_FILE, recipe_file(facts))
    return to


def recipe_file(facts: DataFacts) -> str:
    """What Facet needs to do the same to new data, in YAML; no place on this machine is in it."""
    dataset, recipe = facts.dataset, facts.dataset.get("recipe") or {}
    correction = recipe.get("correction") or dataset.get("correction") or {}
    kept = {
        "facet_data": 1,
        "facet": facet.__version__,
        "name": facts.name,
        "type": facts.type,
        "fingerprint": dataset.get("fingerprint"),
        "source": _source(facts.source),
        "correction": {name: correction[name] for name in CORRECTIONS if correction.get(name)},
        "mapping": _chosen(recipe.get("mapping") or dataset.get("mapping") or {}),
        "cleaning": recipe.get("cleaning") or {},
        "split": recipe.get("split") or {name: dataset.get(name) for name in ("test_size", "validation_size", "seed")},
        "repairs": recipe.get("repairs") or [],
        "rows": {PARTS[part]: count for part, count in facts.counts.items()},
    }
    return yaml.safe_dump(kept, sort_keys=False, width=100)


def _source(source: dict[str, Any]) -> dict[str, Any]:
    open_to_all = hub_source(source) or source.get("kind") == "example"
    names = ("kind", "where", "revision", "sha256", "licence") if open_to_all else ("kind", "original_name", "sha256")
    return {name: source[name] for name in names if source.get(name)}


def _chosen(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if value not in (None, [], ())}


def publish_dataset(
    folder: Path,
    target: Target,
    token: str,
    say: Say,
    endpoint: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """Publish what `write_dataset` wrote, or go on with what an earlier press began.

    Raises: `SettingError` when something has to be chosen otherwise; `AccessError`, `CapacityError`; `DataError` for
    a folder that must not be published; `HubError` when the Hub stays out of reach.
    """

    def pack() -> Parcel:
        return Parcel("dataset", to_publish(folder), RECIPE_FILE, ALLOWED.__contains__, TITLES)

    return send(pack, target, token, say, endpoint, sleep, "dataset")


def to_publish(folder: Path) -> Mapping[str, LocalFile]:
    """The files of the folder that go to the Hub, by their names there.

    Raises: `DataError` when one is missing or holds a secret.
    """
    files = {name: read(folder / name, name, AGAIN) for name in sorted(ALLOWED) if is_own(folder, folder / name)}
    if missing := [name for name in ("data/train.parquet", "README.md", RECIPE_FILE) if name not in files]:
        raise _incomplete(f"It lacks {', '.join(missing)}.")
    for name in files:
        if name.endswith(".parquet") and holds_key(folder / name):
            raise key_inside(name, AGAIN)
    return files


def _incomplete(why: str) -> DataError:
    return DataError("This is not a whole dataset.", why, "Prepare it again, then publish it.")

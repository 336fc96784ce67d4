"""Adapters from elsewhere become runs like any other: taken in, checked, and finished without a training.

    with taken(workspace, person, zip_or_folder) as adapter:
        base = ...                                   # found by adapter.base(), or chosen by the person
        run_id = create(workspace, person, adapter, base, generation, base_folder)

Only named files are taken: the two of the adapter, and the starter's weights where a download carries them along.
"""

import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import facet
from facet.errors import DataError, SettingError
from facet.gemma.adapter_files import (
    BASE_CAP,
    BASE_FOLDER,
    CONFIG,
    LARGEST_BYTES,
    WEIGHTS,
    complaint_about,
    pickles,
    wanted,
)
from facet.gemma.models import Generation
from facet.gemma.refuse import printable
from facet.identity import Person
from facet.model import adapter as adapters
from facet.model.adapter import Adapter
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.train.zips import StrangersZip
from facet.work import log
from facet.work.checkpoint import sha256
from facet.work.task import Task
from facet.workspace import FREE_DISK_FLOOR_GB, Workspace, clean_name, fsync, write_json

INCOMING: Final = "incoming"  # inside a run: the adapter as it came, until its starting model is here
FEW: Final = 8  # of anything, in a sentence
DEEPEST: Final = 2  # folders inside a zip
LARGEST_ZIP_GB: Final = 4.0
NO_DATA: Final[dict[str, Any]] = {
    "name": "Imported",
    "format": None,
    "shape": None,
    "mapping": None,
    "seed": 0,
    "test_size": 0.0,
    "validation_size": 0.0,
    "rows_in": 0,
    "used": 0,
    "unusable": 0,
    "reasons": {},
    "repaired": {},
    "notes": [],
    "duplicates": 0,
    "lengths": {"median_prompt_characters": 0, "median_answer_characters": 0, "longest_characters": 0},
    "labels": None,
    "splits": {"train": 0, "validation": 0, "exam": 0},
    "fingerprint": "",
    "correction": None,
}


@dataclass(frozen=True)
class Taken:
    """An adapter that was read and found good, in a folder of its own that vanishes with the context."""

    adapter: Adapter
    came_from: str  # "hub:owner/name@commit", "zip" or "folder"
    name: str
    notes: tuple[str, ...] = ()

    def base(self) -> tuple[str, str | None]:
        """Id and commit of its starting model. Raises: `SettingError` when only the person can know it."""
        return self.adapter.base()


@contextlib.contextmanager
def taken(workspace: Workspace, person: Person, place: Path, came_from: str = "") -> Iterator[Taken]:
    """Take in a zip, or at home a folder. `came_from` says that Facet itself fetched this folder from the Hub.

    Raises: `DataError`, `SettingError` when it is no adapter Facet can use; `CapacityError` when the disk is full.
    """
    workspace.require_room(person, "runs")
    into = workspace.shelf(person, "runs") / f".importing-{secrets.token_hex(4)}"
    into.mkdir()
    try:
        sizes = _take(workspace, person, place, into, bool(came_from))
        kind = came_from or ("folder" if place.is_dir() else "zip")
        notes = tuple(
            f"{printable(name)} was left aside: files of its kind can hide programs." for name in pickles(sizes)[:FEW]
        )
        yield Taken(adapters.read(into), kind, _name(place, came_from), notes)
    finally:
        shutil.rmtree(into, ignore_errors=True)


def _name(place: Path, came_from: str) -> str:
    if came_from:
        return clean_name(came_from.removeprefix("hub:").partition("@")[0].rpartition("/")[2])
    return clean_name(place.name if place.is_dir() else place.stem)


def _take(workspace: Workspace, person: Person, place: Path, into: Path, fetched: bool) -> dict[str, int]:
    """Copy the wanted files; the names and sizes of all that lay there."""
    if place.is_dir() and (fetched or person.kind == "local"):
        return _from_folder(workspace, place, into)
    if place.is_dir() or not place.is_file():
        raise DataError(
            "There is no adapter here.",
            f"There is no file called {place.name[:80]} in that place.",
            "Name a zip, or at home a folder, that holds adapter_model.safetensors.",
        )
    if place.stat().st_size > LARGEST_ZIP_GB * 1e9:
        raise DataError(
            "This zip is too large.",
            f"It has {place.stat().st_size / 1e9:.1f} GB, and {LARGEST_ZIP_GB:.0f} GB is the most.",
            "Pack only adapter_model.safetensors and adapter_config.json.",
        )
    return _from_zip(workspace, place, into)


def _from_folder(workspace: Workspace, place: Path, into: Path) -> dict[str, int]:
    inner = [place, *sorted(folder for folder in place.iterdir() if folder.is_dir())]
    folder = Path(_only([(str(path), _sizes(path)) for path in inner]))
    sizes = _sizes(folder)
    if (folder / BASE_FOLDER).is_dir():
        sizes |= {f"{BASE_FOLDER}/{name}": size for name, size in _sizes(folder / BASE_FOLDER).items()}
    _require_disk(workspace, sizes)
    for name in wanted(sizes):
        shutil.copyfile(folder / name, _made(into / name))
    return sizes


def _sizes(folder: Path) -> dict[str, int]:
    """The plain files of a folder; a link to one counts as one (the Hub's own cache is made of links)."""
    return {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}


def _from_zip(workspace: Workspace, place: Path, into: Path) -> dict[str, int]:
    with StrangersZip(place) as archive:
        folders: dict[str, dict[str, int]] = {"": {}}
        for path, size in archive.sizes.items():
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, {})[name] = size
        few = sorted(folder for folder in folders if folder.count("/") < DEEPEST)  # the top, "", comes first
        folder = _only([(folder, folders[folder]) for folder in few])
        before = f"{folder}/" if folder else ""
        sizes = {path.removeprefix(before): size for path, size in archive.sizes.items() if path.startswith(before)}
        _require_disk(workspace, sizes)
        for name in wanted(sizes):
            archive.unpack(before + name, _made(into / name), LARGEST_BYTES.get(name, BASE_CAP))
    return sizes


def _require_disk(workspace: Workspace, sizes: dict[str, int]) -> None:
    """For two copies: as it came, and beside it for a moment the one that stays."""
    workspace.require_disk(FREE_DISK_FLOOR_GB + 2 * sum(sizes[name] for name in wanted(sizes)) / 1e9)


def _made(file: Path) -> Path:
    file.parent.mkdir(exist_ok=True)
    return file


def _only(places: list[tuple[str, dict[str, int]]]) -> str:
    """The one place with an adapter: the top, which comes first, or else a folder below it.

    Raises: `SettingError`, `DataError` when there is none or more than one.
    """
    having = [place for place, sizes in places if CONFIG in sizes]
    if places[0][0] in having:
        having = having[:1]
    if len(having) > 1:
        shown = ", ".join(printable(Path(place).name, 40) for place in having[:FEW])
        raise SettingError(
            "There is more than one adapter here.", f"They lie in {shown}.", "Import the one you want by itself."
        )
    found = (
        dict(places)[having[0]] if having else {name: size for _, sizes in places[:FEW] for name, size in sizes.items()}
    )
    if complaint := complaint_about(found):
        raise complaint
    return having[0]


def create(
    workspace: Workspace,
    person: Person,
    taken: Taken,
    base: BaseSource,
    generation: Generation,
    base_folder: Path | None,
    name: str = "",
) -> str:
    """A run that holds this adapter, whose files it takes over.

    `base_folder` is None while the starting model is not on this machine. Then the run waits like any other: whoever
    conducts fetches the model, and `finish` does the rest.
    Raises: `SettingError` when the adapter does not belong to this starting model.
    """
    if base_folder is not None:
        taken.adapter.require_fit(base_folder)
    folder = workspace.create(person, "runs", clean_name(name or taken.name))
    try:
        imported = {"from": taken.came_from, "sha256": sha256(taken.adapter.weights.file)}
        _keep(taken, folder, imported)
        request = {
            "recipe": _recipe(taken.adapter).model_dump(),
            "base": base.as_dict(),
            "dataset_id": None,
            "facet": facet.__version__,
            "generation": generation,
            "imported": imported,
        }
        events = Task(folder).events_file
        for words in taken.notes:
            log.append(events, log.Noted(words=words))
        if base_folder is not None:
            finish(folder, base, base_folder, lambda event: log.append(events, event))
        Task.create(folder, "train", request)  # last: from now on it is seen, and conducted where it has to wait
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder.name


def _keep(taken: Taken, folder: Path, imported: dict[str, str]) -> None:
    incoming = folder / INCOMING
    taken.adapter.folder.rename(incoming)
    for file in incoming.rglob("*"):
        fsync(file)
    source = {"kind": "imported", "where": taken.came_from, "original_name": taken.name, "revision": None}
    (folder / "data").mkdir()
    write_json(
        folder / "data" / "dataset.json",
        NO_DATA | {"source": source | {"sha256": imported["sha256"]}, "created": time.time()},
    )


def _recipe(adapter: Adapter) -> SftRecipe:
    """What its description tells; the rest is ours, and says nothing about how it was trained."""
    told = {"use_rslora": adapter.rslora, "use_dora": adapter.dora, "lora_dropout": float(adapter.dropout)}
    ratio = min(16.0, max(0.01, adapter.alpha / adapter.rank))  # as far as a recipe can say it
    return SftRecipe(lora_rank=adapter.rank, lora_scale=float(ratio), **told)


def finish(folder: Path, base: BaseSource, base_folder: Path, emit: Callable[[log.Event], None]) -> None:
    """Hold the adapter against its starting model, give it its place in the run, and say that the run is over.

    Killed at any instant, it can be called again.
    """
    adapter = adapters.read(folder / INCOMING)
    adapter.require_fit(base_folder)
    part, place = folder / "adapter.part", folder / "adapter"
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(place, ignore_errors=True)
    adapter.write(part, base, base_folder)
    part.rename(place)
    fsync(folder)
    outputs: dict[str, str | int | float] = {
        "adapter_sha256": sha256(place / WEIGHTS),
        "parameters": adapter.parameters,
    }
    emit(log.Finished(step=0, outputs=outputs))
    shutil.rmtree(folder / INCOMING, ignore_errors=True)

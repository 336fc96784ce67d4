"""The Hugging Face Hub as Facet uses it: look at a model before downloading it, fetch models and datasets.

Without a person's token everything is asked for with `token=False`: no account's rights are ever used by accident, and
what is fetched may be shared by everyone on this machine. What only a token opened is that person's alone: `gated` and
`private` say so, and here it is kept for the length of one look.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from facet.gemma.inspect import ModelFacts, facts_of, has_template, inspect, read_config
from facet.gemma.licences import Licence, licence_of
from facet.gemma.refuse import complaint_about_files
from facet.hub.ask import ask, card_value
from facet.hub.dataset_fetch import MOST_GB, Found, find, folder_of_its_own
from facet.hub.datasets import Beginning, DatasetOnHub, Fetched
from facet.hub.download import ReportProgress, Repository, download
from facet.hub.errors import Thing
from facet.hub.parts import DatasetName
from facet.workspace import read_json, whole_or_gone, write_json

ASK_SECONDS: Final = 6.0  # how long a first question may take before we say that the Hub cannot be reached
WEIGHTS: Final = re.compile(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?")
BESIDE_WEIGHTS: Final = frozenset(
    [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "tokenizer.model",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
        "chat_template.json",
        "processor_config.json",
        "preprocessor_config.json",
    ]
)
COMPLETE: Final = ".complete.json"  # written last into a downloaded model's folder
SMALL: Final = 20_000_000  # bytes; a configuration file is never larger


@dataclass(frozen=True)
class ModelOnHub:
    """What can be known of a model before it is downloaded."""

    repo: str  # as the Hub spells it now: a model may have moved
    sha: str
    facts: ModelFacts
    licence: Licence
    size_gb: float  # of the files that would be downloaded
    gated: bool = False
    private: bool = False

    @property
    def is_open(self) -> bool:
        """Whether its copy may be shared; if not it belongs in the person's own folder."""
        return not (self.gated or self.private)


@dataclass(frozen=True)
class Snapshot:
    """A downloaded model."""

    repo: str
    sha: str
    folder: Path


@dataclass(frozen=True)
class Hub:
    """`cache` holds what is being looked at; models go where the caller says."""

    cache: Path
    endpoint: str | None = None  # default: HF_ENDPOINT, else huggingface.co

    def check_model(self, repo: str, revision: str | None = None, token: str | None = None) -> ModelOnHub:
        """Look at a model's description and list of files; a few kilobytes are fetched, no weights.

        Raises: `AccessError` for gated ones (with a token: only while its terms are not accepted), `SettingError` or
        `DataError` for those Facet does not take, `NotFoundError`, `HubError`.
        """
        repository, info = self._ask("model", repo, revision, token)
        if complaint := complaint_about_files(repository.files):
            raise complaint
        weights = [name for name in repository.files if WEIGHTS.fullmatch(name)]
        small = ["config.json", *(name for name in sorted(BESIDE_WEIGHTS) if "template" in name or "_config" in name)]
        wanted = [name for name in small if name in repository.files and repository.files[name].size < SMALL]
        with self._folder_to_look_in() as folder:
            download(repository, list(dict.fromkeys(wanted)), folder)
            stated = getattr(info.safetensors, "total", None) or int(repository.gigabytes(weights) * 1e9 / 2)
            facts = facts_of(read_config(folder / "config.json"), stated, template=has_template(folder))
        licence = licence_of(repository.name, facts.generation, card_value(info, "license"))
        size_gb = repository.gigabytes(_model_files(repository))
        return ModelOnHub(
            repository.name, repository.sha, facts, licence, size_gb, bool(info.gated), bool(info.private)
        )

    def downloaded(self, repo: str, models: Path, revision: str | None = None) -> Snapshot | None:
        """A whole copy of a model that is already here, or None. Needs no network."""
        place = models / repo.replace("/", "--")
        for note in sorted(place.glob(f"*/{COMPLETE}"), key=lambda file: file.stat().st_mtime, reverse=True):
            folder, sizes = note.parent, read_json(note)["sizes"]
            if revision in (None, folder.name) and all(_has(folder / name, size) for name, size in sizes.items()):
                return Snapshot(repo, folder.name, folder)
        return None

    @staticmethod
    def place(repo: str, sha: str) -> str:
        """Where `model_snapshot` puts a model, relative to the folder of all models."""
        return place(repo, sha)

    def model_snapshot(
        self,
        repo: str,
        revision: str | None,
        models: Path,
        progress: ReportProgress | None = None,
        token: str | None = None,
    ) -> Snapshot:
        """Download a model's safetensors, tokenizer and JSON files; nothing else of it ever gets here.

        With a token, `models` has to be that person's own folder unless the model is open to everyone.
        A second caller waits for the first; a download that broke off goes on where it stopped.
        Raises: like `check_model`, and `CapacityError` when the disk has no room.
        """
        if revision and (here := self.downloaded(repo, models, revision)):
            return here
        repository, _ = self._ask("model", repo, revision, token)
        if complaint := complaint_about_files(repository.files):
            raise complaint
        folder = models / place(repo, repository.sha)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{repository.sha}.lock"):
            if here := self.downloaded(repo, models, repository.sha):
                return here
            names = _model_files(repository)
            download(repository, names, folder, progress)
            inspect(folder)
            write_json(folder / COMPLETE, {"sizes": {name: repository.files[name].size for name in names}})
        return Snapshot(repo, repository.sha, folder)

    def dataset_look(self, dataset: str, revision: str | None = None, token: str | None = None) -> DatasetOnHub:
        """What a dataset has, by its page and its list of files; a few kilobytes are fetched, no rows.

        Raises: `DataError` when nothing in it can be read; `AccessError`, `NotFoundError`, `SettingError`, `HubError`.
        """
        return self._find(DatasetName.parse(dataset).repo, revision, token).look()

    def dataset_beginning(
        self,
        repo: str,
        sha: str | None = None,
        config: str | None = None,
        split: str | None = None,
        token: str | None = None,
    ) -> Beginning:
        """The first bytes of a split's first file, for a look at its rows; whoever calls discards them.

        Raises: like `dataset_files`.
        """
        found, folder = self._find(repo, sha, token), folder_of_its_own(self.cache)
        with whole_or_gone(folder):
            return found.beginning(config, split, folder)

    def dataset_files(
        self,
        repo: str,
        sha: str | None = None,
        config: str | None = None,
        split: str | None = None,
        *,
        most_gb: float = MOST_GB,
        most_files: int | None = None,
        token: str | None = None,
        progress: ReportProgress | None = None,
    ) -> Fetched:
        """Fetch the files of one split, or of `all`: of a large dataset as many as fit, and `words` says so.

        Raises: `DataError` when there is nothing to read or a part must be chosen; `CapacityError` when not even the
        first file fits; `AccessError`, `NotFoundError`, `SettingError`, `HubError`.
        """
        found, folder = self._find(repo, sha, token), folder_of_its_own(self.cache)
        with whole_or_gone(folder):
            return found.fetch(config, split, folder, most_gb, most_files, progress)

    def dataset_file(
        self,
        dataset: str,
        revision: str | None = None,
        *,
        most_gb: float = MOST_GB,
        progress: ReportProgress | None = None,
        token: str | None = None,
    ) -> Fetched:
        """The first file only of `owner/name`, `owner/name:config` or `owner/name:config/split`."""
        wanted = DatasetName.parse(dataset)
        how = {"most_gb": most_gb, "progress": progress, "token": token}
        return self.dataset_files(wanted.repo, revision, wanted.config, wanted.split, most_files=1, **how)

    def _find(self, repo: str, revision: str | None, token: str | None) -> Found:
        return find(repo, revision, token, self.endpoint, self.cache, ASK_SECONDS)

    def _ask(self, thing: Thing, name: str, revision: str | None, token: str | None) -> tuple[Repository, Any]:
        return ask(thing, name, revision, token, self.endpoint, ASK_SECONDS)

    @contextlib.contextmanager
    def _folder_to_look_in(self) -> Iterator[Path]:
        """Where a model's small files are put for the length of one look."""
        folder = folder_of_its_own(self.cache)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def place(repo: str, sha: str) -> str:
    return f"{repo.replace('/', '--')}/{sha}"


def _model_files(repository: Repository) -> list[str]:
    """What is downloaded of a model: the small files first, so that a wrong one is noticed early."""
    names = [name for name in repository.files if name in BESIDE_WEIGHTS or WEIGHTS.fullmatch(name)]
    if "model.safetensors.index.json" in names and "model.safetensors" in names:
        names.remove("model.safetensors.index.json")
        names = [name for name in names if not re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)]
    return sorted(names, key=lambda name: (repository.files[name].size, name))


def _has(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size

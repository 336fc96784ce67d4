"""The Hugging Face Hub as Facet uses it: look at a model before downloading it, fetch models and datasets.

Without a person's token everything is asked for with `token=False`: no account's rights are ever used by accident, and
what is fetched may be shared by everyone on this machine. What only a token opened is that person's alone: `gated` and
`private` say so, and here it is kept for the length of one look.
"""

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from facet.errors import CapacityError
from facet.gemma.inspect import ModelFacts, facts_of, has_template, inspect, read_config
from facet.gemma.licences import Licence, licence_of
from facet.gemma.refuse import complaint_about_files
from facet.hub.ask import ask
from facet.hub.download import ReportProgress, Repository, download
from facet.hub.errors import Thing
from facet.hub.front_matter import configs_of
from facet.hub.parts import DatasetName, Part, choose
from facet.workspace import read_json, write_json

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
MOST_GB: Final = 2.0
README_CAP: Final = 5_000_000  # bytes
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
class Fetched:
    """One file of a dataset. `words` says which part it is and what was left aside."""

    repo: str
    sha: str
    path: Path
    config: str | None
    split: str
    words: str
    licence: str | None  # as stated on its page
    alone: Path | None = None  # the folder made for this file alone

    def discard(self) -> None:
        """Delete the downloaded copy, once it has been taken over."""
        self.path.unlink(missing_ok=True)
        if self.alone:
            shutil.rmtree(self.alone, ignore_errors=True)


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
        licence = licence_of(repository.name, facts.generation, _card_value(info, "license"))
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

    def dataset_file(
        self,
        dataset: str,
        revision: str | None = None,
        *,
        most_gb: float = MOST_GB,
        progress: ReportProgress | None = None,
        token: str | None = None,
    ) -> Fetched:
        """Fetch one file of a dataset: `owner/name`, `owner/name:config` or `owner/name:config/split`.

        Large datasets come in many files; the first one is fetched and `words` says so.
        Raises: `DataError` when there is nothing to read or a part must be chosen; `CapacityError` above `most_gb`.
        """
        wanted = DatasetName.parse(dataset)
        repository, info = self._ask("dataset", wanted.repo, revision, token)
        folder = self._folder_of_its_own()  # two people may ask for the same dataset at once
        try:
            part = choose(repository.files, self._declared_parts(repository, folder), wanted)
            self._download_first(repository, part, folder, most_gb, progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        path, licence = folder / part.files[0], _card_value(info, "license")
        words = _words(repository, part)
        return Fetched(repository.name, repository.sha, path, part.config, part.split, words, licence, folder)

    @staticmethod
    def _download_first(
        repository: Repository, part: Part, folder: Path, most_gb: float, progress: ReportProgress | None
    ) -> None:
        file = part.files[0]
        size_gb = repository.gigabytes([file])
        if size_gb > most_gb:
            raise CapacityError(
                "This dataset is too large to fetch.",
                f"Its file {Path(file).name[:60]} has {size_gb:.1f} GB, and {most_gb:.1f} GB is the most.",
                "Choose a smaller dataset, or upload a part of this one.",
            )
        download(repository, [file], folder, progress)

    def _declared_parts(self, repository: Repository, folder: Path) -> list[dict[str, Any]]:
        readme = repository.files.get("README.md")
        if readme is None or readme.size > README_CAP:
            return []
        download(repository, ["README.md"], folder)
        return configs_of((folder / "README.md").read_text("utf-8", errors="replace"))

    def _ask(self, thing: Thing, name: str, revision: str | None, token: str | None) -> tuple[Repository, Any]:
        return ask(thing, name, revision, token, self.endpoint, ASK_SECONDS)

    @contextlib.contextmanager
    def _folder_to_look_in(self) -> Iterator[Path]:
        """Where a model's small files are put for the length of one look."""
        folder = self._folder_of_its_own()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _folder_of_its_own(self) -> Path:
        self.cache.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="alone-", dir=self.cache))


def place(repo: str, sha: str) -> str:
    return f"{repo.replace('/', '--')}/{sha}"


def _model_files(repository: Repository) -> list[str]:
    """What is downloaded of a model: the small files first, so that a wrong one is noticed early."""
    names = [name for name in repository.files if name in BESIDE_WEIGHTS or WEIGHTS.fullmatch(name)]
    if "model.safetensors.index.json" in names and "model.safetensors" in names:
        names.remove("model.safetensors.index.json")
        names = [name for name in names if not re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)]
    return sorted(names, key=lambda name: (repository.files[name].size, name))


def _card_value(info: Any, name: str) -> str | None:
    """A word from the front matter of the repository's page; authors write lists there too."""
    value = getattr(info.card_data, name, None) if info.card_data else None
    first = value[0] if isinstance(value, list) and value else value
    return first if isinstance(first, str) and len(first) < 80 else None


def _has(file: Path, size: int) -> bool:
    return file.is_file() and file.stat().st_size == size


def _words(repository: Repository, part: Part) -> str:
    which = f"the part {part.config}, {part.split}" if part.config else f"the part {part.split}"
    sentences = [f"This is {which} of {repository.name} at version {repository.sha[:7]}."]
    if len(part.files) > 1:
        sentences.append(f"It comes in {len(part.files)} files; this is the first of them.")
    return " ".join([*sentences, *part.notes])

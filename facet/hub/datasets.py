"""Datasets on the Hub, as they are told and fetched: configurations, splits, files, and the beginning of a file."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from facet.hub.download import Repository, download_piece
from facet.hub.parts import PartName


@dataclass(frozen=True)
class SplitFiles:
    """The files of a split, in order. `part` is what it becomes here, None when its name does not tell."""

    name: str
    files: tuple[str, ...]
    size_gb: float
    part: PartName | None


@dataclass(frozen=True)
class Config:
    """One configuration; its name is None where the page declares none."""

    name: str | None
    default: bool  # read unless another is asked for
    splits: tuple[SplitFiles, ...]


@dataclass(frozen=True)
class DatasetOnHub:
    """What can be known of a dataset before it is fetched."""

    repo: str  # as the Hub spells it now: a dataset may have moved
    sha: str
    licence: str | None  # as stated on its page
    gated: bool
    private: bool
    configs: tuple[Config, ...]
    words: tuple[str, ...]  # sentences a person should read before they choose

    @property
    def default(self) -> Config | None:
        """The configuration that is read unless a person asks for another; None when they have to choose."""
        return next((config for config in self.configs if config.default), None)


@dataclass(frozen=True)
class FetchedFile:
    path: Path  # here
    name: str  # in the repository
    part: PartName | None


@dataclass(frozen=True)
class Fetched:
    """Files of a dataset. `words` says which parts they are and what was left aside."""

    repo: str
    sha: str
    files: tuple[FetchedFile, ...]
    config: str | None
    split: str  # or "all"
    words: str
    licence: str | None  # as stated on its page
    closed: Literal["gated", "private"] | None = None  # then it is this person's alone
    alone: Path | None = None  # the folder made for these files alone

    @property
    def path(self) -> Path:
        """The first file."""
        return self.files[0].path

    def discard(self) -> None:
        """Delete the downloaded copies, once they have been taken over."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
        if self.alone:
            shutil.rmtree(self.alone, ignore_errors=True)


@dataclass
class Beginning:
    """Pieces of a dataset's first file, by the byte they begin with: its start, and the end of a Parquet file too."""

    name: str  # in the repository
    size: int  # bytes of the whole file
    split: str
    config: str | None
    pieces: dict[int, Path]
    repository: Repository = field(repr=False)
    folder: Path = field(repr=False)

    @property
    def is_whole(self) -> bool:
        return 0 in self.pieces and self.pieces[0].stat().st_size == self.size

    def fetch(self, start: int, stop: int) -> None:
        """Bring one more piece. Raises: `HubError` and what else a download may raise."""
        piece = self.folder / f"piece-{start}"
        download_piece(self.repository, self.name, max(0, start), min(stop, self.size), piece)
        self.pieces[start] = piece

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def size_words(gigabytes: float) -> str:
    """
    >>> size_words(0.0123), size_words(0.0000004), size_words(16.04)
    ('12 MB', '1 kB', '16.0 GB')
    """
    if gigabytes >= 1:
        return f"{gigabytes:.1f} GB"
    return f"{gigabytes * 1e3:.0f} MB" if gigabytes >= 0.001 else f"{max(1, round(gigabytes * 1e6))} kB"

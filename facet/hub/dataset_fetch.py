"""Looking at a dataset on the Hub, and fetching files of some splits up to a size."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import CapacityError
from facet.hub.ask import ask, card_value
from facet.hub.datasets import Beginning, Config, DatasetOnHub, Fetched, FetchedFile, SplitFiles, size_words
from facet.hub.download import ReportProgress, Repository, download, download_piece
from facet.hub.front_matter import configs_of
from facet.hub.parts import PLAIN_SPLITS, Layout, PartName, part_of, usual_split

ALL: Final = "all"  # as a split: every one
MOST_GB: Final = 2.0
README_CAP: Final = 5_000_000  # bytes
SMALL_FILE: Final = 4_000_000  # bytes; fetched whole for a look
BEGINNING: Final = 1_000_000  # bytes of a larger file
FOOTER: Final = 262_144  # bytes; the index of most Parquet files has less
LINES: Final = (".jsonl", ".ndjson")  # of which a beginning can be read
LONGEST_LINE: Final = 64_000_000  # bytes
CLOSED_FORMATS: Final = (".xlsx", ".zip")  # whose beginning alone tells nothing
SHOWN_NAMES: Final = 5


@dataclass(frozen=True)
class Found:
    """A dataset at one commit, looked at by one person."""

    repository: Repository
    info: Any  # the Hub's own description
    layout: Layout

    def look(self) -> DatasetOnHub:
        """Raises: `DataError` when nothing in it can be read, or its page points elsewhere."""
        configs = [self._config(name) for name in self.layout.configs]
        readable = tuple(config for config in configs if config.splits)
        if not readable:
            raise self.layout.nothing_readable()
        unread = len(configs) - len(readable)
        words = (f"{unread} of its {len(configs)} parts have no file that Facet reads.",) if unread else ()
        words += _closed_words(self.info)
        gated, private = bool(self.info.gated), bool(self.info.private)
        return DatasetOnHub(self.name, self.sha, self.licence, gated, private, readable, words)

    def _config(self, name: str | None) -> Config:
        splits = self.layout.splits(name)
        files = tuple(
            SplitFiles(split, files, self.repository.gigabytes(list(files)), part_of(split))
            for split, files in splits.items()
        )
        only = len(self.layout.configs) == 1
        return Config(name, only or name == self.layout.default, files)

    @property
    def name(self) -> str:
        return self.repository.name

    @property
    def sha(self) -> str:
        return self.repository.sha

    @property
    def licence(self) -> str | None:
        return card_value(self.info, "license")

    def splits(self, config: str | None) -> tuple[str | None, dict[str, tuple[str, ...]]]:
        """The configuration to read and its splits. Raises: `DataError`."""
        chosen = self.layout.config(config)
        if not (splits := self.layout.splits(chosen)):
            raise self.layout.nothing_readable()
        return chosen, splits

    def beginning(self, config: str | None, split: str | None, folder: Path) -> Beginning:
        """The beginning of the first file of a split, into this folder."""
        chosen, splits = self.splits(config)
        name = split if split not in (None, ALL) else usual_split(splits)
        if name not in splits:
            raise self.layout.no_split(chosen, splits, name)
        file = splits[name][0]
        beginning = Beginning(file, self.repository.files[file].size, name, chosen, {}, self.repository, folder)
        if beginning.size <= SMALL_FILE:
            download(self.repository, [file], folder)
            beginning.pieces[0] = folder / file
        elif file.lower().endswith(".parquet"):
            beginning.fetch(beginning.size - FOOTER, beginning.size)
        elif not file.lower().endswith(CLOSED_FORMATS):
            beginning.fetch(0, BEGINNING)
        return beginning

    def fetch(
        self,
        config: str | None,
        split: str | None,
        folder: Path,
        most_gb: float,
        most_files: int | None,
        progress: ReportProgress | None,
    ) -> Fetched:
        """Files of one split, or of every one, as many as `most_gb` and `most_files` allow; at least one."""
        chosen, splits = self.splits(config)
        wanted, aside = self._wanted(chosen, splits, split)
        plan, more = self._brought(wanted, folder, most_gb, most_files, progress)
        single = len(wanted) == 1
        files = tuple(
            FetchedFile(folder / file, file, None if single else part_of(name))
            for name, names in plan.items()
            for file in names
        )
        words = self._words(chosen, wanted, plan, aside) + more
        if split is None and part_of(next(iter(wanted))) != "train":
            words.append(f"It has no part called train, so the part called {next(iter(wanted))[:40]} is read.")
        closed = "gated" if self.info.gated else "private" if self.info.private else None
        which = split if split == ALL else next(iter(wanted))
        return Fetched(self.name, self.sha, files, chosen, which, " ".join(words), self.licence, closed, folder)

    def _brought(
        self,
        wanted: Mapping[str, tuple[str, ...]],
        folder: Path,
        most_gb: float,
        most_files: int | None,
        progress: ReportProgress | None,
    ) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """What has been fetched of each split, and a word when it is the beginning of one file only."""
        firsts = [files[0] for files in wanted.values()]
        if len(firsts) == 1 and firsts[0].lower().endswith(LINES) and self.repository.gigabytes(firsts) > most_gb:
            return {split: files[:1] for split, files in wanted.items()}, [
                self._first_lines(firsts[0], folder / firsts[0], most_gb, progress)
            ]
        plan = self._plan(wanted, most_gb, most_files)
        download(self.repository, [name for names in plan.values() for name in names], folder, progress)
        return plan, []

    def _first_lines(self, name: str, into: Path, most_gb: float, progress: ReportProgress | None) -> str:
        """The whole lines at the beginning of a file that is too large."""
        into.parent.mkdir(parents=True, exist_ok=True)
        download_piece(self.repository, name, 0, int(most_gb * 1e9), into, progress)
        with open(into, "r+b") as file:
            start = max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE)
            file.seek(start)
            end = start + file.read().rfind(b"\n") + 1
            if end == start:
                raise self._too_large([name], most_gb)
            file.truncate(end)
        whole = size_words(self.repository.gigabytes([name]))
        return f"The file {Path(name).name[:60]} has {whole}; its first {size_words(end / 1e9)} are here."

    def _wanted(
        self, config: str | None, splits: Mapping[str, tuple[str, ...]], split: str | None
    ) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """The splits to fetch, and those left aside: of two that would become the same part, the later one."""
        if split is not None and split != ALL and split not in splits:
            raise self.layout.no_split(config, splits, split)
        if split != ALL or ALL in splits:
            name = split or usual_split(splits)
            return {name: splits[name]}, []
        by_part: dict[PartName, str] = {}
        for name in sorted(splits, key=lambda name: name not in PLAIN_SPLITS):  # “train” before “train_sft”
            if part := part_of(name):
                by_part.setdefault(part, name)
        if not by_part:
            return dict(splits), []
        kept = {name: files for name, files in splits.items() if name in by_part.values()}
        return kept, [name for name in splits if name not in kept]

    def _plan(
        self, wanted: Mapping[str, tuple[str, ...]], most_gb: float, most_files: int | None
    ) -> dict[str, tuple[str, ...]]:
        """How many files of each split fit: one of each first, then the others in turn, smaller splits before.

        Raises: `CapacityError` when not even the first file of each fits.
        """
        firsts = [files[0] for files in wanted.values()]
        if self.repository.gigabytes(firsts) > most_gb:
            raise self._too_large(firsts, most_gb)
        counts, left = dict.fromkeys(wanted, 1), most_gb - self.repository.gigabytes(firsts)
        for split in sorted(wanted, key=lambda name: self.repository.gigabytes(list(wanted[name]))):
            for file in wanted[split][1:most_files]:
                left -= self.repository.gigabytes([file])
                if left < 0:
                    return {split: files[: counts[split]] for split, files in wanted.items()}
                counts[split] += 1
        return {split: files[: counts[split]] for split, files in wanted.items()}

    def _too_large(self, firsts: list[str], most_gb: float) -> CapacityError:
        largest = max(firsts, key=lambda name: self.repository.files[name].size)
        size_gb = self.repository.gigabytes([largest])
        what = f"Its file {Path(largest).name[:60]} has {size_gb:.1f} GB"
        if size_gb <= most_gb:
            what = f"The first files of its {len(firsts)} parts have {self.repository.gigabytes(firsts):.1f} GB"
        return CapacityError(
            "This dataset is too large to fetch.",
            f"{what}, and {most_gb:.1f} GB is the most.",
            "Choose a smaller part or another dataset, or upload a piece of this one.",
        )

    def _words(
        self,
        config: str | None,
        wanted: Mapping[str, tuple[str, ...]],
        plan: Mapping[str, tuple[str, ...]],
        aside: list[str],
    ) -> list[str]:
        named = ", ".join(name[:40] for name in list(wanted)[:SHOWN_NAMES])
        which = f"the part {config[:40]}, {named}" if config else f"the part {named}"
        these = which if len(wanted) == 1 else which.replace("the part", "the parts", 1)
        sentences = [
            f"{'This is' if len(wanted) == 1 else 'These are'} {these} of {self.name} at version {self.sha[:7]}."
        ]
        for split, files in wanted.items():
            sentences += self._cut(split, files, len(plan[split]), single=len(wanted) == 1)
        if aside:
            sentences.append(f"Left aside: {', '.join(name[:40] for name in aside[:10])}.")
        return sentences

    def _cut(self, split: str, files: tuple[str, ...], taken: int, single: bool) -> list[str]:
        if taken == len(files):
            return []
        whole, part = (self.repository.gigabytes(list(each)) for each in (files, files[:taken]))
        what = "It comes" if single else f"{split[:40]} comes"
        these = "this is the first of them" if taken == 1 else f"these are the first {taken}"
        return [f"{what} in {len(files)} files; {these} ({size_words(part)} of {size_words(whole)})."]


def find(
    name: str, revision: str | None, token: str | None, endpoint: str | None, cache: Path, seconds: float
) -> Found:
    """A dataset with its files and the parts its page declares. Nothing but the page is fetched.

    Raises: `AccessError`, `NotFoundError`, `SettingError`, `HubError`; `DataError` for a hostile page.
    """
    repository, info = ask("dataset", name, revision, token, endpoint, seconds)
    return Found(repository, info, Layout(repository.name, repository.files, _declared(repository, cache)))


def folder_of_its_own(cache: Path) -> Path:
    """For one call: two people may ask for the same dataset at once."""
    cache.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="alone-", dir=cache))


def _declared(repository: Repository, cache: Path) -> list[dict[str, Any]]:
    readme = repository.files.get("README.md")
    if readme is None or readme.size > README_CAP:
        return []
    folder = folder_of_its_own(cache)
    try:
        download(repository, ["README.md"], folder)
        return configs_of((folder / "README.md").read_text("utf-8", errors="replace"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _closed_words(info: Any) -> tuple[str, ...]:
    if info.gated:
        return ("Its owner lets only those read it who accepted its terms; what you fetch stays yours alone.",)
    return ("It is private; what you fetch stays yours alone.",) if info.private else ()

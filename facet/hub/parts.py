"""Which files of a dataset on the Hub to read: its declared parts if it has some, else what the file names say."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from facet.errors import DataError
from facet.hub.globs import Names, TooManyComparisons

PartName = Literal["train", "validation", "exam"]
ROWS: Final = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
PACKED: Final = (".jsonl.gz", ".ndjson.gz", ".json.gz", ".csv.gz", ".tsv.gz")
RARE: Final = (".xlsx", ".zip", ".txt")  # read only where there is nothing else: often they hold something beside rows
READABLE: Final = (*ROWS, *PACKED, *RARE)
METADATA: Final = frozenset(
    "dataset_infos.json dataset_dict.json dataset_info.json state.json package.json "
    "license.txt readme.txt requirements.txt notice.txt citation.txt".split()
)
SPLIT_WORDS: Final = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
PLAIN_SPLITS: Final = frozenset(word for words in SPLIT_WORDS.values() for word in words)
PARTS: Final[dict[str, PartName]] = {"train": "train", "validation": "validation", "test": "exam"}
UPLOAD: Final = "Download the file you need from its page and upload it here."
LONGEST_WORD: Final = 60  # of strangers' words in our sentences


@dataclass(frozen=True)
class DatasetName:
    """`owner/name`, `owner/name:config` or `owner/name:config/split`."""

    repo: str
    config: str | None = None
    split: str | None = None

    @classmethod
    def parse(cls, text: str) -> "DatasetName":
        repo, _, part = text.partition(":")
        config, _, split = part.partition("/")
        return cls(repo, config or None, split or None)


class Layout:
    """The configurations of a dataset and the files of their splits. Without declared ones there is one, called None.

    `configs` are those of its page, as `configs_of` reads them.
    """

    def __init__(self, repo: str, files: Iterable[str], configs: list[dict[str, Any]]) -> None:
        self.repo = repo
        self.files = sorted(name for name in files if is_plain(name))
        self.declared = {str(config.get("config_name", "default")): config for config in configs}

    @property
    def configs(self) -> list[str | None]:
        return list(self.declared) or [None]

    @cached_property
    def default(self) -> str | None:
        """The configuration that is read unless a person asks for another; None when they have to say which."""
        chosen = [name for name, config in self.declared.items() if config.get("default") is True]
        if chosen or "default" in self.declared:
            return (chosen or ["default"])[0]
        return next(iter(self.declared)) if len(self.declared) == 1 else None

    def config(self, wanted: str | None) -> str | None:
        """The configuration to read. Raises: `DataError` when a person has to choose, or chose what is not there."""
        if wanted is None:
            if self.default is None and self.declared:
                raise self._which(f"It has {len(self.declared)} parts.")
            return self.default
        if not self.declared and wanted == "default":
            return None
        if wanted not in self.declared:
            raise self._which(f"It has no part called “{wanted[:LONGEST_WORD]}”.")
        return wanted

    def splits(self, config: str | None) -> dict[str, tuple[str, ...]]:
        """Split → files in order, readable ones only; empty when there are none.

        Raises: `DataError` when the page points out of its repository.
        """
        if config is None:
            return _guessed(self.files)
        return self._declared_splits(self.declared[config])

    def _declared_splits(self, config: dict[str, Any]) -> dict[str, tuple[str, ...]]:
        folder = config.get("data_dir")
        inside = isinstance(folder, str) and folder.strip("./") != ""
        start = ""
        if isinstance(folder, str):
            _require_inside(folder)
            start = folder.removeprefix("./").strip("/") + "/" if inside else ""
        stated = config.get("data_files")
        if stated is None:
            return _guessed([name for name in self.files if name.startswith(start)])
        splits: dict[str, list[str]] = {}
        for split, pattern in _patterns(stated):
            _require_inside(pattern)
            found = self._matching(start + pattern.removeprefix("./")) or (self._matching(pattern) if inside else [])
            splits.setdefault(split, []).extend(name for name in found if name.startswith(start))
        return {split: tuple(dict.fromkeys(found)) for split, found in splits.items() if found}

    @cached_property
    def _readable(self) -> Names:
        return Names(filter(is_readable, self.files))

    def _matching(self, pattern: str) -> list[str]:
        try:
            return self._readable.matching(pattern)
        except TooManyComparisons:
            raise DataError(
                "The page of this dataset cannot be read in good time.",
                f"It names many patterns, and the dataset has {len(self.files):,} files.",
                UPLOAD,
            ) from None

    def nothing_readable(self) -> DataError:
        if any(name.endswith(".py") for name in self.files):
            return DataError(
                "This dataset is made by a program, and Facet runs none but its own.",
                "It has a Python file and no file with rows.",
                "Look for a copy of it on the Hub that has Parquet files.",
            )
        kinds = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in self.files).most_common(5)
        found = ", ".join(kind[:20] for kind, _ in kinds) or "no files at all"
        return DataError(
            "This dataset has no file that Facet can read.",
            f"It has {found}; Facet reads Parquet, JSON, JSONL, CSV and TSV, also in .gz and .zip, Excel and text.",
            "Choose another dataset, or convert it and upload the file here.",
        )

    def no_split(self, config: str | None, splits: Mapping[str, Any], wanted: str) -> DataError:
        example = next(iter(splits))[:LONGEST_WORD]
        return DataError(
            f"This dataset has no part called “{wanted[:LONGEST_WORD]}”.",
            f"Its parts are {_few(splits)}.",
            f"Write one of them, as in hub:{self.repo}:{(config or 'default')[:LONGEST_WORD]}/{example}.",
        )

    def _which(self, why: str) -> DataError:
        if not self.declared:
            return DataError(
                "This dataset does not come in several parts.", why, f"Leave the colon out: hub:{self.repo}."
            )
        return DataError(
            "This dataset comes in several parts, and one has to be chosen.",
            f"{why} Its parts are {_few(self.declared)}.",
            f"Add the one you want behind a colon: hub:{self.repo}:{next(iter(self.declared))[:40]}.",
        )


def is_plain(name: str) -> bool:
    """A path inside the repository, and not hidden."""
    return not any(part.startswith(".") or not part for part in name.split("/")) and "\\" not in name


def is_readable(name: str) -> bool:
    return name.lower().endswith(READABLE)


def usual_split(splits: Iterable[str]) -> str:
    """The split that is read unless a person asks for another."""
    names = list(splits)
    if "train" in names:
        return "train"
    return next((split for split in names if split.startswith("train")), names[0])


def part_of(split: str) -> PartName | None:
    """Which of our parts a split is; None when its name says nothing.

    >>> part_of("train_sft"), part_of("dev"), part_of("test"), part_of("english")
    ('train', 'validation', 'exam', None)
    """
    words = set(re.split(r"[^a-z]+", split.lower()))
    return next((PARTS[kind] for kind, synonyms in SPLIT_WORDS.items() if words & set(synonyms)), None)


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(name[:40] for name in listed[:10]) + (" and more" if len(listed) > 10 else "")


def _patterns(stated: Any) -> list[tuple[str, str]]:
    """Split and pattern, for each way in which pages write them."""
    if isinstance(stated, dict) and "path" not in stated:  # split: pattern
        stated = [{"split": split, "path": paths} for split, paths in stated.items()]
    found = []
    for entry in stated if isinstance(stated, list) else [stated]:
        split, paths = (entry.get("split", "train"), entry.get("path")) if isinstance(entry, dict) else ("train", entry)
        found += [(str(split), path) for path in (paths if isinstance(paths, list) else [paths])]
    return [(split, path) for split, path in found if isinstance(path, str)]


def _require_inside(pattern: str) -> None:
    """The page may point to files of its own repository and to nothing else: no address, no place on this machine."""
    outside = "://" in pattern or pattern.startswith(("/", "~")) or ".." in pattern.split("/") or "\\" in pattern
    if outside or len(pattern) > 300 or pattern.count("*") > 8:
        raise DataError(
            "The page of this dataset points to files that are not its own.",
            f"It names “{pattern[:80]}”.",
            UPLOAD,
        )


def _guessed(names: list[str]) -> dict[str, tuple[str, ...]]:
    """Split → files, from words in their names; files of the rarer formats are left aside."""
    readable = [name for name in names if is_readable(name) and PurePosixPath(name).name.lower() not in METADATA]
    if not readable:
        return {}
    kinds = Counter(map(_kind, readable))
    kind = max(READABLE, key=lambda each: (kinds[each] > 0 and each not in RARE, kinds[each], -READABLE.index(each)))
    splits: dict[str, list[str]] = {}
    for name in sorted(name for name in readable if _kind(name) == kind):
        splits.setdefault(_split_in(name), []).append(name)
    return {split: tuple(found) for split, found in splits.items()}


def _kind(name: str) -> str:
    return max((each for each in READABLE if name.lower().endswith(each)), key=len)


def _split_in(name: str) -> str:
    """The split a path speaks of: its file name first, then its folders; "train" when it says nothing."""
    for part in reversed(name.lower().split("/")):
        words = set(re.split(r"[^a-z]+", part))
        for split, synonyms in SPLIT_WORDS.items():
            if words & set(synonyms):
                return split
    return "train"

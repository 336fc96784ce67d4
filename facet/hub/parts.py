"""Which file of a dataset on the Hub to read: its declared parts if it has some, else what the file names say."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from facet.errors import DataError

READABLE: Final = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
METADATA: Final = ("dataset_infos.json", "dataset_dict.json", "dataset_info.json", "state.json", "package.json")
SPLIT_WORDS: Final = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
UPLOAD: Final = "Download the file you need from its page and upload it here."


@dataclass(frozen=True)
class Part:
    """The files of one split of one configuration, in order."""

    config: str | None
    split: str
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


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


def choose(files: Iterable[str], configs: list[dict[str, Any]], wanted: DatasetName) -> Part:
    """The part of a dataset to read.

    Raises: `DataError` when nothing readable is there, when the page points elsewhere, or when a person has to say
    which configuration is meant.
    """
    names = [name for name in files if is_plain(name)]
    config = _config(configs, wanted) if configs else None
    declared = _declared(config, names) if config is not None else {}
    if config is not None and not declared:
        raise _nothing_readable(names)
    splits = declared or _guessed(names)
    if not splits:
        raise _nothing_readable(names)
    split = _split(splits, wanted)
    name = str(config["config_name"]) if config and "config_name" in config else None
    notes = () if split == "train" else (f"It has no part called train, so the part called {split} is read.",)
    return Part(name, split, splits[split], notes)


def is_plain(name: str) -> bool:
    """A path inside the repository, and not hidden."""
    return not any(part.startswith(".") or not part for part in name.split("/")) and "\\" not in name


def _config(configs: list[dict[str, Any]], wanted: DatasetName) -> dict[str, Any]:
    names = [str(config.get("config_name", "default")) for config in configs]
    by_name = dict(zip(names, configs, strict=True))
    if wanted.config is not None:
        if wanted.config in by_name:
            return by_name[wanted.config]
        raise _which(wanted.repo, names, f"It has no part called “{wanted.config[:60]}”.")
    default = [config for config in configs if config.get("default") is True]
    if len(configs) == 1 or default or "default" in by_name:
        return (default or [by_name.get("default", configs[0])])[0]
    raise _which(wanted.repo, names, f"It has {len(names)} parts.")


def _which(repo: str, names: list[str], why: str) -> DataError:
    shown = ", ".join(name[:40] for name in names[:10]) + (" and more" if len(names) > 10 else "")
    return DataError(
        "This dataset comes in several parts, and one has to be chosen.",
        f"{why} Its parts are {shown}.",
        f"Add the one you want behind a colon: hub:{repo}:{names[0][:40]}.",
    )


def _declared(config: dict[str, Any], names: list[str]) -> dict[str, tuple[str, ...]]:
    """Split → files, as the page declares them."""
    folder = config.get("data_dir")
    if isinstance(folder, str):
        _require_inside(folder)
        names = [name for name in names if name.startswith(folder.strip("/") + "/")]
    stated = config.get("data_files")
    if stated is None:
        return _guessed(names)
    entries = stated if isinstance(stated, list) else [stated]
    splits: dict[str, list[str]] = {}
    for entry in entries:
        split, paths = (entry.get("split", "train"), entry.get("path")) if isinstance(entry, dict) else ("train", entry)
        for pattern in paths if isinstance(paths, list) else [paths]:
            if isinstance(pattern, str):
                splits.setdefault(str(split), []).extend(_matching(pattern, names))
    return {split: tuple(dict.fromkeys(found)) for split, found in splits.items() if found}


def _matching(pattern: str, names: list[str]) -> list[str]:
    _require_inside(pattern)
    matches = re.compile(glob_to_regex(pattern.removeprefix("./"))).fullmatch
    return sorted(name for name in names if matches(name) and is_readable(name))


def _require_inside(pattern: str) -> None:
    """The page may point to files of its own repository and to nothing else: no address, no place on this machine."""
    outside = "://" in pattern or pattern.startswith(("/", "~")) or ".." in pattern.split("/") or "\\" in pattern
    if outside or len(pattern) > 300 or pattern.count("*") > 8:
        raise DataError(
            "The page of this dataset points to files that are not its own.",
            f"It names “{pattern[:80]}”.",
            UPLOAD,
        )


def glob_to_regex(pattern: str) -> str:
    """`*` and `?` stay within a folder, `**/` crosses folders.

    >>> bool(re.fullmatch(glob_to_regex("data/**/train-*.parquet"), "data/a/b/train-00000.parquet"))
    True
    """
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(token, re.escape(token)) for token in tokens)


def is_readable(name: str) -> bool:
    return name.lower().endswith(READABLE)


def _guessed(names: list[str]) -> dict[str, tuple[str, ...]]:
    """Split → files, from words in their names; files of the rarer formats are left aside."""
    readable = [name for name in names if is_readable(name) and PurePosixPath(name).name not in METADATA]
    if not readable:
        return {}
    kinds = Counter(PurePosixPath(name).suffix.lower() for name in readable)
    kind = max(READABLE, key=lambda suffix: (kinds[suffix], -READABLE.index(suffix)))
    splits: dict[str, list[str]] = {}
    for name in sorted(name for name in readable if name.lower().endswith(kind)):
        splits.setdefault(_split_in(name), []).append(name)
    return {split: tuple(found) for split, found in splits.items()}


def _split_in(name: str) -> str:
    """The split a path speaks of: its file name first, then its folders; "train" when it says nothing."""
    for part in reversed(name.lower().split("/")):
        words = set(re.split(r"[^a-z]+", part))
        for split, synonyms in SPLIT_WORDS.items():
            if words & set(synonyms):
                return split
    return "train"


def _split(splits: Mapping[str, tuple[str, ...]], wanted: DatasetName) -> str:
    if wanted.split is not None:
        if wanted.split in splits:
            return wanted.split
        raise DataError(
            f"This dataset has no part called “{wanted.split[:60]}”.",
            f"Its parts are {', '.join(list(splits)[:10])}.",
            f"Write one of them, as in hub:{wanted.repo}:{wanted.config or 'default'}/{next(iter(splits))}.",
        )
    if "train" in splits:
        return "train"
    return next((split for split in splits if split.startswith("train")), next(iter(splits)))


def _nothing_readable(names: list[str]) -> DataError:
    if any(name.endswith(".py") for name in names):
        return DataError(
            "This dataset is made by a program, and Facet runs none but its own.",
            "It has a Python file and no file with rows.",
            "Look for a copy of it on the Hub that has Parquet files.",
        )
    kinds = Counter(PurePosixPath(name).suffix.lower() or "no ending" for name in names).most_common(5)
    found = ", ".join(kind for kind, _ in kinds) or "no files at all"
    return DataError(
        "This dataset has no file that Facet can read.",
        f"It has {found}; Facet reads Parquet, JSON, JSONL, CSV and TSV.",
        "Choose another dataset, or convert it and upload the file here.",
    )

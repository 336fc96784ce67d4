"""Where rows come from: a file, a folder, the Hub or a bundled example, as a person writes it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from facet.dataset.collection import TABLES, TEXTS
from facet.errors import DataError

DATA_SUFFIXES = TABLES + TEXTS

_NAME = r"[A-Za-z0-9][\w.\-]{0,95}"
_HUB_ID = re.compile(
    rf"(?P<where>{_NAME}(?:/{_NAME})?)(?:@(?P<revision>[\w.\-/]{{1,100}}))?(?P<part>:[^\s:]{{1,200}})?"
)
_HUB_PAGE = re.compile(
    rf"https://huggingface\.co/datasets/(?P<where>{_NAME}/{_NAME})(?:/tree/(?P<revision>[\w.\-]+))?/?"
)


@dataclass(frozen=True)
class Source:
    kind: Literal["file", "folder", "hub", "example"]
    where: str  # a path, a Hub id or the name of an example
    revision: str | None = None


def parse_source(text: str) -> Source:
    """What a person typed: `hub:owner/name[@revision][:config[/split]]`, a page's address, `example:name` or a path.

    Raises: `DataError` for anything else; other addresses are never fetched.
    """
    text = str(text).strip()
    if not text or "\0" in text or "\n" in text or len(text) > 4096:
        raise _unclear("It is empty or not one line.")
    page = _HUB_PAGE.fullmatch(text)
    if page:
        return Source("hub", page["where"], page["revision"])
    if text.startswith("hub:"):
        return _hub(text.removeprefix("hub:").strip())
    if text.startswith("example:"):
        return _example(text.removeprefix("example:").strip())
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]+:(?!\\)", text):
        raise _unclear("It is an address, and only pages of Hugging Face datasets are read.")
    return _path(text)


def _hub(text: str) -> Source:
    found = _HUB_ID.fullmatch(text)
    if not found or ".." in text or "--" in text or text.endswith((".git", "-", ".")):
        raise _unclear("A dataset on the Hub is written as owner/name.")
    return Source("hub", found["where"] + (found["part"] or ""), found["revision"])


def _example(name: str) -> Source:
    if not re.fullmatch(r"[a-z0-9_\-]{1,60}", name):
        raise _unclear("The name of an example has only small letters, digits and “_”.")
    return Source("example", name)


def _path(text: str) -> Source:
    return Source("folder" if text.endswith(("/", "\\")) else "file", text)


def _unclear(why: str) -> DataError:
    return DataError("We do not know where to find this data.", why, "Upload a file, or write hub:owner/name.")


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
        f"It holds {len(found)}: {names}." if found else "None is a table or a text by its name.",
        "Name one file.",
    )

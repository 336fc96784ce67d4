"""Datasets of the Hub as uploads: a few rows before anything big is fetched, and the files of the parts chosen.

What is fetched is pinned to one commit; its rows are read in the limited child alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from facet.dataset import limited
from facet.dataset.source import Source, parse_source
from facet.errors import DataError
from facet.hub.datasets import Beginning, Fetched, size_words
from facet.hub.hub import Hub
from facet.hub.parts import DatasetName

FEW_ROWS: Final = 5
LARGEST_PIECE: Final = 32_000_000  # bytes fetched for a look at a Parquet file, which comes in groups of rows
MOST_PIECES: Final = 3

PAGE: Final = re.compile(
    r"(?:https://(?:huggingface\.co|hf\.co)/)?datasets/(?P<name>[^/?#\s]+/[^/?#\s]+)"
    r"(?:/(?P<view>tree|blob|resolve|viewer)(?P<rest>/[^?#\s]*)?)?/?(?:[?#]\S*)?"
)

ReportProgress = Callable[[float, float], None]  # GB done, GB in all


@dataclass(frozen=True)
class FirstRows:
    """`look` is what `look.look` says of the rows that are here; None when they can be seen only after fetching."""

    repo: str
    sha: str
    config: str | None
    split: str
    rows: tuple[dict[str, Any], ...]
    columns: tuple[dict[str, Any], ...]  # name, kind, filled
    look: dict[str, Any] | None
    words: str


@dataclass(frozen=True)
class Brought:
    """What an upload keeps of a fetched dataset. The files lie in a folder of their own until `discard`."""

    fetched: Fetched

    @property
    def files(self) -> list[dict[str, Any]]:
        """For each file its path here, its name in the repository and the part it belongs to."""
        return [{"path": file.path, "name": file.name, "part": file.part} for file in self.fetched.files]

    @property
    def where(self) -> str:
        """The dataset and the part of it, as `hub:` takes them."""
        part = "/".join(filter(None, (self.fetched.config or "default", self.fetched.split)))
        return f"{self.fetched.repo}:{part}"

    @property
    def revision(self) -> str:
        return self.fetched.sha

    @property
    def licence(self) -> str | None:
        return self.fetched.licence

    @property
    def words(self) -> str:
        return self.fetched.words

    @property
    def original_name(self) -> str:
        return self.fetched.path.name

    def source(self) -> dict[str, Any]:
        """What `source.json` says of where it came from; `closed` is "gated", "private" or None."""
        return {
            "kind": "hub",
            "where": self.where,
            "revision": self.revision,
            "original_name": self.original_name,
            "words": self.words,
            "licence": self.licence,
            "closed": self.fetched.closed,
        }

    def discard(self) -> None:
        self.fetched.discard()


def named(text: str) -> Source:
    """What a person typed or pasted where a dataset of the Hub is asked for: its name, or the address of its page.

    >>> named("https://huggingface.co/datasets/ann/poems/viewer/en/test?row=3").where
    'ann/poems:en/test'
    >>> named("ann/poems@v1:en")
    Source(kind='hub', where='ann/poems:en', revision='v1')

    Raises: `DataError` for anything else; no other address is ever asked.
    """
    text = text.strip()
    page = PAGE.fullmatch(text)
    if page is None:
        return parse_source(text if text.startswith("hub:") else f"hub:{text}")
    rest = (page["rest"] or "").strip("/")
    if page["view"] == "viewer":
        return parse_source(f"hub:{page['name']}" + (f":{unquote(rest)}" if rest else ""))
    revision = unquote(rest.split("/")[0])
    return parse_source(f"hub:{page['name']}" + (f"@{revision}" if revision else ""))


def bring(
    hub: Hub,
    source: Source,
    token: str | None = None,
    config: str | None = None,
    split: str | None = None,
    *,
    most_gb: float | None = None,
    progress: ReportProgress | None = None,
) -> Brought:
    """Fetch what `source` names; `config` and `split` (or "all") go before what stands behind its colon.

    Whoever calls takes the files over and discards the rest.
    Raises: `DataError`, `SettingError`, `AccessError`, `NotFoundError`, `HubError`, `CapacityError`.
    """
    named = DatasetName.parse(source.where)
    wanted = config or named.config, split or named.split
    how: dict[str, Any] = {"token": token, "progress": progress} | ({"most_gb": most_gb} if most_gb else {})
    return Brought(hub.dataset_files(named.repo, source.revision, *wanted, **how))


def first_rows(
    hub: Hub,
    repo: str,
    sha: str | None = None,
    config: str | None = None,
    split: str | None = None,
    token: str | None = None,
    count: int = FEW_ROWS,
) -> FirstRows:
    """The first rows of a part. Of a large file some megabytes are fetched at the most, and none is kept.

    Raises: like `bring`.
    """
    start = hub.dataset_beginning(repo, sha, config, split, token)
    try:
        seen, words = _seen(start)
        rows, columns = (seen["rows"][:count], seen["columns"]) if seen else ([], [])
        where = start.repository.name, start.repository.sha, start.config, start.split
        return FirstRows(*where, tuple(rows), tuple(columns), seen, words)
    finally:
        start.discard()


def _seen(start: Beginning) -> tuple[dict[str, Any] | None, str]:
    """The look, and what to say of it."""
    size = size_words(start.size / 1e9)
    if not start.pieces:
        return None, _press_fetch(start, size)
    for _ in range(MOST_PIECES):
        try:
            answer = _ask_child(start)
        except DataError:
            if start.is_whole:
                raise
            return None, _press_fetch(start, size)
        if "need" not in answer:
            return answer["look"], _what_these_are(start, answer["look"], answer["rows"], size)
        first, stop = answer["need"]
        if not 0 <= first < stop <= start.size or stop - first > LARGEST_PIECE:
            break
        start.fetch(first, stop)
    return None, _press_fetch(start, size)


def _ask_child(start: Beginning) -> dict[str, Any]:
    into = start.folder / "look"
    into.mkdir(exist_ok=True)
    pieces = {str(first): str(piece) for first, piece in start.pieces.items()}
    return limited.call("beginning", {"pieces": pieces, "size": start.size, "name": start.name, "into": str(into)})


def _what_these_are(start: Beginning, seen: dict[str, Any], rows: int | None, size: str) -> str:
    name = Path(start.name).name[:60]
    counted = seen["row_count"] if start.is_whole else rows
    if counted is not None:
        return f"These are the first rows of {name}, which has {counted:,} rows and {size}."
    return f"These are the first rows of {name}, which has {size}; the rest has not been fetched."


def _press_fetch(start: Beginning, size: str) -> str:
    return f"{Path(start.name).name[:60]} has {size}, and its rows can be seen only when it is here. Press “Fetch”."

"""Bringing files home: named ones, at a pinned commit, checked against the size and hash the Hub states."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download, hf_hub_url
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status
from tqdm.std import tqdm

from facet.errors import CapacityError, HubError
from facet.hub.errors import Thing, ours

ETAG_SECONDS = 5.0
KEPT_FREE_GB = 1.0  # of the disk, for everything else that is going on

ReportProgress = Callable[[float, float], None]  # GB done, GB in all


@dataclass(frozen=True)
class Listed:
    """A file as the Hub lists it."""

    size: int  # bytes
    sha256: str | None = None  # stated for large files only


@dataclass(frozen=True)
class Repository:
    """One commit of a model or dataset on the Hub."""

    thing: Thing
    name: str
    sha: str
    endpoint: str | None
    files: Mapping[str, Listed]
    token: str | None = field(default=None, repr=False)  # of the person who asks; None: what anybody may see

    def gigabytes(self, names: list[str]) -> float:
        return sum(self.files[name].size for name in names) / 1e9


def download(repository: Repository, names: list[str], into: Path, progress: ReportProgress | None = None) -> None:
    """Fetch these files into a folder; what is there already, or half there, is not fetched again.

    Raises: `HubError`, `AccessError`, `NotFoundError`; `CapacityError` when the disk has no room.
    """
    total = sum(repository.files[name].size for name in names)
    into.mkdir(parents=True, exist_ok=True)
    _require_disk(total / 1e9, into)
    done = 0

    def report(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(min(done, total) / 1e9, total / 1e9)

    for name in names:
        before = done
        with ours(repository.thing, repository.name, repository.token):
            _download_one(repository, name, into, report)
        _verify(into / name, repository.files[name], repository.name)
        report(before + repository.files[name].size - done)
    shutil.rmtree(into / ".cache", ignore_errors=True)  # the client's notes on half-finished downloads


def download_piece(
    repository: Repository, name: str, start: int, stop: int, into: Path, progress: ReportProgress | None = None
) -> None:
    """Fetch the bytes from `start` to before `stop` of a file. The Hub states no hash of a piece, only its length.

    Raises: `HubError`, `AccessError`, `NotFoundError`; `CapacityError` when the disk is full.
    """
    where = repository.name
    url = hf_hub_url(where, name, repo_type=repository.thing, revision=repository.sha, endpoint=repository.endpoint)
    headers = build_hf_headers(token=repository.token or False, library_name="facet")
    headers |= {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
    _require_disk((stop - start) / 1e9, into.parent)
    with (
        ours(repository.thing, where, repository.token),
        get_session().stream("GET", url, headers=headers) as response,
        open(into, "wb") as file,
    ):
        if response.status_code >= 400:
            response.read()
        hf_raise_for_status(response)
        skip = start if response.status_code == 200 else 0  # it took no notice of the range
        for piece in response.iter_bytes():
            passed, skip = piece[skip:], max(0, skip - len(piece))
            file.write(passed[: stop - start - file.tell()])
            if progress:
                progress(file.tell() / 1e9, (stop - start) / 1e9)
            if file.tell() >= stop - start:
                break
    if into.stat().st_size != stop - start:
        raise _damaged(where)


def _download_one(repository: Repository, name: str, into: Path, report: Callable[[int], None]) -> None:
    if _is_whole(into / name, repository.files[name]):
        return
    hf_hub_download(
        repository.name,
        name,
        repo_type=repository.thing,
        revision=repository.sha,
        endpoint=repository.endpoint,
        local_dir=into,
        etag_timeout=ETAG_SECONDS,
        token=repository.token or False,
        tqdm_class=_meter(report),
    )


def _is_whole(file: Path, listed: Listed) -> bool:
    return file.is_file() and file.stat().st_size == listed.size and _hash_matches(file, listed)


def _verify(file: Path, listed: Listed, name: str) -> None:
    if not _is_whole(file, listed):
        file.unlink(missing_ok=True)
        raise _damaged(name)


def _damaged(name: str) -> HubError:
    return HubError(
        "What arrived is not what the Hub has.",
        f"A file of {name} was damaged on the way.",
        "Try again; the other files are kept.",
    )


def _hash_matches(file: Path, listed: Listed) -> bool:
    if listed.sha256 is None:
        return True
    with open(file, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest() == listed.sha256


def _require_disk(needed_gb: float, folder: Path) -> None:
    free = shutil.disk_usage(folder).free / 1e9
    if free < needed_gb + KEPT_FREE_GB:
        raise CapacityError(
            "There is not enough room on the disk for this download.",
            f"It needs {needed_gb + KEPT_FREE_GB:.1f} GB and {free:.1f} GB are free.",
            "Delete runs or models you no longer need, then try again.",
        )


def _meter(report: Callable[[int], None]) -> type[tqdm]:
    """A progress bar for the client that draws nothing and passes on what has been written to disk."""

    class Meter(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **(kwargs | {"disable": True}))

        def update(self, n: float | None = 1) -> None:
            report(int(n or 0))

        def update_transfer(self, n: float | None = 1) -> None:
            """The client counts bytes on the wire apart from bytes on disk when a bar has this method."""

        def set_transfer_postfix_str(self, s: str = "", refresh: bool = True) -> None:
            """Nothing is drawn."""

    return Meter

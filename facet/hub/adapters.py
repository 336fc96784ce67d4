"""Adapters on the Hub: the few files that are fetched, at a pinned commit. What is in them is judged elsewhere."""

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facet.errors import SettingError
from facet.gemma.adapter_files import complaint_about, wanted
from facet.hub.download import ReportProgress, download
from facet.hub.hub import Hub

ASKED: Final = re.compile(
    r"(?:hub:|https://huggingface\.co/)?(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95})"
    r"(?:(?:@|/tree/)(?P<revision>[\w./-]{1,100}))?/?",
    re.ASCII,
)
LONGEST_NAME: Final = 400


@dataclass(frozen=True)
class HubAdapter:
    """The wanted files of an adapter, in a folder made for this call alone."""

    repo: str  # as the Hub spells it now
    sha: str
    folder: Path
    private: bool = False

    @property
    def came_from(self) -> str:
        return f"hub:{self.repo}@{self.sha}"

    def discard(self) -> None:
        """Delete the fetched files, once they have been taken over."""
        shutil.rmtree(self.folder, ignore_errors=True)


def adapter_name(text: str) -> tuple[str, str | None]:
    """Repository and revision of `hub:owner/name[@revision]`, or of the address of its page.

    Raises: `SettingError` for anything else; no other address is ever asked.
    """
    found = ASKED.fullmatch(text.strip()) if len(text) < LONGEST_NAME else None
    if found is None or ".." in text:
        raise SettingError(
            "This is not the name of an adapter on the Hub.",
            "Such a name looks like owner/name, with letters, digits, “-”, “_” and “.” only.",
            "Copy it from the top of the adapter's page.",
        )
    return found["repo"], found["revision"]


def fetch_adapter(
    hub: Hub,
    repo: str,
    revision: str | None = None,
    token: str | None = None,
    progress: ReportProgress | None = None,
) -> HubAdapter:
    """Fetch an adapter. With a token also one that not everybody may read; whoever calls discards the folder.

    Raises: `SettingError`, `DataError` when there is no adapter; `AccessError`, `NotFoundError`, `HubError`;
    `CapacityError` when the disk has no room.
    """
    repository, info = hub._ask("model", repo, revision, token)
    sizes = {name: listed.size for name, listed in repository.files.items()}
    if complaint := complaint_about(sizes):
        raise complaint
    places = hub.cache / "adapters"
    places.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=places))
    try:
        download(repository, wanted(sizes), folder, progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return HubAdapter(repository.name, repository.sha, folder, bool(info.private))

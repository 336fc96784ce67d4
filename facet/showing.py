"""Pictures of open conversations: kept in their owner's folder as long as somebody talks about them."""

import contextlib
import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facet.dataset import budget, limited
from facet.errors import CapacityError, DataError
from facet.identity import Person
from facet.workspace import Workspace

MOST_AT_ONCE: Final = 4  # with one message
MOST_KEPT: Final = 64  # of one person, in all open conversations
_NAME: Final = re.compile(r"[0-9a-f]{32}\.(png|jpg)")
_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Showing:
    """The folders begin with a dot: they are in no copy of a person's things, and are swept after a day."""

    workspace: Workspace

    def take(self, person: Person, page: str, files: Sequence[Path]) -> list[str]:
        """Copy pictures into the person's own folder, for the conversation of one page; returns their new names.

        Raises: `DataError` for too many, or a file that is no picture or damaged, and then none is taken;
        `CapacityError`.
        """
        if len(files) > MOST_AT_ONCE:
            raise _too_many(len(files))
        for file in files:
            _require_small(file)
        self.workspace.require_disk()
        if len(list(self._place(person.key).glob(".*/*.*"))) + len(files) > MOST_KEPT:
            raise _no_room()
        folder = self._folder(person.key, page)
        folder.mkdir(parents=True, exist_ok=True)
        named = {"files": [str(file.resolve()) for file in files], "names": [file.name for file in files]}
        return limited.call("take_pictures", named | {"folder": str(folder)}, seconds=_SECONDS, memory_gb=1.5)

    def find(self, person: Person, name: str) -> Path:
        """One of the person's own pictures. Raises: `DataError` when it is not there any more."""
        for place in map(self._place, person.keys) if is_picture_name(name) else ():
            if picture := next(place.glob(f".*/{name}"), None):
                return picture
        raise _gone()

    def forget(self, person: Person, page: str | None = None) -> list[str]:
        """The conversation of a page is over, or all of them: its pictures are deleted. Returns their names."""
        names: list[str] = []
        for key in person.keys:
            for folder in [self._folder(key, page)] if page is not None else [*self._place(key).glob(".*")]:
                with contextlib.suppress(OSError):
                    names += [file.name for file in folder.iterdir() if is_picture_name(file.name)]
                    shutil.rmtree(folder)
        return names

    def _place(self, key: str) -> Path:
        return self.workspace.tenant(key) / "pictures"

    def _folder(self, key: str, page: str) -> Path:
        return self._place(key) / f".{hashlib.sha256(page.encode()).hexdigest()[:16]}"


def is_picture_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _require_small(file: Path) -> None:
    """Raises: `DataError` before anything is read."""
    try:
        size = file.stat().st_size if file.is_file() else None
    except OSError:
        size = None
    if size is None:
        raise DataError(f"“{file.name[:60]}” cannot be shown.", "There is no such file.", "Choose another picture.")
    if size > budget.MOST_PICTURE_BYTES:
        raise DataError(
            f"“{file.name[:60]}” cannot be shown.",
            f"It has {size / 2**20:.0f} MB, and {budget.MOST_PICTURE_BYTES // 2**20} is the most.",
            "Make it smaller and add it again.",
        )


def _too_many(count: int) -> DataError:
    return DataError(
        "That many pictures do not fit into one message.",
        f"You added {count}, and {MOST_AT_ONCE} is the most.",
        "Press “Take them out”, add fewer, and show the others with your next message.",
    )


def _no_room() -> CapacityError:
    return CapacityError(
        "There is no room for more pictures.",
        f"Your open conversations hold up to {MOST_KEPT} together.",
        "Press “Clear” in a conversation that is over, then send again.",
    )


def _gone() -> DataError:
    return DataError(
        "A picture of this conversation is not there any more.",
        "Pictures are kept only while their conversation is open.",
        "Press “Clear” and show it again.",
    )

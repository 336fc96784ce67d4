"""The pictures that came with a file: which there are, and those that examples show, kept beside the examples."""

import os
import shutil
from pathlib import Path

from facet.dataset.conversation import Example
from facet.dataset.problem import RowProblem

FOLDER = "images"


class Album:
    """`source` is the folder of an upload's pictures, or None. Those that are used get a second name in `into`."""

    def __init__(self, source: str | None, into: Path) -> None:
        self.source, self.into = Path(source) if source else None, into / FOLDER
        self.names = frozenset(_names(self.source)) if self.source is not None else frozenset[str]()
        self.kept: set[str] = set()

    def checked(self, example: Example) -> Example:
        """Raises: `RowProblem` for a picture that did not come with the file."""
        for name in example.get("images", ()):
            if name not in self.names:
                raise RowProblem("missing picture", "a picture it names did not come with the file")
        return example

    def keep(self, example: Example) -> None:
        for name in example.get("images", ()):
            if name not in self.kept and self.source is not None:
                self.kept.add(name)
                link(self.source / name, self.into / name)


def _names(folder: Path) -> list[str]:
    files = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
    return [file.relative_to(folder).as_posix() for file in files if not file.is_symlink()]


def link(file: Path, to: Path) -> None:
    """A second name for a file that never changes; a copy where there can be none."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


def link_all(folder: Path, into: Path) -> None:
    for name in _names(folder):
        link(folder / name, into / name)

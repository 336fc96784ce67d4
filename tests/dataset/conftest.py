"""What the tests of this room share: files from bytes, prepared datasets, and a small tokenizer in Gemma's shape."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facet.dataset.look import look
from facet.dataset.prepare import prepare
from facet.dataset.store import examples

SHARED = Path(__file__).parents[2].parent / "shared"
PARTS = ("train", "validation", "exam")


class Made:
    """A prepared dataset: its summary, folder, and examples by row number."""

    def __init__(self, summary: dict[str, Any], folder: Path) -> None:
        self.summary, self.folder = summary, folder
        self.parts = {part: dict(examples(folder / f"{part}.parquet")) for part in PARTS}
        self.conversations = {row: each for part in self.parts.values() for row, each in part.items()}
        lines = (folder / "problems.jsonl").read_text("utf-8").splitlines()
        self.problems = [json.loads(line) for line in lines]

    def answers(self) -> list[str]:
        return [self.conversations[row][-1]["content"] for row in sorted(self.conversations)]

    def questions(self) -> list[str]:
        return [self.conversations[row][-2]["content"] for row in sorted(self.conversations)]


def require_all_counted(summary: dict[str, Any]) -> dict[str, Any]:
    """Nothing vanishes: every row is used, or reported with a reason, or was not drawn into the sample."""
    mended = summary.get("mended", {"dropped": 0, "added": 0})
    dropped = mended["dropped"] - mended["added"]
    assert summary["examples_in"] == summary["used"] + summary["unusable"] + summary["not_sampled"] + dropped
    assert summary["examples_in"] >= summary["rows_in"]
    assert sum(summary["splits"].values()) == summary["used"]
    assert sum(summary["reasons"].values()) == summary["unusable"]
    return summary


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes | str, str], Path]:
    def write(content: bytes | str, name: str = "rows.csv") -> Path:
        place = tmp_path / name
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    return write


@pytest.fixture
def make(file: Callable[..., Path], tmp_path: Path) -> Callable[..., Made]:
    """Look at a file, take the guessed mapping unless one is given, and prepare it."""

    def run(content: bytes | str, name: str = "rows.csv", mapping: dict[str, Any] | None = None, **more: Any) -> Made:
        place = file(content, name)
        correction = more.pop("correction", None)
        if mapping is None:
            seen = look(str(place), name, correction)
            assert seen["shape"], seen["complaint"]
            mapping = seen["shape"]["mapping"]
        into = tmp_path / f"made-{len(list(tmp_path.iterdir()))}"
        into.mkdir()
        summary = prepare(str(place), name, correction, mapping, str(into), "Test", **more)
        return Made(require_all_counted(summary), into)

    return run


@pytest.fixture(scope="session")
def gemma3() -> Iterator[Path]:
    """The real tokenizer and template of Gemma 3, where they are at hand."""
    folder = SHARED / "tokenizers" / "gemma3"
    if not folder.is_dir():
        pytest.skip("the real Gemma 3 tokenizer is not beside this repository")
    yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real datasets are not beside this repository")
    return folder

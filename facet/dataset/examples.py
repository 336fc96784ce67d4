"""The small datasets that come with Facet, written by us, to try things out."""

from dataclasses import dataclass
from pathlib import Path

from facet.errors import NotFoundError

FOLDER = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    name: str
    title: str
    words: str
    file: str
    rows: int

    @property
    def path(self) -> Path:
        return FOLDER / self.file


EXAMPLES: tuple[Example, ...] = (
    Example("pirate", "Talk like a pirate", "The model keeps its facts and answers as a pirate would.", "pirate.jsonl", 100),
    Example("json_replies", "Answer in JSON", "Short questions with answers that a program can read.", "json_replies.jsonl", 160),
    Example("library_topics", "Sort the library's mail", "E-mails to a town library and the desk that should read them.", "library_topics.csv", 80),
)  # fmt: skip


def find(name: str) -> Example:
    """Raises: `NotFoundError` when there is no such example."""
    for example in EXAMPLES:
        if example.name == name and example.path.is_file():
            return example
    raise NotFoundError.of("example")

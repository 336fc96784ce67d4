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
    Example(
        name="pirate",
        title="Talk like a pirate",
        words="The model keeps its facts and answers as a pirate would.",
        file="pirate.jsonl",
        rows=100,
    ),
    Example(
        name="json_replies",
        title="Answer in JSON",
        words="Short questions, with answers that a program can read.",
        file="json_replies.jsonl",
        rows=160,
    ),
    Example(
        name="library_topics",
        title="Sort the library's mail",
        words="E-mails to a town library, and the topic of each.",
        file="library_topics.csv",
        rows=80,
    ),
)


def find(name: str) -> Example:
    """Raises: `NotFoundError` when there is no such example."""
    for example in EXAMPLES:
        if example.name == name and example.path.is_file():
            return example
    raise NotFoundError.of("example")

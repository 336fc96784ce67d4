"""The small datasets that come with Facet, written by us, to try things out: one for each thing one may want."""

from dataclasses import dataclass
from pathlib import Path

from facet.dataset.conversation import DatasetType
from facet.errors import NotFoundError

FOLDER = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class BundledExample:
    name: str
    title: str
    words: str
    file: str
    rows: int
    goal: str  # what it teaches, in a word or two
    type: DatasetType = "conversation"

    @property
    def path(self) -> Path:
        return FOLDER / self.file


# The first two ask what the starter model knows; the others are for larger ones.
EXAMPLES: tuple[BundledExample, ...] = (
    BundledExample(
        name="pirate",
        title="Talk like a pirate",
        words="The model keeps its facts and answers as a pirate would.",
        file="pirate.jsonl",
        rows=100,
        goal="Style",
    ),
    BundledExample(
        name="json_replies",
        title="Answer in JSON",
        words="Short questions, with answers that a program can read.",
        file="json_replies.jsonl",
        rows=160,
        goal="Format",
    ),
    BundledExample(
        name="library_topics",
        title="Sort the library's mail",
        words="E-mails to a town library, and the topic of each.",
        file="library_topics.csv",
        rows=80,
        goal="Sorting",
    ),
    BundledExample(
        name="museum_facts",
        title="Know a small museum",
        words="What visitors ask at the desk of an invented ferry museum, each fact asked in four ways.",
        file="museum_facts.csv",
        rows=136,
        goal="Facts",
    ),
    BundledExample(
        name="garden_talks",
        title="Advise gardeners",
        words="Talks with the helper of a community garden, who asks back before it gives advice.",
        file="garden_talks.jsonl",
        rows=40,
        goal="Conversations",
    ),
    BundledExample(
        name="kind_and_clear",
        title="Prefer kind and clear answers",
        words="Everyday questions, each with an answer to prefer and one to avoid.",
        file="kind_and_clear.jsonl",
        rows=81,
        goal="Preference",
        type="preference",
    ),
    BundledExample(
        name="word_problems",
        title="Work sums out step by step",
        words="Sums from daily life, with every step written out and the result on the last line.",
        file="word_problems.jsonl",
        rows=114,
        goal="Reasoning",
    ),
    BundledExample(
        name="household",
        title="Help with weather, timers and calendar",
        words="A small assistant that calls one of four tools, or asks for what is missing.",
        file="household.jsonl",
        rows=61,
        goal="Tools",
    ),
    BundledExample(
        name="shapes",
        title="See coloured shapes",
        words="Small drawn pictures with a question about each: what, how many, where.",
        file="shapes.zip",
        rows=60,
        goal="Pictures",
    ),
    BundledExample(
        name="repair_handbook",
        title="Read a handbook of mending",
        words="A short book about repairing things together, to go on learning from plain text.",
        file="repair_handbook.md",
        rows=23,
        goal="Raw text",
        type="text",
    ),
)


def find(name: str) -> BundledExample:
    """Raises: `NotFoundError` when there is no such example."""
    for example in EXAMPLES:
        if example.name == name and example.path.is_file():
            return example
    raise NotFoundError.of("example")

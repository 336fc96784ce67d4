"""The guide inside the app: Markdown pages, in the order in which they are read."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """One page. It mentions another one as: the page “Title”."""

    slug: str
    title: str
    file: str

    @property
    def name(self) -> str:
        return self.slug

    @property
    def text(self) -> str:
        return text(self.slug)


PAGES: tuple[Page, ...] = (
    Page("start", "Your first model", "start.md"),
    Page("data", "Good examples", "data.md"),
    Page("bring", "Bring your data", "bring.md"),
    Page("shapes", "Shapes of data", "shapes.md"),
    Page("aside", "Setting some aside", "aside.md"),
    Page("clean", "Cleaning", "clean.md"),
    Page("doctor", "The data doctor", "doctor.md"),
    Page("versions", "Keep, undo, share", "versions.md"),
    Page("how_much", "How much data?", "how_much.md"),
    Page("openai", "Coming from OpenAI", "openai.md"),
    Page("train", "Training", "train.md"),
    Page("where", "Where should I train?", "where.md"),
    Page("watch", "Reading the curves", "watch.md"),
    Page("chat", "Talking to it", "chat.md"),
    Page("dials", "The dials of the chat", "dials.md"),
    Page("engines", "Engines", "engines.md"),
    Page("test", "Testing it", "test.md"),
    Page("batch", "Many questions at once", "batch.md"),
    Page("general", "Did it get worse elsewhere?", "general.md"),
    Page("without", "Without training", "without.md"),
    Page("judge", "A judge", "judge.md"),
    Page("account", "Signing in", "account.md"),
    Page("publish", "Publishing", "publish.md"),
    Page("take_home", "Taking it home", "take_home.md"),
    Page("terms", "Terms of models", "terms.md"),
    Page("keeping", "What happens to my work?", "keeping.md"),
    Page("trouble", "When something goes wrong", "trouble.md"),
    Page("glossary", "Words", "glossary.md"),
)


@cache
def text(slug: str) -> str:
    """The Markdown of a page; an unknown slug is a `KeyError`, since no person types one."""
    files = {page.slug: page.file for page in PAGES}
    return (HERE / files[slug]).read_text("utf-8")

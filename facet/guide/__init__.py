"""The guide inside the app: Markdown pages, in the order in which they are read."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from facet.recipe.knobs import Group
from facet.recipe.reference import group_page

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """One page. It mentions another one as: the page “Title”."""

    slug: str
    title: str
    file: str
    group: Group | None = None  # of settings: the page ends with all of them

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
    Page("models", "Choosing a model", "models.md"),
    Page("settings_learning", "Settings: learning", "settings_learning.md", "Learning"),
    Page("settings_length", "Settings: length of training", "settings_length.md", "Length of training"),
    Page("settings_schedule", "Settings: how the speed changes", "settings_schedule.md", "Schedule"),
    Page("settings_optimizer", "Settings: the way of stepping", "settings_optimizer.md", "Optimizer"),
    Page("settings_what", "Settings: what learns", "settings_what.md", "What learns"),
    Page("settings_adapter", "Settings: the adapter", "settings_adapter.md", "Adapter"),
    Page("settings_data", "Settings: what is read", "settings_data.md", "Data"),
    Page("settings_memory", "Settings: memory and speed", "settings_memory.md", "Memory"),
    Page("settings_checks", "Settings: checks on the way", "settings_checks.md", "Checks"),
    Page("settings_saving", "Settings: saving and repeating", "settings_saving.md", "Saving and repeating"),
    Page("memory", "Out of memory", "memory.md"),
    Page("where", "Where should I train?", "where.md"),
    Page("watch", "Reading the curves", "watch.md"),
    Page("better", "Why did it not get better?", "better.md"),
    Page("overfitting", "Overfitting", "overfitting.md"),
    Page("history", "Looking back", "history.md"),
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
    page = {page.slug: page for page in PAGES}[slug]
    written = (HERE / page.file).read_text("utf-8")
    return f"{written}\n{group_page(page.group)}" if page.group else written

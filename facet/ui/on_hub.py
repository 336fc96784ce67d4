"""A dataset of the Hugging Face Hub: what it has, its first rows, and then the parts a person wants."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.hub.datasets import Config, DatasetOnHub, size_words
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.making import PATIENCE, Waiting, waiting_layout, watch, wire_waiting
from facet.ui.markup import clip, html, note, table, trouble
from facet.ui.values import Name

EVERY = "all"
MOST_COLUMNS, MOST_CELL = 5, 160


@dataclass(frozen=True)
class OnHub:
    id: gr.Textbox
    looked: gr.State  # the dataset at the commit that was looked at
    look: gr.Button
    found: gr.HTML
    choice: gr.Row
    config: gr.Dropdown
    split: gr.Dropdown
    rows: gr.HTML
    fetch: gr.Button
    waiting: Waiting

    @property
    def shown(self) -> list[Any]:
        return [self.found, self.choice, self.config, self.split, self.rows, self.fetch, self.looked]

    @property
    def asked(self) -> dict[str, Any]:
        return {"dataset": self.looked, "config": self.config, "split": self.split}


def on_hub_layout() -> OnHub:
    name = gr.Textbox(
        label="A dataset of the Hugging Face Hub",
        placeholder="owner/name",
        max_length=200,
        info="Public ones, and your own once you are signed in. Its code is never run.",
    )
    look = gr.Button("Look at it", scale=0, elem_classes="f-left")
    found = gr.HTML(elem_id="hub-dataset")
    with gr.Row(visible=False) as choice:
        config = gr.Dropdown([], label="Which part", min_width=160)
        split = gr.Dropdown([], label="Which split", min_width=160)
    rows = gr.HTML()
    waiting = waiting_layout("hub-wait")
    fetch = gr.Button("Fetch", variant="primary", visible=False, scale=0, elem_classes="f-left")
    return OnHub(name, gr.State(None), look, found, choice, config, split, rows, fetch, waiting)


def wire_on_hub(
    tab: OnHub, studio: Studio, gate: Gate, show: Callable[..., list[Any]], outputs: list[Any]
) -> list[Any]:
    """`show` gives the values of `outputs` for what has come in. Returns the events that may bring something."""

    def look(person: Person, grant: Grant, dataset: Name) -> list[Any]:
        try:
            found = studio.look_on_hub(person, dataset, grant)
        except FacetError as error:
            nothing = [gr.Row(visible=False), gr.skip(), gr.skip(), "", gr.Button(visible=False), None]
            return [str(trouble(error)), *nothing]
        config = found.default
        splits = _splits(config)
        return [
            str(describe_dataset(found)),
            gr.Row(visible=len(found.configs) > 1 or len(splits) > 1),
            gr.Dropdown(
                choices=[each.name for each in found.configs if each.name],
                value=config.name if config else None,
                visible=len(found.configs) > 1,
            ),
            gr.Dropdown(choices=splits, value=splits[0][1] if splits else None, visible=len(splits) > 1),
            str(first_rows(person, grant, found, config.name, None)) if config else "",
            gr.Button(visible=config is not None),
            f"{found.repo}@{found.sha}",
        ]

    def choose_config(person: Person, grant: Grant, dataset: Name, config: Name | None) -> list[Any]:
        found = studio.look_on_hub(person, dataset, grant)
        splits = _splits(next((each for each in found.configs if each.name == config), None))
        first = splits[0][1] if splits else None
        shown = gr.Dropdown(choices=splits, value=first, visible=len(splits) > 1)
        return [shown, str(first_rows(person, grant, found, config, None)), gr.Button(visible=True)]

    def choose_split(person: Person, grant: Grant, dataset: Name, config: Name | None, split: Name | None) -> str:
        found = studio.look_on_hub(person, dataset, grant)
        return str(first_rows(person, grant, found, config, split))

    def first_rows(person: Person, grant: Grant, found: DatasetOnHub, config: str | None, split: str | None) -> Markup:
        try:
            return describe_first(studio.first_rows_on_hub(person, found, config or None, split or None, grant))
        except FacetError as error:
            return trouble(error, "warn")

    def fetch(person: Person, grant: Grant, dataset: Name, config: Name | None, split: Name | None) -> list[Any]:
        job = studio.start_bring_hub(person, dataset, config or None, split or None, grant)
        return watch(studio, person, job, show, len(outputs), PATIENCE)

    asked, with_config = {"dataset": tab.id}, {"dataset": tab.looked, "config": tab.config}
    gate.on([tab.look.click, tab.id.submit], look, asked, tab.shown, show_progress="minimal")
    chose = [tab.split, tab.rows, tab.fetch]
    gate.on(tab.config.input, choose_config, with_config, chose, show_progress="hidden")
    gate.on(tab.split.input, choose_split, tab.asked, tab.rows, show_progress="hidden")
    wire_waiting(tab.waiting, studio, gate, show, outputs)
    return [gate.on(tab.fetch.click, fetch, tab.asked, [*tab.waiting.shown, *outputs], show_progress="minimal")]


def _splits(config: Config | None) -> list[tuple[str, str]]:
    """What to choose from: the usual one first, then every one at once, then the others."""
    if config is None:
        return []
    named = [(f"{split.name} ({size_words(split.size_gb)})", split.name) for split in config.splits]
    usual = sorted(named, key=lambda each: not each[1].startswith("train"))
    several = len({split.part for split in config.splits if split.part}) > 1
    together = [("Every split, each as its own part", EVERY)] if several else []
    return [*usual[:1], *together, *usual[1:]]


def describe_dataset(found: DatasetOnHub) -> Markup:
    """What it has, and what holds for it."""
    parts = len(found.configs)
    has = f"It has {parts} parts." if parts > 1 else ""
    licence = f"Licence: {found.licence}." if found.licence else "Its page states no licence."
    words = " ".join(filter(None, (f"Version {found.sha[:7]}.", licence, has, *found.words)))
    return note(found.repo, words, "good")


def describe_first(first: Any) -> Markup:
    """The first rows of a part, as a small table."""
    names = [column["name"] for column in first.columns][:MOST_COLUMNS]
    if not names:
        return html('<p class="f-small">{}</p>', first.words)
    rows = [[clip(_cell(row.get(name)), MOST_CELL) for name in names] for row in first.rows]
    more = len(first.columns) - len(names)
    beside = f" {more} more columns are not shown." if more > 0 else ""
    return table("First rows", names, rows) + html('<p class="f-small">{}{}</p>', first.words, beside)


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)

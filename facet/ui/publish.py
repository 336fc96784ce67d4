"""The Publish tab: the tuned model goes to the Hugging Face Hub, or home as one file, with all that belongs to it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.gemma.licences import licence_of
from facet.identity import Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.markup import as_written, clip, html, note, nothing_yet, section, table
from facet.ui.models import came_from, chosen_model, model_name, tuned_choices
from facet.ui.session import Session, go_to
from facet.ui.to_hub import ToHub, to_hub_layout, wire_to_hub
from facet.ui.values import Id

KEPT_SECONDS = 3600
CONTENTS = (
    ("Adapter", "adapter_model.safetensors", "what the model learned, a few megabytes beside the starting model"),
    (
        "Tokenizer and template",
        "tokenizer.json, chat_template.jinja",
        "so that it is spoken to exactly as it was trained",
    ),
    ("Card", "README.md, NOTICE", "data, settings, results and the licence, in words"),
    ("Curve", "curve.svg", "how the loss fell"),
    ("Run file", "facet-run.yaml", "repeats this very run on any computer with Facet"),
)


@dataclass(frozen=True)
class PublishTab:
    empty: gr.Column
    to_train: gr.Button
    box: gr.Column
    run: gr.Dropdown
    words: gr.HTML
    preview: gr.Accordion
    card: gr.Markdown
    to_hub: ToHub
    prepare: gr.Button
    file: gr.DownloadButton

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, self.run]


def layout() -> PublishTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is no model to publish yet",
                "As soon as a run is finished, it can be put on the Hub or downloaded here.",
            )
        )
        to_train = gr.Button("Go to Train", variant="primary", scale=0, elem_classes="f-left")
    with gr.Column(elem_classes="f-gap") as box:
        with gr.Column(elem_classes="card f-gap"):
            run = gr.Dropdown([], label="Your model")
            words = gr.HTML()
            with gr.Accordion("Read its card", open=False, elem_id="card-preview") as preview:
                card = gr.Markdown(elem_classes="f-page", elem_id="card-text")
        with gr.Row(elem_classes="f-halves"):
            with gr.Column(min_width=320, scale=6, elem_classes="card f-gap"):
                to_hub = to_hub_layout()
            with gr.Column(min_width=280, scale=5, elem_classes="card f-gap"):
                gr.HTML(section("Take it home", "One zip file with the same contents. No account is needed."))
                prepare = gr.Button("Prepare the download", scale=0, elem_classes="f-left", elem_id="prepare-download")
                file = gr.DownloadButton(
                    "Download", visible=False, variant="primary", scale=0, elem_classes="f-left", elem_id="download"
                )
    return PublishTab(empty, to_train, box, run, words, preview, card, to_hub, prepare, file)


def wire(tab: PublishTab, studio: Studio, gate: Gate, session: Session, *opened: Any) -> None:
    """`opened` are events after which a publication may stand elsewhere: the tab is chosen."""

    def choose(person: Person, run: Id | None) -> list[Any]:
        card = studio.run(person, run) if run else None
        words = str(describe(card)) if card else ""
        return [words, gr.Accordion(open=False), "", gr.Button(visible=True), gr.DownloadButton(visible=False)]

    def read_card(person: Person, run: Id | None) -> str:
        return describe_card(studio.model_card(person, run)) if run else ""

    def prepare(person: Person, run: Id | None) -> list[Any]:
        file = handed_out(studio.download(person, run or ""), person)
        size = file.stat().st_size / 1e6
        return [gr.Button(visible=False), gr.DownloadButton(f"Download ({size:.1f} MB)", value=str(file), visible=True)]

    chosen = {"run": tab.run}
    gate.on(tab.run.change, choose, chosen, [tab.words, tab.preview, tab.card, tab.prepare, tab.file], quiet=True)
    gate.on(tab.preview.expand, read_card, chosen, tab.card, show_progress="minimal")
    gate.on(tab.prepare.click, prepare, chosen, [tab.prepare, tab.file], show_progress_on=tab.prepare)
    tab.to_train.click(None, None, None, js=go_to("train"))
    wire_to_hub(tab.to_hub, tab.run, studio, gate, session, list(opened))


def refreshed(studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `PublishTab.listed`."""
    choices = tuned_choices(studio, person)
    chosen = gr.Dropdown(choices=choices, value=chosen_model(choices, wanted))
    return [gr.Column(visible=not choices), gr.Column(visible=bool(choices)), chosen]


def describe(run: RunCard) -> Markup:
    """What goes out, either way, and under which licence it may be passed on."""
    licence = licence_of(run.base_model, run.generation)
    rows = [(what, html("<code>{}</code>", called), why) for what, called, why in CONTENTS]
    name = (
        html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', licence.link, licence.name)
        if licence.link
        else licence.name
    )
    duty = (
        "This model is made from Gemma, so its terms go with it: the card says so, and their notice is added."
        if licence.card_id == "gemma"
        else "The notice that goes with it is added."
        if licence.card_id == "apache-2.0"
        else "Look up its terms before you share the result."
    )
    return html(
        '<h3 class="f-file">{}</h3><p class="f-small">{}, {}</p>{}'
        "<details><summary>What goes out: {} things</summary>{}</details>",
        run.name,
        model_name(run.base_model),
        clip(f"brought in from {came_from(run)}" if came_from(run) else f"tuned with {run.dataset_name}", 80),
        note(html("Licence: {}.", name), duty),
        len(CONTENTS),
        table("What goes out", ("Thing", "Called", "What for"), rows),
    )


def describe_card(readme: str) -> str:
    """The card as Markdown for the page: its front matter as the Hub reads it, and no HTML of anybody's."""
    front, _, body = readme.removeprefix("---\n").partition("\n---\n")
    return f"```yaml\n{front}\n```\n\n{as_written(body.strip())}"

"""The Publish tab: take the tuned model home as one file, with its card, licence and everything needed to repeat it."""

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.gemma.licences import licence_of
from facet.identity import Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.events import Gate
from facet.ui.markup import clip, html, note, nothing_yet, table
from facet.ui.models import chosen_model, model_name, tuned_choices
from facet.ui.session import Session, go_to
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
    prepare: gr.Button
    file: gr.DownloadButton

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, self.run]


def layout() -> PublishTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is no model to take home yet", "As soon as a run is finished, it can be downloaded here."
            )
        )
        to_train = gr.Button("Go to Train", variant="primary", scale=0, elem_classes="f-left")
    with gr.Column(elem_classes="card f-gap") as box:
        run = gr.Dropdown([], label="Your model")
        words = gr.HTML()
        with gr.Row(elem_classes="f-buttons"):
            prepare = gr.Button("Prepare the download", variant="primary", scale=0, elem_id="prepare-download")
            file = gr.DownloadButton("Download", visible=False, scale=0, elem_id="download")
        gr.HTML(
            html(
                '<p class="f-small">To put it on the Hugging Face Hub today, unpack the file and upload the folder '
                "there; the card is ready. Publishing from this page comes with sign-in.</p>"
            )
        )
    return PublishTab(empty, to_train, box, run, words, prepare, file)


def wire(tab: PublishTab, studio: Studio, gate: Gate, session: Session) -> None:
    def choose(person: Person, run: Id | None) -> list[Any]:
        card = studio.run(person, run) if run else None
        return [str(describe(card)) if card else "", gr.Button(visible=True), gr.DownloadButton(visible=False)]

    def prepare(person: Person, run: Id | None) -> list[Any]:
        file = handed_out(studio.download(person, run or ""))
        size = file.stat().st_size / 1e6
        return [
            gr.Button(visible=False),
            gr.DownloadButton(f"Download ({size:.1f} MB)", value=str(file), visible=True, variant="primary"),
        ]

    gate.on(tab.run.change, choose, {"run": tab.run}, [tab.words, tab.prepare, tab.file], quiet=True)
    gate.on(tab.prepare.click, prepare, {"run": tab.run}, [tab.prepare, tab.file], show_progress_on=tab.prepare)
    tab.to_train.click(None, None, None, js=go_to("train"))


def handed_out(file: Path) -> Path:
    """Moved to where Gradio may serve it: the workspace itself is closed to it. Earlier ones are removed."""
    for earlier in Path(tempfile.gettempdir()).glob("facet-download-*"):
        if time.time() - earlier.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(earlier, ignore_errors=True)
    return Path(shutil.move(file, Path(tempfile.mkdtemp(prefix="facet-download-")) / file.name))


def refreshed(studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `PublishTab.listed`."""
    choices = tuned_choices(studio, person)
    chosen = gr.Dropdown(choices=choices, value=chosen_model(choices, wanted))
    return [gr.Column(visible=not choices), gr.Column(visible=bool(choices)), chosen]


def describe(run: RunCard) -> Markup:
    """What is in the file, and under which licence it may be passed on."""
    licence = licence_of(run.base_model, run.generation)
    rows = [(what, html("<code>{}</code>", called), why) for what, called, why in CONTENTS]
    name = (
        html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', licence.link, licence.name)
        if licence.link
        else licence.name
    )
    duty = (
        "This model is made from Gemma, so its terms go with it; the file holds the notice they ask for."
        if licence.card_id == "gemma"
        else "The file holds the notice that goes with it."
        if licence.card_id == "apache-2.0"
        else "Look up its terms before you share the result."
    )
    return html(
        '<h3 class="f-file">{}</h3><p class="f-small">{}, tuned with {}</p>{}{}',
        run.name,
        model_name(run.base_model),
        clip(run.dataset_name, 80),
        table("What is in the file", ("In the file", "Called", "What for"), rows),
        note(html("Licence: {}.", name), duty),
    )

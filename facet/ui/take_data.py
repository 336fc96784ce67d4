"""Prepared data on its way out: a file to download, or a dataset in one's own account on the Hub."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.identity import Grant, Person
from facet.publish.data_licences import CHOICES
from facet.publish.names import NEXT
from facet.publish.publications import Publication
from facet.studio import Studio
from facet.ui.account import standing
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.markup import each, html, note, track, trouble
from facet.ui.publication import LONGEST_NAME, describe_access, suggested_name
from facet.ui.session import PRESS_SIGN_IN, Session
from facet.ui.to_hub import hindrance_of
from facet.ui.values import Id, Line, Name

FORMS = [("JSONL, one example in each line", "jsonl"), ("Parquet", "parquet")]
PARTS = [("All parts, in a zip", ""), ("To learn from", "train"), ("Validation", "validation"), ("Exam", "exam")]
LICENCES = [
    ("As its source says, or not stated", ""),
    *[(f"{name} ({word})", word) for word, (name, _) in CHOICES.items()],
]
LOOK_EVERY = 1.5  # seconds


@dataclass(frozen=True)
class TakeData:
    fold: gr.Accordion
    form: gr.Radio
    part: gr.Dropdown
    make: gr.Button
    file: gr.DownloadButton
    state: gr.HTML
    sign_in: gr.Button
    box: gr.Column
    owner: gr.Dropdown
    name: gr.Textbox
    licence: gr.Dropdown
    public: gr.Checkbox
    warning: gr.HTML
    publish: gr.Button
    tick: gr.Timer

    @property
    def shown(self) -> list[Any]:
        return [self.state, self.sign_in, self.box, self.owner, self.publish, self.tick]


def take_data_layout() -> TakeData:
    with gr.Accordion("Download it, or share it on the Hub", open=False, elem_id="take-data") as fold:
        with gr.Row(elem_classes="f-finish"):
            form = gr.Radio(FORMS, value="jsonl", label="As")
            part = gr.Dropdown(PARTS, value="", label="Which part", min_width=180)
            make = gr.Button("Make the file", elem_id="make-data-file")
        file = gr.DownloadButton("Download", visible=False, variant="primary", scale=0, elem_classes="f-left")
        state = gr.HTML(elem_id="data-publication")
        sign_in = gr.Button("Sign in to Hugging Face", visible=False, scale=0, elem_classes="f-left")
        with gr.Column(visible=False, elem_classes="f-gap", elem_id="data-to-hub") as box:
            with gr.Row():
                owner = gr.Dropdown([], label="Owner", min_width=160)
                name = gr.Textbox(label="Name on the Hub", max_length=LONGEST_NAME, max_lines=1, min_width=200)
                licence = gr.Dropdown(LICENCES, value="", label="Others may use it under", min_width=220)
            public = gr.Checkbox(label="Make it public", info="Anybody may then read every row of it")
            warning = gr.HTML()
            publish = gr.Button("Publish the data", scale=0, elem_classes="f-left", elem_id="publish-data")
        tick = gr.Timer(LOOK_EVERY, active=False)
    return TakeData(
        fold, form, part, make, file, state, sign_in, box, owner, name, licence, public, warning, publish, tick
    )


def wire_take_data(tab: TakeData, studio: Studio, gate: Gate, chosen: gr.Dropdown, session: Session) -> None:
    def make(person: Person, dataset: Id | None, form: Name, part: Name) -> gr.DownloadButton:
        file = handed_out(studio.download_data(person, dataset or "", form, part or None), person)
        return gr.DownloadButton(f"Download ({_size(file.stat().st_size)})", value=str(file), visible=True)

    def other(person: Person) -> gr.DownloadButton:
        return gr.DownloadButton(visible=False)

    def open_fold(person: Person, grant: Grant, dataset: Id | None) -> list[Any]:
        if not dataset:
            return [gr.skip()] * (1 + len(tab.shown))
        return [suggested_name(studio.dataset(person, dataset).name), *look(studio, person, grant, dataset)]

    def turn_to(person: Person, grant: Grant, dataset: Id | None) -> list[Any]:
        """Other data: where it went, under which name and for whom is another matter, also in a fold that is open."""
        return [False, *open_fold(person, grant, dataset)]

    def publish(
        person: Person, grant: Grant, dataset: Id | None, owner: Name | None, name: Line, licence: Name, public: bool
    ) -> list[Any]:
        repo = f"{owner or ''}/{name.strip()}"
        try:
            studio.publish_dataset(grant, dataset or "", repo, public=public, licence=licence or None, tag=NEXT)
        except FacetError as error:
            return [str(trouble(error)), *[gr.skip()] * (len(tab.shown) - 1)]
        return look(studio, person, grant, dataset)

    def warn(person: Person, dataset: Id | None, licence: Name, public: bool) -> str:
        words = studio.warnings_before(person, dataset, licence or None, public) if dataset else []
        return str(each('<div class="f-note warn"><p>{}</p></div>', words))

    def follow(person: Person, grant: Grant, dataset: Id | None) -> list[Any]:
        return look(studio, person, grant, dataset)

    asked = {"dataset": chosen}
    gate.on(tab.make.click, make, asked | {"form": tab.form, "part": tab.part}, tab.file, show_progress_on=tab.make)
    gate.on([tab.form.change, tab.part.change, chosen.change], other, None, tab.file, quiet=True)
    told = [tab.name, *tab.shown]
    gate.on(tab.fold.expand, open_fold, asked, told, show_progress="hidden")
    gate.on(chosen.change, turn_to, asked, [tab.public, *told], quiet=True)
    gate.on([session.who.change, tab.tick.tick], follow, asked, tab.shown, quiet=True)
    tab.sign_in.click(None, None, None, js=PRESS_SIGN_IN)
    fields = {"owner": tab.owner, "name": tab.name, "licence": tab.licence, "public": tab.public}
    asked_before = asked | {"licence": tab.licence, "public": tab.public}
    doubtful = [tab.licence.change, tab.public.change, tab.fold.expand, chosen.change]
    gate.on(doubtful, warn, asked_before, tab.warning, quiet=True)
    gate.on(tab.publish.click, publish, asked | fields, tab.shown, show_progress="minimal")


def look(studio: Studio, person: Person, grant: Grant, dataset: str | None) -> list[Any]:
    """Values of `TakeData.shown`."""
    who = standing(studio, person, grant)
    hindrance = hindrance_of(grant, who)
    publication = studio.dataset_publication(person, dataset) if dataset else None
    working = publication is not None and publication.stage == "working"
    names = [(name if place else f"{name} (you)", name) for place, name in enumerate(who.namespaces)]
    return [
        str(describe_publication(publication) + describe_access(hindrance, who)),
        gr.Button(visible=hindrance is not None and person.kind == "local" and not who.is_signed_in),
        gr.Column(visible=hindrance is None and not working),
        gr.Dropdown(choices=names, value=who.namespaces[0]) if who.namespaces else gr.skip(),
        gr.Button("Publish again" if publication else "Publish the data"),
        gr.Timer(active=working),
    ]


def describe_publication(publication: Publication | None) -> Markup:
    """Where the data is: on its way, there, or why it is not."""
    if publication is None:
        return Markup("")
    match publication.stage:
        case "working":
            words = html('<p role="status">{}. You may close this page; it goes on.</p>', publication.words.rstrip("."))
            return words + track(100 * publication.share, "How much is published")
        case "done":
            link = html(
                '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', publication.url, publication.repo
            )
            seen = "Anybody may read it." if publication.public else "Only its owner sees it."
            return note(html("It is on the Hub: {}.", link), f"{seen} Every file was read back and compared.", "good")
        case "interrupted":
            return note("Publishing was interrupted.", "Press “Publish again”, and it goes on where it was.", "warn")
    return trouble(FacetError.from_dict(publication.failure)) if publication.failure else Markup("")


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{max(1, round(size / 1e3))} kB"

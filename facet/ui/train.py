"""The Train tab: choose a starting model and how thorough, start, and watch it learn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.errors import FacetError
from facet.gemma.models import STARTER, BaseModel
from facet.identity import Grant, Person
from facet.recipe.advice import PRESETS
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.ui import elsewhere
from facet.ui.access import Access, access_layout, access_values, is_locked
from facet.ui.events import Gate
from facet.ui.forms import Form, recipe_form
from facet.ui.live import Live, live_layout, wire_live
from facet.ui.markup import html, nothing_yet, section, trouble
from facet.ui.models import chosen_model, tuned_choices
from facet.ui.prepared import choices_of
from facet.ui.session import PRESS_SIGN_IN, REMEMBER_RUN, Session, go_to
from facet.ui.train_words import OTHER, Start, describe_advice, describe_model
from facet.ui.values import Beginning, Id, Line, Name, Place, Preset, Scalar
from facet.ui.words import size

BEGINNINGS = [("A starting model", "model"), ("One of my models", "mine")]
LOOKING = str(html('<p class="f-wait" role="status">Measuring your examples with this model</p>'))
SHOW_LIVE = """() => setTimeout(() => document.getElementById('live')?.scrollIntoView(
  {behavior: 'smooth', block: 'nearest'}), 400)"""


@dataclass(frozen=True)
class TrainTab:
    empty: gr.Column
    to_data: gr.Button
    new: gr.Column
    dataset: gr.Dropdown
    beginning: gr.Radio
    model: gr.Radio
    other: gr.Textbox
    mine: gr.Dropdown
    check: gr.HTML
    access: Access
    preset: gr.Radio
    reasons: gr.HTML
    form: Form
    name: gr.Textbox
    where: gr.Radio | None  # only where there is a choice
    start: gr.Button
    live: Live
    elsewhere: gr.Button | None

    @property
    def data_outputs(self) -> list[Any]:
        return [self.empty, self.new, self.dataset, self.beginning, self.mine]

    @property
    def advice_outputs(self) -> list[Any]:
        return [self.check, *self.access.shown, self.start, self.reasons, self.name, *self.form.outputs]

    @property
    def place(self) -> dict[str, Any]:
        return {"where": self.where} if self.where is not None else {}

    @property
    def source(self) -> dict[str, Any]:
        """What says from which model it starts."""
        return {"beginning": self.beginning, "model": self.model, "other": self.other, "mine": self.mine}


def layout(studio: Studio) -> TrainTab:
    with gr.Row(elem_classes="f-halves"):
        with gr.Column(min_width=320, scale=5, elem_classes="f-gap"):
            with gr.Column(visible=False, elem_classes="f-nothing") as empty:
                gr.HTML(
                    nothing_yet(
                        "There is nothing to learn from yet",
                        "Bring a file or take an example on the Data tab, and press “Prepare” there.",
                    )
                )
                to_data = gr.Button("Go to Data", variant="primary", scale=0, elem_classes="f-left")
            with gr.Column(elem_classes="card f-gap") as new:
                parts = _choices(studio)
        with gr.Column(min_width=320, scale=6, elem_classes="f-gap"):
            live = live_layout()
            other = elsewhere.layout(studio)
    return TrainTab(empty, to_data, new, *parts, live, other)


def _choices(studio: Studio) -> tuple[Any, ...]:
    gr.HTML(section("A new run"))
    dataset = gr.Dropdown([], label="Prepared data")
    beginning = gr.Radio(BEGINNINGS, value="model", label="Start from", visible=False, elem_id="beginning")
    offered = [(f"{model.name}: {_download(model)}", model.id) for model in studio.models()]
    model = gr.Radio(
        [*offered, ("Another one, by its id or folder", OTHER)], value=STARTER, label="Starting model", elem_id="models"
    )
    other = gr.Textbox(
        label="Id of the model",
        info="owner/name on the Hub, or a folder on this computer with safetensors",
        visible=False,
        max_length=400,
    )
    mine = gr.Dropdown(
        [], label="Which of yours", info="It goes on learning; the one you have stays as it is", visible=False
    )
    check = gr.HTML()
    access = access_layout()
    presets = [(words[0], name) for name, words in PRESETS.items()]
    preset = gr.Radio(presets, value="quick", label="How thorough", info="Fills in the settings below for your data")
    reasons = gr.HTML()
    form = recipe_form(SftRecipe)
    name = gr.Textbox(label="Name of this run", max_length=80)
    where = _where(studio)
    start = gr.Button("Start training", variant="primary", size="lg", elem_id="start-training")
    return dataset, beginning, model, other, mine, check, access, preset, reasons, form, name, where, start


def _where(studio: Studio) -> gr.Radio | None:
    places = studio.places.choices
    if len(places) == 1:
        return None
    usual = ("Where it suits the model: the starter on the processors, all others on the graphics card", "usual")
    return gr.Radio(
        [usual, *((place.words, place.where) for place in places)],
        value="usual",
        label="Where it computes",
        info="You can change it later: a run goes on anywhere from its last save point",
        elem_id="where",
    )


def _download(model: BaseModel) -> str:
    return "comes with Facet" if model.id == STARTER else f"{size(model.parameters)} parameters, {model.disk_gb:.1f} GB"


def wire(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    _wire_advice(tab, studio, gate, session)
    _wire_start(tab, studio, gate, session)
    tab.access.sign_in.click(None, None, None, js=PRESS_SIGN_IN)
    tab.to_data.click(None, None, None, js=go_to("data"))
    wire_live(tab.live, studio, gate, session)
    elsewhere.wire(tab.elsewhere, tab.live, studio, gate, session)


def _wire_advice(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    def recommend(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        preset: Preset,
    ) -> Iterator[Any]:
        if dataset:
            yield [*[gr.skip()] * before, LOOKING, *[gr.skip()] * after]
        yield advised(tab, studio, grant, dataset, Start.of(studio, person, beginning, model, other, mine), preset)

    def toggle(person: Person, beginning: Beginning, model: Name) -> list[Any]:
        fresh = beginning == "model"
        return [
            gr.Radio(visible=fresh),
            gr.Textbox(visible=fresh and model == OTHER),
            gr.Dropdown(visible=not fresh),
        ]

    before = tab.advice_outputs.index(tab.reasons)
    after = len(tab.advice_outputs) - before - 1
    gate.on(
        [tab.model.input, tab.beginning.input],
        toggle,
        {"beginning": tab.beginning, "model": tab.model},
        [tab.model, tab.other, tab.mine],
        quiet=True,
    )
    changed = [tab.dataset.change, tab.beginning.input, tab.model.input, tab.mine.input, tab.preset.input]
    changed += [tab.other.submit, tab.other.blur, tab.access.again.click, session.who.change]
    asked = {"dataset": tab.dataset} | tab.source | {"preset": tab.preset}
    gate.on(changed, recommend, asked, tab.advice_outputs, show_progress="hidden", trigger_mode="always_last")


def _wire_start(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    def start(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        name: Line,
        where: Place = "usual",
        **values: Scalar,
    ) -> str:
        begin, recipe = Start.of(studio, person, beginning, model, other, mine), tab.form.read(values)
        lent = {"grant": grant, "start_from": begin.run_id, "where": None if where == "usual" else where}
        lent["ask_first"] = True
        return studio.start(person, dataset or "", begin.model, recipe, name, **lent)

    def check(
        person: Person,
        dataset: Any,
        beginning: Any,
        model: Any,
        other: Any,
        mine: Any,
        name: Any,
        where: Any = None,
        **values: Any,
    ) -> list[Any]:
        fresh = beginning == "model"
        fine = [
            gr.validate(bool(dataset), "Choose the data to learn from."),
            gr.validate(True, ""),
            gr.validate(True, ""),
            gr.validate(not fresh or model != OTHER or bool(other), "Write the id of the model."),
            gr.validate(fresh or bool(mine), "Choose which of your models goes on learning."),
            gr.validate(True, ""),
            *(gr.validate(True, "") for _ in tab.place),
        ]
        return fine + tab.form.verdicts(values)

    asked = {"dataset": tab.dataset} | tab.source | {"name": tab.name} | tab.place | tab.form.controls
    started = gate.on(tab.start.click, start, asked, session.run, check=check)
    started.success(None, session.run, None, js=REMEMBER_RUN).then(None, None, None, js=SHOW_LIVE)


def refreshed(tab: TrainTab, studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `data_outputs`."""
    cards = studio.datasets(person)
    value = wanted if any(card.id == wanted for card in cards) else cards[0].id if cards else None
    open_card = next((card for card in cards if card.id == value), None)
    choices = choices_of(cards, open_card, "train")
    mine = tuned_choices(studio, person)
    return [
        gr.Column(visible=not cards),
        gr.Column(visible=bool(cards)),
        gr.Dropdown(choices=choices, value=value),
        gr.Radio(visible=bool(mine)),
        gr.Dropdown(choices=mine, value=chosen_model(mine, None)),
    ]


def advised(tab: TrainTab, studio: Studio, grant: Grant, dataset: str | None, begin: Start, preset: str) -> Any:
    """Values of `advice_outputs`: the check of the model, its terms, the reasons, a name, and every setting's value."""
    if not dataset or not begin.model:
        return gr.skip()
    person = grant.person
    check = studio.check_model(person, begin.model, grant)
    offered = next((one for one in studio.models() if one.id == begin.model), None)
    told = [str(describe_model(check, offered, begin.name)), *access_values(check, person)]
    unchanged = [gr.skip()] * len(tab.form.outputs)
    if check.problem:
        return [*told, gr.Button(interactive=not is_locked(check)), "", gr.skip(), *unchanged]
    told.append(gr.Button(interactive=True))
    try:
        advice = studio.advise(person, dataset, begin.model, preset, grant)
    except FacetError as error:
        return [*told, str(trouble(error)), gr.skip(), *unchanged]
    card = studio.dataset(person, dataset)
    reasons = {reason.setting: reason.words for reason in advice.reasons}
    summary = describe_advice(advice, preset, card.summary["splits"]["train"])
    name = f"{begin.name}, then {card.name}" if begin.run_id else f"{card.name} on {check.name}"
    return [*told, str(summary), name[:80], *tab.form.filled(advice.recipe, reasons)]

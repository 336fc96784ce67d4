"""The Train tab: choose a starting model and how thorough, start, and watch it learn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.gemma.models import STARTER, BaseModel
from facet.identity import Person
from facet.model.choose import ModelCheck
from facet.recipe.advice import PRESETS, Advice
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.forms import Form, recipe_form
from facet.ui.live import Live, live_layout, wire_live
from facet.ui.markup import each, html, note, nothing_yet, section, trouble
from facet.ui.session import REMEMBER_RUN, Session, go_to
from facet.ui.values import Id, Line, Name, Preset, Scalar
from facet.ui.words import count, size

OTHER = "another"
LOOKING = str(html('<p class="f-wait" role="status">Measuring your examples with this model</p>'))
SHOW_LIVE = """() => setTimeout(() => document.getElementById('live')?.scrollIntoView(
  {behavior: 'smooth', block: 'nearest'}), 400)"""


@dataclass(frozen=True)
class TrainTab:
    empty: gr.Column
    to_data: gr.Button
    new: gr.Column
    dataset: gr.Dropdown
    model: gr.Radio
    other: gr.Textbox
    check: gr.HTML
    preset: gr.Radio
    reasons: gr.HTML
    form: Form
    name: gr.Textbox
    start: gr.Button
    live: Live

    @property
    def data_outputs(self) -> list[Any]:
        return [self.empty, self.new, self.dataset]

    @property
    def advice_outputs(self) -> list[Any]:
        return [self.check, self.reasons, self.name, *self.form.outputs]

    def chosen(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "model": self.model, "other": self.other, "preset": self.preset}


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
    return TrainTab(empty, to_data, new, *parts, live)


def _choices(studio: Studio) -> tuple[Any, ...]:
    gr.HTML(section("A new run"))
    dataset = gr.Dropdown([], label="Prepared data")
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
    check = gr.HTML()
    presets = [(words[0], name) for name, words in PRESETS.items()]
    preset = gr.Radio(presets, value="quick", label="How thorough", info="Fills in the settings below for your data")
    reasons = gr.HTML()
    form = recipe_form(SftRecipe)
    name = gr.Textbox(label="Name of this run", max_length=80)
    start = gr.Button("Start training", variant="primary", size="lg", elem_id="start-training")
    return dataset, model, other, check, preset, reasons, form, name, start


def _download(model: BaseModel) -> str:
    return "comes with Facet" if model.id == STARTER else f"{size(model.parameters)} parameters, {model.disk_gb:.1f} GB"


def wire(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    def recommend(person: Person, dataset: Id | None, model: Name, other: Line, preset: Preset) -> Iterator[Any]:
        if dataset:
            yield [gr.skip(), LOOKING, *[gr.skip()] * (len(tab.advice_outputs) - 2)]
        yield advised(tab, studio, person, dataset, model_id(model, other), preset)

    def toggle_other(person: Person, model: Name) -> Any:
        return gr.Textbox(visible=model == OTHER)

    def start(person: Person, dataset: Id | None, model: Name, other: Line, name: Line, **values: Scalar) -> str:
        return studio.start(person, dataset or "", model_id(model, other), tab.form.read(values), name)

    def check(person: Person, dataset: Any, model: Any, other: Any, name: Any, **values: Any) -> list[Any]:
        fine = [
            gr.validate(bool(dataset), "Choose the data to learn from."),
            gr.validate(True, ""),
            gr.validate(model != OTHER or bool(other), "Write the id of the model."),
            gr.validate(True, ""),
        ]
        return fine + tab.form.verdicts(values)

    quiet_progress: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "always_last"}
    gate.on(tab.model.input, toggle_other, {"model": tab.model}, tab.other, quiet=True)
    gate.on(
        [tab.dataset.change, tab.model.input, tab.preset.input, tab.other.submit, tab.other.blur],
        recommend,
        tab.chosen(),
        tab.advice_outputs,
        **quiet_progress,
    )
    asked = {"dataset": tab.dataset, "model": tab.model, "other": tab.other, "name": tab.name} | tab.form.controls
    started = gate.on(tab.start.click, start, asked, session.run, check=check)
    started.success(None, session.run, None, js=REMEMBER_RUN).then(None, None, None, js=SHOW_LIVE)
    tab.to_data.click(None, None, None, js=go_to("data"))
    wire_live(tab.live, studio, gate, session)


def model_id(model: str, other: str) -> str:
    return other.strip() if model == OTHER else model


def refreshed(tab: TrainTab, studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `data_outputs`."""
    cards = studio.datasets(person)
    value = wanted if any(card.id == wanted for card in cards) else cards[0].id if cards else None
    choices = [
        (f"{card.name} ({count(card.summary['splits']['train'], 'example')} to learn from)", card.id) for card in cards
    ]
    return [gr.Column(visible=not cards), gr.Column(visible=bool(cards)), gr.Dropdown(choices=choices, value=value)]


def advised(tab: TrainTab, studio: Studio, person: Person, dataset: str | None, model: str, preset: str) -> Any:
    """Values of `advice_outputs`: the check of the model, the reasons, a name, and a value for every setting."""
    if not dataset or not model:
        return gr.skip()
    check = studio.check_model(person, model)
    offered = next((one for one in studio.models() if one.id == model), None)
    unchanged = [gr.skip()] * len(tab.form.outputs)
    if check.problem:
        return [str(describe_model(check, offered)), "", gr.skip(), *unchanged]
    try:
        advice = studio.advise(person, dataset, model, preset)
    except FacetError as error:
        return [str(describe_model(check, offered)), str(trouble(error)), gr.skip(), *unchanged]
    card = studio.dataset(person, dataset)
    reasons = {reason.setting: reason.words for reason in advice.reasons}
    summary = describe_advice(advice, preset, card.summary["splits"]["train"])
    return [
        str(describe_model(check, offered)),
        str(summary),
        f"{card.name} on {check.name}"[:80],
        *tab.form.filled(advice.recipe, reasons),
    ]


def describe_model(check: ModelCheck, offered: BaseModel | None) -> Markup:
    """What it is good for, its licence, its size, and whether it fits here, with the numbers."""
    words = html('<p class="f-model">{}</p>', offered.words) if offered else Markup("")
    if check.problem:
        return words + trouble(check.problem)
    facts = [
        (
            "Licence",
            html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', check.licence_url, check.licence)
            if check.licence_url
            else check.licence,
        )
    ]
    if check.facts:
        facts.append(
            ("Size", f"{size(check.facts.parameters)} parameters; reads up to {check.facts.context_length:,} tokens")
        )
    facts.append(
        ("Here", "ready to use" if not check.download_gb else f"will be downloaded once: {check.download_gb:.1f} GB")
    )
    facts.append(("Memory", f"about {check.needs_gb:.1f} GB to load; {check.free_gb:.1f} GB are free"))
    return words + html('<dl class="f-facts">{}</dl>', each("<dt>{}</dt><dd>{}</dd>", facts))


def describe_advice(advice: Advice, preset: str, rows: int) -> Markup:
    """What the preset comes to, in numbers; the reason of each value stands at its field."""
    recipe = advice.recipe
    steps = count(recipe.steps(rows), "step")
    words = (
        f"{PRESETS[preset][1]} That is {steps} of {count(recipe.effective_batch_size, 'example')} "
        f"each, out of your {rows:,}. Why each value was chosen stands below it; change what you like."
    )
    return note("", words, "good")

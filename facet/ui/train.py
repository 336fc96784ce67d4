"""The Train tab: choose a starting model and how thorough, start, and watch it learn."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.gemma.models import STARTER, BaseModel
from facet.identity import Grant, Person
from facet.recipe.advice import PRESETS, asked_on_the_way
from facet.studio import Studio
from facet.ui import elsewhere
from facet.ui.access import Access, access_layout
from facet.ui.again import is_still_again
from facet.ui.events import Gate
from facet.ui.forms import Form, found_in, read, recipe_form
from facet.ui.live import Live, live_layout, wire_live
from facet.ui.markup import nothing_yet, section
from facet.ui.models import chosen_model, further_choices
from facet.ui.more_models import other_model
from facet.ui.plan import PlanCard, plan_layout, wire_plan
from facet.ui.prepared import choices_of
from facet.ui.session import PRESS_SIGN_IN, REMEMBER_RUN, Session, go_to
from facet.ui.template import TemplateCard, chosen_template, template_layout, wire_template
from facet.ui.train_advice import fits_a_form, not_yet, wire_advice
from facet.ui.train_where import where_layout
from facet.ui.train_words import GOAL_CHOICES, OTHER, Start, meant_for
from facet.ui.values import Beginning, Filled, Filling, Goal, Id, Line, Name, Place, Preset, Words
from facet.ui.words import size

BEGINNINGS = [("A starting model", "model"), ("One of my models", "mine")]
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
    other: gr.Dropdown
    mine: gr.Dropdown
    check: gr.HTML
    access: Access
    template: TemplateCard
    goal: gr.Radio
    preset: gr.Radio
    reasons: gr.HTML
    form: Form
    samples: gr.Textbox
    name: gr.Textbox
    where: gr.Radio | None  # only where there is a choice
    plan: PlanCard
    start: gr.Button
    live: Live
    elsewhere: gr.Button | None
    again: gr.State  # the settings of a run to start again with
    named: gr.State  # the name that was put in last; another one is the person's own

    @property
    def data_outputs(self) -> list[Any]:
        return [self.empty, self.new, self.dataset, self.beginning, self.mine]

    @property
    def advice_outputs(self) -> list[Any]:
        return [self.check, *self.access.shown, self.start, self.reasons, *self.titled, *self.form.outputs]

    @property
    def titled(self) -> list[Any]:
        return [self.name, self.named]

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
    return TrainTab(empty, to_data, new, *parts, live, other, gr.State(None), gr.State(""))


def _choices(studio: Studio) -> tuple[Any, ...]:
    gr.HTML(section("A new run"))
    dataset = gr.Dropdown([], label="Prepared data")
    beginning = gr.Radio(BEGINNINGS, value="model", label="Start from", visible=False, elem_id="beginning")
    offered = [(f"{model.name}: {_download(model)}", model.id) for model in studio.models()]
    model = gr.Radio(
        [*offered, ("Another one, by its id or folder", OTHER)], value=STARTER, label="Starting model", elem_id="models"
    )
    other = other_model()
    mine = gr.Dropdown(
        [], label="Which of yours", info="It goes on learning; the one you have stays as it is", visible=False
    )
    check = gr.HTML()
    access, template = access_layout(), template_layout()
    presets = [(words[0], name) for name, words in PRESETS.items()]
    goal = gr.Radio(GOAL_CHOICES, value="any", label="What is it for", elem_id="goal", elem_classes="f-pills")
    preset = gr.Radio(presets, value="quick", label="How thorough", info="Fills in the settings below for your data")
    reasons = gr.HTML()
    form = recipe_form()
    samples = gr.Textbox(
        label="Questions to ask it on the way",
        info="One in each line, at most 5; you see how its answers change",
        lines=2,
        max_lines=5,
        max_length=4_000,
        elem_id="samples",
    )
    name = gr.Textbox(label="Name of this run", max_length=80)
    where = where_layout(studio)
    plan = plan_layout()
    start = gr.Button("Start training", variant="primary", size="lg", elem_id="start-training")
    which = (dataset, beginning, model, other, mine, check, access, template)
    return *which, goal, preset, reasons, form, samples, name, where, plan, start


def _download(model: BaseModel) -> str:
    return "comes with Facet" if model.id == STARTER else f"{size(model.parameters)} parameters, {model.disk_gb:.1f} GB"


def wire(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    wire_advice(tab, studio, gate, session)
    _wire_start(tab, studio, gate, session)
    wire_plan(tab.plan, tab, studio, gate)
    named = [tab.model.input, tab.beginning.input, tab.other.input]
    wire_template(tab.template, tab.dataset, tab.source, named, lambda *chosen: Start.of(*chosen).model, studio, gate)
    tab.access.sign_in.click(None, None, None, js=PRESS_SIGN_IN)
    tab.to_data.click(None, None, None, js=go_to("data"))
    wire_live(tab.live, studio, gate, session)
    elsewhere.wire(tab.elsewhere, tab.live, studio, gate, session)


def _wire_start(tab: TrainTab, studio: Studio, gate: Gate, session: Session) -> None:
    def start(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        goal: Goal,
        preset: Preset,
        name: Line,
        settings: Filled | None,
        samples: Words,
        template: Name,
        own_template: Words,
        again: Filling | None,
        where: Place = "usual",
    ) -> str:
        begin = Start.of(studio, person, beginning, model, other, mine)
        if not settings or settings.get("meant") != meant_for(dataset, begin, goal, preset):
            raise not_yet(studio, grant, dataset, begin, goal, preset)
        recipe = read(settings)
        made = studio.as_decided(person, recipe, (), begin.run_id)
        recipe = studio.as_decided(person, recipe, recipe.model_dump() if fits_a_form(made) else (), begin.run_id)
        told = chosen_template(template, own_template) if not begin.run_id else {}
        lent = {"grant": grant, "start_from": begin.run_id, "where": None if where == "usual" else where}
        if is_still_again(again, dataset, begin.model, goal, preset):
            lent |= {"revision": again["revision"]}  # the model as it was then
        lent |= {"ask_first": True, "more": (asked_on_the_way(samples.splitlines(), recipe) or {}) | told}
        return studio.start(person, dataset or "", begin.model, recipe, name, **lent)

    def check(
        person: Person,
        dataset: Any,
        beginning: Any,
        model: Any,
        other: Any,
        mine: Any,
        goal: Any,
        preset: Any,
        name: Any,
        settings: Any,
        samples: Any,
        template: Any,
        own_template: Any,
        again: Any,
        where: Any = None,
    ) -> list[Any]:
        fresh = beginning == "model"
        return [
            gr.validate(bool(dataset), "Choose the data to learn from."),
            gr.validate(True, ""),
            gr.validate(True, ""),
            gr.validate(not fresh or model != OTHER or bool(other), "Write the id of the model."),
            gr.validate(fresh or bool(mine), "Choose which of your models goes on learning."),
            *(gr.validate(True, "") for _ in range(8 + len(tab.place))),  # the settings speak at their own fields
        ]

    def inspect(person: Person, settings: Filled | None) -> Any:
        return gr.HTML(problems=found_in(settings))

    asked = {"dataset": tab.dataset} | tab.source | {"goal": tab.goal, "preset": tab.preset, "name": tab.name}
    asked |= {"settings": tab.form.component, "samples": tab.samples, "again": tab.again}
    asked |= tab.template.asked | tab.place
    gate.on(tab.form.component.input, inspect, {"settings": tab.form.component}, tab.form.component, quiet=True)
    started = gate.on(tab.start.click, start, asked, session.run, check=check)
    started.success(None, session.run, None, js=REMEMBER_RUN).then(None, None, None, js=SHOW_LIVE)


def refreshed(tab: TrainTab, studio: Studio, person: Person, wanted: str | None, own: str | None = None) -> list[Any]:
    """Values of `data_outputs`. `own` is the model of theirs that is chosen."""
    cards = studio.datasets(person)
    value = wanted if any(card.id == wanted for card in cards) else cards[0].id if cards else None
    open_card = next((card for card in cards if card.id == value), None)
    choices = choices_of(cards, open_card, "train")
    mine = further_choices(studio, person)
    return [
        gr.Column(visible=not cards),
        gr.Column(visible=bool(cards)),
        gr.Dropdown(choices=choices, value=value),
        gr.Radio(visible=bool(mine)),
        gr.Dropdown(choices=mine, value=chosen_model(mine, own)),
    ]

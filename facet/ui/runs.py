"""The Runs tab: every run there is, to open, rename or delete; and a way in for models tuned elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.identity import Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.bring import Bring, bring_layout, wire_bring
from facet.ui.events import Gate
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import clip, html, nothing_yet, table
from facet.ui.models import came_from, chosen_model, model_name
from facet.ui.session import REMEMBER_RUN, Session, go_to
from facet.ui.values import Id
from facet.ui.words import STAGE_WORDS, ago, number, stage_look
from facet.work.fairness import Turn


@dataclass(frozen=True)
class RunsTab:
    empty: gr.Column
    to_data: gr.Button
    box: gr.Column
    table: gr.HTML
    chosen: gr.Dropdown
    open: gr.Button
    manage: Manage
    bring: Bring

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, self.table, self.chosen]


def layout() -> RunsTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "No runs yet",
                "Every training you start is kept here with its curve, its settings and its model.",
            )
        )
        to_data = gr.Button("Go to Data", variant="primary", scale=0, elem_classes="f-left")
    with gr.Column(elem_classes="f-gap") as box:
        with gr.Column(elem_classes="card"):
            table = gr.HTML()
        with gr.Column(elem_classes="card f-gap"):
            with gr.Row(elem_classes="f-finish"):
                chosen = gr.Dropdown([], label="Run")
                open_it = gr.Button("Open", variant="primary")
            manage = manage_layout("runs")
    with gr.Column(elem_classes="card f-bring"):
        bring = bring_layout()
    return RunsTab(empty, to_data, box, table, chosen, open_it, manage, bring)


def wire(tab: RunsTab, studio: Studio, gate: Gate, session: Session) -> None:
    def open_run(person: Person, run: Id | None) -> str:
        return studio.run(person, run or "").id

    opened = gate.on(tab.open.click, open_run, {"run": tab.chosen}, session.run, show_progress="hidden")
    opened.success(None, session.run, None, js=REMEMBER_RUN).then(None, None, None, js=go_to("train"))
    tab.to_data.click(None, None, None, js=go_to("data"))
    wire_manage(tab.manage, studio, gate, tab.chosen, tab.listed, refreshed)
    wire_bring(tab.bring, studio, gate, session, tab.listed, refreshed)


def refreshed(studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `RunsTab.listed`."""
    runs = studio.runs(person)
    choices = [(f"{run.name} ({ago(run.created)})", run.id) for run in runs]
    chosen = gr.Dropdown(choices=choices, value=chosen_model(choices, wanted))
    return [
        gr.Column(visible=not runs),
        gr.Column(visible=bool(runs)),
        str(describe(runs, studio.turns(person, runs))),
        chosen,
    ]


def describe(runs: list[RunCard], turns: Mapping[str, Turn]) -> Markup:
    heads = ("Run", "State", "Starting model", "Data", "Steps", "Loss", "Validation loss")
    rows = [_row(run, turns.get(run.id)) for run in runs]
    return table("Your runs, newest first", heads, rows, {4: "right", 5: "right", 6: "right tuned"})


def _row(run: RunCard, turn: Turn | None) -> list[Any]:
    progress = run.progress
    place = html('<br><span class="f-small">{}</span>', turn.words) if turn else ""
    return [
        html('<a href="?run={}">{}</a><br><span class="f-small">{}</span>', run.id, run.name, ago(run.created)),
        html('<span class="f-chip {}">{}</span>{}', stage_look(progress.stage), STAGE_WORDS[progress.stage], place),
        clip(model_name(run.base_model), 40),
        clip(f"brought in from {came_from(run)}" if came_from(run) else run.dataset_name, 40),
        f"{progress.step:,}",
        number(progress.latest("loss")),
        number(progress.latest("validation_loss")),
    ]

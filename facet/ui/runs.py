"""The Runs tab: every run there is, to find, compare, read about, start again, rename or delete; and ways in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.identity import Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.bring import Bring, bring_layout, wire_bring
from facet.ui.events import Gate
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import clip, each, html, nothing_yet, table
from facet.ui.models import came_from, chosen_model, model_name
from facet.ui.runs_about import About, about_layout, wire_about
from facet.ui.runs_compare import Compare, compare_layout, wire_compare
from facet.ui.session import REMEMBER_RUN, Session, go_to
from facet.ui.values import Id
from facet.ui.words import STAGE_WORDS, ago, number, stage_look
from facet.work.fairness import Turn

SCRIPT = (Path(__file__).parent / "runs.js").read_text("utf-8")
MANY = 6  # from here on a search pays
HEADS = ("Run", "State", "Starting model", "Data", "Steps", "Loss", "Validation loss")


@dataclass(frozen=True)
class RunsTab:
    empty: gr.Column
    to_data: gr.Button
    box: gr.Column
    table: gr.HTML
    compare: Compare
    chosen: gr.Dropdown
    open: gr.Button
    about: About
    manage: Manage
    bring: Bring
    file: gr.UploadButton

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
            table = gr.HTML(
                None,
                html_template='<div class="f-runs"></div>',
                js_on_load=SCRIPT,
                apply_default_css=False,
                elem_id="runs-list",
                markup="",
            )
        compare = compare_layout()
        with gr.Column(elem_classes="card f-gap"):
            with gr.Row(elem_classes="f-finish"):
                chosen = gr.Dropdown([], label="Run")
                open_it = gr.Button("Open", variant="primary")
            about = about_layout()
            manage = manage_layout("runs")
    with gr.Column(elem_classes="card f-bring f-gap"):
        bring = bring_layout()
        file = gr.UploadButton(
            "Start from a run file", file_types=[".yaml", ".yml"], scale=0, elem_classes="f-left", elem_id="run-file"
        )
    return RunsTab(empty, to_data, box, table, compare, chosen, open_it, about, manage, bring, file)


def wire(tab: RunsTab, studio: Studio, gate: Gate, session: Session) -> None:
    def open_run(person: Person, run: Id | None) -> str:
        return studio.run(person, run or "").id

    opened = gate.on(tab.open.click, open_run, {"run": tab.chosen}, session.run, show_progress="hidden")
    opened.success(None, session.run, None, js=REMEMBER_RUN).then(None, None, None, js=go_to("train"))
    tab.to_data.click(None, None, None, js=go_to("data"))
    wire_compare(tab.compare, tab.table, studio, gate)
    wire_about(tab.about, tab.chosen, studio, gate)
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
        gr.HTML(markup=str(describe(runs, studio.turns(person, runs)))),
        chosen,
    ]


def describe(runs: list[RunCard], turns: Mapping[str, Turn]) -> Markup:
    """The list, with a search where there are many, and a box at each run to compare it with others."""
    rows = [_row(run, turns.get(run.id)) for run in runs]
    heads = [html('<button type="button" class="f-sort">{}</button>', head) for head in HEADS]
    listed = table("Your runs, newest first", heads, rows, {4: "right", 5: "right", 6: "right tuned"}, HEADS)
    several = html('<p class="f-small">Tick two or more runs to compare them.</p>') if len(runs) > 1 else Markup("")
    return (_search(runs) if len(runs) >= MANY else Markup("")) + listed + several


def _search(runs: list[RunCard]) -> Markup:
    states = dict.fromkeys(run.progress.stage for run in runs)
    return html(
        '<div class="f-search"><label for="find-run">Find a run</label>'
        '<input type="search" id="find-run" placeholder="by name, model, data or note">'
        '<label for="run-state">State</label><select id="run-state"><option value="">all</option>{}</select>'
        '<span class="f-small f-found" role="status"></span></div>',
        each('<option value="{}">{}</option>', [(state, STAGE_WORDS[state]) for state in states]),
    )


def _row(run: RunCard, turn: Turn | None) -> list[Any]:
    progress = run.progress
    place = html('<br><span class="f-small">{}</span>', turn.words) if turn else ""
    known = " ".join((run.name, run.base_model, model_name(run.base_model), run.dataset_name, run.note)).lower()
    tick = html(
        '<input type="checkbox" data-run="{}" data-name="{}" data-state="{}" aria-label="Compare {}">',
        run.id,
        clip(known, 1_000),
        progress.stage,
        run.name,
    )
    said = html('<br><span class="f-small f-noted">{}</span>', clip(run.note, 90)) if run.note else ""
    name = html(
        '<span class="f-tick">{}<span data-sort="{}"><a href="?run={}">{}</a><br><span class="f-small">{}</span>{}'
        "</span></span>",
        tick,
        run.created,
        run.id,
        run.name,
        ago(run.created),
        said,
    )
    return [
        name,
        html('<span class="f-chip {}">{}</span>{}', stage_look(progress.stage), STAGE_WORDS[progress.stage], place),
        clip(model_name(run.base_model), 40),
        clip(f"brought in from {came_from(run)}" if came_from(run) else run.dataset_name, 40),
        html('<span data-sort="{}">{:,}</span>', progress.step, progress.step),
        _number(progress.latest("loss")),
        _number(progress.latest("validation_loss")),
    ]


def _number(value: float | None) -> Markup:
    return html('<span data-sort="{}">{}</span>', "" if value is None else value, number(value))

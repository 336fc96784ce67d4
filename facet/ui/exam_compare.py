"""Any number of models on the same questions: choose them, start, and find earlier tests again."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.exam.exams import ExamCard
from facet.identity import Person
from facet.studio import Studio
from facet.talk import save_points
from facet.ui.exam_options import OptionsForm, options_layout
from facet.ui.markup import html, nothing_yet, section, table
from facet.ui.models import Choices, model_name, tuned
from facet.ui.prepared import choices_of
from facet.ui.words import STAGE_WORDS, ago, count, stage_look

MOST_LISTED = 30  # tests in the table


@dataclass(frozen=True)
class Compare:
    box: gr.Column
    dataset: gr.Dropdown
    models: gr.Dropdown
    options: OptionsForm
    start: gr.Button
    history: gr.HTML

    @property
    def listed(self) -> list[Any]:
        return [self.box, self.dataset, self.models, self.history]


def compare_layout() -> Compare:
    with gr.Column(elem_classes="card f-gap", elem_id="exam-compare") as box:
        gr.HTML(
            section(
                "Compare any models",
                "Starting models, your own and their save points answer the same questions; all are compared with the "
                "first of the list. The more you compare at once, the clearer each difference has to be.",
            )
        )
        with gr.Row():
            dataset = gr.Dropdown([], label="Questions from", min_width=240)
            models = gr.Dropdown([], label="Models", multiselect=True, max_choices=8, min_width=320)
        options = options_layout()
        start = gr.Button("Compare them", variant="primary", scale=0, elem_classes="f-left", elem_id="compare-them")
    with gr.Column(elem_classes="card"):
        gr.HTML(section("Tests so far"))
        history = gr.HTML(elem_id="exam-history")
    return Compare(box, dataset, models, options, start, history)


def refreshed(studio: Studio, person: Person, dataset: str | None) -> list[Any]:
    """Values of `Compare.listed`."""
    cards = studio.datasets(person)
    card = next((card for card in cards if card.id == dataset), cards[0] if cards else None)
    return [
        gr.Column(visible=bool(cards)),
        gr.Dropdown(choices=choices_of(cards, card), value=card.id if card else None),
        gr.Dropdown(choices=targets(studio, person)),
        str(describe_history(studio.exams(person))),
    ]


def targets(studio: Studio, person: Person) -> Choices:
    """Starting models first, since the others are compared with the first; then one's own with their save points."""
    found = [(f"{model.name}, untouched", model.id) for model in studio.models()]
    used = {run.base_model for run in tuned(studio, person)} - {model.id for model in studio.models()}
    found += [(f"{model_name(name)}, untouched", name) for name in sorted(used)]
    for run in studio.runs(person):
        steps = save_points(studio.runs_shelf.folder(person, run.id))
        found += [(f"{run.name} ({ago(run.created)})", run.id)] if run.has_model else []
        found += [(f"{run.name}, step {step:,}", f"{run.id}@{step}") for step in steps if step != run.progress.step]
    return found


def describe_history(cards: list[ExamCard]) -> Markup:
    if not cards:
        return nothing_yet("No tests yet", "Whatever you test is kept here with all answers.")
    rows = [
        (
            exam_name(card),
            html('<span class="f-chip {}">{}</span>', stage_look(card.progress.stage), _stage(card)),
            card.words if card.progress.stage == "finished" else "",
            ago(card.created),
        )
        for card in cards[:MOST_LISTED]
    ]
    return table("Tests, newest first", ("Test", "State", "What came of it", "When"), rows)


def _stage(card: ExamCard) -> str:
    return "Testing" if card.progress.stage == "running" else STAGE_WORDS[card.progress.stage]


def exam_choices(cards: list[ExamCard]) -> Choices:
    return [(f"{exam_name(card)}, {ago(card.created)}", card.id) for card in cards]


def exam_name(card: ExamCard) -> str:
    """`Pirate`, `sayings: 4 models`."""
    many = count(len(card.contestants), "model")
    kinds = {"compare": f"{card.name}: {many}", "prompts": f"{card.name}: without training"}
    return kinds.get(card.kind, card.name)

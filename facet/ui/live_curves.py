"""The curves of one run: which can be chosen, the chart of the chosen one, and all numbers as a table."""

from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
import plotly.graph_objects as go
from markupsafe import Markup

from facet.train.runs import RunCard
from facet.train.watched import best_step
from facet.ui.charts import CURVES, curves_figure, template
from facet.ui.markup import table
from facet.ui.words import number
from facet.work.log import Progress

Which = Literal["loss", "perplexity", "accuracy", "learning_rate", "grad_norm", "speed", "memory"]
Axis = Literal["step", "epoch"]
CHOICES = [(shown.label, name) for name, shown in CURVES.items()]
AXIS_CHOICES = [("Steps", "step"), ("Epochs", "epoch")]
MOST_ROWS = 24
COLUMNS = (  # of the table: (name in the log, head, share of one)
    ("loss", "Loss", False),
    ("validation_loss", "Validation loss", False),
    ("token_accuracy", "Token accuracy", True),
    ("accuracy", "Accuracy of labels", True),
    ("macro_f1", "Macro-F1", False),
    ("learning_rate", "Learning rate", False),
    ("grad_norm", "Gradient norm", False),
    ("tokens_per_second", "Tokens per second", False),
    ("memory_gb", "Memory, GB", False),
)


@dataclass(frozen=True)
class Choice:
    """Which curve is drawn, over what."""

    row: gr.Row
    which: gr.Radio
    axis: gr.Radio


def choice_layout() -> Choice:
    with gr.Row(visible=False, elem_classes="f-curves") as row:
        which = gr.Radio(CHOICES, value="loss", label="Curve", elem_classes="f-pills", scale=3, min_width=280)
        axis = gr.Radio(AXIS_CHOICES, value="step", label="Along", elem_classes="f-pills", scale=1, min_width=190)
    return Choice(row, which, axis)


def plot(run: RunCard, which: str, axis: str) -> gr.Plot:
    """The chosen curve. Hidden before the first number."""
    curves = run.progress.curves
    if not has_curves(run.progress):
        return gr.Plot(visible="hidden")
    best = best_step(run.progress, run.recipe) or 0
    figure = curves_figure({run.name: curves}, which, axis, run.id, run.progress.total_steps, best)
    return gr.Plot(value=figure or _nothing(), visible=True)


def has_curves(progress: Progress) -> bool:
    return any(progress.curves.get(name) for name in ("loss", "validation_loss"))


def _nothing() -> go.Figure:
    figure = go.Figure(layout={"template": template()})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text="This is not measured in this run.", showarrow=False, font={"size": 14})
    return figure


def describe_table(progress: Progress) -> Markup:
    """Every look at the validation part, and evenly spread steps between, for those who read rather than see."""
    columns = [column for column in COLUMNS if progress.curves.get(column[0])]
    if not columns or not has_curves(progress):
        return Markup("")
    values = {name: dict(progress.curves[name]) for name, _, _ in columns}
    rows = [
        [f"{step:,}", *(_cell(values[name].get(step), share) for name, _, share in columns)]
        for step in _steps(progress)
    ]
    heads = ["Step", *(head for _, head, _ in columns)]
    return table("All numbers of this run, step by step", heads, rows, dict.fromkeys(range(1, len(heads)), "right"))


def _steps(progress: Progress) -> list[int]:
    looked = [step for step, _ in progress.curves.get("validation_loss", [])]
    taken = [step for step, _ in progress.curves.get("loss", [])]
    room = max(2, MOST_ROWS - len(looked))
    every = max(1, -(-len(taken) // room))
    return sorted({*looked, *taken[::every], *taken[-1:]})


def _cell(value: Any, is_share: bool) -> str:
    return "–" if value is None else f"{value:.1%}" if is_share else number(value)

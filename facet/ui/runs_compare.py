"""Several runs beside each other: their curves over one another, what they differ in, and what came of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.exam.metric_words import METRICS
from facet.identity import Person
from facet.studio import Studio
from facet.train.history import AXES, Axis, Comparison, Row, along
from facet.train.runs import RunCard
from facet.ui.charts import COLORS, GLYPHS, Line, Shown, lines_figure
from facet.ui.events import Gate
from facet.ui.markup import each, html, join, section, table, trouble
from facet.ui.values import Along, Name, Picked

CURVES: dict[str, Shown] = {
    "loss": Shown("Loss", "loss (nats per token)", ()),
    "validation_loss": Shown("Validation loss", "validation loss (nats per token)", ()),
    "token_accuracy": Shown("Right tokens", "right tokens, in per cent", (), lambda share: 100 * share, digits=1),
    "validation_token_accuracy": Shown(
        "Right tokens, validation", "right tokens, in per cent", (), lambda share: 100 * share, digits=1
    ),
    "learning_rate": Shown("Learning rate", "learning rate", (), digits=6),
    "grad_norm": Shown("Gradient norm", "gradient norm, before clipping", ()),
    "tokens_per_second": Shown("Speed", "tokens per second", (), digits=0),
    "memory_gb": Shown("Memory", "memory in use (GB)", (), digits=2),
}
DASHES = ("solid", "dash", "dot", "dashdot", "solid", "dash")
ALONG = [("Steps", "step"), ("Times through the data", "epoch"), ("Tokens", "tokens")]


@dataclass(frozen=True)
class Compare:
    box: gr.Column
    which: gr.Radio
    axis: gr.Radio
    chart: gr.Plot
    words: gr.HTML

    @property
    def shown(self) -> list[Any]:
        return [self.box, self.which, self.chart, self.words]


def compare_layout() -> Compare:
    with gr.Column(visible=False, elem_id="compared", elem_classes="card f-gap") as box:
        gr.HTML(section("Compared", "What the chosen runs differ in, and what came of each."))
        with gr.Row(elem_classes="f-curves"):
            which = gr.Radio([], label="Curve of each run", elem_classes="f-pills", scale=3, min_width=280)
            axis = gr.Radio(ALONG, value="step", label="Over", elem_classes="f-pills", scale=2, min_width=280)
        chart = gr.Plot(label="Curves of the chosen runs", show_label=False, elem_id="compared-curves")
        words = gr.HTML(elem_id="compared-words")
    return Compare(box, which, axis, chart, words)


def wire_compare(compare: Compare, listed: Any, studio: Studio, gate: Gate) -> None:
    def beside(person: Person, picked: Picked | None, which: Name, axis: Along) -> list[Any]:
        ids = (picked or {}).get("picked", [])
        if len(ids) < 2:
            return [gr.Column(visible=False), *[gr.skip()] * 3]
        return shown(studio, person, ids, which, axis)

    asked = {"picked": listed, "which": compare.which, "axis": compare.axis}
    changed = [listed.input, listed.change, compare.which.input, compare.axis.input]
    gate.on(changed, beside, asked, compare.shown, quiet=True, trigger_mode="always_last")


def shown(studio: Studio, person: Person, ids: Sequence[str], which: str, axis: Axis) -> list[Any]:
    """Values of `Compare.shown`."""
    try:
        compared = studio.compare_runs(person, ids)
    except FacetError as error:
        return [gr.Column(visible=True), gr.skip(), gr.Plot(visible=False), str(trouble(error))]
    offered = [name for name in compared.curves if name in CURVES]
    usual = "validation_loss" if "validation_loss" in offered else next(iter(offered), None)
    which = which if which in offered else usual or ""
    figure = overlay(compared.runs, which, axis) if which else None
    return [
        gr.Column(visible=True),
        gr.Radio(choices=[(CURVES[name].label, name) for name in offered], value=which or None),
        gr.Plot(value=figure, visible=figure is not None),
        str(describe(compared) + (_no_tokens(compared.runs) if axis == "tokens" else Markup(""))),
    ]


def overlay(runs: Sequence[RunCard], which: str, axis: Axis) -> Any:
    """One curve of every run, each in its own colour and dash. None when none has it over this axis."""
    curve = CURVES[which]
    lines = [
        Line(run.name, [(at, curve.change(value)) for at, value in along(run, which, axis)], COLORS[place], dash)
        for place, (run, dash) in enumerate(zip(runs, DASHES, strict=False))
    ]
    figure = lines_figure(lines, AXES[axis], curve, "compared")
    if figure is not None:
        figure.layout.annotations = ()  # six names would cover the curves on a phone: they stand beneath the chart
    return figure


def legend(runs: Sequence[RunCard]) -> Markup:
    """Which line is which run."""
    return html('<ul class="f-legend">{}</ul>', each("<li>{}</li>", [_head(run, at) for at, run in enumerate(runs)]))


def describe(compared: Comparison) -> Markup:
    """What came of each; then what they differ in. Nothing that is the same in all of them."""
    heads = [_head(run, place) for place, run in enumerate(compared.runs)]
    names = [run.name for run in compared.runs]
    parts = [legend(compared.runs), _tables("What came of each", compared.numbers, heads, names)]
    if compared.differences:
        parts.append(_tables("What they differ in", compared.differences, heads, names))
    else:
        parts.append(html('<p class="f-small">Their settings, their data and their model are the same.</p>'))
    return join(parts)


def _tables(title: str, rows: Sequence[Row], heads: Sequence[Markup], names: Sequence[str]) -> Markup:
    lines = [[_label(row), *row.values] for row in rows]
    return html("<h4>{}</h4>{}", title, table(title, ["", *heads], lines, {}, ["", *names]))


def _label(row: Row) -> Markup:
    expert = html('<br><code class="f-small">{}</code>', row.name) if row.name and row.name not in METRICS else ""
    return html("{}{}", row.label, expert)


def _head(run: RunCard, place: int) -> Markup:
    return html(
        '<span class="f-swatch" style="color:{}" aria-hidden="true">{}</span> {}',
        COLORS[place],
        GLYPHS[DASHES[place]],
        run.name,
    )


def _no_tokens(runs: Sequence[RunCard]) -> Markup:
    """Runs that are missing over this axis, and why."""
    missing = [run.name for run in runs if not run.progress.outputs.get("trained_tokens_per_epoch")]
    if not missing:
        return Markup("")
    return html(
        '<p class="f-small">Tokens are counted when a run is over, so this is not drawn yet: {}.</p>',
        ", ".join(missing),
    )

"""The one look of charts: transparent, few lines, named where they end. Colours of text come from facet.css."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go
from markupsafe import escape

from facet.ui.markup import clip
from facet.ui.words import number

ACCENT = "#1a9c91"  # the model that learns; at least 3:1 on both papers
SMOOTH_FROM = 100  # points; below, the raw line is readable
MOST_POINTS = 1500
COLORS = (ACCENT, "#b0732a", "#7a6fd0", "#c2557a", "#4b86c2", "#7b8a8c")  # of several runs; 3:1 on both papers
GLYPHS = {"solid": "—", "dot": "··●", "dash": "– –", "dashdot": "– ·"}
OF_LOOKS = frozenset({"validation_loss", "validation_token_accuracy", "accuracy", "macro_f1"})
Curves = Mapping[str, Sequence[tuple[float, float]]]


def template() -> go.layout.Template:
    axis = {
        "showline": False,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"size": 13},
        "title": {"font": {"size": 13}},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "margin": {"l": 8, "r": 8, "t": 12, "b": 8},
            "hovermode": "x unified",
            "height": 300,
            "xaxis": axis | {"showgrid": False, "rangemode": "tozero"},
            "yaxis": axis | {"showgrid": True, "gridcolor": "#cfd8d7"},
            "font": {"family": "system-ui, sans-serif", "color": "#6b7a7c", "size": 13},
        }
    )


@dataclass(frozen=True)
class Line:
    """One line of a chart. Of many points it is drawn smoothed, with the raw ones pale behind it."""

    name: str
    points: Sequence[tuple[float, float]]
    color: str = ACCENT
    dash: str = "solid"
    dots: bool = False  # each point is one of few measurements


@dataclass(frozen=True)
class Shown:
    """A curve that can be chosen: what its axis says, how its values are written, and which lines it has."""

    label: str
    axis: str
    lines: tuple[tuple[str, str], ...]  # (name in the log, words)
    change: Callable[[float], float] = float
    digits: int = 3
    from_zero: bool = True
    logarithmic: bool = False


def _perplexity(loss: float) -> float:
    return math.exp(min(loss, 50.0))


CURVES: dict[str, Shown] = {
    "loss": Shown(
        "Loss", "loss (nats per token)", (("loss", "training"), ("validation_loss", "validation"))
    ),
    "perplexity": Shown(
        "Perplexity", "perplexity, logarithmic", (("loss", "training"), ("validation_loss", "validation")),
        _perplexity, digits=2, from_zero=False, logarithmic=True,
    ),
    "accuracy": Shown(
        "Accuracy", "right, in per cent",
        (("token_accuracy", "tokens, training"), ("validation_token_accuracy", "tokens, validation"),
         ("accuracy", "labels, validation"), ("macro_f1", "macro-F1, validation")),
        lambda share: 100 * share, digits=1,
    ),
    "learning_rate": Shown("Learning rate", "learning rate", (("learning_rate", "learning rate"),)),
    "grad_norm": Shown("Gradient norm", "gradient norm, before clipping", (("grad_norm", "gradient norm"),)),
    "speed": Shown("Speed", "tokens per second", (("tokens_per_second", "tokens per second"),), digits=0),
    "memory": Shown("Memory", "memory in use (GB)", (("memory_gb", "memory, GB"),), digits=2),
}  # fmt: skip
AXES = {"step": "step", "epoch": "times through the data"}
DASHES = ("solid", "dot", "dash", "dashdot")


def curves_figure(
    runs: Mapping[str, Curves], which: str = "loss", axis: str = "step", key: str = "", total: float = 0, best: int = 0
) -> go.Figure | None:
    """A curve of one run, or of several over each other. None before the first number.

    `runs` are curves by the name of the run; `total` is how long the axis is; `best` is the step that is marked.
    """
    shown, only = CURVES[which], len(runs) == 1
    lines = []
    for at, (run, curves) in enumerate(runs.items()):
        for part, (name, words) in enumerate(shown.lines):
            points = [(step, shown.change(value)) for step, value in along(curves, name, axis) if math.isfinite(value)]
            if points:
                named = words if only else f"{run}, {words}" if len(shown.lines) > 1 else run
                lines.append(Line(named, points, COLORS[at % len(COLORS)], DASHES[part], name in OF_LOOKS))
    curves = next(iter(runs.values()), {})
    place = epochs_of(curves) if axis == "epoch" else float
    return lines_figure(lines, AXES[axis], shown, key, place(total), place(best) if best and only else None)


def lines_figure(
    lines: Sequence[Line], along_what: str, shown: Shown, key: str = "", total: float = 0, mark: float | None = None
) -> go.Figure | None:
    """Lines that are named where they leave room, with a step marked as the best. `key` keeps a zoom across updates."""
    lines = [line for line in lines if line.points]
    if not lines:
        return None
    figure = go.Figure(layout={"template": template(), "uirevision": f"{key}-{shown.label}-{along_what}"})
    below = lines[0].points[-1][1] > lines[0].points[0][1]
    for at, line in enumerate(lines):
        newest = _draw(figure, line, shown.digits)
        glyph = f'<span style="color:{line.color}">{GLYPHS[line.dash]}</span>'
        _name(figure, f"{glyph} {escape(clip(line.name, 28))} {number(newest, shown.digits)}", at, below)
    last = max([total, *(line.points[-1][0] for line in lines)])
    figure.update_xaxes(title_text=along_what, range=[0, last * 1.02])
    figure.update_yaxes(title_text=shown.axis, rangemode="tozero" if shown.from_zero else "normal")
    if shown.logarithmic:
        figure.update_yaxes(type="log", dtick=1 if _spans(lines) else None)
    if mark is not None:
        figure.add_vline(x=mark, line={"color": ACCENT, "width": 1.5, "dash": "dash"}, opacity=0.8)
        left = mark > 0.8 * last  # beyond its line there is no room for the word
        place = {"xref": "x", "yref": "paper", "xanchor": "right" if left else "left", "xshift": -5 if left else 5}
        place |= {"y": 0.98, "yanchor": "top"} if below else {"y": 0.02, "yanchor": "bottom"}
        figure.add_annotation(text="best", x=mark, showarrow=False, font={"size": 13}, **place)
    return figure


def _spans(lines: Sequence[Line]) -> bool:
    values = [value for line in lines for _, value in line.points if value > 0]
    return bool(values) and max(values) > 30 * min(values)


def along(curves: Curves, name: str, axis: str) -> list[tuple[float, float]]:
    """The points of a curve over steps, or over times through the data."""
    points = curves.get(name, [])
    if axis == "step":
        return list(points)
    at = epochs_of(curves)
    return [(at(step), value) for step, value in points]


def epochs_of(curves: Curves) -> Callable[[float], float]:
    """From steps to times through the data, as far as the run has told."""
    told = curves.get("epoch", [])
    each = told[-1][1] / told[-1][0] if told and told[-1][0] else 0.0
    return lambda step: step * each


def _draw(figure: go.Figure, line: Line, digits: int) -> float:
    """The line, and its newest value as drawn."""
    many = len(line.points) >= SMOOTH_FROM and not line.dots
    points = thin(list(line.points))
    thick = {"color": line.color, "width": 2 if line.dots else 2.5, "dash": line.dash}
    if many:
        _line(figure, points, line.name, {"color": line.color, "width": 1}, opacity=0.4, digits=digits)
        points = smooth(points)
    name = f"{line.name}, smoothed" if many else line.name
    _line(figure, points, name, thick, "lines+markers" if line.dots else "lines", digits=digits)
    return points[-1][1]


def _line(
    figure: go.Figure,
    points: Sequence[tuple[float, float]],
    name: str,
    line: dict[str, Any],
    mode: str = "lines",
    opacity: float = 1.0,
    digits: int = 3,
) -> None:
    steps, values = zip(*points, strict=True)
    figure.add_scatter(
        x=steps,
        y=values,
        name=str(escape(clip(name, 40))),
        mode="markers" if len(points) == 1 else mode,
        line=line,
        marker={"size": 8, "color": line["color"]},
        opacity=opacity,
        hovertemplate=f"%{{y:,.{digits}{'f' if digits < 3 else 'g'}}}",
    )


def _name(figure: go.Figure, text: str, line: int, below: bool = False) -> None:
    """A curve's name and newest value, one under the other: at the top right, or below where curves rise."""
    corner = {"y": 0, "yanchor": "bottom"} if below else {"y": 1, "yanchor": "top"}
    place = {"xref": "paper", "yref": "paper", "x": 1, "xanchor": "right", **corner}
    look = {"showarrow": False, "font": {"size": 13}, "bgcolor": "rgba(0,0,0,0.01)"}
    figure.add_annotation(text=text, yshift=(20 if below else -20) * line, **place, **look)


def thin(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most `MOST_POINTS` of them, first and last included."""
    if len(points) <= MOST_POINTS:
        return points
    every = len(points) / (MOST_POINTS - 1)
    return [points[int(index * every)] for index in range(MOST_POINTS - 1)] + [points[-1]]


def smooth(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The mean of the points around each one, as the eye would draw it; nothing lags behind."""
    if len(points) < SMOOTH_FROM:
        return points
    reach = max(2, len(points) // 50)
    values = [value for _, value in points]
    sums = [0.0, *accumulate(values)]
    windows = [(max(0, index - reach), min(len(values), index + reach + 1)) for index in range(len(values))]
    return [
        (step, (sums[end] - sums[start]) / (end - start))
        for (step, _), (start, end) in zip(points, windows, strict=True)
    ]

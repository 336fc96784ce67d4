"""The one look of charts: transparent, few lines, named where they end. Colours of text come from facet.css."""

from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from facet.ui.words import number

ACCENT = "#1a9c91"  # the model that learns; at least 3:1 on both papers
SMOOTH_FROM = 100  # points; below, the raw line is readable
MOST_POINTS = 1500
GLYPH = f'<span style="color:{ACCENT}">{{}}</span>'


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


def learning_curve(curves: dict[str, list[tuple[int, float]]], total_steps: int, run_id: str) -> go.Figure | None:
    """Loss while learning, and on the validation part, over the steps. None before the first number."""
    training, validation = curves.get("loss", []), curves.get("validation_loss", [])
    if not training and not validation:
        return None
    figure = go.Figure(layout={"template": template(), "uirevision": run_id})
    if training:
        many = len(training) >= SMOOTH_FROM
        _line(
            figure,
            thin(training),
            "training",
            {"color": ACCENT, "width": 1 if many else 2.5},
            opacity=0.5 if many else 1,
        )
        if many:
            _line(figure, smooth(thin(training)), "training, smoothed", {"color": ACCENT, "width": 2.5})
    if validation:
        _line(figure, validation, "validation", {"color": ACCENT, "width": 2, "dash": "dot"}, "lines+markers")
    named = (("—", "training", smooth(thin(training))), ("··●", "validation", validation))
    for line, (glyph, words, points) in enumerate(name for name in named if name[2]):
        _name(figure, f"{GLYPH.format(glyph)} {words} {number(points[-1][1])}", line)
    last = max([total_steps, *[points[-1][0] for points in (training, validation) if points]])
    figure.update_xaxes(title_text="step", range=[0, last * 1.02])
    figure.update_yaxes(title_text="loss (nats per token)", rangemode="tozero")
    return figure


def _line(
    figure: go.Figure,
    points: list[tuple[int, float]],
    name: str,
    line: dict[str, Any],
    mode: str = "lines",
    opacity: float = 1.0,
) -> None:
    steps, values = zip(*points, strict=True)
    mode = "markers" if len(points) == 1 else mode
    figure.add_scatter(
        x=steps,
        y=values,
        name=name,
        mode=mode,
        line=line,
        marker={"size": 9, "color": line["color"]},
        opacity=opacity,
        hovertemplate="%{y:.3f}",
    )


def _name(figure: go.Figure, text: str, line: int) -> None:
    """A curve's name and newest value, where falling curves leave room: at the top right, one under the other."""
    place = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "top"}
    look = {"showarrow": False, "font": {"size": 13}, "bgcolor": "rgba(0,0,0,0.01)"}
    figure.add_annotation(text=text, yshift=-20 * line, **place, **look)


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

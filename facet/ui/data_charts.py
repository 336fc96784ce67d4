"""Pictures of data: how long the examples are, and how often each label occurs."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from facet.ui.charts import ACCENT, template
from facet.ui.markup import clip

CUT = "#c2410c"  # what is lost; the line says so in words as well
MOST_LABELS = 20


def length_histogram(edges: Sequence[float], counts: Sequence[int], longest: int | None) -> go.Figure | None:
    """How many examples have so many tokens, with a line where “Longest example” cuts them. None for no examples.

    Shapes: `edges` (B + 1,), `counts` (B,).
    """
    if not counts or not sum(counts):
        return None
    figure = go.Figure(layout={"template": template(), "bargap": 0.06, "hovermode": "closest"})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    widths = [high - low for low, high in itertools.pairwise(edges)]
    ranges = [f"{low:,.0f} to {high:,.0f}" for low, high in itertools.pairwise(edges)]
    colors = [CUT if longest and low >= longest else ACCENT for low in edges[:-1]]
    figure.add_bar(
        x=middles,
        y=list(counts),
        width=widths,
        marker={"color": colors},
        customdata=ranges,
        hovertemplate="%{y:,} examples have %{customdata} tokens<extra></extra>",
        name="examples",
    )
    if longest and longest < edges[-1]:
        figure.add_vline(x=longest, line={"color": CUT, "width": 2, "dash": "dash"})
        near_the_end = longest > 0.6 * edges[-1]
        figure.add_annotation(
            x=longest,
            y=1,
            yref="paper",
            text=f"cut at {longest:,}",
            showarrow=False,
            xanchor="right" if near_the_end else "left",
            xshift=-6 if near_the_end else 6,
            font={"size": 13},
        )
    figure.update_xaxes(title_text="tokens in one example")
    figure.update_yaxes(title_text="examples", rangemode="tozero", tickformat=",d")
    return figure


def label_balance(labels: Mapping[str, int]) -> go.Figure | None:
    """How often each label occurs, most frequent first. None where there are none."""
    if not labels:
        return None
    most: list[tuple[str, int]] = sorted(labels.items(), key=lambda item: (-item[1], item[0]))[:MOST_LABELS]
    names = [clip(name, 28) for name, _ in most]
    look: dict[str, Any] = {"template": template(), "hovermode": "closest", "height": 40 + 28 * len(most)}
    figure = go.Figure(layout=look)
    figure.add_bar(
        y=[*range(len(most))],
        x=[number for _, number in most],
        orientation="h",
        marker={"color": ACCENT},
        text=[f"{number:,}" for _, number in most],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x:,} examples<extra></extra>",
    )
    figure.update_yaxes(tickvals=[*range(len(most))], ticktext=names, autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False, showticklabels=False, range=[0, most[0][1] * 1.15])
    return figure

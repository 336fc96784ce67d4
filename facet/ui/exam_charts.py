"""Pictures of a test: each model's share with its range, which labels are mixed up, and the ROC curves."""

import math
import statistics
from bisect import bisect_right
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from markupsafe import escape

from facet.exam import scores
from facet.exam.metric_words import written
from facet.exam.outcome import Contestant, Example, Outcome, Scored
from facet.ui.charts import ACCENT, template
from facet.ui.exam_verdict import metric_of, telling_part
from facet.ui.markup import clip, html

GREY = "#7b8a8c"  # the model as it came; at least 3:1 on both papers
WRITTEN = 12  # labels: up to here each field of the matrix shows its number
NAMED = 30  # labels: up to here each row has its name
SOMETHING_ELSE = "something else"
DASHES = ("solid", "dot", "dash", "dashdot", "longdash")
GRID = [step / 100 for step in range(101)]
IN_LINE = '<span style="color:{}">{}</span> {}'
SURE = 1.96  # standard deviations on either side: 95 %


def order(outcome: Outcome, part: str) -> list[str]:
    """Keys of those measured on a part, the untouched model first."""
    there = outcome.parts.get(part, {})
    return sorted(there, key=lambda key: not outcome.contestants[key].is_untouched)


def color(contestant: Contestant) -> str:
    return GREY if contestant.is_untouched else ACCENT


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The range a share lies in at 95 %, for counts of right and wrong (Wilson's score interval)."""
    if not rows:
        return 0.0, 1.0
    z2 = SURE * SURE
    middle = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = SURE * math.sqrt(share * (1 - share) / rows + z2 / (4 * rows * rows)) / (1 + z2 / rows)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def main_metric(outcome: Outcome) -> str:
    """The metric of the verdict, or the one it would have rested on."""
    part = telling_part(outcome)
    return next((each.metric for each in outcome.verdicts if each.part == part), scores.main(outcome.type))


def main_figure(outcome: Outcome, found: Sequence[Example]) -> go.Figure | None:
    """`found` are all examples of the part that counts, for the ranges of scores."""
    return side_by_side(outcome, telling_part(outcome), main_metric(outcome), found)


def spread(value: float, metric: str, key: str, rows: int, found: Sequence[Example]) -> tuple[float, float] | None:
    """The range a measured value lies in at 95 %; None where it is not the mean of what the examples scored."""
    if scores.is_right_or_wrong(metric):
        return wilson(value, rows)
    each = [one.scores[key][metric] for one in found if metric in one.scores.get(key, {})]
    if len(each) < 2 or abs(statistics.fmean(each) - value) > 0.005:
        return None
    half = SURE * statistics.stdev(each) / math.sqrt(len(each))
    ends = (value - half, value + half)
    return (max(0.0, ends[0]), min(1.0, ends[1])) if metric_of(metric).is_share else ends


def side_by_side(outcome: Outcome, part: str, metric: str, found: Sequence[Example] = ()) -> go.Figure | None:
    """One model in each line: a dot for what was measured and, where questions are counted, its range."""
    keys = [key for key in order(outcome, part) if metric in outcome.parts[part][key].metrics]
    if not keys:
        return None
    known, measured = metric_of(metric), outcome.parts[part]
    scale = 100 if known.is_share else 1
    figure = go.Figure(layout={"template": template(), "hovermode": "closest", "height": 76 + 46 * len(keys)})
    for line, key in enumerate(keys):
        value, look = measured[key].metrics[metric] * scale, color(outcome.contestants[key])
        ends = spread(measured[key].metrics[metric], metric, key, measured[key].rows, found)
        if ends:
            low, high = (end * scale for end in ends)
            figure.add_scatter(
                x=[low, high], y=[line, line], mode="lines", line={"color": look, "width": 5}, opacity=0.45,
                hovertemplate=str(html("between {:.3g} and {:.3g}<extra></extra>", low, high)),
            )  # fmt: skip
        figure.add_scatter(
            x=[value], y=[line], mode="markers+text", marker={"color": look, "size": 15}, cliponaxis=False,
            text=[written(metric, measured[key].metrics[metric])], textposition="top center",
            hovertemplate=str(html("{}: %{{text}}<extra></extra>", outcome.contestants[key].name)),
        )  # fmt: skip
    names = [_plain(outcome.contestants[key].name, 24) for key in keys]
    figure.update_yaxes(
        tickvals=[*range(len(keys))],
        ticktext=names,
        range=[len(keys) - 0.5, -0.75],
        showgrid=False,
        ticklabelstandoff=8,
    )
    figure.update_xaxes(showgrid=True, gridcolor="#cfd8d7", nticks=6)
    if known.is_share:
        ticks, unit = [0, 25, 50, 75, 100], "" if known.points else " %"
        figure.update_xaxes(range=[-2, 104], tickvals=ticks, ticktext=[f"{tick}{unit}" for tick in ticks])
    return figure


def confusion(scored: Scored, labels: Sequence[str]) -> go.Figure | None:
    """Right labels downwards, answered ones to the right; the fuller a field, the larger its share of the row."""
    if not scored.confusion:
        return None
    columns = [*labels, SOMETHING_ELSE]
    small = len(labels) <= WRITTEN
    shares = [[number / (sum(row) or 1) for number in row] for row in scored.confusion]
    figure = go.Figure(layout={"template": template(), "hovermode": "closest", "height": _height(len(labels))})
    figure.add_heatmap(
        z=shares,
        x=[*range(len(columns))],
        y=[*range(len(labels))],
        customdata=[
            [[_plain(right, 60), _plain(answered, 60), number] for answered, number in zip(columns, row, strict=True)]
            for right, row in zip(labels, scored.confusion, strict=True)
        ],
        text=[[f"{number:,}" if number else "" for number in row] for row in scored.confusion] if small else None,
        texttemplate="%{text}" if small else None,
        colorscale=[[0, "rgba(26,156,145,0.04)"], [0.001, "rgba(26,156,145,0.14)"], [1, "rgba(26,156,145,0.62)"]],
        zmin=0,
        zmax=1,
        showscale=False,
        xgap=2 if small else 0,
        ygap=2 if small else 0,
        hovertemplate="right: %{customdata[0]}<br>answered: %{customdata[1]}<br>%{customdata[2]:,} times"
        "<extra></extra>",
    )
    figure.update_xaxes(side="bottom", **_names(columns, 14), tickangle=-40)
    figure.update_yaxes(autorange="reversed", showgrid=False, **_names(labels, 18))
    return figure


def _names(labels: Sequence[str], longest: int) -> dict[str, object]:
    if len(labels) > NAMED + 1:
        return {"showticklabels": False}
    return {"tickvals": [*range(len(labels))], "ticktext": [_plain(name, longest) for name in labels]}


def _plain(text: str, longest: int) -> str:
    """Plotly reads some HTML in what it writes, also in a person's labels."""
    return str(escape(clip(text, longest)))


def _height(labels: int) -> int:
    return max(240, 110 + 34 * labels) if labels <= WRITTEN else min(560, 150 + 22 * labels)


def mix_ups(scored: Scored, labels: Sequence[str], most: int = 5) -> list[tuple[str, str, int, int]]:
    """(right label, answered label, times, how often the right one occurs), most frequent first."""
    columns, found = [*labels, SOMETHING_ELSE], []
    for place, row in enumerate(scored.confusion or []):
        found += [(labels[place], columns[at], n, sum(row)) for at, n in enumerate(row) if n and at != place]
    return sorted(found, key=lambda each: (-each[2], each[0], each[1]))[:most]


def _line(dash: str) -> str:
    return {"solid": "—", "dot": "· ·"}.get(dash, "– –")


def roc(outcome: Outcome, part: str) -> go.Figure | None:
    """How many right ones are found for how many false alarms; one line for each model, over all labels."""
    keys = [key for key in order(outcome, part) if outcome.parts[part][key].roc]
    if not keys:
        return None
    figure = go.Figure(layout={"template": template(), "hovermode": "closest", "height": 340})
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "width": 1, "dash": "dot"}, hoverinfo="skip"
    )
    tuned = 0
    for line, key in enumerate(keys):
        contestant, curves = outcome.contestants[key], outcome.parts[part][key].roc or {}
        dash = "solid" if contestant.is_untouched else DASHES[tuned % len(DASHES)]
        tuned += not contestant.is_untouched
        x, y = averaged(curves)
        look = {"color": color(contestant), "width": 2.5, "dash": dash}
        figure.add_scatter(
            x=[100 * value for value in x], y=[100 * value for value in y], mode="lines", line=look,
            name=_plain(contestant.name, 60), hovertemplate="%{y:.0f} % found for %{x:.0f} % false alarms",
        )  # fmt: skip
        figure.add_annotation(
            text=str(html(IN_LINE, look["color"], _line(dash), clip(contestant.name, 26))),
            x=1, y=0.04, xref="paper", yref="paper", xanchor="right", yanchor="bottom", showarrow=False,
            yshift=20 * (len(keys) - 1 - line), font={"size": 13}, bgcolor="rgba(0,0,0,0.01)",
        )  # fmt: skip
    figure.update_xaxes(title_text="false alarms", range=[-1, 101], ticksuffix=" %", nticks=5)
    figure.update_yaxes(title_text="found", range=[-1, 103], ticksuffix=" %", nticks=5)
    return figure


def averaged(curves: Mapping[str, Sequence[Sequence[float]]]) -> tuple[list[float], list[float]]:
    """One line from `Scored.roc`: the curve itself, or the mean height of several at the same share of false alarms."""
    drawn = [([x for x, _ in points], [y for _, y in points]) for points in curves.values() if len(points) > 1]
    if len(drawn) == 1:
        return drawn[0]
    heights = [[_height_at(x, y, at) for x, y in drawn] for at in GRID]
    return [0.0, *GRID], [0.0, *[sum(each) / len(each) if each else 0.0 for each in heights]]


def _height_at(x: Sequence[float], y: Sequence[float], at: float) -> float:
    """On a curve whose `x` never falls; at a step the upper end."""
    right = bisect_right(x, at)
    if right == len(x):
        return y[-1]
    if right == 0:
        return y[0]
    width = x[right] - x[right - 1]
    return y[right - 1] + (y[right] - y[right - 1]) * (at - x[right - 1]) / width if width else y[right]

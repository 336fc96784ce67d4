"""A line chart of a run as one small, static SVG file: no script, no font, readable on white and on black."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Final

Points = Sequence[tuple[int, float]]

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 130, 24, 52  # margins; the right one holds the names of the lines
MOST_POINTS: Final = 300  # per line; more are averaged
COLOURS: Final = ("#2f7fd6", "#d97706", "#0f9d76", "#a855f7")
STYLE: Final = """text{font:13px system-ui,sans-serif;fill:#6e7781}.grid{stroke:#8b949e;stroke-opacity:.25}
.axis{stroke:#8b949e}.line{fill:none;stroke-width:2;stroke-linejoin:round}
@media(prefers-color-scheme:dark){text{fill:#b4bcc8}}"""


def svg(points: Mapping[str, Points]) -> str:
    """The chart of one or more curves, name → [(step, loss)]. Values that are no numbers are left out.

    Units: steps are optimizer steps; loss is in nats per token.
    """
    lines = {name: _thinned([p for p in curve if math.isfinite(p[1])]) for name, curve in points.items()}
    lines = {name: line for name, line in lines.items() if line}
    if not lines:
        return _frame('<text x="24" y="40">Nothing was measured during this training.</text>', "No measurements.")
    xs = _ticks(0, max(step for line in lines.values() for step, _ in line), whole=True)
    values = [value for line in lines.values() for _, value in line]
    lowest = min(values) if min(values) > max(values) / 2 else min(0.0, *values)
    ys = _ticks(lowest, max(values))
    parts = [*_axes(xs, ys), *_lines(lines, xs, ys)]
    said = "; ".join(f"{name} from {line[0][1]:.3g} to {line[-1][1]:.3g}" for name, line in lines.items())
    return _frame("\n".join(parts), f"Loss by training step: {said}.")


def _frame(inside: str, description: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(description)}">\n<style>{STYLE}</style>\n{inside}\n</svg>\n'
    )


def _thinned(curve: Points) -> list[tuple[float, float]]:
    """At most `MOST_POINTS` points, each the mean of its neighbours."""
    size = math.ceil(len(curve) / MOST_POINTS)
    groups = [curve[start : start + size] for start in range(0, len(curve), size)] if size else []
    return [(sum(step for step, _ in g) / len(g), sum(value for _, value in g) / len(g)) for g in groups]


def _ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Four to seven round numbers that enclose the range."""
    span = high - low or abs(high) or 1.0
    rough = max(span / 5, 1.0) if whole else span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [number * step for number in range(first, last + 1)]


def _place(value: float, ticks: list[float], start: float, end: float) -> float:
    return start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start)


def _across(step: float, xs: list[float]) -> float:
    return _place(step, xs, LEFT, WIDTH - RIGHT)


def _up(value: float, ys: list[float]) -> float:
    return _place(value, ys, HEIGHT - BOTTOM, TOP)


def _axes(xs: list[float], ys: list[float]) -> list[str]:
    floor, parts = HEIGHT - BOTTOM, []
    digits = max(0, -math.floor(math.log10(ys[1] - ys[0])))
    for value in ys:
        y = _up(value, ys)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.{digits}f}</text>')
    for step in xs:
        parts.append(f'<text x="{_across(step, xs):.1f}" y="{floor + 20}" text-anchor="middle">{step:,.0f}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [
        *parts,
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{floor}" y2="{floor}"/>',
        f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">training step</text>',
        f'<text x="{LEFT}" y="14" text-anchor="start">loss (nats per token)</text>',
    ]


def _lines(lines: Mapping[str, Points], xs: list[float], ys: list[float]) -> list[str]:
    """The curves, each with its name at its end; names are moved apart where they would touch."""
    parts, ends = [], []
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        spots = [(_across(step, xs), _up(value, ys)) for step, value in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline class="line" stroke="{colour}" points="{path}"/>')
        if len(spots) <= 20:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots]
        ends.append([spots[-1][1], f"{escape(name[:18])}", colour])
    ends.sort(key=lambda end: end[0])
    for above, below in pairwise(ends):
        below[0] = max(below[0], above[0] + 16)
    return [
        *parts,
        *(
            f'<text x="{WIDTH - RIGHT + 8}" y="{y + 4:.1f}" style="fill:{colour}">{name}</text>'
            for y, name, colour in ends
        ),
    ]

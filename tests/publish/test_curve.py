import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facet.publish.curve import HEIGHT, MOST_POINTS, WIDTH, svg

SVG = "{http://www.w3.org/2000/svg}"


def drawn(points):
    root = ET.fromstring(svg(points))
    lines = [
        [tuple(map(float, spot.split(","))) for spot in line.get("points").split()]
        for line in root.iter(f"{SVG}polyline")
    ]
    return root, lines, [text.text for text in root.iter(f"{SVG}text")]


def test_both_curves_are_drawn_with_their_names_and_units():
    root, lines, texts = drawn({"training": [(1, 3.0), (50, 1.0), (100, 0.5)], "validation": [(50, 1.2), (100, 0.9)]})
    assert len(lines) == 2
    assert {"training", "validation", "training step", "loss (nats per token)", "0", "100"} <= set(texts)
    assert lines[0][0][1] < lines[0][1][1] < lines[0][2][1]  # a falling loss goes down the page
    assert root.get("aria-label") == "Loss by training step: training from 3 to 0.5; validation from 1.2 to 0.9."


@pytest.mark.parametrize("points", [{}, {"training": []}, {"training": [(1, math.nan), (2, math.inf)]}])
def test_nothing_measured_is_said(points):
    assert "Nothing was measured" in "".join(drawn(points)[2])


def test_a_long_run_is_thinned_to_a_small_file():
    points = {"training": [(step, 1 / step) for step in range(1, 100_001)]}
    assert len(drawn(points)[1][0]) <= MOST_POINTS
    assert len(svg(points)) < 20_000


def test_a_name_cannot_bring_markup_and_the_file_needs_nothing_from_elsewhere():
    text = svg({'<script>"x"&': [(1, 1.0)]})
    ET.fromstring(text)
    assert "<script" not in text and text.count("http") == 1  # the name of SVG itself


@given(
    st.dictionaries(
        st.text(max_size=30).filter(lambda name: name.isprintable()),
        st.lists(st.tuples(st.integers(0, 10**7), st.floats(width=32)), max_size=20),
        max_size=4,
    )
)
def test_whatever_was_measured_stays_inside_the_picture(points):
    _, lines, _ = drawn({name: sorted(curve) for name, curve in points.items()})
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for line in lines for x, y in line)

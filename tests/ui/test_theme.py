"""Colours have a meaning, and can be told apart: AA contrast in light and in dark."""

import re

import pytest

from facet.ui.theme import HERE, PALETTE, SHAPES, USES, css, mark, theme

TEXT = [  # what is written on what
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "well"),
    ("soft", "paper"),
    ("soft", "surface"),
    ("soft", "well"),
    ("accent", "paper"),
    ("accent", "surface"),
    ("accent", "tint"),
    ("ink", "tint"),
    ("on-fill", "fill"),
    ("on-fill", "fill-hover"),
    ("untouched", "surface"),
    ("untouched", "untouched-tint"),
    ("ink", "untouched-tint"),
    ("soft", "untouched-tint"),
    ("untouched", "well"),
    ("ink", "warn-tint"),
    ("warn", "warn-tint"),
    ("ink", "error-tint"),
    ("error", "error-tint"),
    ("error", "surface"),
]
LINES = [("edge", "surface"), ("edge", "paper"), ("accent", "surface"), ("fill", "paper")]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("daylight", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), TEXT)
def test_text_can_be_read(ink, paper, daylight):
    assert contrast(PALETTE[ink][daylight], PALETTE[paper][daylight]) >= 4.5


@pytest.mark.parametrize("daylight", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("line", "paper"), LINES)
def test_borders_of_controls_can_be_seen(line, paper, daylight):
    assert contrast(PALETTE[line][daylight], PALETTE[paper][daylight]) >= 3.0


def test_the_stylesheet_names_no_colour_of_its_own_and_asks_for_nothing_outside():
    text = (HERE / "facet.css").read_text("utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*[,{>.:\[])", re.sub(r"#[a-z][\w-]*", "", text))
    assert "url(" not in css() and "@import" not in css() and "http" not in css().replace("http://www.w3.org", "")
    used = set(re.findall(r"var\(--f-([\w-]+)\)", text))
    assert used <= set(PALETTE), used - set(PALETTE)


def test_every_colour_is_used_and_the_theme_knows_every_name():
    theme()  # Gradio refuses a name it does not know
    assert set(USES) | set(re.findall(r"var\(--f-([\w-]+)\)", css())) == set(PALETTE)
    assert SHAPES


def test_the_mark_is_small_and_drawn_by_us():
    assert len(mark()) < 1500 and "<script" not in mark()

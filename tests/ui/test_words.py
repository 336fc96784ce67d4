"""What the page says, and that errors name controls which are really there."""

import ast
import re
from pathlib import Path

import pytest

from facet.recipe.knobs import settings
from facet.recipe.recipes import SftRecipe
from facet.ui.account import sign_in_link
from facet.ui.words import ago, count, duration, number, short_duration, stage_sentence
from facet.work.log import Progress

PACKAGE = Path(__file__).parents[2] / "facet"
ROOMS = ("dataset", "exam", "export", "gemma", "hub", "model", "publish", "recipe", "train", "work", "compute")
NOT_CONTROLS = {  # quoted for another reason: names of columns and files, and what another program calls its own
    "question", "answer", "CSV UTF-8", "Save as", "@", "_", "-", ".", "it", "instruct", "Title", "This is a web page.",
    "File", "Info", "anyone who has the link",
}  # fmt: skip
KINDS = {"FacetError", "DataError", "SettingError", "AccessError", "CapacityError", "HubError", "TrainingError"}


def quoted_in_errors() -> set[str]:
    """Every fixed text in “…” inside an error's third sentence: the control it sends people to."""
    found = set()
    for room in ROOMS:
        for file in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS and len(node.args) == 3:
                    texts = [n.value for n in ast.walk(node.args[2]) if isinstance(n, ast.Constant)]
                    found |= {name for text in texts for name in re.findall("“([^”]+)”", str(text))}
    return found - NOT_CONTROLS


def test_every_control_that_an_error_names_is_on_the_page(page):
    labels = {str(block.label) for block in page.blocks.values() if getattr(block, "label", None)}
    labels |= {str(block.value) for block in page.blocks.values() if block.get_block_name() == "button"}
    labels |= {setting.knob.label for setting in settings(SftRecipe)}
    labels.add(re.sub("<[^>]+>", "", sign_in_link()))
    labels |= {"Sign in" for label in labels if label.startswith("Sign in ")}  # at home a button, on a Space a link
    named = quoted_in_errors()
    assert len(named) > 10
    assert named - labels == set()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "a few seconds"), (37, "35 seconds"), (60, "60 seconds"), (150, "2 minutes"), (3600, "60 minutes"),
     (7800, "2 hours 10 minutes"), (86_400, "24 hours")],
)  # fmt: skip
def test_durations_are_as_exact_as_anybody_needs(seconds, words):
    assert duration(seconds) == words


def test_short_durations_carry_their_unit():
    assert short_duration(42) == ("42", "s")
    assert short_duration(400) == ("7", "min")
    assert short_duration(9000) == ("2.5", "h")


def test_counts_dates_and_numbers():
    assert count(1, "example") == "1 example" and count(1200, "example") == "1,200 examples"
    assert ago(1000, now=1030) == "just now" and ago(1000, now=1000 + 7200) == "2 hours ago"
    assert re.fullmatch(r"\d\d? [A-Z][a-z]+ 20\d\d", ago(1_700_000_000, now=1_800_000_000))
    assert number(None) == "–" and number(1234.5) == "1,234" and number(0.12345) == "0.123"


@pytest.mark.parametrize("stage", ["waiting", "preparing", "running", "paused", "interrupted", "finished"])
def test_every_stage_says_what_happens(stage):
    sentence = stage_sentence(Progress(stage=stage, step=4, checkpoint=4))
    assert sentence.endswith(".") and len(sentence) < 160


def test_words_that_can_be_translated_are_in_one_place(page):
    from facet.ui.words import ENGLISH, languages

    keys = set(re.findall(r'say\("(\w+)"\)', "".join(f.read_text("utf-8") for f in (PACKAGE / "ui").glob("*.py"))))
    assert keys <= set(ENGLISH)
    assert languages().translations["en"] == ENGLISH

"""The doctor's place on the page: what it says of findings, and a press that comes too late."""

import gradio as gr
import pytest

from facet.errors import NotFoundError
from facet.identity import LOCAL
from facet.ui.doctor import MOST_REPAIRS, describe, describe_verdict, detail_of, finding_of, tokens_of

FINDING = {
    "code": "duplicates", "title": "Copies <b>", "words": "7 are copies.", "count": 7, "severity": "warning",
    "rows": [{"row": n, "part": "train", "text": f"text {n}", "why": "as row 1"} for n in range(7)],
    "repairs": [{"label": "Leave out", "words": "Keeps the first.", "repair": {"kind": "drop_duplicates"}}],
}  # fmt: skip


class Known:
    """A studio of which only the findings are asked."""

    def __init__(self, *findings: dict) -> None:
        self.found = {"findings": list(findings)} if findings else None

    def findings(self, person, dataset):
        return self.found


def test_a_finding_that_is_gone_is_said_and_names_the_button():
    assert finding_of(Known(FINDING), LOCAL, "a", "duplicates") is FINDING
    for studio, code in ((Known(), "duplicates"), (Known(FINDING), "private")):
        with pytest.raises(NotFoundError, match="no longer there") as gone:
            finding_of(studio, LOCAL, "a", code)
        assert "Look again" in gone.value.next


def test_only_the_repairs_that_a_finding_offers_have_a_button():
    _, *buttons, code = detail_of(FINDING)
    assert code == FINDING["code"]
    assert [button.visible for button in buttons] == [True] + [False] * (MOST_REPAIRS - 1)
    assert isinstance(buttons[0], gr.Button) and buttons[0].value == "Leave out"


def test_a_finding_shows_a_few_rows_folds_the_others_and_is_no_html():
    said = str(describe(FINDING))
    assert "text 0" in said and "Show 2 more" in said and "Copies &lt;b&gt;" in said and "<b>." not in said


@pytest.mark.parametrize(
    ("severity", "words"), [("error", "should be repaired"), ("warning", "worth a look"), ("note", "Healthy")]
)
def test_the_verdict_is_as_serious_as_the_worst_finding(severity, words):
    assert words in str(describe_verdict({"examined": 10, "findings": [FINDING | {"severity": severity}]}))


def test_a_length_that_is_no_number_is_none():
    assert (tokens_of("1,024"), tokens_of(""), tokens_of("five"), tokens_of("0")) == (1024, None, None, None)

"""The questions of a test with every answer beside the right one, those first where the models differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from facet.exam import scores
from facet.exam.metric_words import written
from facet.exam.outcome import Example, Outcome
from facet.identity import Person
from facet.studio import Studio
from facet.ui.exam_verdict import metric_of, telling_part
from facet.ui.markup import clip, html, join, nothing_yet
from facet.ui.words import count

PAGE = 8  # examples at once
Only = Literal["all", "differ", "better", "worse", "wrong"]
SHOWN: dict[str, str] = {
    "All": "all",
    "Where they differ": "differ",
    "Did better": "better",
    "Did worse": "worse",
    "Wrong or far off": "wrong",
}
LONGEST_QUESTION, LONGEST_ANSWER = 600, 900  # characters in the table; the download has all of them


@dataclass(frozen=True)
class Examples:
    box: gr.Column
    search: gr.Textbox
    only: gr.Radio
    rows: gr.HTML
    earlier: gr.Button
    later: gr.Button
    start: gr.State

    @property
    def asked(self) -> dict[str, Any]:
        return {"search": self.search, "only": self.only}

    @property
    def shown(self) -> list[Any]:
        return [self.box, self.rows, self.earlier, self.later, self.start]

    @property
    def all(self) -> list[Any]:
        return [*self.shown, self.search, self.only]


NO_FILTER = ("", "all")  # values of `search` and `only`: what is shown anew is shown whole


def examples_layout() -> Examples:
    with gr.Column(visible=False, elem_classes="card f-gap", elem_id="exam-examples") as box:
        gr.HTML(
            '<div class="f-section"><h3>The questions, one by one</h3><p>Where the models differ most, first.</p></div>'
        )
        with gr.Row(elem_classes="f-finish"):
            search = gr.Textbox(label="Search in questions and answers", max_length=200, max_lines=1, min_width=220)
            only = gr.Radio(list(SHOWN.items()), value="all", label="Show", min_width=320, scale=2)
        rows = gr.HTML(elem_id="exam-rows")
        with gr.Row(elem_classes="f-buttons"):
            earlier = gr.Button("Earlier", scale=0, visible=False)
            later = gr.Button("Later", scale=0, visible=False)
    return Examples(box, search, only, rows, earlier, later, gr.State(0))


def look(
    studio: Studio,
    person: Person,
    exam_id: str | None,
    outcome: Outcome | None,
    search: str = "",
    only: Only = "all",
    start: int = 0,
    between: tuple[str, str] | None = None,
) -> list[Any]:
    """Values of `Examples.shown`. `between` are the two models that “better” and “worse” compare."""
    if outcome is None or exam_id is None:
        return [gr.Column(visible=False), "", gr.Button(visible=False), gr.Button(visible=False), 0]
    start = max(0, min(start, 10**6))
    found, matching = studio.exam_examples(
        person,
        exam_id,
        search=search.strip(),
        part=telling_part(outcome),
        only=only,
        between=between,
        start=start,
        count=PAGE,
    )
    return [
        gr.Column(visible=True),
        str(describe_examples(outcome, found, start, matching)),
        gr.Button(visible=start > 0),
        gr.Button(visible=start + len(found) < matching),
        start,
    ]


def describe_examples(outcome: Outcome, found: list[Example], start: int, matching: int) -> Markup:
    if not found:
        return nothing_yet("No question fits", "Choose “All”, or search for something else.")
    head = f"{start + 1:,} to {start + len(found):,} of {count(matching, 'question')}"
    rows = join(describe_example(outcome, example) for example in found)
    return html('<p class="f-small" role="status">{}</p><div class="f-examined">{}</div>', head, rows)


def describe_example(outcome: Outcome, example: Example) -> Markup:
    """The question and the right answer, and under it what each model said."""
    keys = [key for key in outcome.contestants if key in example.answers]
    keys.sort(key=lambda key: not outcome.contestants[key].is_untouched)
    sides = join(_answer(outcome, example, key) for key in keys)
    return html(
        '<article class="f-case"><header><span class="f-small">{}, row {:,}</span><p>{}</p>'
        '<p class="f-right"><b>Right answer</b>{}</p></header><div class="f-answers">{}</div></article>',
        {"exam": "Exam", "validation": "Validation"}.get(example.part, example.part),
        example.row,
        clip(example.question, LONGEST_QUESTION),
        clip(example.expected, LONGEST_ANSWER),
        sides,
    )


def _answer(outcome: Outcome, example: Example, key: str) -> Markup:
    contestant = outcome.contestants[key]
    text = example.answers[key].strip()
    return html(
        '<div class="f-side {}"><h4>{} {}</h4><p>{}</p></div>',
        "" if contestant.is_untouched else "tuned",
        contestant.name,
        _mark(outcome, example.scores.get(key, {})),
        clip(text, LONGEST_ANSWER) if text else html('<span class="f-small">(it said nothing)</span>'),
    )


def _mark(outcome: Outcome, found: Mapping[str, float]) -> Markup:
    """Right or wrong where that is the question, else the score the verdict rests on."""
    metric = scores.main(outcome.type)
    if metric not in found:
        return Markup("")
    if scores.is_right_or_wrong(metric):
        look, sign, words = ("right", "✓", "right") if found[metric] >= 0.5 else ("wrong", "✗", "wrong")
        return html('<span class="f-mark {}"><span aria-hidden="true">{}</span> {}</span>', look, sign, words)
    value = written(metric, found[metric]) or f"{found[metric]:.3g}"
    return html('<span class="f-mark">{} {}</span>', metric_of(metric).label, value)

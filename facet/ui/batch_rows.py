"""The rows of a batch: what was asked, what the data expects, and what each model said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
from markupsafe import Markup

from facet.exam.batches import BatchRow
from facet.exam.outcome import UNTOUCHED
from facet.ui.markup import clip, html, join, nothing_yet
from facet.ui.words import count

PAGE = 10  # rows at once
LONGEST = 900  # characters in the table; the download has all of them
Which = Literal["all", "answered", "open", "differ"]
SHOWN = [("All", "all"), ("Answered", "answered"), ("Still open", "open"), ("Where they differ", "differ")]


@dataclass(frozen=True)
class Rows:
    search: gr.Textbox
    only: gr.Radio
    table: gr.HTML
    earlier: gr.Button
    later: gr.Button
    start: gr.State

    @property
    def asked(self) -> dict[str, Any]:
        return {"search": self.search, "only": self.only, "start": self.start}

    @property
    def shown(self) -> list[Any]:
        return [self.table, self.earlier, self.later, self.start]


def rows_layout() -> Rows:
    with gr.Row(elem_classes="f-finish"):
        search = gr.Textbox(label="Search in rows and answers", max_length=200, max_lines=1, min_width=220)
        only = gr.Radio(SHOWN, value="all", label="Show", min_width=320, scale=2)
    table = gr.HTML(elem_id="batch-rows")
    with gr.Row(elem_classes="f-buttons"):
        earlier, later = (gr.Button(name, scale=0, visible=False) for name in ("Earlier", "Later"))
    return Rows(search, only, table, earlier, later, gr.State(0))


def describe_rows(names: Sequence[str], found: Sequence[BatchRow], start: int, matching: int) -> Markup:
    if not found:
        return nothing_yet(
            "No row fits", "Answers appear here as they come. Choose “All”, or search for something else."
        )
    head = f"{start + 1:,} to {start + len(found):,} of {count(matching, 'row')}"
    return html(
        '<p class="f-small" role="status">{}</p><div class="f-examined">{}</div>',
        head,
        join(_case(names, row) for row in found),
    )


def _case(names: Sequence[str], row: BatchRow) -> Markup:
    expected = html('<p class="f-right"><b>Expected</b>{}</p>', clip(row.expected, LONGEST)) if row.expected else ""
    return html(
        '<article class="f-case"><header><span class="f-small">Row {:,}</span><p>{}</p>{}</header>'
        '<div class="f-answers">{}</div></article>',
        row.row,
        clip(row.input, LONGEST),
        expected,
        join(_answer(name, row) for name in names),
    )


def _answer(name: str, row: BatchRow) -> Markup:
    text = row.answers.get(name)
    mark = html('<span class="f-mark wrong">cut off</span>') if name in row.cut else ""
    said = html('<span class="f-small">not yet</span>') if text is None else clip(text.strip(), LONGEST)
    look = "" if name.startswith(UNTOUCHED) else "tuned"
    return html('<div class="f-side {}"><h4>{} {}</h4><p>{}</p></div>', look, name, mark, said)

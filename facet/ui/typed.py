"""Examples that are typed into a grid, or pasted straight from a spreadsheet."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.errors import DataError
from facet.ui.markup import html

HEADS = ("question", "answer")
EMPTY_ROWS = 4


@dataclass(frozen=True)
class Typed:
    grid: gr.Dataframe
    pasted: gr.Textbox
    name: gr.Textbox
    use: gr.Button

    @property
    def asked(self) -> dict[str, Any]:
        return {"grid": self.grid, "pasted": self.pasted, "name": self.name}


def typed_layout() -> Typed:
    fold = gr.Accordion("Type them, or paste them from a spreadsheet", open=False, elem_id="typed")
    with fold, gr.Column(elem_classes="f-gap"):
        gr.HTML(
            html(
                "<p>One example in each line. In a spreadsheet, mark the cells with their headings, copy them, "
                "and paste them into the field below the grid; JSON lines and Markdown tables work as well.</p>"
            )
        )
        grid = gr.Dataframe(
            headers=list(HEADS),
            value=[["", ""] for _ in range(EMPTY_ROWS)],
            row_count=EMPTY_ROWS,
            column_count=len(HEADS),
            type="array",
            interactive=True,
            wrap=True,
            label="Examples",
            elem_id="grid",
        )
        pasted = gr.Textbox(
            label="Or paste a table here",
            placeholder="question\tanswer\nWhere do I return books?\tAt the desk beside the door.",
            lines=4,
            max_lines=12,
            max_length=100_000,
        )
        with gr.Row(elem_classes="f-finish"):
            name = gr.Textbox(label="Name", placeholder="my examples", max_length=80)
            use = gr.Button("Use these", variant="primary")
    return Typed(grid, pasted, name, use)


def table_of(grid: list[list[Any]] | None, pasted: str) -> list[list[str]] | str:
    """The rows of the grid with their heading, or the pasted text.

    Raises: `DataError` when both are empty, both are filled, or the grid has grown a column.
    """
    rows = [["" if cell is None else str(cell) for cell in row] for row in grid or []]
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if any(cell.strip() for row in rows for cell in row[len(HEADS) :]):
        raise DataError(
            "The grid has a third column.",
            "It takes a question and its answer.",
            "Copy the whole table with its headings, and paste it into the field below the grid.",
        )
    rows = [row[: len(HEADS)] for row in rows]
    if bool(rows) == bool(pasted.strip()):
        raise DataError(
            "It is not clear which examples to use." if rows else "There are no examples yet.",
            "The grid has some, and so has the field below it." if rows else "The grid is empty, and so is the field.",
            "Empty one of the two, then press “Use these”."
            if rows
            else "Type a question and its answer into the first line of the grid.",
        )
    return [list(HEADS), *rows] if rows else pasted

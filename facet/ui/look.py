"""The look at one file: what it is, what its columns mean, and the conversations its rows become."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.dataset.conversation import ROLE_WORDS
from facet.ui.markup import clip, each, html, join, note, nothing_yet, section
from facet.ui.words import count

KINDS = {
    "question_answer": "A question and its answer, in two columns",
    "prompt_completion": "A beginning and how it goes on, in two columns",
    "alpaca": "An instruction, sometimes an input, and an output",
    "text_label": "A text and its label",
    "messages": "Whole conversations in one column",
    "sharegpt": "Whole conversations in one column, ShareGPT style",
    "columns": "Something else: I choose the columns",
}
LABELS = {
    "user": ("Question", "What the person says"),
    "user_extra": ("Extra input", "Added below it, if there is any"),
    "assistant": ("Answer", "What the model learns to write"),
    "system_column": ("Instructions", "Said before it, if there are any"),
    "messages": ("Conversation", "A list of turns: who speaks, and what is said"),
}
SHOWN_ROWS, FOLDED_ROWS = 3, 5
SET_ASIDE = 10  # per cent, for validation and again for the exam
DELIMITERS = [("found by itself", ""), ("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("vertical bar", "|")]
ENCODINGS = [
    ("found by itself", ""),
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "cp1251",
    "gb18030",
    "shift_jis",
    "euc-kr",
    "big5",
]


@dataclass(frozen=True)
class Look:
    box: gr.Column
    facts: gr.HTML
    guess: gr.HTML
    usable: gr.Column
    kind: gr.Dropdown
    columns: dict[str, gr.Dropdown]
    system: gr.Textbox  # one instruction for every example
    rows: gr.HTML
    count: gr.State  # rows in the file, or None
    split: gr.HTML
    name: gr.Textbox
    validation: gr.Slider
    exam: gr.Slider
    encoding: gr.Dropdown
    delimiter: gr.Dropdown
    again: gr.Button
    prepare: gr.Button

    @property
    def choices(self) -> dict[str, Any]:
        """Everything that decides how a row is read, by name."""
        reading = {"kind": self.kind, "system": self.system, "encoding": self.encoding, "delimiter": self.delimiter}
        return reading | self.columns

    @property
    def shown(self) -> list[Any]:
        return [
            self.box,
            self.facts,
            self.guess,
            self.usable,
            self.kind,
            *self.columns.values(),
            self.system,
            self.rows,
            self.count,
            self.validation,
            self.exam,
            self.split,
            self.name,
        ]


def look_layout() -> Look:
    with gr.Column(visible=False, elem_id="look", elem_classes="card") as box:
        facts = gr.HTML()
        with gr.Accordion("It looks wrong? Read it differently", open=False), gr.Row():
            encoding = gr.Dropdown(ENCODINGS, value="", label="Encoding", info="How letters are stored", min_width=160)
            delimiter = gr.Dropdown(
                DELIMITERS, value="", label="Delimiter", info="What stands between columns", min_width=160
            )
            again = gr.Button("Read it again")
        with gr.Column(elem_classes="f-gap") as usable:
            guess = gr.HTML()
            kind = gr.Dropdown(
                [(words, kind) for kind, words in KINDS.items()], value="columns", label="Shape of your data"
            )
            with gr.Row(elem_classes="f-columns"):
                columns = {
                    name: gr.Dropdown([], label=label, info=info, min_width=200)
                    for name, (label, info) in LABELS.items()
                }
            system = gr.Textbox(
                label="Instruction for the model",
                info="Said before every example; leave it empty if there is none",
                max_length=4_000,
                max_lines=4,
            )
            rows = gr.HTML()
            gr.HTML(
                section(
                    "Set some aside",
                    "The model never learns from these. Validation is looked at while it learns; the exam only at the "
                    "end, so that the result is honest.",
                )
            )
            with gr.Row():
                share = {"step": 1, "info": "In % of the rows"}
                validation = gr.Slider(0, 50, SET_ASIDE, label="Set aside for validation", **share)
                exam = gr.Slider(0, 50, SET_ASIDE, label="Set aside for the exam", **share)
            split = gr.HTML()
            with gr.Row(equal_height=True, elem_classes="f-finish"):
                name = gr.Textbox(label="Name of this data", max_length=80)
                prepare = gr.Button("Prepare", variant="primary", size="lg", elem_id="prepare")
    return Look(
        box,
        facts,
        guess,
        usable,
        kind,
        columns,
        system,
        rows,
        gr.State(None),
        split,
        name,
        validation,
        exam,
        encoding,
        delimiter,
        again,
        prepare,
    )


def columns_for(kind: str) -> tuple[str, ...]:
    """Which columns a shape asks for."""
    if kind in ("messages", "sharegpt"):
        return ("messages",)
    if kind in ("question_answer", "prompt_completion", "text_label"):
        return ("user", "assistant", "system_column")
    return ("user", "user_extra", "assistant", "system_column")


def describe_file(found: dict[str, Any]) -> Markup:
    """Format, size and what is odd about it."""
    rows = (
        count(found["row_count"], "row")
        if found.get("row_count") is not None
        else f"at least {found.get('at_least', 0):,} rows"
    )
    how = [found.get("format") or "", rows, count(len(found["columns"]), "column")]
    if found.get("encoding"):
        how.append(str(found["encoding"]))
    if found.get("delimiter"):
        how.append(
            {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}.get(found["delimiter"], "other mark")
            + " between columns"
        )
    head = html(
        '<h3 class="f-file">{}</h3><p class="f-small">{}</p>',
        found.get("name") or "Your file",
        " · ".join(filter(None, how)),
    )
    return head + each('<div class="f-note warn"><p>{}</p></div>', found.get("warnings") or [])


def describe_shape(found: dict[str, Any]) -> Markup:
    shape = found.get("shape")
    if shape:
        return note(shape["words"], "Correct it below if that is wrong.", "good")
    complaint = found["complaint"]
    return note(complaint["what"], f"{complaint['why']} {complaint['next']}", "warn")


def describe_rows(rows: list[dict[str, Any]]) -> Markup:
    """First rows as they are, beside the conversations they become."""
    if not rows:
        return nothing_yet(
            "No conversations yet",
            "Choose the columns above, and the first rows appear here beside what the model will read.",
        )
    first, more = rows[:SHOWN_ROWS], rows[SHOWN_ROWS:]
    folded = (
        html(
            '<details><summary>Show {} more</summary><div class="f-rows">{}</div></details>',
            len(more),
            join(map(_row, more)),
        )
        if more
        else ""
    )
    return html('<div class="f-rows">{}{}</div>', join(map(_row, first)), folded)


def _row(row: dict[str, Any]) -> Markup:
    raw = row["raw"] if isinstance(row["raw"], dict) else {"": row["raw"]}
    cells = each(
        "<dt>{}</dt><dd>{}</dd>", [(clip(name, 60), clip(_text(value), 280)) for name, value in list(raw.items())[:12]]
    )
    right = note("Cannot be used.", row["problem"], "error") if row.get("problem") else turns(row["messages"] or [])
    return html(
        '<div class="f-row"><div><h4>Row {:,}</h4><dl class="f-raw">{}</dl></div>'
        "<div><h4>The conversation it becomes</h4>{}</div></div>",
        row["row"],
        cells,
        right,
    )


def turns(messages: list[dict[str, str]]) -> Markup:
    return each(
        '<div class="f-turn {}"><b>{}</b>{}</div>',
        [(m["role"], ROLE_WORDS.get(m["role"], m["role"]), clip(m["content"], 360)) for m in messages[:8]],
    )


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def describe_split(rows: int | None, validation: float, exam: float) -> Markup:
    """How many rows go where, as a bar and in words."""
    left = max(0.0, 100 - validation - exam)
    shares = (
        ("learn", left, "to learn from"),
        ("validation", validation, "for validation"),
        ("exam", exam, "for the exam"),
    )
    bar = each('<i class="{}" style="width:{}%"></i>', [(name, round(share, 1)) for name, share, _ in shares])
    words = join((_share(rows, share, name, label) for name, share, label in shares))
    warning = (
        note("Nothing is left to learn from.", "Move one of the sliders to the left.", "warn") if left <= 0 else ""
    )
    return html('<div class="f-split" aria-hidden="true">{}</div><p class="f-legend">{}</p>', bar, words) + warning


def _share(rows: int | None, share: float, name: str, label: str) -> Markup:
    number = f"about {round(rows * share / 100):,}" if rows is not None else f"{share:g} %"
    return html('<span class="f-key {}">{} {}</span>', name, number, label)

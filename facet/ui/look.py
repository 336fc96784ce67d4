"""The look at one file: what it is, what its columns mean, and the conversations its rows become."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.dataset.conversation import ROLE_WORDS
from facet.ui.aside import Aside, aside_layout
from facet.ui.making import Waiting, waiting_layout
from facet.ui.mapping import MappingForm, mapping_layout
from facet.ui.markup import clip, each, html, join, note, nothing_yet
from facet.ui.words import count

SHOWN_ROWS, FOLDED_ROWS = 3, 5
MOST_UNUSED = 12  # columns that are named
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
EXTRA_TURNS = (("chosen", "Better answer"), ("rejected", "Worse answer"))


@dataclass(frozen=True)
class Look:
    box: gr.Column
    facts: gr.HTML
    guess: gr.HTML
    usable: gr.Column
    member: gr.Dropdown
    sheet: gr.Dropdown
    speaker: gr.Dropdown
    mapping: MappingForm
    rows: gr.HTML
    count: gr.State  # rows in the file, or None
    aside: Aside
    name: gr.Textbox
    like: gr.Dropdown
    like_row: gr.Row
    replay: gr.Button
    encoding: gr.Dropdown
    delimiter: gr.Dropdown
    again: gr.Button
    prepare: gr.Button
    waiting: Waiting

    @property
    def reading(self) -> dict[str, Any]:
        """What decides how the file is read, by name."""
        return {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "member": self.member,
            "sheet": self.sheet,
            "speaker": self.speaker,
        }

    @property
    def choices(self) -> dict[str, Any]:
        return self.reading | self.mapping.choices

    @property
    def shown(self) -> list[Any]:
        return [
            self.box,
            self.facts,
            self.guess,
            self.usable,
            self.member,
            self.sheet,
            self.speaker,
            *self.mapping.filled,
            self.rows,
            self.count,
            *self.aside.filled,
            self.name,
            self.like,
            self.like_row,
            self.waiting.words,
        ]


def look_layout() -> Look:
    with gr.Column(visible=False, elem_id="look", elem_classes="card") as box:
        facts = gr.HTML()
        with gr.Row():
            member = gr.Dropdown([], label="File inside", info="It holds several", visible=False, min_width=200)
            sheet = gr.Dropdown([], label="Sheet", info="It has several", visible=False, min_width=200)
            speaker = gr.Dropdown(
                [],
                label="Who speaks for the model",
                info="It learns to write as they do",
                visible=False,
                min_width=200,
            )
        with gr.Accordion("It looks wrong? Read it differently", open=False), gr.Row():
            encoding = gr.Dropdown(ENCODINGS, value="", label="Encoding", info="How letters are stored", min_width=160)
            delimiter = gr.Dropdown(
                DELIMITERS, value="", label="Delimiter", info="What stands between columns", min_width=160
            )
            again = gr.Button("Read it again")
        with gr.Column(elem_classes="f-gap") as usable:
            with gr.Row(visible=False, elem_classes="f-finish", elem_id="replay") as like_row:
                like = gr.Dropdown([], label="As before", info="The same columns, cleaning, split and repairs as")
                replay = gr.Button("Do the same again")
            guess = gr.HTML()
            mapping = mapping_layout()
            rows = gr.HTML()
            aside = aside_layout()
            waiting = waiting_layout("preparing")
            with gr.Row(equal_height=True, elem_classes="f-finish"):
                name = gr.Textbox(label="Name of this data", max_length=80)
                prepare = gr.Button("Prepare", variant="primary", size="lg", elem_id="prepare")
    return Look(
        box,
        facts,
        guess,
        usable,
        member,
        sheet,
        speaker,
        mapping,
        rows,
        gr.State(None),
        aside,
        name,
        like,
        like_row,
        replay,
        encoding,
        delimiter,
        again,
        prepare,
        waiting,
    )


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
        return note(shape["words"], " ".join(["Correct it below if that is wrong.", *_left_aside(found)]), "good")
    complaint = found["complaint"]
    return note(complaint["what"], f"{complaint['why']} {complaint['next']}", "warn")


def _left_aside(found: dict[str, Any]) -> list[str]:
    """Which columns are in no example."""
    names = [f"“{clip(name, 40)}”" for name in found.get("unused") or ()]
    more = [f"{len(names) - MOST_UNUSED} more"] if len(names) > MOST_UNUSED else []
    return [f"Not used: {', '.join([*names[:MOST_UNUSED], *more])}."] if names else []


Pictures = dict[str, str]  # name of a picture → a data address of it


def describe_rows(rows: list[dict[str, Any]], pictures: Pictures | None = None) -> Markup:
    """First rows as they are, beside what they become."""
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
            join(_row(row, pictures or {}) for row in more),
        )
        if more
        else ""
    )
    return html('<div class="f-rows">{}{}</div>', join(_row(row, pictures or {}) for row in first), folded)


def _row(row: dict[str, Any], pictures: Pictures) -> Markup:
    raw = row["raw"] if isinstance(row["raw"], dict) else {"": row["raw"]}
    cells = each(
        "<dt>{}</dt><dd>{}</dd>", [(clip(name, 60), clip(_text(value), 280)) for name, value in list(raw.items())[:12]]
    )
    right = note("Cannot be used.", row["problem"], "error") if row.get("problem") else example_in_words(row, pictures)
    return html(
        '<div class="f-row"><div><h4>Row {:,}</h4><dl class="f-raw">{}</dl></div>'
        "<div><h4>What the model reads</h4>{}</div></div>",
        row["row"],
        cells,
        right,
    )


def example_in_words(row: dict[str, Any], pictures: Pictures) -> Markup:
    """What a row becomes; of several examples the first."""
    more = row.get("more") or 0
    shown = each(
        '<img class="f-thumb" alt="The picture of this row" src="{}">',
        [pictures[name] for name in row.get("images") or () if name in pictures],
    )
    return (
        shown
        + turns(row)
        + (html('<p class="f-small">and {} more</p>', count(more, "example")) if more else Markup(""))
    )


def turns(example: dict[str, Any]) -> Markup:
    """Every part of one example, in the order in which it is read."""
    parts = [(m["role"], ROLE_WORDS.get(m["role"], m["role"]), _said(m)) for m in (example.get("messages") or [])[:8]]
    for name, words in EXTRA_TURNS:
        parts += [("assistant" if name == "chosen" else name, words, _said(m)) for m in (example.get(name) or [])[:4]]
    if example.get("text"):
        parts.append(("assistant", "Text", clip(example["text"], 360)))
    if example.get("reference"):
        parts.append(("system", "Right answer", clip(example["reference"], 200)))
    if example.get("label") is not None:
        parts.append(("system", "Thumb", "up" if example["label"] else "down"))
    if example.get("tools"):
        parts.insert(0, ("system", "Tools", clip(str(example["tools"]), 240)))
    return each('<div class="f-turn {}"><b>{}</b>{}</div>', parts)


def _said(message: dict[str, Any]) -> str:
    calls = [call.get("function", {}) for call in message.get("tool_calls") or [] if isinstance(call, dict)]
    called = "\n".join(f"→ {call.get('name')}({call.get('arguments')})" for call in calls)
    return clip("\n".join(filter(None, (message["content"], called))), 360)


def _text(value: Any) -> str:
    if isinstance(value, dict) and list(value) == ["image"]:
        return "(a picture)"
    return "" if value is None else value if isinstance(value, str) else str(value)

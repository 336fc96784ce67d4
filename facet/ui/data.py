"""The Data tab: bring rows, see what they are, say which column is what, and keep the result as prepared data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from facet.dataset.examples import BundledExample
from facet.errors import FacetError
from facet.identity import Person
from facet.studio import Studio
from facet.ui.aside import cleaning_of, describe_split, options_of
from facet.ui.events import Gate
from facet.ui.look import Look, look_layout
from facet.ui.looking import correction_of, describe_changes, opened, previewed
from facet.ui.making import PATIENCE, watch, wire_waiting
from facet.ui.mapping import chosen, shown_for
from facet.ui.markup import html, section, trouble
from facet.ui.on_hub import OnHub, on_hub_layout, wire_on_hub
from facet.ui.prepared import Prepared, prepared_layout, wire_prepared
from facet.ui.session import Session
from facet.ui.typed import Typed, table_of, typed_layout
from facet.ui.values import Choice, File, Id, Line, Number, Table, Words
from facet.ui.visitors import on_space

FILE_TYPES = [
    *(".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods"),
    *(".gz", ".zip", ".bz2", ".xz"),
]
SHOWN_EXAMPLES, MORE_IN_A_ROW = 4, 3
KINDS_OF_FILES = "CSV, TSV, JSON, JSONL, Parquet, Excel, text or Markdown; also zipped, and pictures in a zip"


@dataclass(frozen=True)
class DataTab:
    file: gr.File
    examples: dict[str, gr.Button]
    hub: OnHub
    typed: Typed
    link: gr.Textbox | None  # only at home
    link_fetch: gr.Button | None
    look: Look
    prepared: Prepared


def layout(studio: Studio) -> DataTab:
    gr.HTML(
        section(
            "Bring your examples",
            "Each example shows the model what a person says and what it should answer. "
            "A few dozen change its style; a few hundred teach a task.",
            anchor="source",
        )
    )
    with gr.Row(equal_height=True):
        with gr.Column(elem_classes="card", min_width=280):
            file = gr.File(label="A file of yours", file_types=FILE_TYPES, height=150, elem_id="upload")
            gr.HTML(html('<p class="f-small">{}</p>', KINDS_OF_FILES))
        with gr.Column(elem_classes="card", min_width=280):
            hub = on_hub_layout()
    with gr.Column(elem_classes="card f-quiet"):
        typed = typed_layout()
        link, fetch = (None, None) if on_space() else _link_layout()
    gr.HTML(section("Or try one of ours"))
    examples = _examples(studio)
    look = look_layout()
    return DataTab(file, examples, hub, typed, link, fetch, look, prepared_layout(studio))


def _examples(studio: Studio) -> dict[str, gr.Button]:
    """The first row of them; the others folded."""
    ours = studio.examples()
    with gr.Row(elem_classes="f-examples", equal_height=True):
        cards = {example.name: _card(example) for example in ours[:SHOWN_EXAMPLES]}
    goals = ", ".join(example.goal.lower() for example in ours[SHOWN_EXAMPLES:])
    with gr.Accordion(f"More of ours: {goals}", open=False, elem_id="more-examples"):
        for start in range(SHOWN_EXAMPLES, len(ours), MORE_IN_A_ROW):
            with gr.Row(elem_classes="f-examples", equal_height=True):
                cards |= {example.name: _card(example) for example in ours[start : start + MORE_IN_A_ROW]}
    return cards


def _link_layout() -> tuple[gr.Textbox, gr.Button]:
    fold = gr.Accordion("From a link, or from a folder on this computer", open=False, elem_id="link")
    with fold, gr.Row(elem_classes="f-finish"):
        link = gr.Textbox(
            label="Address of a file, or path of a folder",
            info="A link that anyone may open, from Google Drive or elsewhere; or a mounted drive",
            placeholder="https://… or /home/me/data",
            max_length=1_000,
        )
        fetch = gr.Button("Bring it")
    return link, fetch


def _card(example: BundledExample) -> gr.Button:
    with gr.Column(elem_classes="card f-example", min_width=220):
        gr.HTML(
            html(
                '<div><p class="f-small">{}</p><h4>{}</h4><p>{}</p><p class="f-small">{:,} examples</p></div>',
                example.goal,
                example.title,
                example.words,
                example.rows,
            )
        )
        return gr.Button(
            "Use this example", size="sm", scale=0, elem_classes="f-left", elem_id=f"example-{example.name}"
        )


def wire(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    look = tab.look

    def show(person: Person, upload_id: str, correction: dict[str, str] | None = None) -> list[Any]:
        return [upload_id, *opened(studio, person, upload_id, correction)]

    def take_file(person: Person, file: File | None) -> Any:
        if file is None:
            return gr.skip()
        upload = studio.bring_file(person, Path(file), Path(file).name)
        Path(file).unlink(missing_ok=True)  # ours is a copy; Gradio's can be read by whoever knows its address
        return [None, *show(person, upload)]

    def take_typed(person: Person, grid: Table, pasted: Words, name: Line) -> list[Any]:
        return show(person, studio.bring_rows(person, table_of(grid, pasted), name))

    def take_link(person: Person, link: Line) -> list[Any]:
        return show(person, studio.bring_from_afar(person, link))

    def read_again(person: Person, upload: Id | None, **choices: Choice) -> Any:
        return show(person, upload, correction_of(choices)) if upload else gr.skip()

    out = [session.upload, *look.shown]
    took = [
        gate.on(tab.file.upload, take_file, {"file": tab.file}, [tab.file, *out], show_progress="minimal"),
        gate.on(tab.typed.use.click, take_typed, tab.typed.asked, out, show_progress="minimal"),
        *wire_on_hub(tab.hub, studio, gate, show, out),
        *[
            gate.on(button.click, _example(studio, name, show), None, out, show_progress="minimal")
            for name, button in tab.examples.items()
        ],
    ]
    if tab.link and tab.link_fetch:
        fetched = [tab.link_fetch.click, tab.link.submit]
        took.append(gate.on(fetched, take_link, {"link": tab.link}, out, show_progress="minimal"))
    for event in took:
        event.success(None, None, None, js=SCROLL_TO.format("look"))
    again = {"upload": session.upload} | look.reading
    gate.on([look.again.click, look.member.input, look.sheet.input, look.speaker.input], read_again, again, out)
    wire_mapping(tab, studio, gate, session)
    wire_aside(tab, studio, gate, session)
    wire_prepare(tab, studio, gate, session)
    wire_prepared(tab.prepared, studio, gate, session)


def _example(studio: Studio, name: str, show: Any) -> Any:
    def take_example(person: Person) -> list[Any]:
        return show(person, studio.bring_example(person, name))

    return take_example


def wire_mapping(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    """A column is chosen, and the conversations change."""
    look, form = tab.look, tab.look.mapping

    def remap(person: Person, upload: Id | None, **choices: Choice) -> Any:
        if not upload:
            return gr.skip()
        mapping = chosen(choices)
        guess = choices["guess"] if isinstance(choices["guess"], dict) else None
        same = guess if guess and guess.get("kind") == mapping["kind"] else None
        shown = shown_for(mapping["kind"], same)
        try:
            rows = previewed(studio, person, upload, mapping, correction_of(choices))
        except FacetError as error:  # in its place: somebody is in the middle of choosing
            rows = str(trouble(error, "warn"))
        return [*shown, rows]

    changed = [form.kind.input, form.preferred.input, form.more.input]
    changed += [event for box in (form.system, *form.templates.values()) for event in (box.submit, box.blur)]
    changed += [column.input for column in form.columns.values()]
    asked, shown = {"upload": session.upload} | look.choices, [*form.by_kind, look.rows]
    gate.on(changed, remap, asked, shown, show_progress="hidden", trigger_mode="always_last")


def wire_aside(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    """A slider is moved, and the parts change; a choice of cleaning is tried out before it is done."""
    look, aside = tab.look, tab.look.aside

    def split(person: Person, rows: int | None, validation: Number, exam: Number) -> str:
        return str(describe_split(rows, validation, exam))

    def try_out(person: Person, upload: Id | None, **choices: Choice) -> Any:
        if not upload:
            return gr.skip()
        tried = studio.try_cleaning(person, upload, chosen(choices), cleaning_of(choices), correction_of(choices))
        return str(describe_changes(tried))

    parts = {"rows": look.count, "validation": aside.validation, "exam": aside.exam}
    gate.on([aside.validation.change, aside.exam.change], split, parts, aside.bar, quiet=True)
    asked = {"upload": session.upload} | look.choices | aside.cleaning
    gate.on(aside.try_out.click, try_out, asked, aside.changes, show_progress="minimal")


def wire_prepare(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    look = tab.look
    outputs = [look.box, session.upload, session.dataset, *tab.prepared.list_outputs]
    taken = gr.State(None)  # the upload that is being prepared; another may be looked at meanwhile

    def prepare(person: Person, upload: Id | None, name: Line, **choices: Choice) -> list[Any]:
        options = options_of(choices)
        job = studio.start_prepare(
            person, upload or "", name, chosen(choices), correction=correction_of(choices), **options
        )
        return [upload, *watch(studio, person, job, prepared, len(outputs), PATIENCE)]

    def replay(person: Person, upload: Id | None, like: Id | None, name: Line) -> list[Any]:
        job = studio.start_replay(person, upload or "", like or "", name)
        return [upload, *watch(studio, person, job, prepared, len(outputs), PATIENCE)]

    def prepared(person: Person, dataset: str, upload: str | None = None, taken: str | None = None) -> list[Any]:
        look = [gr.Column(visible=False), None] if upload == taken else [gr.skip(), gr.skip()]
        return [*look, dataset, *tab.prepared.refreshed(studio, person, dataset)]

    named = {"upload": session.upload, "name": look.name}
    shown = [taken, *look.waiting.shown, *outputs]
    for press, handler, asked in (
        (look.prepare.click, prepare, named | look.choices | look.aside.asked),
        (look.replay.click, replay, named | {"like": look.like}),
    ):
        done = gate.on(press, handler, asked, shown, show_progress="minimal")
        done.success(None, None, None, js=SCROLL_TO.format("prepared"))
    now = {"upload": session.upload, "taken": taken}
    wire_waiting(look.waiting, studio, gate, prepared, outputs, now)


SCROLL_TO = "() => setTimeout(() => document.getElementById('{}')?.scrollIntoView({{behavior: 'smooth'}}), 150)"

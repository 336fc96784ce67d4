"""The Data tab: bring rows, see what they are, say which column is what, and keep the result as prepared data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from facet.dataset.examples import Example
from facet.errors import DataError
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.look import (
    FOLDED_ROWS,
    LABELS,
    SET_ASIDE,
    SHOWN_ROWS,
    Look,
    columns_for,
    describe_file,
    describe_rows,
    describe_shape,
    describe_split,
    look_layout,
)
from facet.ui.markup import html, section, trouble
from facet.ui.prepared import Prepared, prepared_layout, wire_prepared
from facet.ui.session import Session
from facet.ui.values import File, Id, Line, Name, Number, Words
from facet.workspace import read_about

PREVIEWED = SHOWN_ROWS + FOLDED_ROWS
FILE_TYPES = [".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet"]


@dataclass(frozen=True)
class DataTab:
    file: gr.File
    examples: dict[str, gr.Button]
    hub_id: gr.Textbox
    hub_fetch: gr.Button
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
            file = gr.File(
                label="A file of yours: CSV, TSV, JSON, JSONL or Parquet",
                file_types=FILE_TYPES,
                height=176,
                elem_id="upload",
            )
        with gr.Column(elem_classes="card", min_width=280):
            hub_id = gr.Textbox(
                label="A dataset of the Hugging Face Hub",
                placeholder="owner/name",
                max_length=200,
                info="Public ones, and your own once you are signed in. Its code is never run.",
            )
            hub_fetch = gr.Button("Fetch it", scale=0, elem_classes="f-left")
    gr.HTML(section("Or try one of ours"))
    with gr.Row(elem_classes="f-examples", equal_height=True):
        examples = {example.name: _card(example) for example in studio.examples()}
    look = look_layout()
    return DataTab(file, examples, hub_id, hub_fetch, look, prepared_layout(studio))


def _card(example: Example) -> gr.Button:
    with gr.Column(elem_classes="card f-example", min_width=220):
        gr.HTML(
            html('<h4>{}</h4><p>{}</p><p class="f-small">{:,} examples</p>', example.title, example.words, example.rows)
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

    def take_hub(person: Person, grant: Grant, dataset: Name) -> list[Any]:
        return show(person, studio.bring_hub(person, dataset, grant))

    def read_again(person: Person, upload: Id, encoding: Name | None, delimiter: Name | None) -> list[Any]:
        return show(person, upload, correction_of(encoding, delimiter))

    out = [session.upload, *look.shown]
    took = [
        gate.on(tab.file.upload, take_file, {"file": tab.file}, [tab.file, *out], show_progress="minimal"),
        gate.on(
            [tab.hub_fetch.click, tab.hub_id.submit], take_hub, {"dataset": tab.hub_id}, out, show_progress="minimal"
        ),
        *[
            gate.on(button.click, _example(studio, name, show), None, out, show_progress="minimal")
            for name, button in tab.examples.items()
        ],
    ]
    for event in took:
        event.success(None, None, None, js=SCROLL_TO.format("look"))
    again = {"upload": session.upload, "encoding": look.encoding, "delimiter": look.delimiter}
    gate.on(look.again.click, read_again, again, out)
    wire_mapping(tab, studio, gate, session)
    wire_prepare(tab, studio, gate, session)
    wire_prepared(tab.prepared, studio, gate, session)


def _example(studio: Studio, name: str, show: Any) -> Any:
    def take_example(person: Person) -> list[Any]:
        return show(person, studio.bring_example(person, name))

    return take_example


def wire_mapping(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    """A column is chosen, and the conversations change; a slider is moved, and the parts do."""
    look = tab.look

    def remap(person: Person, upload: Id | None, **choices: Words | None) -> Any:
        if not upload:
            return gr.skip()
        mapping, correction = chosen(choices)
        shown = [gr.Dropdown(visible=name in columns_for(mapping["kind"])) for name in look.columns]
        return [*shown, str(describe_rows(studio.preview(person, upload, mapping, correction, PREVIEWED)))]

    def split(person: Person, rows: int | None, validation: Number, exam: Number) -> str:
        return str(describe_split(rows, validation, exam))

    changed = [look.kind.input, look.system.submit, look.system.blur]
    changed += [column.input for column in look.columns.values()]
    asked, shown = {"upload": session.upload} | look.choices, [*look.columns.values(), look.rows]
    gate.on(changed, remap, asked, shown, show_progress="hidden", trigger_mode="always_last")
    parts = {"rows": look.count, "validation": look.validation, "exam": look.exam}
    gate.on([look.validation.change, look.exam.change], split, parts, look.split, quiet=True)


def wire_prepare(tab: DataTab, studio: Studio, gate: Gate, session: Session) -> None:
    look = tab.look

    def prepare(
        person: Person, upload: Id | None, name: Line, validation: Number, exam: Number, **choices: Words | None
    ) -> list[Any]:
        mapping, correction = chosen(choices)
        shares = {"test_size": exam / 100, "validation_size": validation / 100}
        dataset = studio.prepare(person, upload or "", name, mapping, correction=correction, **shares)
        return [gr.Column(visible=False), None, dataset, *tab.prepared.refreshed(studio, person, dataset)]

    asked = {"upload": session.upload, "name": look.name, "validation": look.validation, "exam": look.exam}
    changed = [look.box, session.upload, session.dataset, *tab.prepared.list_outputs]
    done = gate.on(look.prepare.click, prepare, asked | look.choices, changed)
    done.success(None, None, None, js=SCROLL_TO.format("prepared"))


SCROLL_TO = "() => setTimeout(() => document.getElementById('{}')?.scrollIntoView({{behavior: 'smooth'}}), 150)"


def correction_of(encoding: str | None, delimiter: str | None) -> dict[str, str] | None:
    return {name: value for name, value in (("encoding", encoding), ("delimiter", delimiter)) if value} or None


def chosen(choices: dict[str, str | None]) -> tuple[dict[str, str | None], dict[str, str] | None]:
    """Mapping and correction. Only what the shape uses goes in, so that a leftover choice changes nothing."""
    kind, system = choices.get("kind") or "columns", (choices.get("system") or "").strip()
    columns = {name: choices.get(name) or None for name in columns_for(kind)}
    return {"kind": kind, "system": system or None} | columns, correction_of(choices["encoding"], choices["delimiter"])


def opened(studio: Studio, person: Person, upload_id: str, correction: dict[str, str] | None) -> list[Any]:
    """Values of `Look.shown`: what the file is, or in its place why it cannot be read."""
    try:
        name = read_about(studio.workspace.find(person, "uploads", upload_id)).get("name", "Your file")
        found = studio.look(person, upload_id, correction) | {"name": name}
    except DataError as error:
        nothing = [gr.skip()] * (len(LABELS) + 8)
        return [gr.Column(visible=True), str(trouble(error)), "", gr.Column(visible=False), *nothing]
    names = [column["name"] for column in found["columns"]]
    shape = found["shape"]
    mapping = dict(shape["mapping"]) if shape else {"kind": "columns"}
    rows = studio.preview(person, upload_id, mapping, correction, PREVIEWED) if shape else []
    dropdowns = [
        gr.Dropdown(choices=names, value=mapping.get(name), visible=name in columns_for(mapping["kind"]))
        for name in LABELS
    ]
    return [
        gr.Column(visible=True),
        str(describe_file(found)),
        str(describe_shape(found)),
        gr.Column(visible=True),
        gr.Dropdown(value=mapping["kind"]),
        *dropdowns,
        mapping.get("system") or "",
        str(describe_rows(rows)),
        found["row_count"],
        SET_ASIDE,
        SET_ASIDE,
        str(describe_split(found["row_count"], SET_ASIDE, SET_ASIDE)),
        Path(found["name"]).stem,
    ]

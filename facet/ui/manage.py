"""Rename and delete, the same for datasets and runs; nothing is deleted by one press."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html
from facet.ui.values import Id, Line

Kind = Literal["datasets", "runs"]
THING = {"datasets": "data", "runs": "run"}
LOST = {
    "datasets": "Runs that learned from it keep their own copy.",
    "runs": "Its model, its curve and its tests go with it. This cannot be undone.",
}


@dataclass(frozen=True)
class Manage:
    kind: Kind
    name: gr.Textbox
    rename: gr.Button
    delete: gr.Button
    sure: gr.Row
    really: gr.Button
    keep: gr.Button


def manage_layout(kind: Kind) -> Manage:
    with gr.Accordion("Rename or delete", open=False), gr.Column(elem_classes="f-gap"):
        with gr.Row(elem_classes="f-finish"):
            name = gr.Textbox(label=f"New name of this {THING[kind]}", max_length=80)
            rename = gr.Button("Rename")
            delete = gr.Button("Delete …")
        with gr.Row(visible=False, elem_classes="f-note warn f-sure") as sure:
            gr.HTML(html("<p><strong>Delete this {} for good?</strong> {}</p>", THING[kind], LOST[kind]))
            really = gr.Button("Yes, delete it", variant="stop", scale=0)
            keep = gr.Button("No, keep it", scale=0)
    return Manage(kind, name, rename, delete, sure, really, keep)


def wire_manage(
    manage: Manage,
    studio: Studio,
    gate: Gate,
    chosen: Any,
    outputs: list[Any],
    refreshed: Callable[[Studio, Person, str | None], list[Any]],
) -> None:
    """`refreshed` gives the values of `outputs` after a change, for the object that is then chosen."""

    def rename(person: Person, object_id: Id | None, name: Line) -> list[Any]:
        studio.rename(person, manage.kind, object_id or "", name)
        return [gr.Textbox(value=""), *refreshed(studio, person, object_id)]

    def delete(person: Person, object_id: Id | None) -> list[Any]:
        studio.delete(person, manage.kind, object_id or "")
        return [gr.Row(visible=False), *refreshed(studio, person, None)]

    def ask(person: Person) -> Any:
        return gr.Row(visible=True)

    def calm(person: Person) -> Any:
        return gr.Row(visible=False)

    gate.on(
        [manage.rename.click, manage.name.submit],
        rename,
        {"object_id": chosen, "name": manage.name},
        [manage.name, *outputs],
    )
    gate.on(manage.delete.click, ask, None, manage.sure, quiet=True)
    gate.on(manage.keep.click, calm, None, manage.sure, quiet=True)
    gate.on(manage.really.click, delete, {"object_id": chosen}, [manage.sure, *outputs])

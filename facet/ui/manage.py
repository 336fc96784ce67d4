"""Rename and delete, the same for datasets, runs, tests and batches; nothing is deleted by one press."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html
from facet.ui.values import Id, Line

Kind = Literal["datasets", "runs", "exams"]  # the last also holds batches
THING = {"datasets": "data", "runs": "run", "exams": "test"}
LOST = {
    "data": "Runs that learned from it keep their own copy.",
    "run": "Its model, its curve and its tests go with it. This cannot be undone.",
    "test": "All its answers and what a judge said of them go with it; the models stay. If it is going on, it is "
    "stopped first. This cannot be undone.",
    "batch": "All its answers go with it; the models and the data stay. If it is going on, it is stopped first. "
    "This cannot be undone.",
}


@dataclass(frozen=True)
class Manage:
    kind: Kind
    fold: gr.Accordion
    name: gr.Textbox
    rename: gr.Button
    delete: gr.Button
    sure: gr.Row
    really: gr.Button
    keep: gr.Button
    meant: gr.State  # what the question is about


def manage_layout(kind: Kind, called: str = "") -> Manage:
    """`called` is the word for one of them, where it is not that of its kind."""
    thing = called or THING[kind]
    with gr.Accordion("Rename or delete", open=False) as fold, gr.Column(elem_classes="f-gap"):
        with gr.Row(elem_classes="f-finish"):
            name = gr.Textbox(label=f"New name of this {thing}", max_length=80)
            rename = gr.Button("Rename")
            delete = gr.Button("Delete …")
        with gr.Row(visible=False, elem_classes="f-note warn f-sure") as sure:
            gr.HTML(html("<p><strong>Delete this {} for good?</strong> {}</p>", thing, LOST[thing]))
            really = gr.Button("Yes, delete it", variant="stop", scale=0)
            keep = gr.Button("No, keep it", scale=0)
    return Manage(kind, fold, name, rename, delete, sure, really, keep, gr.State(None))


def wire_manage(
    manage: Manage,
    studio: Studio,
    gate: Gate,
    chosen: Any,
    outputs: list[Any],
    refreshed: Callable[[Studio, Person, str | None], list[Any]],
) -> list[Any]:
    """`refreshed` gives the values of `outputs` after a change, for the object that is then chosen.

    Returns what renames and what deletes, for whatever else has to follow.
    """

    def rename(person: Person, object_id: Id | None, name: Line) -> list[Any]:
        studio.rename(person, manage.kind, object_id or "", name)
        return [gr.Textbox(value=""), *refreshed(studio, person, object_id)]

    def delete(person: Person, object_id: Id | None) -> list[Any]:
        studio.delete(person, manage.kind, object_id or "")
        return [gr.Row(visible=False), *refreshed(studio, person, None)]

    def ask(person: Person, object_id: Id | None) -> list[Any]:
        return [gr.Row(visible=bool(object_id)), object_id]

    def calm(person: Person) -> list[Any]:
        return [gr.Row(visible=False), None]

    renamed = gate.on(
        [manage.rename.click, manage.name.submit],
        rename,
        {"object_id": chosen, "name": manage.name},
        [manage.name, *outputs],
    )
    question = [manage.sure, manage.meant]
    gate.on(manage.delete.click, ask, {"object_id": chosen}, question, quiet=True)
    gate.on([manage.keep.click, chosen.change], calm, None, question, quiet=True)
    deleted = gate.on(manage.really.click, delete, {"object_id": manage.meant}, [manage.sure, *outputs])
    return [renamed, deleted]

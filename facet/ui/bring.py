"""Bringing in a model that was tuned before or elsewhere: an adapter of the Hub, or one in a zip file."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import NotFoundError, SettingError
from facet.gemma.models import OFFERED
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.events import Gate
from facet.ui.making import PATIENCE, Waiting, waiting_layout, watch, wire_waiting
from facet.ui.markup import html, note
from facet.ui.models import model_name
from facet.ui.session import REMEMBER_RUN, Session, go_to
from facet.ui.values import File, Id, Line, Name

ITS_OWN = "its own"


@dataclass(frozen=True)
class Bring:
    hub_id: gr.Textbox
    file: gr.File
    base: gr.Dropdown
    name: gr.Textbox
    bring: gr.Button
    waiting: Waiting
    asked: gr.State  # what stood in the fields when it was pressed
    result: gr.HTML
    after: gr.Row
    chat: gr.Button
    go_on: gr.Button


def bring_layout() -> Bring:
    with gr.Accordion("Bring in a tuned model", open=False, elem_id="bring"), gr.Column(elem_classes="f-gap"):
        gr.HTML(
            html(
                "<p>An adapter made with Facet, or with PEFT elsewhere: talk to it here, or train it further. Only "
                "<code>safetensors</code> files are taken, and nothing in it is run.</p>"
            )
        )
        with gr.Row(equal_height=True):
            hub_id = gr.Textbox(
                label="Its id on the Hugging Face Hub",
                placeholder="owner/name",
                info="Private ones too, once you are signed in",
                max_length=200,
                min_width=260,
            )
            file = gr.File(
                label="Or a zip file, as from “Download”",
                file_types=[".zip"],
                height=180,
                min_width=260,
                elem_id="bring-file",
            )
        base = gr.Dropdown(
            [("As the adapter says", ITS_OWN), *[(model.name, model.id) for model in OFFERED]],
            value=ITS_OWN,
            allow_custom_value=True,
            label="Tuned from",
            info="Choose one, or write its id, only if the adapter does not name its starting model",
        )
        with gr.Row(elem_classes="f-finish"):
            name = gr.Textbox(label="Name here", placeholder="as it is called there", max_length=80)
            bring = gr.Button("Bring it in", variant="primary")
        waiting = waiting_layout("bring-wait")
        result = gr.HTML(elem_id="brought")
        with gr.Row(visible=False, elem_classes="f-buttons") as after:
            chat = gr.Button("Chat with it", scale=0)
            go_on = gr.Button("Train it further", scale=0)
    return Bring(hub_id, file, base, name, bring, waiting, gr.State(""), result, after, chat, go_on)


def wire_bring(
    tab: Bring,
    studio: Studio,
    gate: Gate,
    session: Session,
    outputs: list[Any],
    refreshed: Callable[[Studio, Person, str | None], list[Any]],
) -> None:
    """`refreshed` gives the values of `outputs` once there is one run more."""

    out = [tab.result, tab.after, tab.hub_id, tab.name, session.run, *outputs]

    def bring(
        person: Person, grant: Grant, hub_id: Line, file: File | None, base: Name, name: Line, job: Id | None
    ) -> list[Any]:
        require_nothing_on_its_way(studio, person, job)
        model = "" if base == ITS_OWN else base.strip()
        begun = studio.start_import_adapter(person, source_of(hub_id, file), name, grant, model, passing=bool(file))
        arrived = partial(finished, hub_id=hub_id, name=name, asked=as_one(hub_id, name))
        meanwhile = ["", gr.Row(visible=False), *[gr.skip()] * (len(out) - 2)]
        told = watch(studio, person, begun, arrived, len(out), PATIENCE, meanwhile)
        return [as_one(hub_id, name), None, *told]  # the file is ours now

    def finished(person: Person, run_id: str, hub_id: Line, name: Line, asked: Line) -> list[Any]:
        run = studio.run(person, run_id)
        fields = emptied(as_one(hub_id, name), asked)
        return [str(describe(run)), gr.Row(visible=run.has_model), *fields, run_id, *refreshed(studio, person, run_id)]

    fields = {"hub_id": tab.hub_id, "name": tab.name}
    given = fields | {"file": tab.file, "base": tab.base, "job": tab.waiting.job}
    pressed = [tab.bring.click, tab.hub_id.submit]
    begun = gate.on(pressed, bring, given, [tab.asked, tab.file, *tab.waiting.shown, *out], show_progress="minimal")
    looked = wire_waiting(tab.waiting, studio, gate, finished, out, fields | {"asked": tab.asked})
    for event in (begun, looked):
        event.success(None, session.run, None, js=REMEMBER_RUN)
    tab.chat.click(None, None, None, js=go_to("chat"))
    tab.go_on.click(None, None, None, js=go_to("train"))


def as_one(hub_id: str, name: str) -> str:
    return f"{hub_id}\n{name}"


def emptied(now: str, asked: str) -> list[Any]:
    """The two fields once the model is here: empty, unless something else was written into them meanwhile."""
    return ["", ""] if now == asked else [gr.skip(), gr.skip()]


def require_nothing_on_its_way(studio: Studio, person: Person, job: str | None) -> None:
    """Raises: `SettingError` while another is still being brought in."""
    with contextlib.suppress(NotFoundError):
        if job and studio.making(person, job).state == "running":
            raise SettingError(
                "Another model is still being brought in.",
                "One is fetched and looked into after the other.",
                "Wait until it is here, then press “Bring it in”.",
            )


def source_of(hub_id: str, file: str | None) -> str:
    """What `import_adapter` is asked for.

    Raises: `SettingError` for nothing at all, or for two models at once.
    """
    if bool(hub_id.strip()) == bool(file):
        raise SettingError(
            "It is not clear which model to bring in." if file else "There is nothing to bring in yet.",
            "There is an id, and a file as well." if file else "Neither an id nor a file was given.",
            "Empty one of the two fields, then press “Bring it in”."
            if file
            else "Write the id of an adapter, or choose a zip file.",
        )
    return file or f"hub:{hub_id.strip().removeprefix('hub:')}"


def describe(run: RunCard) -> Markup:
    """What came in, and what can be done with it."""
    if not run.has_model:
        return note(
            f"{run.name} has come in.",
            f"Now {model_name(run.base_model)}, which it was tuned from, is fetched. Press “Open” to watch that.",
            "good",
        )
    return note(
        f"{run.name} is here.",
        f"It was tuned from {model_name(run.base_model)}, and now stands in the list of runs.",
        "good",
    )

"""Where there are two places to compute, one button lets a run go on in the other from its last save point."""

from typing import Any

import gradio as gr

from facet.errors import NotFoundError
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.live import Live
from facet.ui.session import Session
from facet.ui.values import Id
from facet.work.task import Where

LABELS: dict[Where, str] = {
    "local": "Go on on the processors: slow, without a limit",
    "zerogpu": "Go on on the graphics card: fast, in your minutes",
}
STAGES = ("waiting", "paused", "failed", "interrupted")  # between two slices


def layout(studio: Studio) -> gr.Button | None:
    if len(studio.places.choices) == 1:
        return None
    return gr.Button(visible=False, scale=0, elem_id="elsewhere", elem_classes="f-left")


def wire(button: gr.Button | None, live: Live, studio: Studio, gate: Gate, session: Session) -> None:
    if button is None:
        return

    def offer(person: Person, run: Id | None) -> Any:
        other = other_place(studio, person, run)
        return gr.Button(LABELS[other], visible=True) if other else gr.Button(visible=False)

    def go_elsewhere(person: Person, grant: Grant, run: Id | None) -> list[Any]:
        other = other_place(studio, person, run)
        if other:
            studio.resume(person, run or "", grant, other)
        return [gr.Button(visible=False), gr.Timer(active=True)]

    gate.on([live.tick.tick, session.run.change], offer, {"run": session.run}, button, quiet=True)
    gate.on(button.click, go_elsewhere, {"run": session.run}, [button, live.tick], show_progress="hidden")


def other_place(studio: Studio, person: Person, run_id: str | None) -> Where | None:
    """Where a run that rests could go on as well."""
    try:
        run = studio.run(person, run_id or "")
    except NotFoundError:
        return None
    if run.progress.stage not in STAGES:
        return None
    return "local" if run.where == "zerogpu" else "zerogpu"

"""Work on data that may take a while: begun by a press, watched by a timer, and shown in place when it is done."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError, NotFoundError
from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html, trouble
from facet.ui.values import Id, Line

PATIENCE = 2.5  # seconds: small files are done by then, and nobody sees a waiting state
LOOK_EVERY = 1.0


@dataclass(frozen=True)
class Waiting:
    """`job` is what goes on, or None. `words` say how it goes, or why it did not go."""

    words: gr.HTML
    job: gr.State
    tick: gr.Timer

    @property
    def shown(self) -> list[Any]:
        return [self.words, self.job, self.tick]


def waiting_layout(name: str) -> Waiting:
    return Waiting(gr.HTML(elem_id=name), gr.State(None), gr.Timer(LOOK_EVERY, active=False))


Finished = Callable[..., list[Any]]  # of the person and of the result


def watch(
    studio: Studio,
    person: Person,
    job: str,
    finished: Finished,
    outputs: int,
    patience: float = 0,
    meanwhile: list[Any] | None = None,
) -> list[Any]:
    """Values of `Waiting.shown`, then those that `finished` gives for the result.

    As long as there is none, `meanwhile` stands in, or nothing new for as many `outputs`.
    """
    until = time.monotonic() + patience
    nothing = meanwhile or [gr.skip()] * outputs
    while True:
        try:
            made = studio.making(person, job)
        except NotFoundError:
            return [str(trouble(interrupted())), None, gr.Timer(active=False), *nothing]
        if made.state == "done":
            return ["", None, gr.Timer(active=False), *finished(person, made.result)]
        if made.state == "failed":
            return [str(trouble(made.error or interrupted())), None, gr.Timer(active=False), *nothing]
        if time.monotonic() >= until:
            return [str(describe_waiting(made.words)), job, gr.Timer(active=True), *nothing]
        time.sleep(0.05)


def wire_waiting(
    waiting: Waiting,
    studio: Studio,
    gate: Gate,
    finished: Finished,
    outputs: list[Any],
    asked: dict[str, Any] | None = None,
) -> Any:
    """`finished` gives the values of `outputs` once the work is done; it is told what `asked` holds then, by name.

    Returns the event of looking, as long as there is something to wait for.
    """

    def follow(person: Person, job: Id | None, **now: Line | None) -> Any:
        if not job:
            return [gr.skip(), gr.skip(), gr.Timer(active=False), *[gr.skip()] * len(outputs)]
        return watch(studio, person, job, partial(finished, **now), len(outputs))

    return gate.on(
        waiting.tick.tick, follow, {"job": waiting.job} | (asked or {}), [*waiting.shown, *outputs], quiet=True
    )


def describe_waiting(words: str) -> Markup:
    return html('<p class="f-wait" role="status">{}</p>', words or "Working on it")


def interrupted() -> FacetError:
    return FacetError("This was interrupted.", "Facet was started anew in between.", "Press the button once more.")

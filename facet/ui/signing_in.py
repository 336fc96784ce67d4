"""Signing this computer in to the Hub: a short code to type on the Hub's own page, and waiting for it. At home only."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import AccessError, FacetError
from facet.identity import Person
from facet.sign_in import SignInState
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html, trouble
from facet.ui.session import Session, news

LOOK_EVERY = 2.0  # seconds
FOCUS_SHEET = "() => setTimeout(() => document.querySelector('#sign-in-sheet a, #sign-in-sheet button')?.focus(), 300)"


@dataclass(frozen=True)
class Sheet:
    """A card above the page, wherever one is on it."""

    box: gr.Column
    words: gr.HTML
    again: gr.Button
    close: gr.Button
    tick: gr.Timer

    @property
    def shown(self) -> list[Any]:
        return [self.box, self.words, self.again, self.tick]


def sheet_layout() -> Sheet:
    with gr.Column(visible=False, elem_id="sign-in-sheet", elem_classes="card f-gap") as box:
        words = gr.HTML()
        with gr.Row(elem_classes="f-buttons"):
            again = gr.Button("Get a new code", variant="primary", visible=False, scale=0)
            close = gr.Button("Not now", scale=0)
    return Sheet(box, words, again, close, gr.Timer(LOOK_EVERY, active=False))


def wire_sheet(sheet: Sheet, sign_in: gr.Button, studio: Studio, gate: Gate, session: Session) -> None:
    def begin(person: Person) -> list[Any]:
        at_home(person)
        studio.sign_in.begin()
        return sheet_values(studio.sign_in.state())

    def follow(person: Person) -> list[Any]:
        at_home(person)
        state = studio.sign_in.state()
        return [*sheet_values(state), news() if state.stage == "done" else gr.skip()]

    def give_up(person: Person) -> list[Any]:
        at_home(person)
        studio.sign_in.stop()
        return [gr.Column(visible=False), "", gr.skip(), gr.Timer(active=False)]

    for button in (sign_in, sheet.again):
        begun = gate.on(button.click, begin, None, sheet.shown, show_progress="hidden")
        begun.success(None, None, None, js=FOCUS_SHEET)
    gate.on(sheet.tick.tick, follow, None, [*sheet.shown, session.who], quiet=True)
    gate.on(sheet.close.click, give_up, None, sheet.shown, quiet=True)


def at_home(person: Person) -> None:
    """Raises: `AccessError` for everyone but the one person at home: the computer's login is nobody else's."""
    if person.kind != "local":
        raise AccessError(
            "This signs in a whole computer, and this one is shared.",
            "Here everyone signs in for themselves.",
            "Use “Sign in with Hugging Face” at the side.",
        )


def sheet_values(state: SignInState) -> list[Any]:
    """Values of `Sheet.shown` for this moment."""
    return [
        gr.Column(visible=state.stage in ("waiting", "failed")),
        str(describe(state)),
        gr.Button(visible=state.stage == "failed"),
        gr.Timer(active=state.stage == "waiting"),
    ]


def describe(state: SignInState) -> Markup:
    """Two steps and a code in large type; or why it came to nothing."""
    if state.stage == "failed":
        return html(
            '<h3 class="f-file">Sign in to Hugging Face</h3>{}',
            trouble(state.failure or FacetError.unexpected("the sign-in")),
        )
    if state.stage != "waiting":
        return Markup("")
    return html(
        '<h3 class="f-file">Sign in to Hugging Face</h3>'
        '<ol class="f-how"><li>Open <a href="{}" target="_blank" rel="noopener noreferrer">{}</a> in a new tab.</li>'
        '<li>Type this code there:<output class="f-code">{}</output></li></ol>'
        '<p class="f-wait" role="status">Waiting for you there</p>'
        '<p class="f-small">This signs in the computer, the same as <code>hf auth login</code>: other programs here '
        "can use it too, until you press “Sign out”. Facet never sees your password.</p>",
        state.url if state.url.startswith(("https://", "http://")) else "#",
        state.url.partition("://")[2].partition("?")[0] or state.url,
        state.code,
    )

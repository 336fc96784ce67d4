"""The gate at a model that is not open to everyone: its terms, where to accept them, and looking again afterwards."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.identity import Person
from facet.model.choose import ModelCheck
from facet.ui.account import sign_in_link
from facet.ui.markup import each, html, note


@dataclass(frozen=True)
class Access:
    words: gr.HTML
    sign_in: gr.Button
    again: gr.Button

    @property
    def shown(self) -> list[Any]:
        return [self.words, self.sign_in, self.again]


def access_layout() -> Access:
    words = gr.HTML(elem_id="terms")
    with gr.Row(elem_classes="f-buttons"):
        sign_in = gr.Button("Sign in to Hugging Face", visible=False, scale=0)
        again = gr.Button("I have accepted: check again", visible=False, scale=0)
    return Access(words, sign_in, again)


def is_locked(check: ModelCheck) -> bool:
    """Whether terms stand between this person and the model; any other problem has sentences of its own."""
    return check.access in ("sign-in", "ask") and bool(check.accept_url)


def access_values(check: ModelCheck | None, person: Person) -> list[Any]:
    """Values of `Access.shown`."""
    if check is None:
        return ["", gr.Button(visible=False), gr.Button(visible=False)]
    locked = is_locked(check)
    return [
        str(describe(check, person)),
        gr.Button(visible=locked and check.access == "sign-in" and person.kind == "local"),
        gr.Button(visible=locked and check.access == "ask"),
    ]


def describe(check: ModelCheck, person: Person) -> Markup:
    """The terms in one line, and what to do about them. Nothing for a model that asks for nothing."""
    if check.access == "accepted":
        return note("You may use this one.", check.terms, "good")
    if not is_locked(check) or check.problem is None:
        return Markup("")
    page = html('<a href="{}" target="_blank" rel="noopener noreferrer">Open its page</a>', check.accept_url)
    accept = html("{} on Hugging Face, read the terms and accept them there.", page)
    look_again = "Come back and press “I have accepted: check again”."
    steps = (
        [accept, look_again]
        if check.access == "ask"
        else [_sign_in(person), accept, "Come back: it is looked at again."]
    )
    return html(
        '<div class="f-note warn" role="status"><p><strong>{}</strong> {}</p><ol class="f-how">{}</ol>'
        '<p class="f-small">{} Nothing has been downloaded yet.</p></div>',
        check.problem.what,
        check.problem.why,
        each("<li>{}</li>", steps),
        f"Licence: {check.licence}." if check.licence_url else "",
    )


def _sign_in(person: Person) -> Markup:
    return html("Sign in with the button below.") if person.kind == "local" else sign_in_link()

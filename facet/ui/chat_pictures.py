"""Pictures that go with a message: the field for them, where they wait, and what becomes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from facet.dataset.album import link
from facet.dataset.pictures import SUFFIXES
from facet.identity import Person
from facet.showing import MOST_AT_ONCE
from facet.studio import Studio
from facet.ui.chat_panes import Voice
from facet.ui.events import Gate
from facet.ui.markup import html
from facet.ui.served import remove_old, served_at
from facet.ui.values import File


@dataclass(frozen=True)
class Adding:
    """Seen only while the chosen model sees pictures; `button` holds those that wait for the next message."""

    button: gr.UploadButton
    out: gr.Button
    note: gr.HTML

    @property
    def shown(self) -> list[Any]:
        return [self.button, self.out, self.note]


def layout() -> Adding:
    """Two buttons and, beneath them, what waits."""
    button = gr.UploadButton(
        "Add pictures",
        file_count="multiple",
        file_types=list(SUFFIXES),
        size="sm",
        scale=0,
        min_width=130,
        visible=False,
        elem_id="chat-add",
    )
    out = gr.Button("Take them out", size="sm", scale=0, min_width=140, visible=False)
    return Adding(button, out, gr.HTML(visible=False, elem_id="chat-added", render=False))


def wire(adding: Adding, gate: Gate) -> None:
    def add(person: Person, pictures: list[File] | None) -> list[Any]:
        return waiting(pictures or [])

    def take_out(person: Person, pictures: list[File] | None) -> list[Any]:
        for file in pictures or []:
            Path(file).unlink(missing_ok=True)
        return sent()

    asked = {"pictures": adding.button}
    gate.on(adding.button.upload, add, asked, [adding.out, adding.note], show_progress="hidden")
    gate.on(adding.out.click, take_out, asked, adding.shown, show_progress="hidden")


def waiting(files: Sequence[str]) -> list[Any]:
    """Values of the other button and of the note."""
    names = ", ".join(Path(file).name[:60] for file in files[: MOST_AT_ONCE + 1])
    words = html('<p role="status">With your next message: {}</p>', names) if files else ""
    return [gr.Button(visible=bool(files)), gr.HTML(value=str(words), visible=bool(files))]


def fitting(studio: Studio, person: Person, target: str) -> list[Any]:
    """Values of `Adding.shown` for a model that was just chosen: what waits goes to it, if it sees."""
    if target and studio.sees_pictures(person, target):
        return [gr.UploadButton(visible=True), gr.skip(), gr.skip()]
    return [gr.UploadButton(value=None, visible=False), *waiting([])]


def sent() -> list[Any]:
    """Values of `Adding.shown` once a message took them along."""
    return [gr.UploadButton(value=None), *waiting([])]


def taken(studio: Studio, person: Person, page: str, files: Sequence[str], voices: Sequence[Voice]) -> list[str]:
    """Names of the pictures, now the conversation's own. What was uploaded is gone then.

    Raises: `DataError` when somebody who shall answer sees none, or one of them is no picture; nothing is lost then.
    """
    seers = {voice.target: voice.name for voice in voices}
    names = studio.take_pictures(person, page, [Path(file) for file in files], seers)
    remove_old()
    for name in names:
        link(studio.shown_picture(person, name), served_at(name))
    for file in files:
        Path(file).unlink(missing_ok=True)  # Gradio's can be read by whoever knows its address
    return names


def forget(studio: Studio, person: Person, page: str | None = None) -> None:
    """The conversation of a page is over, or all of them."""
    for name in studio.forget_pictures(person, page):
        served_at(name).unlink(missing_ok=True)

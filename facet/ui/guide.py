"""The Guide tab: the pages of `facet/guide`, one at a time."""

from dataclasses import dataclass

import gradio as gr

from facet.guide import PAGES
from facet.identity import Person
from facet.ui.events import Gate
from facet.ui.values import Name


@dataclass(frozen=True)
class GuideTab:
    chosen: gr.Radio
    text: gr.Markdown


def layout() -> GuideTab:
    names = [(page.title, page.name) for page in PAGES]
    with gr.Row(elem_classes="f-guide"):
        with gr.Column(scale=0, min_width=220):
            chosen = gr.Radio(names, value=names[0][1], label="Pages")
        with gr.Column(scale=1, min_width=300, elem_classes="card"):
            text = gr.Markdown(PAGES[0].text, elem_classes="f-page")
    return GuideTab(chosen, text)


def wire(tab: GuideTab, gate: Gate) -> None:
    def turn_to(person: Person, name: Name) -> str:
        return next((page.text for page in PAGES if page.name == name), PAGES[0].text)

    gate.on(tab.chosen.input, turn_to, {"name": tab.chosen}, tab.text, quiet=True)

"""How a test is made, folded away: how many questions, what counts as right, and whether to ask the general ones."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.errors import SettingError
from facet.exam.exams import Options

GENERAL = "Also ask our general questions"
TYPES = [
    ("As the answers of the data show", ""),
    ("The right label", "classification"),
    ("The exact answer", "exact"),
    ("The right number", "number"),
    ("The right JSON", "json"),
    ("How alike the texts are", "text"),
    ("A translation", "translation"),
    ("Preferring the better answer", "preference"),
]


@dataclass(frozen=True)
class OptionsForm:
    general: gr.Checkbox
    most: gr.Textbox
    type: gr.Dropdown

    @property
    def asked(self) -> dict[str, Any]:
        return {"general": self.general, "most": self.most, "type": self.type}

    @property
    def changed(self) -> list[Any]:
        """Events after which it may take longer, or not as long."""
        return [self.general.input, self.most.change, self.type.input]


def options_layout() -> OptionsForm:
    with gr.Accordion("How it is asked", open=False, elem_classes="f-more"):
        general = gr.Checkbox(
            True, label=GENERAL, info="About eighty, the same for every model: they show what tuning costs"
        )
        with gr.Row():
            most = gr.Textbox(
                str(Options().most), label="Most questions", info="Of each part", max_length=8, min_width=160
            )
            type_ = gr.Dropdown(TYPES, value="", label="What counts as right", info="Type of exam", min_width=240)
    return OptionsForm(general, most, type_)


def options_of(chosen: dict[str, Any]) -> Options:
    """Raises: `SettingError` for what is no number, or out of bounds."""
    most = str(chosen["most"]).strip().replace(",", "")
    if not most.isdecimal():
        raise SettingError(
            "That is not a number of questions.",
            "“Most questions” must be a whole number.",
            "Correct it and start again.",
        )
    return Options(general=bool(chosen["general"]), most=int(most[:9]), type=chosen["type"] or None)

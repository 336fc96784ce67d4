"""How it answers: every dial of the decoding, in plain words with the expert's name."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.model.decoding import AUTOMATIC, ENGINES, Decoding
from facet.ui.markup import html
from facet.ui.values import Line, Number

Dial = Number | Line | None


@dataclass(frozen=True)
class Settings:
    system: gr.Textbox
    decoding: dict[str, Any]  # by the names of `Decoding`

    def asked(self) -> dict[str, Any]:
        return {"system": self.system} | self.decoding


def layout() -> Settings:
    with gr.Column(elem_classes="card"), gr.Accordion("How it answers", open=False), gr.Column(elem_classes="f-gap"):
        gr.HTML(
            html(
                '<p class="f-small">All sides always get the same message, the same settings and the same seed, '
                "so whatever differs was learned.</p>"
            )
        )
        system = gr.Textbox(
            label="Standing instructions", info="Said before the conversation begins (system prompt)", lines=2
        )
        return Settings(system, _dials())


def _dials() -> dict[str, Any]:
    made: dict[str, Any] = {}
    with gr.Row():
        made["temperature"] = gr.Slider(
            0, 2, 0, step=0.05, label="Temperature", info="0 always takes the likeliest word; more is livelier"
        )
        made["max_new_tokens"] = gr.Slider(
            1, 2048, 256, step=1, label="Longest reply", info="In tokens, about ¾ of a word each"
        )
    with gr.Row():
        made["top_p"] = gr.Slider(0.01, 1, 0.95, step=0.01, label="Top-p", info="Only words from the likeliest share")
        made["top_k"] = gr.Slider(0, 200, 64, step=1, label="Top-k", info="Only so many candidates; 0 for all")
        made["min_p"] = gr.Slider(
            0, 1, 0, step=0.01, label="Min-p", info="Drop words less likely than this share of the likeliest"
        )
    with gr.Row():
        made["repetition_penalty"] = gr.Slider(
            1, 2, 1, step=0.05, label="Repetition penalty", info="Above 1, words that were said become less likely"
        )
        made["stop"] = gr.Textbox(label="Stop at", info="Texts that end the reply, one on each line", max_lines=4)
    with gr.Row():
        made["seed"] = gr.Number(0, label="Seed", precision=0, info="The same number repeats the same dice")
        made["engine"] = gr.Dropdown(
            list(ENGINES),
            value=AUTOMATIC,
            label="Answers come from",
            info="What computes them; at temperature 0 all say the same",
        )
    return made


def decoding(dials: dict[str, Any]) -> Decoding:
    """Raises: `SettingError` for a value that is not offered."""
    stop = tuple(line for line in str(dials.get("stop") or "").splitlines() if line.strip())
    numbers = {name: _number(value) for name, value in dials.items() if name not in ("stop", "engine")}
    return Decoding(**numbers, stop=stop, engine=str(dials.get("engine") or AUTOMATIC))


def _number(value: Any) -> Any:
    return 0 if value is None else value

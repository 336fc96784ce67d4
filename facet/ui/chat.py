"""The Chat tab: talk to a tuned model, and to the untouched one beside it with the very same decoding."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.gemma.models import STARTER
from facet.identity import Grant, Person
from facet.model.speak import Decoding, Piece, Side
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import as_written, html
from facet.ui.models import chosen_model, model_choices
from facet.ui.session import Session
from facet.ui.values import Id, Number, Turns, Words

Talk = dict[str, list[dict[str, str]]]  # side → its conversation
SIDES: tuple[tuple[Side, str], ...] = (("base", "Untouched"), ("tuned", "Tuned"))
REPAINT_SECONDS = 0.1  # a fast model says more in a second than a page can draw
ENDINGS = {"length": " (stopped at “Longest reply”)", "stopped": " (stopped by you)"}


@dataclass(frozen=True)
class ChatTab:
    target: gr.Dropdown
    compare: gr.Checkbox
    untouched: gr.Column
    chosen: gr.Column
    boxes: dict[str, gr.Chatbot]
    status: gr.HTML
    text: gr.Textbox
    send: gr.Button
    stop: gr.Button
    retry: gr.Button
    clear: gr.Button
    system: gr.Textbox
    decoding: dict[str, Any]
    talk: gr.State

    def asked(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "compare": self.compare,
            "talk": self.talk,
            "system": self.system,
        } | self.decoding

    @property
    def spoken(self) -> list[Any]:
        return [self.talk, *self.boxes.values(), self.status]


def layout() -> ChatTab:
    with gr.Column(elem_classes="card f-gap"):
        with gr.Row(elem_classes="f-finish"):
            target = gr.Dropdown([], label="Talk to")
            compare = gr.Checkbox(True, label="Put the untouched model beside it", min_width=220, elem_id="compare")
        with gr.Row(elem_classes="f-voices"):
            with gr.Column(min_width=260, elem_classes="f-voice base") as untouched:
                base = _box("Untouched", "The model as it came.")
            with gr.Column(min_width=260, elem_classes="f-voice tuned") as chosen:
                tuned = _box("Tuned", "The model you chose.")
        status = gr.HTML(elem_id="chat-status")
        with gr.Row(elem_classes="f-finish"):
            text = gr.Textbox(label="Your message", lines=1, max_lines=8, elem_id="chat-text", scale=5)
            send = gr.Button("Send", variant="primary", elem_id="chat-send")
            stop = gr.Button("Stop", variant="stop", visible=False)
        with gr.Row(elem_classes="f-buttons"):
            retry, clear = gr.Button("Retry", size="sm", scale=0), gr.Button("Clear", size="sm", scale=0)
    with gr.Column(elem_classes="card"):
        system, decoding = _settings()
    return ChatTab(
        target,
        compare,
        untouched,
        chosen,
        {"base": base, "tuned": tuned},
        status,
        text,
        send,
        stop,
        retry,
        clear,
        system,
        decoding,
        gr.State({"base": [], "tuned": []}),
    )


def _box(title: str, words: str) -> gr.Chatbot:
    return gr.Chatbot(
        label=title,
        height=380,
        sanitize_html=True,
        buttons=[],
        feedback_options=None,
        layout="bubble",
        placeholder=words,
        group_consecutive_messages=False,
    )


def _settings() -> tuple[gr.Textbox, dict[str, Any]]:
    with gr.Accordion("How it answers", open=False), gr.Column(elem_classes="f-gap"):
        gr.HTML(
            html(
                '<p class="f-small">Both sides always get the same message, the same settings and the same seed, '
                "so whatever differs was learned.</p>"
            )
        )
        system = gr.Textbox(
            label="Standing instructions", info="Said before the conversation begins (system prompt)", lines=2
        )
        with gr.Row():
            temperature = gr.Slider(
                0, 2, 0, step=0.05, label="Temperature", info="0 always takes the likeliest word; more is livelier"
            )
            longest = gr.Slider(1, 2048, 256, step=1, label="Longest reply", info="In tokens, about ¾ of a word each")
        with gr.Row():
            top_p = gr.Slider(0.01, 1, 0.95, step=0.01, label="Top-p", info="Only words from the likeliest share")
            top_k = gr.Slider(0, 200, 64, step=1, label="Top-k", info="Only so many candidates; 0 for all")
            seed = gr.Number(0, label="Seed", precision=0, info="The same number repeats the same dice")
    return system, {"temperature": temperature, "top_p": top_p, "top_k": top_k, "max_new_tokens": longest, "seed": seed}


def wire(tab: ChatTab, studio: Studio, gate: Gate, session: Session) -> None:
    def hear(person: Person, text: Words, compare: bool, talk: dict[str, Turns]) -> Any:
        """The message appears at once; the answers come after it."""
        if not text.strip():
            return gr.skip()
        said = {side: asked_anew(talk.get(side, []), text) for side in (("base", "tuned") if compare else ("tuned",))}
        said = {"base": talk.get("base", [])} | said  # who is not asked hears nothing, and keeps its turns in order
        return ["", *_shown(said), "", gr.Button(visible=False), gr.Button(visible=True)]

    def again(person: Person, talk: dict[str, Turns]) -> Any:
        """Take the last answers back; they are asked for anew."""
        said = {side: _without_answer(turns) for side, turns in talk.items()}
        return [*_shown(said), "", gr.Button(visible=False), gr.Button(visible=True)]

    def speak(
        person: Person,
        grant: Grant,
        target: Id | None,
        compare: bool,
        talk: dict[str, Turns],
        system: Words,
        temperature: Number,
        top_p: Number,
        top_k: Number,
        max_new_tokens: Number,
        seed: Number | None,
    ) -> Iterator[list[Any]]:
        decoding = Decoding(temperature, top_p, int(top_k), int(max_new_tokens), int(seed or 0))
        yield from replies(studio, grant, target or "", talk, system, compare, decoding)

    def rest(person: Person) -> list[Any]:
        return [gr.Button(visible=True), gr.Button(visible=False)]

    def stop(person: Person) -> None:
        studio.stop_chat(person)

    def clear(person: Person) -> list[Any]:
        return [*_shown({"base": [], "tuned": []}), ""]

    def arrange(person: Person, compare: bool) -> Any:
        return gr.Column(visible=compare)

    def choose(person: Person, target: Id | None) -> list[Any]:
        """An untouched model has nothing beside it, and no name or colour that is not its own."""
        tuned = target != STARTER
        look = gr.Column(elem_classes=["f-voice", "tuned" if tuned else "base"])
        box = gr.Chatbot(label="Tuned" if tuned else "Untouched", value=[])
        return [gr.Checkbox(value=tuned, visible=tuned), gr.Column(visible=tuned), look, box]

    buttons = [tab.send, tab.stop]
    heard = gate.on(
        [tab.send.click, tab.text.submit],
        hear,
        {"text": tab.text, "compare": tab.compare, "talk": tab.talk},
        [tab.text, *tab.spoken, *buttons],
        show_progress="hidden",
    )
    retried = gate.on(tab.retry.click, again, {"talk": tab.talk}, [*tab.spoken, *buttons], show_progress="hidden")
    for event in (heard, retried):
        spoken = gate.on(event.success, speak, tab.asked(), tab.spoken, show_progress="hidden")
        gate.on(spoken.then, rest, None, buttons, quiet=True)
    gate.on(tab.stop.click, stop, None, None, show_progress="hidden", queue=False)
    gate.on([tab.clear.click, tab.target.change], clear, None, tab.spoken, quiet=True)
    arranged = [tab.compare, tab.untouched, tab.chosen, tab.boxes["tuned"]]
    gate.on(tab.target.change, choose, {"target": tab.target}, arranged, quiet=True)
    gate.on(tab.compare.change, arrange, {"compare": tab.compare}, tab.untouched, quiet=True)


def replies(
    studio: Studio, grant: Grant, target: str, talk: Talk, system: str, compare: bool, decoding: Decoding
) -> Iterator[list[Any]]:
    """Values of `ChatTab.spoken`, again and again as the replies grow."""
    wanted = [side for side, _ in SIDES if _is_question(talk.get(side, [])) and (compare or side == "tuned")]
    if not wanted:
        return
    asked = {
        side: [*([{"role": "system", "content": system}] if system.strip() else []), *talk[side]] for side in wanted
    }
    growing: Talk = {side: list(turns) for side, turns in talk.items()}
    shown_at = 0.0
    for piece in studio.chat(grant.person, target, asked, decoding, grant):
        if isinstance(piece, str):
            yield [gr.skip(), gr.skip(), gr.skip(), str(html('<p class="f-wait" role="status">{}</p>', piece))]
            continue
        growing[piece.side] = [*talk[piece.side], {"role": "assistant", "content": piece.text}]
        if piece.done or time.monotonic() - shown_at > REPAINT_SECONDS:
            shown_at = time.monotonic()
            yield [*_shown(growing, only=piece.side), _pace(piece, named=len(wanted) > 1)]


def asked_anew(turns: list[dict[str, str]], text: str) -> list[dict[str, str]]:
    """The conversation with one more question. One that was never answered, because of a stop or a fault, gives way."""
    answered = turns[:-1] if _is_question(turns) else turns
    return [*answered, {"role": "user", "content": text}]


def _is_question(turns: list[dict[str, str]]) -> bool:
    return bool(turns) and turns[-1]["role"] == "user"


def _without_answer(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    return turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns


def _shown(talk: Talk, only: Side | None = None) -> list[Any]:
    """The true conversations for memory, and the same for the eye, with their HTML made harmless."""
    return [talk, *[_for_the_eye(talk.get(side, [])) if only in (side, None) else gr.skip() for side, _ in SIDES]]


def _for_the_eye(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    return [turn | {"content": as_written(turn["content"])} for turn in turns]


def _pace(piece: Piece, named: bool) -> str:
    side = {"base": "Untouched: ", "tuned": "Tuned: "}[piece.side] if named else ""
    speed = f", {piece.tokens / piece.seconds:.0f} tokens per second" if piece.seconds > 0.05 else ""
    end = ENDINGS.get(piece.ended, "") if piece.done else ""
    return str(html('<p class="f-small f-number" role="status">{}{:,} tokens{}{}</p>', side, piece.tokens, speed, end))


def refreshed(studio: Studio, person: Person, wanted: str | None) -> gr.Dropdown:
    choices = model_choices(studio, person)
    return gr.Dropdown(choices=choices, value=chosen_model(choices, wanted))

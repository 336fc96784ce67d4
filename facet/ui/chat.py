"""The Chat tab: talk to a tuned model, and to others beside it with the very same decoding."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.errors import DataError, FacetError
from facet.identity import Grant, Person
from facet.model.decoding import Decoding
from facet.model.speak import Piece
from facet.studio import Studio
from facet.talk import Proof
from facet.ui import chat_keep, chat_settings
from facet.ui.chat_keep import Keeping
from facet.ui.chat_panes import (
    MOST_KEPT_CHARACTERS,
    MOST_OTHERS,
    PLACES,
    Pane,
    Voice,
    arranged,
    asked_again,
    asked_anew,
    cast,
    choices,
    is_question,
    is_tuned,
    panes_layout,
    shown,
    trimmed,
    without_answer,
)
from facet.ui.chat_show import SaidTurns, Talk
from facet.ui.chat_words import Told
from facet.ui.events import Gate
from facet.ui.models import chosen_model
from facet.ui.session import Session
from facet.ui.values import Id, Number, Words

REPAINT_SECONDS = 0.1  # a fast model says more in a second than a page can draw
Others = list[Id]


@dataclass(frozen=True)
class ChatTab:
    target: gr.Dropdown
    compare: gr.Checkbox
    others: gr.Dropdown
    panes: list[Pane]
    status: gr.HTML
    text: gr.Textbox
    send: gr.Button
    stop: gr.Button
    retry: gr.Button
    clear: gr.Button
    settings: chat_settings.Settings
    keeping: Keeping
    talk: gr.State

    @property
    def chosen(self) -> dict[str, Any]:
        return {"target": self.target, "compare": self.compare, "others": self.others}

    def asked(self) -> dict[str, Any]:
        return self.chosen | {"talk": self.talk} | self.settings.asked()

    @property
    def spoken(self) -> list[Any]:
        return [self.talk, *[pane.box for pane in self.panes], self.status]

    @property
    def buttons(self) -> list[Any]:
        return [self.send, self.stop]

    @property
    def placed(self) -> list[Any]:
        return [part for pane in self.panes for part in (pane.column, pane.box)]

    @property
    def listed(self) -> list[Any]:
        return [self.target, self.others, *self.keeping.listed]


def layout() -> ChatTab:
    with gr.Column(elem_classes="card f-gap"):
        with gr.Row(elem_classes="f-finish"):
            target = gr.Dropdown([], label="Talk to", allow_custom_value=True)
            others = gr.Dropdown(
                [], label="More beside them", multiselect=True, max_choices=MOST_OTHERS, elem_id="others"
            )
            compare = gr.Checkbox(True, label="Put the untouched model beside it", min_width=220, elem_id="compare")
        panes = panes_layout()
        with gr.Row(elem_classes="f-finish"):
            text = gr.Textbox(label="Your message", lines=1, max_lines=8, elem_id="chat-text", scale=5)
            send = gr.Button("Send", variant="primary", elem_id="chat-send")
            stop = gr.Button("Stop", variant="stop", visible=False)
        with gr.Row(elem_classes="f-buttons"):
            retry, clear = gr.Button("Retry", size="sm", scale=0), gr.Button("Clear", size="sm", scale=0)
        status = gr.HTML(elem_id="chat-status")  # below all that is pressed, which so stays where it is
    settings = chat_settings.layout()
    keeping = chat_keep.layout()
    talk = gr.State(_nothing_said())
    return ChatTab(
        target, compare, others, panes, status, text, send, stop, retry, clear, settings, keeping, talk
    )  # fmt: skip


def _nothing_said() -> Talk:
    return {place: [] for place in PLACES}


def wire(tab: ChatTab, studio: Studio, gate: Gate, session: Session) -> None:
    def hear(
        person: Person, target: Id | None, compare: bool, others: Others, text: Words, talk: dict[str, SaidTurns]
    ) -> Any:
        """The message appears at once; the answers come after it."""
        voices = cast(choices(studio, person), target or "", compare, others)
        if not text.strip() or not voices:
            return gr.skip()
        require_short(text, len(voices))
        places = {voice.place for voice in voices}
        said = {place: asked_anew(turns, text) if place in places else turns for place, turns in _whole(talk).items()}
        return ["", *shown(trimmed(said)[0]), "", *_speaking()]

    def again(person: Person, talk: dict[str, SaidTurns], temperature: Number, seed: Number | None) -> Any:
        """Take the last answers back; they are asked for anew, and where there are dice, with the next ones."""
        said = {place: without_answer(turns) for place, turns in _whole(talk).items()}
        thrown = int(seed or 0) + 1 if temperature > 0 else gr.skip()
        return [*shown(said), "", *_speaking(), thrown]

    def edit(
        person: Person,
        event: gr.EventData,
        target: Id | None,
        compare: bool,
        others: Others,
        talk: dict[str, SaidTurns],
        system: Words,
    ) -> list[Any]:
        """A question that reads differently is asked again everywhere; an answer is kept as the better one."""
        voices = cast(choices(studio, person), target or "", compare, others)
        where = chat_keep.pressed(tab.panes, event)
        said, words = chat_keep.edited(studio, person, voices, where, _whole(talk), system, asked_again)
        speaks = any(is_question(turns) for turns in said.values())
        return [*shown(said), words, *(_speaking() if speaks else _resting()), *chat_keep.refreshed(studio, person)]

    def speak(
        person: Person,
        grant: Grant,
        request: gr.Request,
        target: Id | None,
        compare: bool,
        others: Others,
        talk: dict[str, SaidTurns],
        system: Words,
        **dials: chat_settings.Dial,
    ) -> Iterator[list[Any]]:
        decoding = chat_settings.decoding(dials)
        voices = cast(choices(studio, person), target or "", compare, others)
        studio.enter_chat(str(getattr(request, "session_hash", "") or ""), person)
        yield from replies(studio, grant, voices, _whole(talk), system, decoding)

    def rest(person: Person) -> list[Any]:
        return _resting()

    def stop(person: Person) -> None:
        studio.stop_chat(person)

    def clear(person: Person) -> list[Any]:
        return [*shown(_nothing_said()), ""]

    def choose(person: Person, target: Id | None, others: Others) -> list[Any]:
        """An untouched model has nothing beside it, and no name or colour that is not its own."""
        known = choices(studio, person)
        tuned = is_tuned(target or "", known)
        voices = cast(known, target or "", tuned, others)
        return [gr.Checkbox(value=tuned, visible=tuned), *arranged(voices)]

    def arrange(person: Person, target: Id | None, compare: bool, others: Others) -> list[Any]:
        return arranged(cast(choices(studio, person), target or "", compare, others))

    def leave(person: Person, request: gr.Request) -> None:
        studio.leave_chat(str(getattr(request, "session_hash", "") or ""))

    heard = gate.on(
        [tab.send.click, tab.text.submit],
        hear,
        tab.chosen | {"text": tab.text, "talk": tab.talk},
        [tab.text, *tab.spoken, *tab.buttons],
        show_progress="hidden",
    )
    dials = tab.settings.decoding
    judging = tab.chosen | {"talk": tab.talk, "system": tab.settings.system}
    retried = gate.on(
        tab.retry.click,
        again,
        {"talk": tab.talk, "temperature": dials["temperature"], "seed": dials["seed"]},
        [*tab.spoken, *tab.buttons, dials["seed"]],
        show_progress="hidden",
    )
    changed = gate.on(
        [pane.box.edit for pane in tab.panes],
        edit,
        judging,
        [*tab.spoken, *tab.buttons, *tab.keeping.listed],
        show_progress="hidden",
    )
    for event in (heard, retried, changed):
        spoken = gate.on(event.success, speak, tab.asked(), tab.spoken, show_progress="hidden")
        gate.on(spoken.then, rest, None, tab.buttons, quiet=True)
    gate.on(tab.stop.click, stop, None, None, show_progress="hidden", queue=False)
    gate.on([tab.clear.click, tab.target.change], clear, None, tab.spoken, quiet=True)
    gate.on(
        tab.target.change, choose, {"target": tab.target, "others": tab.others}, [tab.compare, *tab.placed], quiet=True
    )
    gate.on([tab.compare.input, tab.others.input], arrange, tab.chosen, tab.placed, quiet=True)
    gate.leaving(leave)
    chat_keep.wire(tab.keeping, tab.panes, judging, tab.spoken, studio, gate, session)


def _speaking() -> list[Any]:
    return [gr.Button(visible=False), gr.Button(visible=True)]


def _resting() -> list[Any]:
    return [gr.Button(visible=True), gr.Button(visible=False)]


def _whole(talk: dict[str, SaidTurns]) -> Talk:
    return {place: list(talk.get(place, [])) for place in PLACES}


def require_short(text: str, voices: int) -> None:
    """Raises: `DataError` for a message that, said to everybody, is more than the page carries."""
    if len(text) * voices > MOST_KEPT_CHARACTERS:
        most = MOST_KEPT_CHARACTERS // voices
        raise DataError(
            "Your message is too long for the chat.",
            f"It has {len(text):,} characters, and {most:,} is the most with {voices} models side by side.",
            "Shorten it, or talk to fewer models at once.",
        )


def replies(
    studio: Studio, grant: Grant, voices: list[Voice], talk: Talk, system: str, decoding: Decoding
) -> Iterator[list[Any]]:
    """Values of `ChatTab.spoken`, again and again as the replies grow. A failure is said in its place."""
    wanted = [voice for voice in voices if is_question(talk.get(voice.place, []))]
    if not wanted:
        yield [gr.skip()] * (2 + len(PLACES))
        return
    told = Told(voices, waiting="Waking the model" if len(wanted) == 1 else "Waking the models")
    growing, told.gone = trimmed(talk)
    yield [*[gr.skip()] * (1 + len(PLACES)), told.words()]
    speakers = [voice.speaker(growing[voice.place], system) for voice in wanted]
    shown_at = 0.0
    try:
        for heard in studio.talk(grant.person, speakers, decoding, grant, prove=True):
            if isinstance(heard, Piece):
                answer = {"role": "assistant", "content": heard.text}
                answer |= {"thought": heard.thought} if heard.thought else {}
                growing[heard.side] = [*_asked(growing[heard.side]), answer]
                told.pieces[heard.side], told.waiting = heard, ""
                if not heard.done and time.monotonic() - shown_at < REPAINT_SECONDS:
                    continue
                shown_at = time.monotonic()
                yield [*shown(growing, only=heard.side), told.words()]
                continue
            if isinstance(heard, Proof):
                told.proofs[heard.key] = heard
            else:
                told.waiting = heard
            yield [*[gr.skip()] * (1 + len(PLACES)), told.words()]
    except FacetError as error:
        told.failure, told.waiting = error, ""
        yield [*shown(growing), told.words()]


def _asked(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Up to the question: what was answered so far is replaced by more of it."""
    return turns if is_question(turns) else turns[:-1]


def refreshed(studio: Studio, person: Person, wanted: str | None, others: list[str]) -> list[Any]:
    """Values of `ChatTab.listed`."""
    known = choices(studio, person)
    if wanted and "/" in wanted and all(key != wanted for _, key in known):
        known = [*known, (wanted, wanted)]  # an id that was typed
    keys = {key for _, key in known}
    return [
        gr.Dropdown(choices=known, value=chosen_model(known, wanted)),
        gr.Dropdown(choices=known, value=[key for key in others if key in keys]),
        *chat_keep.refreshed(studio, person),
    ]

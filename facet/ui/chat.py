"""The Chat tab: talk to a tuned model, and to others beside it with the very same decoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui import chat_keep, chat_pictures, chat_settings
from facet.ui.chat_keep import Keeping
from facet.ui.chat_panes import (
    MOST_OTHERS,
    PLACES,
    Pane,
    arranged,
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
from facet.ui.chat_replies import replies, require_quiet, require_short
from facet.ui.chat_show import SaidTurns, Talk
from facet.ui.events import Gate
from facet.ui.models import chosen_model
from facet.ui.session import Session
from facet.ui.values import File, Id, Words

Others = list[Id]


@dataclass(frozen=True)
class ChatTab:
    target: gr.Dropdown
    compare: gr.Checkbox
    others: gr.Dropdown
    panes: list[Pane]
    status: gr.HTML
    text: gr.Textbox
    pictures: chat_pictures.Adding
    send: gr.Button
    stop: gr.Button
    retry: gr.Button
    clear: gr.Button
    settings: chat_settings.Settings
    keeping: Keeping
    talk: gr.State
    whom: gr.State  # the model that is being talked to, which the list of models may learn of later
    busy: gr.State  # whether an answer is growing, on which everything else has to wait

    @property
    def chosen(self) -> dict[str, Any]:
        return {"target": self.target, "compare": self.compare, "others": self.others}

    def asked(self) -> dict[str, Any]:
        return self.chosen | {"talk": self.talk, "whom": self.whom} | self.settings.asked()

    @property
    def spoken(self) -> list[Any]:
        return [self.talk, *[pane.box for pane in self.panes], self.status]

    @property
    def buttons(self) -> list[Any]:
        locked = [self.retry, self.clear, self.target, self.compare, self.others]
        return [self.send, self.stop, *locked, self.busy]

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
            pictures = chat_pictures.layout()
            retry, clear = gr.Button("Retry", size="sm", scale=0), gr.Button("Clear", size="sm", scale=0)
        pictures.note.render()
        status = gr.HTML(elem_id="chat-status")  # below all that is pressed, which so stays where it is
    settings = chat_settings.layout()
    keeping = chat_keep.layout()
    known = gr.State(_nothing_said()), gr.State(None), gr.State(False)
    return ChatTab(
        target, compare, others, panes, status, text, pictures, send, stop, retry, clear, settings, keeping, *known
    )  # fmt: skip


def _nothing_said() -> Talk:
    return {place: [] for place in PLACES}


def wire(tab: ChatTab, studio: Studio, gate: Gate, session: Session) -> None:
    judging = tab.chosen | {"talk": tab.talk, "system": tab.settings.system, "busy": tab.busy}
    asked = (
        _wire_messages(tab, studio, gate, session),
        _wire_retry(tab, gate),
        _wire_edits(tab, judging, studio, gate),
    )
    _wire_answers(tab, asked, studio, gate)
    _wire_places(tab, studio, gate)
    _wire_endings(tab, studio, gate)
    chat_pictures.wire(tab.pictures, gate)
    chat_keep.wire(tab.keeping, tab.panes, judging, tab.spoken, studio, gate, session)


def _wire_messages(tab: ChatTab, studio: Studio, gate: Gate, session: Session) -> Any:
    def hear(
        person: Person,
        request: gr.Request,
        target: Id | None,
        compare: bool,
        others: Others,
        text: Words,
        pictures: list[File] | None,
        talk: dict[str, SaidTurns],
        run: Id | None,
        spoken_to: Id | None,
        busy: bool,
        **dials: chat_settings.Dial,
    ) -> Any:
        """The message appears at once, the answers after it; what is wrong is said while the text is still there.

        Somebody quick may send it before the list of models has come: then it is for the one that will be chosen. And
        who sends it right after choosing another model begins anew, whatever is still to be cleared.
        """
        require_quiet(busy)
        chat_settings.decoding(dials)
        if not (text.strip() or pictures):
            return gr.skip()
        known = choices(studio, person)
        whom = target or chosen_model(known, run) or ""
        voices = cast(known, whom, compare, others)
        require_short(text, len(voices))
        images = chat_pictures.taken(studio, person, _page(request), pictures or [], voices)
        places = {voice.place for voice in voices}
        before = _nothing_said() if spoken_to and whom != spoken_to else _whole(talk)
        said = {place: asked_anew(turns, text, images) if place in places else turns for place, turns in before.items()}
        return ["", *chat_pictures.sent(), *shown(trimmed(said)[0]), "", *_speaking(), whom]

    return gate.on(
        [tab.send.click, tab.text.submit],
        hear,
        tab.chosen
        | {"text": tab.text, "pictures": tab.pictures.button, "talk": tab.talk, "run": session.run}
        | {"spoken_to": tab.whom, "busy": tab.busy}
        | tab.settings.decoding,
        [tab.text, *tab.pictures.shown, *tab.spoken, *tab.buttons, tab.whom],
        show_progress="hidden",
    )


def _wire_retry(tab: ChatTab, gate: Gate) -> Any:
    def again(person: Person, talk: dict[str, SaidTurns], busy: bool, **dials: chat_settings.Dial) -> Any:
        """Take the last answers back; they are asked for anew, and where there are dice, with the next ones."""
        require_quiet(busy)
        decoding = chat_settings.decoding(dials)
        said = {place: without_answer(turns) for place, turns in _whole(talk).items()}
        thrown = decoding.seed + 1 if decoding.temperature > 0 else gr.skip()
        return [*shown(said), "", *_speaking(), thrown]

    return gate.on(
        tab.retry.click,
        again,
        {"talk": tab.talk, "busy": tab.busy} | tab.settings.decoding,
        [*tab.spoken, *tab.buttons, tab.settings.decoding["seed"]],
        show_progress="hidden",
    )


def _wire_edits(tab: ChatTab, judging: dict[str, Any], studio: Studio, gate: Gate) -> Any:
    def edit(
        person: Person,
        event: gr.EventData,
        target: Id | None,
        compare: bool,
        others: Others,
        talk: dict[str, SaidTurns],
        system: Words,
        busy: bool,
        **dials: chat_settings.Dial,
    ) -> list[Any]:
        """A question that reads differently is asked again everywhere; an answer is kept as the better one."""
        require_quiet(busy)
        chat_settings.decoding(dials)
        voices = cast(choices(studio, person), target or "", compare, others)
        where = chat_keep.pressed(tab.panes, event)
        said, words = chat_keep.edited(studio, person, voices, where, _whole(talk), system)
        speaks = any(is_question(turns) for turns in said.values())
        return [*shown(said), words, *(_speaking() if speaks else _resting()), *chat_keep.refreshed(studio, person)]

    return gate.on(
        [pane.box.edit for pane in tab.panes],
        edit,
        judging | tab.settings.decoding,
        [*tab.spoken, *tab.buttons, *tab.keeping.listed],
        show_progress="hidden",
    )


def _wire_answers(tab: ChatTab, asked: tuple[Any, ...], studio: Studio, gate: Gate) -> None:
    """What follows each of the events that ask something."""

    def speak(
        person: Person,
        grant: Grant,
        request: gr.Request,
        target: Id | None,
        compare: bool,
        others: Others,
        talk: dict[str, SaidTurns],
        whom: Id | None,
        system: Words,
        **dials: chat_settings.Dial,
    ) -> Iterator[list[Any]]:
        decoding = chat_settings.decoding(dials)
        voices = cast(choices(studio, person), target or whom or "", compare, others)
        studio.enter_chat(_page(request), person)
        yield from replies(studio, grant, voices, _whole(talk), system, decoding)

    def rest(person: Person) -> list[Any]:
        return _resting()

    def stop(person: Person) -> None:
        studio.stop_chat(person)

    for event in asked:
        spoken = gate.on(event.success, speak, tab.asked(), tab.spoken, show_progress="hidden")
        for end in (spoken.success, spoken.failure):
            gate.on(end, rest, None, tab.buttons, quiet=True)
    gate.on(tab.stop.click, stop, None, None, show_progress="hidden", queue=False)


def _wire_places(tab: ChatTab, studio: Studio, gate: Gate) -> None:
    def choose(person: Person, target: Id | None, others: Others) -> list[Any]:
        """An untouched model has nothing beside it, and no name or colour that is not its own."""
        known = choices(studio, person)
        tuned = is_tuned(target or "", known)
        voices = cast(known, target or "", tuned, others)
        sight = chat_pictures.fitting(studio, person, target or "")
        return [gr.Checkbox(value=tuned, visible=tuned), *sight, *arranged(voices)]

    def arrange(person: Person, target: Id | None, compare: bool, others: Others) -> list[Any]:
        return arranged(cast(choices(studio, person), target or "", compare, others))

    gate.on(
        tab.target.change,
        choose,
        {"target": tab.target, "others": tab.others},
        [tab.compare, *tab.pictures.shown, *tab.placed],
        quiet=True,
    )
    gate.on([tab.compare.input, tab.others.input], arrange, tab.chosen, tab.placed, quiet=True)


def _wire_endings(tab: ChatTab, studio: Studio, gate: Gate) -> None:
    def clear(person: Person, request: gr.Request) -> list[Any]:
        chat_pictures.forget(studio, person, _page(request))
        return [*shown(_nothing_said()), ""]

    def change(person: Person, request: gr.Request, target: Id | None, whom: Id | None) -> Any:
        """Another model begins anew. A list that arrives after the first message names the one it went to."""
        return gr.skip() if whom and target == whom else clear(person, request)

    def leave(person: Person, request: gr.Request) -> None:
        studio.leave_chat(_page(request))
        chat_pictures.forget(studio, person, _page(request))

    gate.on(tab.clear.click, clear, None, tab.spoken, quiet=True)
    gate.on(tab.target.change, change, {"target": tab.target, "whom": tab.whom}, tab.spoken, quiet=True)
    gate.leaving(leave)


def _page(request: gr.Request) -> str:
    """Names one open page of one person."""
    return str(getattr(request, "session_hash", "") or "")


def _speaking() -> list[Any]:
    return [gr.Button(visible=False), gr.Button(visible=True), *_pressable(False), True]


def _resting() -> list[Any]:
    return [gr.Button(visible=True), gr.Button(visible=False), *_pressable(True), False]


def _pressable(now: bool) -> list[Any]:
    """What would pull the ground from under an answer that grows: it is written back piece by piece."""
    buttons = [gr.Button(interactive=now), gr.Button(interactive=now)]
    return [*buttons, gr.Dropdown(interactive=now), gr.Checkbox(interactive=now), gr.Dropdown(interactive=now)]


def _whole(talk: dict[str, SaidTurns]) -> Talk:
    return {place: list(talk.get(place, [])) for place in PLACES}


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

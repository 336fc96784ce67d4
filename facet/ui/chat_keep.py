"""Thumbs and better answers: what people think of an answer becomes examples of a dataset."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from pydantic import BaseModel, ConfigDict, ValidationError

from facet.dataset.conversation import TYPE_WORDS
from facet.dataset.from_chat import FITTING, Feedback, examples_of
from facet.errors import DataError, SettingError
from facet.identity import Person
from facet.studio import Studio
from facet.ui.chat_panes import PLACES, Pane, Voice, asked_again, cast, choices, shown
from facet.ui.chat_replies import require_quiet
from facet.ui.chat_show import SaidTurns, Talk, as_typed, place_of, rewritten
from facet.ui.events import Gate
from facet.ui.making import PATIENCE, Waiting, waiting_layout, watch, wire_waiting
from facet.ui.markup import html, join, note, section
from facet.ui.prepared import version_of
from facet.ui.session import Session
from facet.ui.values import Id, Line, Words
from facet.ui.words import count

NEW = {
    "conversation": "New data: questions and answers",
    "preference": "New data: pairs of answers to compare",
    "unpaired_preference": "New data: answers with a thumb up or down",
}
EDITED = note("Kept as the better answer.", "Further turns build on it. It stands below, in “What you judged”.", "good")


class Pressed(BaseModel):
    """What the browser says of a press on one message. It is not to be trusted."""

    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)
    index: int
    value: Any = None
    liked: bool | str | None = None

    @property
    def text(self) -> str:
        """The text of an edited message."""
        values = self.value if isinstance(self.value, list) else [self.value]
        texts = [value.get("text") if isinstance(value, dict) else value for value in values]
        return "".join(text for text in texts if isinstance(text, str))


def pressed(panes: list[Pane], event: gr.EventData | None) -> tuple[str, Pressed]:
    """In which place, and what. Raises: `SettingError` for anything the page does not send."""
    places = {pane.box.elem_id: pane.place for pane in panes}  # each visitor's page has its own copies of the boxes
    place = places.get(getattr(getattr(event, "target", None), "elem_id", None))
    try:
        if place:
            return place, Pressed.model_validate(event._data)
    except ValidationError:
        place = None
    raise SettingError(
        "This press could not be understood.",
        "It names no message of the conversation.",
        "Reload the page and try again.",
    )


@dataclass(frozen=True)
class Keeping:
    box: gr.Column
    words: gr.HTML
    into: gr.Dropdown
    make: gr.Button
    forget: gr.Button
    waiting: Waiting

    @property
    def listed(self) -> list[Any]:
        return [self.box, self.words, self.into]


def layout() -> Keeping:
    with gr.Column(elem_classes="card f-gap", visible=False, elem_id="judged") as box:
        words = gr.HTML()
        with gr.Row(elem_classes="f-finish"):
            into = gr.Dropdown([], label="Put them into", elem_id="judged-into")
            make = gr.Button("Make data of them", variant="primary")
            forget = gr.Button("Forget them")
        waiting = waiting_layout("judged-wait")
    return Keeping(box, words, into, make, forget, waiting)


def refreshed(studio: Studio, person: Person) -> list[Any]:
    """Values of `Keeping.listed`."""
    judged = studio.feedback(person)
    if not judged:
        return [gr.Column(visible=False), gr.skip(), gr.skip()]
    fitting = places_for(studio, person, judged)
    return [gr.Column(visible=True), describe(judged), gr.Dropdown(choices=fitting, value=fitting[0][1])]


def places_for(studio: Studio, person: Person, judged: list[Feedback]) -> list[tuple[str, str]]:
    """Where judged answers can go: the newest version of data of a fitting kind, and new data of each kind."""
    makes = {kind: len(examples_of(kind, judged)) for kind in FITTING}
    newest: dict[str, Any] = {}
    for card in studio.datasets(person):
        family = card.summary.get("family") or card.id
        if makes.get(card.summary.get("type", "conversation")):
            newest[family] = max(newest.get(family, card), card, key=version_of)
    known = [
        (f"{card.name}: version {version_of(card) + 1}, with {count(makes[_kind(card)], 'example')} more", card.id)
        for card in newest.values()
    ]
    new = [(f"{words} ({count(makes[kind], 'example')})", kind) for kind, words in NEW.items() if makes[kind]]
    return [*new, *known] or [(NEW["conversation"], "conversation")]


def _kind(card: Any) -> str:
    return card.summary.get("type", "conversation")


def describe(judged: list[Feedback]) -> str:
    """What was judged, and what it can become."""
    up, down = sum(one.good is True for one in judged), sum(one.good is False for one in judged)
    better = sum(bool(one.better.strip()) for one in judged)
    facts = [(up, "thumb up", "thumbs up"), (down, "thumb down", "thumbs down"), (better, "rewritten", "rewritten")]
    told = ", ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in facts if number)
    becomes = join(
        html("<li>{} as {}</li>", count(number, "example"), TYPE_WORDS[kind])
        for kind in FITTING
        if (number := len(examples_of(kind, judged)))
    )
    head = section("What you judged", "Answers with your thumbs and better words become examples to learn from.")
    if not becomes:
        becomes = html("<li>nothing yet: a thumb down says what is wrong, not what would be right</li>")
    return str(html("{}<p><strong>{}.</strong> They can become:</p><ul>{}</ul>", head, told, becomes))


def wire(
    tab: Keeping,
    panes: list[Pane],
    asked: dict[str, Any],
    spoken: list[Any],
    studio: Studio,
    gate: Gate,
    session: Session,
) -> None:
    """`asked` holds who stands where, the conversations and the instructions; `spoken` shows them."""

    def like(
        person: Person,
        event: gr.EventData,
        target: Id | None,
        compare: bool,
        others: list[Id],
        talk: dict[str, SaidTurns],
        system: Words,
        busy: bool,
    ) -> list[Any]:
        """A thumb, or the same thumb once more to take it back."""
        require_quiet(busy)
        place, press = pressed(panes, event)
        whole = {name: list(talk.get(name, [])) for name in PLACES}
        found = place_of(whole[place], press.index)
        if found is None or whole[place][found[0]]["role"] != "assistant":
            return [gr.skip()] * (len(spoken) + len(tab.listed))
        number, turn = found[0], whole[place][found[0]]
        whole[place][number] = thumbed(turn, press.liked)
        voices = cast(choices(studio, person), target or "", compare, others)
        judge(studio, person, voices, place, whole[place], number, system)
        return [*shown(whole), gr.skip(), *refreshed(studio, person)]

    def make(person: Person, into: Line) -> list[Any]:
        job = studio.start_learning_from_chat(person, into)
        return watch(studio, person, job, finished, 1 + len(tab.listed), PATIENCE)

    def finished(person: Person, made: str) -> list[Any]:
        card = studio.dataset(person, made)
        _, words, into = refreshed(studio, person)
        done = note(
            f"{card.name}, version {version_of(card)}, is ready.",
            f"It has {count(card.summary['splits']['train'], 'example')} to learn from. Choose it on the Train tab.",
            "good",
        )
        return [made, gr.Column(visible=True), str(done) if words == gr.skip() else words + str(done), into]

    def forget(person: Person) -> list[Any]:
        studio.forget_feedback(person)
        return refreshed(studio, person)

    gate.on([pane.box.like for pane in panes], like, asked, [*spoken, *tab.listed], show_progress="hidden")
    outputs = [session.dataset, *tab.listed]
    gate.on(tab.make.click, make, {"into": tab.into}, [*tab.waiting.shown, *outputs], show_progress="hidden")
    wire_waiting(tab.waiting, studio, gate, finished, outputs)
    gate.on(tab.forget.click, forget, None, tab.listed, show_progress="hidden")


def thumbed(turn: dict[str, Any], liked: bool | str | None) -> dict[str, Any]:
    """An answer once a thumb was pressed. The one that is there already, and an empty text, take it back."""
    thumb = {True: "up", False: "down"}.get(liked)  # type: ignore[arg-type]
    without = {name: value for name, value in turn.items() if name != "thumb"}
    return without if thumb in (None, turn.get("thumb")) else without | {"thumb": thumb}


def judge(
    studio: Studio,
    person: Person,
    voices: list[Voice],
    place: str,
    turns: list[dict[str, Any]],
    number: int,
    system: str,
) -> None:
    """Keep what is thought of one answer. Raises: `DataError` for answers about pictures."""
    if any(turn.get("images") for turn in turns[: number + 1]):
        raise DataError(
            "Answers about pictures cannot be kept yet.",
            "Only words become examples here.",
            "Judge an answer of a conversation without pictures.",
        )
    turn = turns[number]
    opening = [{"role": "system", "content": system}] if system.strip() else []
    before = [{"role": each["role"], "content": each["content"]} for each in turns[:number]]
    name = next((voice.name for voice in voices if voice.place == place), "")
    thumb = {"up": True, "down": False}.get(turn.get("thumb", ""))
    better = turn["content"] if "original" in turn else ""
    answer = turn.get("original", turn["content"])
    studio.judge_answer(person, Feedback([*opening, *before], answer, thumb, better, name))


def edited(
    studio: Studio,
    person: Person,
    voices: list[Voice],
    where: tuple[str, Pressed],
    talk: Talk,
    system: str,
) -> tuple[Talk, str]:
    """The conversations after an edit, and what is said about it."""
    place, press = where
    found = place_of(talk[place], press.index)
    text = as_typed(press.text)
    if found is None or found[1].kind == "thought" or not text.strip():
        return talk, ""
    number, part = found
    turn = talk[place][number]
    if turn["role"] == "user":
        return {name: asked_again(turns, number, text) for name, turns in talk.items()}, ""
    content = rewritten(turn, part, text)
    if content == turn["content"]:
        return talk, ""
    changed = turn | {"content": content, "original": turn.get("original", turn["content"])}
    turns = [*talk[place][:number], changed, *talk[place][number + 1 :]]
    judge(studio, person, voices, place, turns, number, system)
    return talk | {place: turns}, str(EDITED)

"""Who stands in which place of the chat, and what can be chosen: two side by side, up to four when asked for."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.gemma.models import OFFERED, STARTER, usual
from facet.identity import Person
from facet.studio import Studio
from facet.talk import Speaker
from facet.ui.chat_show import Talk, for_the_eye, thumbs
from facet.ui.models import Choices, model_name, point_choices, tuned_choices

PLACES = ("base", "tuned", "third", "fourth")
MOST_OTHERS = 2
MOST_KEPT_CHARACTERS = 150_000  # of all conversations on the page together
MOST_KEPT_TURNS = 1_000  # of one


@dataclass(frozen=True)
class Voice:
    """Who answers in a place."""

    place: str
    target: str
    untouched: bool
    name: str  # as it stands above the place

    @property
    def look(self) -> str:
        return "base" if self.name.startswith("Untouched") else "tuned" if self.place == "tuned" else "other"

    def speaker(self, turns: list[dict[str, Any]], system: str) -> Speaker:
        opening = [{"role": "system", "content": system}] if system.strip() else []
        said = [{name: turn[name] for name in ("role", "content", "images") if name in turn} for turn in turns]
        return Speaker(self.place, self.target, [*opening, *said], self.untouched)


def choices(studio: Studio, person: Person) -> Choices:
    """Everything one can talk to: own models, save points of runs, then starting models, those that are here first."""
    return [*tuned_choices(studio, person), *point_choices(studio, person), *_bases(studio)]


def _bases(studio: Studio) -> Choices:
    """Starting models that are here; then those that would be downloaded first, with their size."""
    folders = [folder.name.replace("--", "/", 1) for folder in sorted(studio.workspace.models.glob("*--*"))]
    here = [base for base in folders if studio.hub.downloaded(base, studio.workspace.models)]
    ids = {model.source: model.id for model in OFFERED}
    known = [(f"{model_name(ids.get(base, base))}, untouched", ids.get(base, base)) for base in (STARTER, *here)]
    others = [model for model in usual() if model.source not in (STARTER, *here)]
    return [*known, *((f"{model.name}, untouched ({model.disk_gb:.1f} GB to download)", model.id) for model in others)]


def is_tuned(target: str, known: Choices) -> bool:
    """Runs and their save points have an adapter; starting models have none."""
    return target != STARTER and "/" not in target and any(key == target for _, key in known)


def cast(known: Choices, target: str, compare: bool, others: list[str]) -> list[Voice]:
    """Who answers, from left to right."""
    tuned = is_tuned(target, known)
    names = {key: name for name, key in known}
    voices = [Voice("base", target, True, "Untouched")] if compare and tuned else []
    voices.append(Voice("tuned", target, not tuned, "Tuned" if tuned else "Untouched"))
    beside = [key for key in dict.fromkeys(others) if key in names and key != target][:MOST_OTHERS]
    for place, key in zip(PLACES[2:], beside, strict=False):
        own = is_tuned(key, known)
        name = names[key].rpartition(" (")[0] if own else f"Untouched: {model_name(key)}"
        voices.append(Voice(place, key, not own, name))
    return voices


@dataclass(frozen=True)
class Pane:
    place: str
    column: gr.Column
    box: gr.Chatbot


def panes_layout() -> list[Pane]:
    looks = {"base": "base", "tuned": "tuned"}
    words = {"base": "The model as it came.", "tuned": "The model you chose."}
    panes = []
    with gr.Row(elem_classes="f-voices"):
        for place in PLACES:
            shown = place in looks
            look = ["f-voice", looks.get(place, "other")]
            with gr.Column(min_width=260, elem_classes=look, visible=shown) as column:
                panes.append(Pane(place, column, _box(place, words.get(place, "One more model."))))
    return panes


def _box(place: str, words: str) -> gr.Chatbot:
    return gr.Chatbot(
        label={"base": "Untouched", "tuned": "Tuned"}.get(place, "Beside them"),
        elem_id=f"voice-{place}",
        height=380,
        sanitize_html=True,
        buttons=["copy"],
        editable="all",
        feedback_options=["Like", "Dislike"],
        layout="bubble",
        placeholder=words,
        group_consecutive_messages=False,
    )


def arranged(voices: list[Voice]) -> list[Any]:
    """Values of every pane's column and box: who is there, under their names."""
    by_place = {voice.place: voice for voice in voices}
    values: list[Any] = []
    for place in PLACES:
        voice = by_place.get(place)
        values.append(gr.Column(visible=voice is not None, elem_classes=["f-voice", voice.look if voice else "other"]))
        values.append(gr.Chatbot(label=voice.name) if voice else gr.skip())
    return values


def shown(talk: Talk, only: str | None = None) -> list[Any]:
    """The true conversations for memory, and the same for the eye. With `only`, as it grows there."""
    if only is not None:
        return [talk, *[for_the_eye(talk.get(place, [])) if place == only else gr.skip() for place in PLACES]]
    return [talk, *[_whole(talk.get(place, [])) for place in PLACES]]


def _whole(turns: list[dict[str, Any]]) -> gr.Chatbot:
    return gr.Chatbot(value=for_the_eye(turns), feedback_value=thumbs(turns))


# ---- what was said
def is_question(turns: list[dict[str, Any]]) -> bool:
    return bool(turns) and turns[-1]["role"] == "user"


def asked_anew(turns: list[dict[str, Any]], text: str, images: list[str] | None = None) -> list[dict[str, Any]]:
    """The conversation with one more question. One that was never answered, because of a stop or a fault, gives way."""
    answered = turns[:-1] if is_question(turns) else turns
    return [*answered, {"role": "user", "content": text} | ({"images": images} if images else {})]


def without_answer(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns


def asked_again(turns: list[dict[str, Any]], number: int, text: str) -> list[dict[str, Any]]:
    """The conversation up to a question, which now reads differently; what came after it is gone."""
    if number >= len(turns) or turns[number]["role"] != "user":
        return turns
    return [*turns[:number], turns[number] | {"content": text}]


def trimmed(talk: Talk) -> tuple[Talk, int]:
    """No more than the page can carry: the oldest turns go, in pairs. And how many went, at most, of one place."""
    kept, gone = {place: list(turns) for place, turns in talk.items()}, 0
    while True:
        longest = max(kept, key=lambda place: len(kept[place]), default="")
        size = sum(len(turn["content"]) for turns in kept.values() for turn in turns)
        too_much = size > MOST_KEPT_CHARACTERS or len(kept.get(longest, ())) > MOST_KEPT_TURNS
        if not too_much or len(kept[longest]) <= 2:
            return kept, gone
        kept = {place: turns[2:] if len(turns) > 2 else turns for place, turns in kept.items()}
        gone += 2

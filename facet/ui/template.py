"""How conversations are written for a model that brings no chat template: choose, or write one, and see it at work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import gradio as gr
from markupsafe import Markup

from facet.dataset.templates import LONGEST, NAMES, OWN, READY, Tried, recommended
from facet.errors import FacetError
from facet.gemma.models import find
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html, join, note, trouble
from facet.ui.tokens import LEGEND, piece
from facet.ui.values import Beginning, Id, Line, Name, Words

CHOICES: Final = [*((ready.label, ready.name) for ready in READY), ("My own", OWN)]
WHAT: Final = (
    "This model was never tuned to answer: it continues text. The template says where a question begins and where an "
    "answer ends. It stays with what you train, in chat, in tests and when you publish it."
)
NOT_HERE: Final = "The model is not on this machine yet. The template is tried on it before training begins."

ModelOf = Callable[..., str]  # what was chosen, from the values of the fields that say so


@dataclass(frozen=True)
class TemplateCard:
    which: gr.Dropdown
    own: gr.Textbox
    shown: gr.HTML

    @property
    def asked(self) -> dict[str, Any]:
        return {"template": self.which, "own_template": self.own}

    @property
    def outputs(self) -> list[Any]:
        return [self.which, self.own, self.shown]


def template_layout() -> TemplateCard:
    which = gr.Dropdown(CHOICES, value=None, label="Chat template", visible=False, elem_id="chat-template")
    own = gr.Textbox(
        label="My own template",
        info="In Jinja, with messages, add_generation_prompt, bos_token and eos_token",
        lines=6,
        max_lines=20,
        max_length=LONGEST,
        visible=False,
        elem_id="own-template",
    )
    return TemplateCard(which, own, gr.HTML(elem_id="template-shown"))


def chosen_template(template: str, own: str) -> dict[str, str]:
    """What a run is told; nothing for a model with a template of its own."""
    wanted = own if template == OWN else template
    return {"template": wanted} if wanted.strip() else {}


def template_of(chosen: str | None) -> list[Any]:
    """Values of `TemplateCard.outputs` for what a run was told; cleared where it was told nothing."""
    own = bool(chosen) and chosen not in NAMES
    return [
        gr.Dropdown(visible=bool(chosen), value=OWN if own else chosen or None),
        gr.Textbox(visible=own, value=chosen if own else ""),
        "",
    ]


def wire_template(
    card: TemplateCard,
    dataset: gr.Dropdown,
    source: dict[str, Any],
    changed: list[Any],
    model_of: ModelOf,
    studio: Studio,
    gate: Gate,
) -> None:
    """`source` are the fields that say which model it is, `changed` their events."""

    def offer(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
    ) -> list[Any]:
        """Nothing for raw text, in which nobody takes turns."""
        chosen = model_of(studio, person, beginning, model, other, mine)
        takes_turns = not dataset or studio.dataset(person, dataset).summary.get("type") != "text"
        fresh = beginning == "model" and takes_turns
        generation = _generation_without_template(studio, person, grant, chosen) if fresh else None
        value = recommended(generation) if generation else None
        return [
            gr.Dropdown(visible=bool(value), value=value),
            gr.Textbox(visible=False),
            str(note("It needs a chat template.", WHAT, "good")) if value else "",
        ]

    def keep_or_offer(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        template: Name,
    ) -> list[Any]:
        """Other data: what was chosen for the model stays, unless it has no use any more."""
        offered = offer(person, grant, dataset, beginning, model, other, mine)
        return [gr.skip()] * 3 if bool(template) == bool(offered[2]) else offered

    asked = {"dataset": dataset} | source
    gate.on(changed, offer, asked, card.outputs, quiet=True)
    gate.on(dataset.change, keep_or_offer, asked | {"template": card.which}, card.outputs, quiet=True)
    _wire_attempt(card, source, model_of, studio, gate)


def _wire_attempt(
    card: TemplateCard, source: dict[str, Any], model_of: ModelOf, studio: Studio, gate: Gate
) -> None:
    def attempt(
        person: Person,
        grant: Grant,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        template: Name,
        own_template: Words,
    ) -> list[Any]:
        own = gr.Textbox(visible=template == OWN)
        wanted = chosen_template(template, own_template).get("template")
        if not wanted:
            return [own, ""]
        try:
            chosen = model_of(studio, person, beginning, model, other, mine)
            return [own, str(describe_tried(studio.try_template(person, chosen, wanted, grant)))]
        except FacetError as error:
            return [own, str(trouble(error))]

    gate.on([card.which.input, card.own.blur], attempt, source | card.asked, [card.own, card.shown], quiet=True)


def _generation_without_template(studio: Studio, person: Person, grant: Grant, model: str) -> str | None:
    """The generation of a model that brings no chat template; None for all that bring one."""
    if offered := find(model):
        return offered.generation if offered.pretrained else None
    if not model:
        return None
    facts = studio.check_model(person, model, grant).facts
    return facts.generation if facts and not facts.has_template else None


def describe_tried(tried: Tried | None) -> Markup:
    """A short conversation as the model will read it; what it learns to write is marked."""
    if tried is None:
        return note("Not tried yet.", NOT_HERE, "good")
    return LEGEND + html(
        '<h4 class="f-small">How the model reads a conversation</h4>'
        '<div class="f-tokens" tabindex="0" role="group" aria-label="A conversation as the model reads it">{}</div>'
        '<p class="f-small">It stops at {}.</p>',
        join(piece(*each) for each in tried.pieces),
        tried.ends_with,
    )

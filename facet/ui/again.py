"""Start again: the Train tab filled with a run's data, model and every setting, from the list or from a run file."""

import secrets
from pathlib import Path
from typing import Any, TypeGuard

import gradio as gr

from facet.gemma.models import find, usual
from facet.history_door import Again
from facet.identity import Grant, Person
from facet.recipe.methods import RECIPES, method_of
from facet.recipe.recipes import TrainingRecipe
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import note
from facet.ui.models import further_choices
from facet.ui.prepared import choices_of
from facet.ui.session import Session, go_to
from facet.ui.template import template_of
from facet.ui.train_words import OTHER
from facet.ui.values import File, Filling, Goal, Id, Preset

WORDS = str(
    note("All settings are those of that run.", "Another goal, model or other data brings advice again.", "good")
)


def wire_again(runs: Any, train: Any, studio: Studio, gate: Gate, session: Session) -> None:
    """`runs` and `train` are the two tabs."""

    def from_run(person: Person, run: Id | None, goal: Goal, preset: Preset) -> list[Any]:
        return filled(studio, person, studio.again(person, run or ""), goal, preset)

    def from_file(person: Person, grant: Grant, file: File | None, goal: Goal, preset: Preset) -> list[Any]:
        brought = Path(file or "")
        try:
            return filled(studio, person, studio.again_from_file(person, brought), goal, preset)
        finally:  # whoever knew its address could read it here
            brought.unlink(missing_ok=True) if file else None

    outputs = [train.again, session.dataset, train.dataset, train.beginning, train.model, train.other, train.mine]
    outputs += [train.samples, *train.template.outputs]
    chosen = {"goal": train.goal, "preset": train.preset}
    pressed = gate.on(runs.about.again.click, from_run, {"run": runs.chosen} | chosen, outputs)
    brought = gate.on(runs.file.upload, from_file, {"file": runs.file} | chosen, outputs)
    for event in (pressed, brought):
        event.success(None, None, None, js=go_to("train"))


def filled(studio: Studio, person: Person, again: Again, goal: str, preset: str) -> list[Any]:
    """Values of what says what a run begins with. The settings follow, once the data and the model are known."""
    cards, mine = studio.datasets(person), further_choices(studio, person)
    opened = next((card for card in cards if card.id == again.dataset_id), None)
    offered = find(again.base_model)  # the run names the copy it was made from
    model = offered.id if offered else again.base_model
    known = any(model == one.id for one in usual())
    further = next((key for _, key in mine if key == again.start_from), None)
    filling: Filling = {
        "dataset": again.dataset_id,
        "model": again.base_model if again.start_from else model,  # what goes on learning names its own
        "revision": again.revision if (offered.source if offered else model) == again.base_model else None,
        "goal": goal,
        "preset": preset,
        "method": method_of(again.recipe),
        "recipe": again.recipe.model_dump(),
        "name": again.name,
        "made": secrets.token_hex(4),  # the same run a second time is news as well
    }
    return [
        filling,
        again.dataset_id,
        gr.Dropdown(choices=choices_of(cards, opened, "train"), value=again.dataset_id),
        gr.Radio(value="mine" if again.start_from else "model", visible=bool(mine)),
        gr.Radio(value=model if known else OTHER, visible=not again.start_from),
        gr.Dropdown(value=None if known else model, visible=not known and not again.start_from),
        gr.Dropdown(choices=mine, value=further, visible=bool(again.start_from)),
        "\n".join(again.more.get("samples", ())),
        *template_of(again.more.get("template")),
    ]


def recipe_again(
    again: Filling | None, dataset: str | None, model: str, goal: str, preset: str
) -> TrainingRecipe | None:
    """The settings to start again with, as long as nothing they were chosen for has changed."""
    if not is_still_again(again, dataset, model, goal, preset):
        return None
    return RECIPES[again["method"]](**again["recipe"])


def is_still_again(
    again: Filling | None, dataset: str | None, model: str, goal: str, preset: str
) -> TypeGuard[Filling]:
    """Is it still that run that is started again?"""
    asked = {"dataset": dataset, "model": model, "goal": goal, "preset": preset}
    return bool(again) and all(again[name] == value for name, value in asked.items())  # type: ignore[literal-required, index]

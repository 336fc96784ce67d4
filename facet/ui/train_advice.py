"""What is recommended for what is chosen on the Train tab: asked anew with every choice, held back until it fits."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from facet.errors import FacetError, SettingError
from facet.gemma.models import find
from facet.identity import Grant, Person
from facet.recipe.knobs import complaints
from facet.recipe.recipes import TrainingRecipe
from facet.studio import Studio
from facet.ui.access import access_values, is_locked
from facet.ui.again import WORDS as AGAIN_WORDS
from facet.ui.again import recipe_again
from facet.ui.events import Gate
from facet.ui.markup import html, trouble
from facet.ui.session import Session
from facet.ui.train_words import OTHER, Start, describe_advice, describe_model, meant_for
from facet.ui.values import Beginning, Filling, Goal, Id, Line, Name, Preset

if TYPE_CHECKING:
    from facet.ui.train import TrainTab

LOOKING = str(html('<p class="f-wait" role="status">Measuring your examples with this model</p>'))
DECIDED = "The adapter that goes on learning is made so, and keeps it."
WHOLE = {
    "tuning": "All weights of the model that goes on learning were tuned, and they go on as such.",
    "learning_rate": "A tenth of what an adapter takes, as all weights learn.",
}


def wire_advice(tab: "TrainTab", studio: Studio, gate: Gate, session: Session) -> None:
    def recommend(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        goal: Goal,
        preset: Preset,
        name: Line,
        named: Line,
        again: Filling | None = None,
    ) -> Iterator[Any]:
        if dataset:
            yield [*[gr.skip()] * before, LOOKING, *[gr.skip()] * after]
        begin = Start.of(studio, person, beginning, model, other, mine)
        title = [gr.skip(), gr.skip()] if name.strip() not in ("", named) else None
        yield advised(tab, studio, grant, dataset, begin, goal, preset, again, title)

    def toggle(person: Person, beginning: Beginning, model: Name) -> list[Any]:
        fresh = beginning == "model"
        return [
            gr.Radio(visible=fresh),
            gr.Dropdown(visible=fresh and model == OTHER),
            gr.Dropdown(visible=not fresh),
        ]

    def remember(person: Person, dataset: Id | None) -> str | None:
        """What is chosen here is still chosen after a look at another tab."""
        return dataset

    before = tab.advice_outputs.index(tab.reasons)
    after = len(tab.advice_outputs) - before - 1
    gate.on(
        [tab.model.input, tab.beginning.input],
        toggle,
        {"beginning": tab.beginning, "model": tab.model},
        [tab.model, tab.other, tab.mine],
        quiet=True,
    )
    changed = [tab.dataset.change, tab.beginning.input, tab.model.input, tab.mine.input]
    changed += [tab.goal.input, tab.preset.input, tab.again.change]
    changed += [tab.other.input, tab.access.again.click, session.who.change]
    asked = {"dataset": tab.dataset} | tab.source | {"goal": tab.goal, "preset": tab.preset}
    asked |= {"name": tab.name, "named": tab.named, "again": tab.again}
    gate.on(changed, recommend, asked, tab.advice_outputs, show_progress="hidden", trigger_mode="always_last")
    gate.on(tab.dataset.input, remember, {"dataset": tab.dataset}, session.dataset, quiet=True)


def advised(
    tab: "TrainTab",
    studio: Studio,
    grant: Grant,
    dataset: str | None,
    begin: Start,
    goal: Goal,
    preset: Preset,
    again: Filling | None = None,
    title: list[Any] | None = None,
) -> Any:
    """Values of `advice_outputs`: the check of the model, its terms, the reasons, a name, and every setting's value.

    `title` stands in for the name where a person gave one.
    """
    if not dataset or not begin.model:
        return gr.skip()
    person = grant.person
    check = studio.check_model(person, begin.model, grant)
    offered = find(begin.model)
    told = [str(describe_model(check, offered, begin.name)), *access_values(check, person)]
    unchanged, kept = [gr.skip()] * len(tab.form.outputs), [gr.skip()] * len(tab.titled)
    if check.problem:
        return [*told, gr.Button(interactive=not is_locked(check)), "", *kept, *unchanged]
    told.append(gr.Button(interactive=True))
    try:
        advice = studio.advise(person, dataset, begin.model, preset, grant, goal)
    except FacetError as error:
        return [*told, str(trouble(error)), *kept, *unchanged]
    card, meant = studio.dataset(person, dataset), meant_for(dataset, begin, goal, preset)
    if recipe := recipe_again(again, dataset, begin.model, goal, preset):
        name = again["name"]
        return [*told, AGAIN_WORDS, *(title or [name, name]), tab.form.filled(recipe, {}, advice.situation, meant)]
    recipe, reasons = advice.recipe, {reason.setting: reason.words for reason in advice.reasons}
    with contextlib.suppress(FacetError):  # what does not suit is said at Start
        made = studio.from_advice(person, recipe, {}, begin.run_id)
        recipe = made if fits_a_form(made) else recipe
    decided = [name for name, value in recipe.model_dump().items() if value != getattr(advice.recipe, name)]
    reasons |= {name: WHOLE.get(name, DECIDED) if recipe.tuning == "full" else DECIDED for name in decided}
    summary = describe_advice(advice, goal, preset)
    name = (f"{begin.name}, then {card.name}" if begin.run_id else f"{card.name} on {check.name}")[:80]
    filled = tab.form.filled(recipe, reasons, advice.situation, meant)
    return [*told, str(summary), *(title or [name, name]), filled]


def fits_a_form(recipe: TrainingRecipe) -> bool:
    """An adapter from elsewhere may be larger than any that can be chosen here; it goes on as it is all the same."""
    return not complaints(type(recipe), recipe.model_dump())


def not_yet(studio: Studio, grant: Grant, dataset: str | None, begin: Start, goal: Goal, preset: Preset) -> FacetError:
    """Why the settings in the form are not those of what is chosen: they cannot be had, or are still on their way."""
    check = studio.check_model(grant.person, begin.model, grant)
    if check.problem:
        return check.problem
    try:
        studio.advise(grant.person, dataset or "", begin.model, preset, grant, goal)
    except FacetError as error:
        return error
    return SettingError(
        "The settings for this choice are still being worked out.",
        "Those in the form were made for another one.",
        "Wait until they stand there, then press “Start training” once more.",
    )

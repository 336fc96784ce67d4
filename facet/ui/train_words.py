"""What the Train tab says before a run: from which model it starts, what that comes to here, and why each setting."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from markupsafe import Markup

from facet.gemma.models import BaseModel
from facet.identity import Person
from facet.model.choose import ModelCheck
from facet.recipe.advice import PRESETS, Advice, Preset
from facet.recipe.goals import GOAL_WORDS, Goal
from facet.studio import Studio
from facet.ui.access import is_locked
from facet.ui.markup import each, html, note, trouble
from facet.ui.models import model_name
from facet.ui.words import count, size

OTHER = "another"
GOAL_CHOICES = [(name, goal) for goal, (name, _) in GOAL_WORDS.items() if goal != "taste"]


@dataclass(frozen=True)
class Start:
    """The model a run starts from: an id, or a run of one's own that goes on learning."""

    model: str
    run_id: str | None = None  # or a save point of it: RUN@STEP
    name: str = ""  # of that run

    @staticmethod
    def of(studio: Studio, person: Person, beginning: str, model: str, other: str, mine: str | None) -> "Start":
        if beginning == "mine" and mine:
            run_id, _, step = mine.partition("@")
            name = studio.run(person, run_id).name + (f", step {step}" if step.strip("0") else "")
            return Start(studio.runs_shelf.model_of(person, mine)[0], mine, name)
        return Start("" if beginning == "mine" else model_id(model, other))


def meant_for(dataset: str | None, begin: Start, goal: str, preset: str) -> str:
    """Names what a form of settings is for, so that it is not taken for another."""
    return sha256(json.dumps([dataset, begin.model, begin.run_id, goal, preset]).encode()).hexdigest()[:16]


def model_id(model: str, other: str) -> str:
    return other.strip() if model == OTHER else model


def describe_model(check: ModelCheck, offered: BaseModel | None, mine: str = "") -> Markup:
    """What it is good for, its licence, its size, and whether it fits here, with the numbers."""
    words = html('<p class="f-model">{}</p>', offered.words) if offered and not mine else Markup("")
    if is_locked(check):
        return words
    if check.problem:
        return words + trouble(check.problem)
    facts: list[tuple[str, Any]] = [("Made from", model_name(check.name))] if mine else []
    facts.append(
        (
            "Licence",
            html('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>', check.licence_url, check.licence)
            if check.licence_url
            else check.licence,
        )
    )
    if check.facts:
        facts.append(
            ("Size", f"{size(check.facts.parameters)} parameters; reads up to {check.facts.context_length:,} tokens")
        )
    facts.append(
        ("Here", "ready to use" if not check.download_gb else f"will be downloaded once: {check.download_gb:.1f} GB")
    )
    facts.append(("Memory", f"about {check.needs_gb:.1f} GB to load; {check.free_gb:.1f} GB are free"))
    return words + html('<dl class="f-facts">{}</dl>', each("<dt>{}</dt><dd>{}</dd>", facts))


def describe_advice(advice: Advice, goal: Goal, preset: Preset) -> Markup:
    """What goal and preset come to, in numbers; the reason of each value stands at its field."""
    recipe = advice.recipe
    steps = count(recipe.steps(advice.rows), "step")
    words = (
        f"{GOAL_WORDS[goal][1]} {PRESETS[preset][1]} That is {steps} of "
        f"{count(recipe.effective_batch_size, 'example')} each, out of your {advice.rows:,}. "
        "Why each value was chosen stands below it; change what you like."
    )
    return note(advice.words, words, "good")

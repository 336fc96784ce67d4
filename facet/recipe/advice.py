"""Recommended settings for this data and this model, each with a reason that quotes the numbers it rests on."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from facet.recipe.knobs import settings, show
from facet.recipe.recipes import SftRecipe

Preset = Literal["quick", "balanced", "thorough"]
PRESETS: dict[Preset, tuple[str, str]] = {
    "quick": ("Quick taste", "A first impression in as few steps as make sense."),
    "balanced": ("Balanced", "What usually gives a good model for the time it takes."),
    "thorough": ("Thorough", "A bigger adapter and more reading, for when the balanced run was promising."),
}
QUICK_STEPS = 40
LOOKS: dict[Preset, int] = {"quick": 4, "balanced": 8, "thorough": 12}  # at the validation part on the way


@dataclass(frozen=True)
class DataFacts:
    """What the advice needs to know of a prepared dataset."""

    train: int  # conversations to learn from
    validation: int
    longest_tokens: int
    most_tokens: int  # 95 of 100 conversations are at most this long
    measured: bool  # with the model's own tokenizer, or estimated from the characters


@dataclass(frozen=True)
class ModelFacts:
    name: str
    parameters: int
    context_length: int
    is_starter: bool = False


@dataclass(frozen=True)
class Reason:
    setting: str
    value: Any
    words: str


@dataclass(frozen=True)
class Advice:
    recipe: SftRecipe
    reasons: tuple[Reason, ...]


def advise(data: DataFacts, model: ModelFacts, preset: Preset = "balanced") -> Advice:
    """A recipe and its reasons. Pure: the same facts give the same advice."""
    length, length_words = _max_length(data, model)
    batch, groups, batch_words = _batch(data, length)
    rate, rate_words = _learning_rate(model)
    rank = {"quick": 16, "balanced": 16, "thorough": 32}[preset]
    epochs, epoch_words = _epochs(data, preset)
    recipe = SftRecipe(
        learning_rate=rate,
        num_train_epochs=epochs,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=groups,
        max_length=length,
        lora_rank=rank,
        evaluations=LOOKS[preset] if data.validation else 0,
    )
    reasons = [
        Reason("learning_rate", rate, rate_words),
        Reason("num_train_epochs", epochs, epoch_words),
        Reason("max_length", length, length_words),
        Reason("per_device_train_batch_size", batch, batch_words),
        Reason(
            "lora_rank",
            rank,
            f"{rank} is enough to change style and format on {_rows(data.train)}."
            if preset != "thorough"
            else f"{rank} gives {_rows(data.train)} more room to be learned.",
        ),
    ]
    if preset == "quick" and recipe.steps(data.train) > QUICK_STEPS:
        recipe = recipe.model_copy(update={"max_steps": QUICK_STEPS})
        seen = min(data.train, QUICK_STEPS * recipe.effective_batch_size)
        reasons.append(
            Reason(
                "max_steps",
                QUICK_STEPS,
                f"{QUICK_STEPS} steps read {seen:,} of your {_rows(data.train)}: enough for a taste.",
            )
        )
    if not data.validation:
        reasons.append(Reason("evaluations", 0, "No validation part was set aside, so there is nothing to check on."))
    return Advice(recipe, tuple(reasons))


def _rows(count: int) -> str:
    return f"{count:,} example" + ("" if count == 1 else "s")


def _max_length(data: DataFacts, model: ModelFacts) -> tuple[int, str]:
    """The longest conversation rounded up, but no more than 95 in 100 need when a few are far longer."""
    wanted = data.longest_tokens if data.longest_tokens <= 2 * data.most_tokens else data.most_tokens
    length = min(max(64, 64 * math.ceil((wanted + 1) / 64)), 8192, model.context_length)
    how = "has" if data.measured else "has about"
    if length > data.longest_tokens:
        return length, f"Your longest example {how} {data.longest_tokens:,} tokens, so nothing is cut off."
    if length >= data.most_tokens:
        return length, (
            f"95 of 100 of your examples are within {data.most_tokens:,} tokens; the longest {how} "
            f"{data.longest_tokens:,} and will be cut."
        )
    return length, (
        f"Your longest example {how} {data.longest_tokens:,} tokens; {model.name} or its memory "
        f"allows {length:,}, so the longer ones will be cut."
    )


def _batch(data: DataFacts, length: int) -> tuple[int, int, str]:
    effective = 8 if data.train < 2000 else 16
    batch = 8 if length <= 128 else 4 if length <= 512 else 2 if length <= 1024 else 1
    return (
        batch,
        effective // batch,
        (
            f"{effective} examples per step suit {_rows(data.train)}; {batch} at once keep the memory low "
            f"at {length:,} tokens."
        ),
    )


def _learning_rate(model: ModelFacts) -> tuple[float, str]:
    if model.is_starter:
        return 2e-3, "The starter model is so small (5.6 million parameters) that it takes ten times the usual step."
    if model.parameters < 500_000_000:
        return 4e-4, f"{model.name} has {_size(model.parameters)} parameters; small models take bigger steps."
    rate = 2e-4 if model.parameters < 8_000_000_000 else 1e-4
    return rate, f"Usual for an adapter on a model of {_size(model.parameters)} parameters."


def _epochs(data: DataFacts, preset: Preset) -> tuple[float, str]:
    usual = 4.0 if data.train < 200 else 3.0 if data.train < 2000 else 2.0 if data.train < 20_000 else 1.0
    epochs = {"quick": usual, "balanced": usual, "thorough": usual + 2}[preset]
    return epochs, (
        f"With {_rows(data.train)}, {show(epochs)} times through is usual: "
        f"{'little data needs repeating' if data.train < 2000 else 'this much data needs little repeating'}."
    )


def _size(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.0f} million"


def differences(recipe: SftRecipe, advised: SftRecipe) -> list[str]:
    """Where a person's recipe departs from the advice, in words."""
    return [
        f"{setting.knob.label}: {show(getattr(recipe, setting.name))} instead of {show(getattr(advised, setting.name))}"
        for setting in settings(SftRecipe)
        if getattr(recipe, setting.name) != getattr(advised, setting.name)
    ]

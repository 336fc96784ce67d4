"""Recommended settings for this goal, this data and this model, each with a reason that quotes the numbers."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from facet.errors import SettingError
from facet.recipe.goals import Goal, changes
from facet.recipe.knobs import read_recipe, settings, show
from facet.recipe.methods import RECIPES, Method
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.recipe.together import Situation, clashes_with, labels

Preset = Literal["quick", "balanced", "thorough"]
PRESETS: dict[Preset, tuple[str, str]] = {
    "quick": ("Quick taste", "A first impression in as few steps as make sense."),
    "balanced": ("Balanced", "What usually gives a good model for the time it takes."),
    "thorough": ("Thorough", "A bigger adapter and more reading, for when the balanced run was promising."),
}
QUICK_STEPS = 40
LOOKS: dict[Preset, int] = {"quick": 4, "balanced": 8, "thorough": 12}  # at the validation part on the way
SMALLEST_SHARE = 0.01  # of the data that “Times through the data” can be
LONGEST_BLOCK = 1024  # of joined texts
FULL_SHARE = 0.1  # of an adapter's learning rate, for all weights: Thinking Machines, “LoRA Without Regret”
PRETRAINED_AGAIN = 1.0  # times more for a model that has never held a conversation


MOST_SAMPLES = 5  # questions that are answered on the way


@dataclass(frozen=True)
class DataFacts:
    """What the advice needs to know of a prepared dataset."""

    train: int  # examples to learn from
    validation: int
    longest_tokens: int
    most_tokens: int  # 95 of 100 examples are at most this long
    measured: bool  # with the model's own tokenizer, or estimated from the characters
    method: Method = "sft"  # what its type is for
    tokens: int | None = None  # of all examples together, where that is known


@dataclass(frozen=True)
class ModelFacts:
    name: str
    parameters: int
    context_length: int
    is_starter: bool = False
    is_pretrained: bool = False  # it goes on with text, and was never taught to answer
    layers: int | None = None
    only_experts: bool = False  # a mixture without other feed-forward layers


@dataclass(frozen=True)
class Reason:
    setting: str
    value: Any
    words: str


@dataclass(frozen=True)
class Advice:
    recipe: TrainingRecipe
    reasons: tuple[Reason, ...]
    rows: int  # what a pass reads, after joining
    situation: Situation
    words: str = ""  # of the method, or of data that does not suit the goal


def advise(data: DataFacts, model: ModelFacts, preset: Preset = "balanced", goal: Goal = "any") -> Advice:
    """A recipe and its reasons. Pure: the same facts give the same advice. The method follows from the data."""
    if goal == "taste":
        preset = "quick"
    reasons = {reason.setting: reason for reason in _usual(data, model, preset)}
    noun, epochs = _counted(data), reasons["num_train_epochs"].value
    for change in changes(goal, noun, data.train, data.method == "cpt", epochs):
        reasons[change.setting] = Reason(change.setting, change.value, change.words)
    recipe = RECIPES[data.method](**{reason.setting: reason.value for reason in reasons.values()})
    rows = _rows_read(data, recipe)
    if preset == "quick" and recipe.steps(rows) > QUICK_STEPS:
        few = _few_steps(data, recipe, rows)
        recipe = recipe.model_copy(update={few.setting: few.value})
        reasons[few.setting] = few
    return Advice(recipe, tuple(reasons.values()), rows, situation_of(data, model, rows), _words(data, goal))


def _few_steps(data: DataFacts, recipe: TrainingRecipe, rows: int) -> Reason:
    """What keeps a taste short. How many joined texts there are is a guess before they were measured, and a number of
    steps taken from it could be many times through them; a share of them cannot."""
    share = QUICK_STEPS * recipe.effective_batch_size / rows
    if not data.measured and getattr(recipe, "packing", False) and share >= SMALLEST_SHARE:
        epochs = float(f"{share:.2g}")
        words = f"{show(epochs)} times through your {_counted(data)} are about {QUICK_STEPS} steps: enough for a taste."
        return Reason("num_train_epochs", epochs, words)
    seen = min(rows, QUICK_STEPS * recipe.effective_batch_size)
    words = f"{QUICK_STEPS} steps read {seen:,} of your {_counted(data, rows)}: enough for a taste."
    return Reason("max_steps", QUICK_STEPS, words)


def as_given(advised: TrainingRecipe, given: Mapping[str, Any]) -> TrainingRecipe:
    """The recommended recipe with what somebody named in its place. Advice is for an adapter: all weights take a tenth
    of its rate, unless that was named too.

    Raises: `SettingError`.
    """
    values = advised.model_dump() | dict(given)
    if _takes_a_tenth(advised, given):
        values["learning_rate"] = float(f"{FULL_SHARE * advised.learning_rate:.3g}")
    recipe = read_recipe(type(advised), values)
    assert isinstance(recipe, TrainingRecipe)
    return recipe


def _takes_a_tenth(advised: TrainingRecipe, given: Mapping[str, Any]) -> bool:
    return advised.tuning != "full" == given.get("tuning") and "learning_rate" not in given


def notes_on(recipe: TrainingRecipe, advice: Advice, given: Mapping[str, Any]) -> list[str]:
    """What is worth knowing of a recipe that may be used: what in it does nothing, and what was changed with it."""
    label = labels(type(recipe))["learning_rate"]
    told = [clash.words for clash in (*recipe.clashes(), *clashes_with(recipe, advice.situation)) if not clash.is_fatal]
    if _takes_a_tenth(advice.recipe, {"tuning": recipe.tuning} | dict(given)):
        told.append(f"{label} is {show(recipe.learning_rate)}, a tenth of what an adapter takes, as all weights learn")
    return [f"{words}." for words in told]


def situation_of(data: DataFacts, model: ModelFacts, rows: int) -> Situation:
    longest = data.longest_tokens if data.method == "sft" else None
    told = (rows, data.validation, model.context_length, longest, model.layers, model.name)
    return Situation(*told, only_experts=model.only_experts, adapter_rate=_learning_rate(data, model)[0])


def require_fit(recipe: TrainingRecipe, data: DataFacts, model: ModelFacts) -> None:
    """Raises: `SettingError` when the recipe asks for what this data and this model do not have."""
    found = clashes_with(recipe, situation_of(data, model, _rows_read(data, recipe)))
    clash = next((clash for clash in found if clash.is_fatal), None)
    if clash:
        one_of = "one of them" if len(clash.settings) > 1 else "it"
        what = "A setting does not suit this data or this model."
        raise SettingError(what, f"{clash.words}.", f"Change {one_of} and start again.")


def _usual(data: DataFacts, model: ModelFacts, preset: Preset) -> list[Reason]:
    """What holds for every goal."""
    length, length_words = _block(data, model) if data.method == "cpt" else _max_length(data, model)
    batch, groups, batch_words = _batch(data, length)
    rate, rate_words = _learning_rate(data, model)
    epochs, epoch_words = _epochs(data, model, preset)
    rank, rank_words = _rank(data, preset)
    reasons = [
        Reason("learning_rate", rate, rate_words),
        Reason("num_train_epochs", epochs, epoch_words),
        Reason("max_length", length, length_words),
        Reason("per_device_train_batch_size", batch, batch_words),
        Reason("gradient_accumulation_steps", groups, batch_words),
        Reason("lora_rank", rank, rank_words),
    ]
    if data.method == "cpt":
        words = "Joined texts are all of one length, so there is nothing to sort by it."
        reasons.append(Reason("train_sampling_strategy", "random", words))
    if data.validation:
        words = f"{LOOKS[preset]} checks on your {data.validation:,} validation examples make a readable curve."
        return [*reasons, Reason("evaluations", LOOKS[preset], words)]
    nothing = "No validation part was set aside, so there is nothing to check on."
    return [*reasons, Reason("evaluations", 0, nothing), Reason("early_stopping_patience", None, nothing)]


def _words(data: DataFacts, goal: Goal) -> str:
    if data.method == "cpt":
        return "Your data is plain text, so the model reads it as it stands: continued pre-training."
    if goal == "facts":
        return (
            "From conversations a model learns to answer these questions. To know whole documents, prepare them as "
            "plain text instead."
        )
    return ""


def _counted(data: DataFacts, count: int | None = None) -> str:
    number = data.train if count is None else count
    noun = "text" if data.method == "cpt" and count is None else "example"
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _rows_read(data: DataFacts, recipe: TrainingRecipe) -> int:
    """Examples of one pass: joined texts are as many as fill the longest length."""
    if isinstance(recipe, PretrainRecipe) and recipe.packing:
        tokens = data.tokens or data.train * data.most_tokens
        return max(1, -(-tokens // recipe.max_length))
    return data.train


def _rank(data: DataFacts, preset: Preset) -> tuple[int, str]:
    if data.method == "cpt":
        rank = 64 if preset == "thorough" else 32
        return rank, f"{rank}: {_counted(data)} of plain text teach words and facts, which need more room than a style."
    if preset == "thorough":
        return 32, f"32 gives {_counted(data)} more room to be learned."
    return 16, f"16 is enough to change style and format on {_counted(data)}."


def _block(data: DataFacts, model: ModelFacts) -> tuple[int, str]:
    length = min(LONGEST_BLOCK, model.context_length)
    about = "" if data.measured else "about "
    return length, (
        f"Your longest text has {about}{data.longest_tokens:,} tokens. Texts are joined and cut into pieces of "
        f"{length:,}, so nothing is lost."
    )


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
            f"{effective} examples per step suit {_counted(data)}; {batch} at once keep the memory low "
            f"at {length:,} tokens."
        ),
    )


def _learning_rate(data: DataFacts, model: ModelFacts) -> tuple[float, str]:
    if data.method == "cpt":
        rate = 1e-3 if model.is_starter else 2e-4 if model.parameters < 500_000_000 else 1e-4
        return rate, (
            f"Half of what answers would take: on {_size(model.parameters)} parameters, plain text changes everything "
            "the model says."
        )
    if model.is_starter:
        return 2e-3, "The starter model is so small (5.6 million parameters) that it takes ten times the usual step."
    if model.parameters < 500_000_000:
        return 4e-4, f"{model.name} has {_size(model.parameters)} parameters; small models take bigger steps."
    rate = 2e-4 if model.parameters < 8_000_000_000 else 1e-4
    return rate, f"Usual for an adapter on a model of {_size(model.parameters)} parameters."


def _epochs(data: DataFacts, model: ModelFacts, preset: Preset) -> tuple[float, str]:
    usual = 4.0 if data.train < 200 else 3.0 if data.train < 2000 else 2.0 if data.train < 20_000 else 1.0
    if data.method == "cpt":
        usual = min(usual, 2.0)
    epochs = {"quick": usual, "balanced": usual, "thorough": usual + 2}[preset]
    if model.is_pretrained and data.method == "sft":
        epochs += PRETRAINED_AGAIN
        return epochs, (
            f"{model.name} has never held a conversation, so it reads your {_counted(data)} {show(epochs)} times, "
            "once more than usual."
        )
    return epochs, (
        f"With {_counted(data)}, {show(epochs)} times through is usual: "
        f"{'little data needs repeating' if data.train < 2000 else 'this much data needs little repeating'}."
    )


def _size(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.0f} million"


def differences(recipe: TrainingRecipe, advised: TrainingRecipe) -> list[str]:
    """Where a person's recipe departs from the advice, in words."""
    return [
        f"{setting.knob.label}: {show(getattr(recipe, setting.name))} instead of {show(getattr(advised, setting.name))}"
        for setting in settings(type(advised))
        if getattr(recipe, setting.name) != getattr(advised, setting.name)
    ]


def asked_on_the_way(lines: Iterable[str] | None, recipe: TrainingRecipe) -> dict[str, list[str]] | None:
    """What a run remembers of the questions to answer on the way: the first few that hold something.

    Raises: `SettingError` if there are some, and the recipe leaves no room for an answer.
    """
    asked = [line.strip()[:500] for line in lines or () if line.strip()][:MOST_SAMPLES]
    if asked and not recipe.sample_max_tokens:
        raise SettingError(
            "The questions to ask it on the way would not be asked.",
            "Their answers may be 0 word pieces long.",
            "Raise “Length of the answers on the way” under Checks, or take the questions away.",
        )
    return {"samples": asked} if asked else None

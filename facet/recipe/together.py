"""Which settings do not go together: with each other, and with the data and the model they are for."""

from dataclasses import dataclass
from typing import Any

from facet.recipe.knobs import Clash, Recipe, settings


@dataclass(frozen=True)
class Situation:
    """What a recipe is for. None where it is not known yet."""

    rows: int | None = None  # examples to learn from
    validation: int | None = None
    context_length: int | None = None  # tokens the model can read
    longest_tokens: int | None = None  # of the examples, where nothing is joined
    layers: int | None = None
    model: str = "The model"
    adapter_rate: float | None = None  # the learning rate that an adapter for it would take
    only_experts: bool = False  # its feed-forward layers are experts, which no adapter sits on


def clashes(recipe: Any) -> list[Clash]:
    """What is wrong with a recipe whatever it is for, and what in it does nothing. The fatal ones come first."""
    found = [*_fatal(recipe), *_steps_of(recipe), *_idle(recipe), *_without_effect(recipe)]
    return sorted(found, key=lambda clash: not clash.is_fatal)


def clashes_with(recipe: Any, situation: Situation) -> list[Clash]:
    """What of a recipe does not go with its data and its model."""
    label = labels(type(recipe))
    found = []
    longest = situation.context_length
    needed = recipe.max_length if situation.longest_tokens is None else situation.longest_tokens
    if longest and min(needed, recipe.max_length) > longest:
        words = (
            f"{label['max_length']} is {recipe.max_length:,} tokens, and {situation.model} reads {longest:,} at most"
        )
        found.append(Clash(("max_length",), words))
    for name in ("first_layer", "last_layer"):
        wanted = getattr(recipe, name)
        if situation.layers and wanted and wanted > situation.layers:
            words = f"{label[name]} is {wanted}, and {situation.model} has {situation.layers} layers"
            found.append(Clash((name,), words))
    if situation.only_experts and recipe.tuning == "lora" and recipe.lora_targets == "feed_forward":
        found.append(Clash(("lora_targets",), _only_experts(type(recipe), situation.model)))
    if situation.rows:
        found += _warm_up(recipe, label, recipe.steps(situation.rows))
    if recipe.tuning == "full" and situation.adapter_rate and recipe.learning_rate > situation.adapter_rate / 3:
        words = (
            f"{label['learning_rate']} is that of an adapter; with all weights under {label['tuning']} about a tenth "
            "of it is usual"
        )
        found.append(Clash(("learning_rate",), words, is_fatal=False))
    if situation.validation == 0 and recipe.evaluations:
        words = f"{label['evaluations']} needs a validation part, and this dataset has none"
        found.append(Clash(("evaluations",), words, is_fatal=False))
    return found


def _only_experts(recipe: type[Recipe], model: str) -> str:
    knob = next(setting.knob for setting in settings(recipe) if setting.name == "lora_targets")
    _, attention, feed_forward = knob.words
    return (
        f"“{knob.label}” is “{feed_forward}”, and in {model} those are experts, which are left as they are: choose "
        f"“{attention}” or “{knob.words[0]}”"
    )


def labels(recipe: type[Recipe]) -> dict[str, str]:
    """The labels as sentences quote them."""
    return {setting.name: f"“{setting.knob.label}”" for setting in settings(recipe)}


def _fatal(recipe: Any) -> list[Clash]:
    label = labels(type(recipe))
    found = []
    if recipe.tuning == "full":
        if recipe.base_precision in ("8bit", "4bit"):
            found.append(_both(label, "tuning", "base_precision", "weights of 8 or 4 bits cannot learn: choose an "
                               "adapter, or 32 bits"))  # fmt: skip
        for name in ("use_dora", "use_rslora"):
            if getattr(recipe, name):
                found.append(_both(label, "tuning", name, "that is a kind of adapter, and here all weights learn"))
    if recipe.use_dora and recipe.base_precision == "8bit":
        found.append(_both(label, "use_dora", "base_precision", "8 bits keep no sizes to set apart: choose 4 or 16"))
    if recipe.init_lora_weights == "orthogonal" and recipe.lora_rank % 2:
        found.append(_both(label, "init_lora_weights", "lora_rank", "at right angles needs an even size"))
    if recipe.first_layer and recipe.last_layer and recipe.first_layer > recipe.last_layer:
        found.append(_both(label, "first_layer", "last_layer", "no layer would learn"))
    if recipe.min_length >= recipe.max_length and not _reads_texts(recipe):
        found.append(_both(label, "min_length", "max_length", "no example could have both"))
    return found


def _steps_of(recipe: Any) -> list[Clash]:
    return _warm_up(recipe, labels(type(recipe)), recipe.max_steps) if recipe.max_steps else []


def _warm_up(recipe: Any, label: dict[str, str], steps: int) -> list[Clash]:
    if recipe.warmup_steps is None or recipe.warmup_steps < steps:
        return []
    words = f"{label['warmup_steps']} is {recipe.warmup_steps:,}, and the whole run has {steps:,}: it would never "
    limit = "max_steps" if recipe.max_steps else "num_train_epochs"
    return [Clash(("warmup_steps", limit), f"{words}reach its full speed. See also {label[limit]}")]


def _both(label: dict[str, str], one: str, other: str, why: str) -> Clash:
    return Clash((one, other), f"{label[one]} and {label[other]} do not go together: {why}")


def _idle(recipe: Any) -> list[Clash]:
    """Settings that were changed, and wait for another that is not as they need it."""
    known = {setting.name: setting for setting in settings(type(recipe))}
    found = []
    for name, setting in known.items():
        need = setting.knob.needs
        if need is None or getattr(recipe, name) == setting.default or need.is_met(getattr(recipe, need.setting)):
            continue
        other = known[need.setting].knob
        words = f"“{setting.knob.label}” does nothing as “{other.label}” is set"
        found.append(Clash((name,), words, is_fatal=False))
    return found


def _reads_texts(recipe: Any) -> bool:
    """Running text, which is divided and never cut."""
    return "packing" in type(recipe).model_fields


def _without_effect(recipe: Any) -> list[Clash]:
    label = labels(type(recipe))
    found = []
    if _reads_texts(recipe) and recipe.too_long != type(recipe).model_fields["too_long"].default:
        words = f"{label['too_long']} does nothing: texts are divided at {label['max_length']}, and none loses its end"
        found.append(Clash(("too_long",), words, is_fatal=False))
    if getattr(recipe, "packing", False) and recipe.train_sampling_strategy == "group_by_length":
        words = f"{label['train_sampling_strategy']}: with {label['packing']} all examples are of one length already"
        found.append(Clash(("train_sampling_strategy",), words, is_fatal=False))
    if recipe.tuning == "full" and recipe.base_precision == "bfloat16":
        words = f"{label['base_precision']} does nothing as {label['tuning']} is set: weights that learn have 32 bits"
        found.append(Clash(("base_precision",), words, is_fatal=False))
    if recipe.early_stopping_patience and not recipe.evaluations:
        words = f"{label['early_stopping_patience']} does nothing, because {label['evaluations']} is 0"
        found.append(Clash(("early_stopping_patience",), words, is_fatal=False))
    return found

"""What to change when a run does not fit, the least harmful first; and the largest run that does. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from facet.gemma.inspect import ModelFacts, facts_of
from facet.recipe.forecast import SAFE, Forecast, Machine, checkpoints, forecast, memory_gb, resolved
from facet.recipe.knobs import Setting, settings, show
from facet.recipe.recipes import MOST_EFFECTIVE, PretrainRecipe, SftRecipe, TrainingRecipe
from facet.recipe.workload import Lengths

SHORTEST: Final = 64  # tokens
NO_HELP: Final = 0.98  # of the present need: what saves less is no help
DECIDED: Final = frozenset({"tuning", "lora_rank"})  # for a run that goes on from what was trained already
AT_ONCE: Final = frozenset({"per_device_train_batch_size", "gradient_accumulation_steps"})
LENGTHS: Final = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 16_384, 32_768, 65_536)
BATCHES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_GEMMA: Final = {"model_type": "gemma3_text", "head_dim": 256, "vocab_size": 262_144}


def _known(parameters: int, width: int, inner: int, layers: int, heads: int, shared: int) -> ModelFacts:
    config = {"hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers}
    config |= {"num_attention_heads": heads, "num_key_value_heads": shared, "max_position_embeddings": 32_768}
    return facts_of(_GEMMA | config, parameters)


# As their published configurations state them, so that nothing has to be downloaded to compare.
SMALLER: Final[dict[str, tuple[str, ModelFacts]]] = {
    "google/gemma-3-4b-it": ("Gemma 3 4B", _known(4_300_079_472, 2560, 10_240, 34, 8, 4)),
    "google/gemma-3-1b-it": ("Gemma 3 1B", _known(999_885_952, 1152, 6912, 26, 4, 1)),
    "google/gemma-3-270m-it": ("Gemma 3 270M", _known(268_098_176, 640, 2048, 18, 4, 1)),
}
Changed = tuple[str, dict[str, Any]]  # words, settings


@dataclass(frozen=True)
class Rung:
    """Something to change, and what it comes to."""

    words: str
    changes: dict[str, int | float | str] = field(default_factory=dict)  # settings
    model: str = ""  # another starting model
    gb: float = 0.0
    minutes: float = 0.0
    fits: bool = False
    cut_rows: int = 0  # more examples that lose their end …
    are_left_out: bool = False  # … or all of themselves, by what the recipe does with such


@dataclass(frozen=True)
class Largest:
    """The largest run that fits, changing one thing at a time; None where not even the smallest does."""

    max_length: int | None
    batch: int | None  # None also where memory sets no limit
    model: str | None


def ladder(
    facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine, further: bool = False
) -> tuple[Rung, ...]:
    """Each rung alone, the least harmful first; then several together, where no single one is enough.

    A run that trains something `further` keeps its starting model and its kind of adapter.
    """
    rungs = []
    together: dict[str, Any] = {}
    now = memory_gb(facts, recipe, lengths, machine)
    for words, changes in _changes(facts, recipe, lengths, machine):
        if further and DECIDED & changes.keys():
            continue
        rung = _rung(facts, recipe, lengths, machine, words, changes)
        if not rung.fits and rung.gb > NO_HELP * now:
            continue
        rungs.append(rung)
        together |= changes
        if not any(rung.fits for rung in rungs) and len(rungs) > 1:
            both = _rung(facts, recipe, lengths, machine, "Everything above together", together)
            if both.fits:
                rungs.append(both)
                break
    return tuple(rungs) if further else (*rungs, *_other_models(facts, recipe, lengths, machine))


def largest(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> Largest:
    """How long the examples may get, how many at once, and which of the known models, each with the rest unchanged."""

    def fits(model: ModelFacts, kept: Lengths, **changes: Any) -> bool:
        return memory_gb(model, recipe.model_copy(update=changes), kept, machine) <= SAFE * machine.free_gb

    long = Lengths(lengths.rows, (lengths.tokens or (1,))[-1:], (lengths.learned or (1,))[-1:])
    every = [length for length in LENGTHS if length <= facts.context_length]
    length = _last(every, lambda length: fits(facts, _all_of(long, length), max_length=length))
    batch = _last(
        [batch for batch in BATCHES if batch * recipe.gradient_accumulation_steps <= MOST_EFFECTIVE],
        lambda batch: fits(facts, lengths, per_device_train_batch_size=batch),
    )
    if batch and batch > 1 and _costs_nothing(facts, recipe, lengths, machine, batch):
        batch = None  # larger groups go in portions: memory sets no limit
    models = [(name, model) for name, model in SMALLER.values() if fits(model, lengths)]
    return Largest(length, batch, models[0][0] if models else None)


def _costs_nothing(
    facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine, batch: int
) -> bool:
    """Does a group of half as many need as much memory?"""
    whole, half = (
        memory_gb(facts, recipe.model_copy(update={"per_device_train_batch_size": count}), lengths, machine)
        for count in (batch, batch // 2)
    )
    return whole == half


def _all_of(lengths: Lengths, length: int) -> Lengths:
    """Examples of this length, to find out how long they may be."""
    share = (lengths.learned or (1,))[-1] / max(1, lengths.longest)
    return Lengths(lengths.rows, (length,), (max(1, round(share * length)),))


def _last(values: Any, fits: Callable[[int], bool]) -> int | None:
    found = None
    for value in values:
        if not fits(value):
            break
        found = value
    return found


def _changes(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> list[Changed]:
    """What could be changed, the least harmful first."""
    made = [_fewer_at_once(facts, recipe, lengths, machine)]
    if not checkpoints(recipe, machine):
        made.append(("Remember less, compute twice: the same result, slower", {"gradient_checkpointing": "on"}))
    if recipe.loss_kernel == "stock":
        made.append(("Facet's own way to compute the error: the same result", {"loss_kernel": "auto"}))
    if recipe.tuning == "full":
        made.append(("Teach a small adapter in place of all weights", {"tuning": "lora"}))
    made.append(_shorter(facts, recipe, lengths, machine))
    made += _fewer_bits(recipe, machine)
    if recipe.tuning == "lora" and recipe.lora_rank > 8:
        made.append(("A smaller adapter: it learns a little less", {"lora_rank": 8}))
    return [change for change in made if change is not None]


def _fewer_at_once(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> Changed | None:
    """As few examples at once as it takes, with more groups per step: the result stays the same."""
    effective, batch = recipe.effective_batch_size, recipe.per_device_train_batch_size
    smaller = [count for count in range(batch - 1, 0, -1) if effective % count == 0 and effective // count <= 256]
    if not smaller:
        return None
    chosen = next(
        (count for count in smaller if _with(facts, recipe, lengths, machine, _at_once(recipe, count)).fits), 0
    )
    changes = _at_once(recipe, chosen or smaller[-1])
    words = f"{changes['per_device_train_batch_size']} at once instead of {batch}, with more groups: the same result"
    return words, changes


def _at_once(recipe: TrainingRecipe, count: int) -> dict[str, Any]:
    groups = recipe.effective_batch_size // count
    return {"per_device_train_batch_size": count, "gradient_accumulation_steps": groups}


def _shorter(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> Changed | None:
    longest = lengths.read_with(recipe).longest  # of joined texts, a block is
    shorter = [length for length in reversed(LENGTHS) if SHORTEST <= length < longest]
    if not shorter:
        return None
    fitting = (length for length in shorter if _with(facts, recipe, lengths, machine, {"max_length": length}).fits)
    length = next(fitting, shorter[min(2, len(shorter) - 1)])
    if isinstance(recipe, PretrainRecipe):
        return f"Pieces of {length:,} tokens", {"max_length": length}
    if recipe.too_long == "leave_out":
        return f"Only examples of at most {length:,} tokens", {"max_length": length}
    return f"At most {length:,} tokens of each example", {"max_length": length}


def _fewer_bits(recipe: TrainingRecipe, machine: Machine) -> list[Changed]:
    """Precisions of the frozen model below the present one, where that is known to work."""
    if recipe.tuning == "full" or machine.device == "mps":
        return []
    order = ("float32", "bfloat16", "8bit", "4bit")
    words = {
        "bfloat16": "The frozen model in 16 bits",
        "8bit": "The frozen model in 8 bits: hardly worse, slower",
        "4bit": "The frozen model in 4 bits: a little worse, slower",
    }
    fewer = order[order.index(resolved(recipe, machine)) + 1 :]
    return [(words[name], {"base_precision": name}) for name in fewer if not (name == "8bit" and recipe.use_dora)]


def _other_models(facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine) -> tuple[Rung, ...]:
    """The largest known model that is smaller and fits."""
    for model_id, (name, known) in SMALLER.items():
        if known.parameters < 0.9 * facts.parameters:
            there = forecast(known, recipe, lengths, machine)
            if there.fits:
                return (Rung(f"{name} as the starting model", {}, model_id, there.gb, there.minutes, True),)
    return ()


def _with(
    facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine, changes: dict[str, Any]
) -> Forecast:
    return forecast(facts, recipe.model_copy(update=changes), lengths, machine)


def _rung(
    facts: ModelFacts, recipe: TrainingRecipe, lengths: Lengths, machine: Machine, words: str, changes: dict[str, Any]
) -> Rung:
    there = _with(facts, recipe, lengths, machine, changes)
    cut = 0
    if not isinstance(recipe, PretrainRecipe):  # texts are divided, and none of them loses its end
        now = lengths.cut_rows(recipe.max_length)
        cut = max(0, lengths.cut_rows(changes.get("max_length", recipe.max_length)) - now)
    return Rung(words, dict(changes), "", there.gb, there.minutes, there.fits, cut, recipe.too_long == "leave_out")


def next_step(rungs: tuple[Rung, ...]) -> str:
    """The first change that is enough, as an instruction; nothing where none is."""
    first = next((rung for rung in rungs if rung.fits), None)
    if first is None:
        return ""
    if first.model:
        return f"Choose {first.model} as the starting model, and start again."
    known = {setting.name: setting for setting in settings(SftRecipe)}
    told = [f"“{known[name].knob.label}” to {as_chosen(known[name], value)}" for name, value in first.changes.items()]
    return f"Set {', '.join(told)}, and start again."


def as_chosen(setting: Setting, value: Any) -> str:
    """A value as the form writes it: “Yes”, and not on."""
    if setting.knob.words and value in setting.choices:
        return f"“{setting.knob.words[setting.choices.index(value)]}”"
    return show(value)

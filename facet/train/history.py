"""Runs seen afterwards: what several differ in, what came of them, their curves over another axis. No torch here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from facet.errors import SettingError
from facet.gemma.models import find
from facet.recipe.advice import Advice
from facet.recipe.knobs import settings, show
from facet.recipe.methods import Method, method_of
from facet.recipe.recipes import TrainingRecipe
from facet.train.runs import RunCard
from facet.work.log import Progress

MOST_COMPARED: Final = 6
LONGEST_NOTE: Final = 4_000  # characters
METHOD_WORDS: Final[dict[Method, str]] = {"sft": "From conversations", "cpt": "From plain text"}
Axis = Literal["step", "epoch", "tokens"]
AXES: Final[dict[Axis, str]] = {"step": "step", "epoch": "times through the data", "tokens": "tokens learned from"}
Points = list[tuple[float, float]]
MISSING: Final = "–"


@dataclass(frozen=True)
class Row:
    """One line of a comparison: what it is, in which group, and the words of every run."""

    group: str
    label: str
    values: tuple[str, ...]
    name: str = ""  # of the setting, as TRL and PEFT call it

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class Comparison:
    """Several runs beside each other. `differences` holds only what is not the same in all of them."""

    runs: tuple[RunCard, ...]
    differences: tuple[Row, ...]
    numbers: tuple[Row, ...]

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the curves that at least one of them has; the usual ones first."""
        found = dict.fromkeys(name for run in self.runs for name, points in run.progress.curves.items() if points)
        return tuple(sorted(found, key=lambda name: (CURVE_ORDER.get(name, len(CURVE_ORDER)), name)))


CURVE_ORDER: Final = {name: place for place, name in enumerate(("loss", "validation_loss", "token_accuracy"))}


def compare(runs: Sequence[RunCard], executions: Sequence[Mapping[str, Any] | None]) -> Comparison:
    """Two to six runs beside each other. `executions` are their `execution.json`, None before a first slice.

    Raises: `SettingError` for one run, or too many.
    """
    if not 2 <= len(runs) <= MOST_COMPARED:
        raise SettingError(
            "These runs cannot be compared.",
            f"{len(runs)} {'is' if len(runs) == 1 else 'are'} chosen; it takes two to {MOST_COMPARED}.",
            "Tick two or more runs in the list on the Runs tab.",
        )
    beginnings = [Row("Model and data", label, tuple(of(run) for run in runs)) for label, of in BEGINNING]
    machines = [Row("Where it computed", label, tuple(of(one or {}) for one in executions)) for label, of in MACHINE]
    everything = [*beginnings, *_setting_rows([run.recipe for run in runs]), *machines]
    numbers = [Row("What came of it", label, tuple(of(run.progress) for run in runs)) for label, of in NUMBERS]
    told = [row for row in numbers if any(value != MISSING for value in row.values)]
    return Comparison(tuple(runs), tuple(row for row in everything if row.differs), tuple(told))


def _setting_rows(recipes: Sequence[TrainingRecipe]) -> list[Row]:
    """Every setting that any of the methods knows; a dash where one does not have it."""
    known = {setting.name: setting.knob for recipe in recipes for setting in settings(type(recipe))}
    return [
        Row(knob.group, knob.label, tuple(_shown(recipe, name) for recipe in recipes), name)
        for name, knob in known.items()
    ]


def _shown(recipe: TrainingRecipe, name: str) -> str:
    return show(getattr(recipe, name)) if name in type(recipe).model_fields else MISSING


def _model(run: RunCard) -> str:
    offered = find(run.base_model)
    return offered.name if offered else run.base_model


def _data(run: RunCard) -> str:
    return f"{run.dataset['name']} ({str(run.dataset.get('fingerprint', ''))[:8]})"


def _before(run: RunCard) -> str:
    return str(run.continues["name"]) if run.continues else "nothing: an untouched model"


def _rows(run: RunCard) -> str:
    return f"{run.dataset['splits']['train']:,}"


BEGINNING: Final[tuple[tuple[str, Callable[[RunCard], str]], ...]] = (
    ("Starting model", _model),
    ("Trained before as", _before),
    (
        "Kind of training",
        lambda run: "Brought in from elsewhere" if run.imported else METHOD_WORDS[method_of(run.recipe)],
    ),
    ("Data", _data),
    ("Examples to learn from", _rows),
)
MACHINE: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...]] = (
    ("Device", lambda made: str(made.get("device", MISSING))),
    ("Precision", lambda made: str(made.get("dtype", MISSING))),
    ("Versions", lambda made: ", ".join(f"{name} {it}" for name, it in made.get("versions", {}).items()) or MISSING),
)


def best(progress: Progress) -> tuple[int, float] | None:
    """The step with the lowest validation loss, and that loss."""
    points = [point for point in progress.curves.get("validation_loss", []) if point[1] == point[1]]
    return min(points, key=lambda point: point[1]) if points else None


def _best_loss(progress: Progress) -> str:
    return f"{found[1]:.3f} at step {found[0]:,}" if (found := best(progress)) else MISSING


def _last(name: str, digits: int = 3) -> Callable[[Progress], str]:
    def of(progress: Progress) -> str:
        value = progress.latest(name)
        return MISSING if value is None else f"{value:,.{digits}f}"

    return of


def _time(progress: Progress) -> str:
    return f"{progress.working_seconds / 60:.1f} minutes" if progress.working_seconds else MISSING


def memory_gb(progress: Progress) -> float | None:
    """The most memory it was seen to take."""
    told = progress.outputs.get("peak_memory_gb")
    seen = [value for _, value in progress.curves.get("memory_gb", [])]
    return float(told) if isinstance(told, int | float) else max(seen, default=None)


def _memory(progress: Progress) -> str:
    return f"{found:.1f} GB" if (found := memory_gb(progress)) is not None else MISSING


NUMBERS: Final[tuple[tuple[str, Callable[[Progress], str]], ...]] = (
    ("Steps", lambda progress: f"{progress.step:,} of {progress.total_steps:,}" if progress.total_steps else MISSING),
    ("Loss at the end", _last("loss")),
    ("Validation loss at the end", _last("validation_loss")),
    ("Lowest validation loss", _best_loss),
    ("Worked for", _time),
    ("Tokens per second", _last("tokens_per_second", 0)),
    ("Most memory", _memory),
)


def along(run: RunCard, name: str, axis: Axis) -> Points:
    """A curve of a run over steps, times through the data, or tokens it learned from so far."""
    points, place = run.progress.curves.get(name, []), _places(run, axis)
    return [(place(step), value) for step, value in points if value == value] if place else []


def _places(run: RunCard, axis: Axis) -> Callable[[int], float] | None:
    """From a step to its place along the axis; None where that is not known.

    Tokens are those the model learned to write; their number is known once a run is over.
    """
    if axis == "step":
        return float
    epochs = _epochs(run)
    if axis == "epoch" or epochs is None:
        return epochs
    each = float(run.progress.outputs.get("trained_tokens_per_epoch") or 0.0)
    return (lambda step: epochs(step) * each) if each else None


def _epochs(run: RunCard) -> Callable[[int], float] | None:
    """From a step to times through the data: as the trainer told, or as it counts.

    The last group of each time through may be smaller, and is a whole step. Texts are read in blocks, whose number is
    known once a run is over.
    """
    told = {step: epoch for step, epoch in run.progress.curves.get("epoch", []) if step}
    rows = int(run.progress.outputs.get("rows") or 0)
    if not rows and method_of(run.recipe) == "sft":
        rows = min(run.dataset["splits"]["train"], run.recipe.max_examples or run.dataset["splits"]["train"])
    if told:
        each = told[max(told)] / max(told)
    elif rows:
        each = 1 / -(-rows // run.recipe.effective_batch_size)
    else:
        return None
    return lambda step: told.get(step, step * each)


def against_advice(recipe: TrainingRecipe, advice: Advice) -> list[tuple[str, str, str]]:
    """Settings that are not as advised: label, the value, what was advised."""
    if type(recipe) is not type(advice.recipe):
        return []
    rows = _setting_rows([recipe, advice.recipe])
    return [(row.label, row.values[0], row.values[1]) for row in rows if row.differs]


def clean_note(text: str) -> str:
    """A person's own words on a run, without control characters. Raises: `SettingError` when there are too many."""
    kept = "".join(letter for letter in text.replace("\r\n", "\n") if letter.isprintable() or letter in "\n\t").strip()
    if len(kept) > LONGEST_NOTE:
        raise SettingError(
            "This note is too long.",
            f"It has {len(kept):,} characters, and {LONGEST_NOTE:,} is the most.",
            "Shorten it and keep it again; the note from before is still there.",
        )
    return kept

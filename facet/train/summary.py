"""What one run was and came to, in lines: model, method, what learned, data, time, numbers. No torch here."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

from facet.gemma.inspect import read_header
from facet.model.tuned import digest_said, is_whole, tuned_in, weight_files
from facet.train.history import BEGINNING, MISSING, NUMBERS
from facet.train.runs import RunCard
from facet.work.task import Task


@dataclass(frozen=True)
class Learned:
    """The weights a finished run leaves."""

    weights: int
    megabytes: float
    is_whole: bool

    @property
    def words(self) -> str:
        kind = "a whole model" if self.is_whole else "an adapter"
        return f"{kind} of {self.weights:,} weights, {self.megabytes:,.1f} MB"


def learned(run: Path) -> Learned | None:
    """None while there is none, or when its files cannot be read."""
    try:
        if (place := tuned_in(run)) is None:
            return None
        files = weight_files(place)
        tensors = [tensor for file in files for tensor in read_header(file).values()]
        count = sum(math.prod(tensor["shape"]) for tensor in tensors)
        return Learned(count, sum(file.stat().st_size for file in files) / 1e6, is_whole(place))
    except (OSError, ValueError, KeyError):
        return None


def summary(run: RunCard, task: Task) -> list[tuple[str, str]]:
    """Lines of a name and words, in the order in which one asks."""
    made, recipe, base = learned(task.folder), run.recipe, task.request["base"]
    revision = base.get("revision")
    of = dict(BEGINNING)
    lines = [
        ("Starting model", of["Starting model"](run) + (f", version {str(revision)[:12]}" if revision else "")),
        ("Trained before as", of["Trained before as"](run)),
        ("Kind of training", of["Kind of training"](run)),
        ("What learns", _what_learns(run)),
        ("What it left", made.words if made else MISSING),
        ("Data", f"{of['Data'](run)}, {of['Examples to learn from'](run)} examples to learn from"),
        ("Examples per step", f"{recipe.effective_batch_size:,}"),
        ("Where it computed", run.progress.where or MISSING),
        ("Begun", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(run.created)) if run.created else MISSING),
        *((label, words(run.progress)) for label, words in NUMBERS),
        ("SHA-256 of the weights", digest_said(run.progress.outputs) or MISSING),
    ]
    return [(name, words) for name, words in lines if words != MISSING and not (run.imported and name in NOT_IMPORTED)]


NOT_IMPORTED = ("What learns", "Data", "Examples per step", "Trained before as")


def _what_learns(run: RunCard) -> str:
    recipe = run.recipe
    if recipe.tuning == "full":
        return "all weights of the language model"
    kinds = [word for word, on in (("rank-stabilised", recipe.use_rslora), ("DoRA", recipe.use_dora)) if on]
    bits = {"4bit": "on 4 bits (QLoRA)", "8bit": "on 8 bits"}.get(recipe.base_precision, "")
    more = ", ".join(filter(None, [*kinds, bits]))
    return f"a LoRA adapter of size {recipe.lora_rank}" + (f", {more}" if more else "")

"""A run as a Python script of plain transformers, PEFT and TRL, for somebody at home to read, run and change.

The script holds settings and no rows: it is given the folder of the data.
"""

import ast
import pprint
import textwrap
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment

from facet.errors import FacetError, SettingError
from facet.gemma.inspect import inspect, read_config
from facet.gemma.models import STARTER
from facet.gemma.packed import packed_in
from facet.gemma.targets import lora_targets
from facet.model.load import TOWERS
from facet.model.source import BaseSource
from facet.recipe.bits import SQUEEZED, uses_bits
from facet.recipe.methods import method_of
from facet.recipe.recipes import TrainingRecipe
from facet.train.history import METHOD_WORDS
from facet.train.rows import validation_rows
from facet.train.runs import RunCard
from facet.train.to_trl import evaluation_steps, to_trl
from facet.work.task import Task
from facet.workspace import clean_name, read_json

TEMPLATE: Final = Path(__file__).with_name("plain_script.txt")
WIDTH: Final = 116
PACKAGES: Final = ("torch", "transformers", "trl", "peft")
# Settings that Facet carries out itself, beside what TRL is told.
ELSEWHERE: Final = {
    "too_long": "leaving out examples that are too long",
    "min_length": "leaving out examples that are too short",
    "max_examples": "taking only so many examples",
    "loraplus_lr_ratio": "two learning speeds in one adapter",
}
BEGINNING: Final = {"lora": "adapter", "full": "weights"}  # the flag for what another run learned
# What the script says itself, or a person decides anew.
NOT_TOLD: Final = ("output_dir", "dataset_kwargs", "disable_tqdm", "report_to")


def script(run: RunCard, task: Task, models: Path) -> str:
    """The script. `models` is where starting models lie, to look up the layers that an adapter sits on.

    Raises: `SettingError` for an adapter that was not trained here.
    """
    if run.imported:
        raise SettingError(
            "There is no training to write down.",
            "This adapter was brought in; it was not trained in Facet.",
            "Choose a run that was trained here.",
        )
    environment = Environment(keep_trailing_newline=True, trim_blocks=False, autoescape=False)
    environment.filters["py"] = as_python
    text = environment.from_string(TEMPLATE.read_text("utf-8")).render(facts(run, task, models))
    return _tidy(text)


def as_python(value: Any) -> str:
    """A value as Python writes it; nothing in it can become code."""
    text = pprint.pformat(value, width=WIDTH, sort_dicts=False)
    if isinstance(value, dict) and "\n" in text:
        inside = ",\n".join(f"    {name!r}: {each!r}" for name, each in value.items())
        return f"{{\n{inside},\n}}"
    return text


def facts(run: RunCard, task: Task, models: Path) -> dict[str, Any]:
    """Everything the template fills in."""
    recipe, execution, base = run.recipe, task.execution() or {}, BaseSource.of(task.request["base"])
    rows = _rows(run, task)
    steps = recipe.steps(rows)
    told = to_trl(
        recipe,
        rows=rows,
        output=Path("tuned"),
        device=execution.get("device", "cpu"),
        targets=_targets(task, base, models) if recipe.tuning == "lora" else "",
        micro_batch=execution.get("micro_batch"),
    )
    is_on_hub = base.where == "hub" and run.base_model != STARTER
    sft = {name: value for name, value in told.sft.items() if name not in NOT_TOLD}
    return {
        "name": clean_name(run.name),
        "what": f"{METHOD_WORDS[method_of(recipe)]}; {_model_words(run, base)}",
        "data_name": clean_name(run.dataset_name),
        "rows": f"{rows:,}",
        "packages": _packages(execution.get("versions", {}), uses_bits(recipe) or _is_packed(base, models)),
        "remarks": [line for remark in _remarks(run, task) for line in textwrap.wrap(remark, 112)],
        "needs_model": not is_on_hub,
        "model": base.id if is_on_hub else None,
        "revision": base.revision if is_on_hub else None,
        "continues": bool(run.continues),
        "beginning": BEGINNING[recipe.tuning],
        "ended_at": _ended_at(run),
        "method": method_of(recipe),
        "template": base.template,
        "tuning": recipe.tuning,
        "train_on": getattr(recipe, "train_on", "answers"),
        "packing": getattr(recipe, "packing", False),
        "max_length": recipe.max_length,
        "seed": recipe.seed,
        "dtype": "float32" if recipe.tuning == "full" else execution.get("dtype", "float32"),
        "quantised": _quantised(recipe) if recipe.tuning == "lora" else "",
        "threads": execution.get("threads"),
        "evaluate_at": sorted(evaluation_steps(recipe, steps)) if recipe.evaluations else [],
        "validation_rows": validation_rows(recipe, steps),
        "order": _words_of("order.py") if recipe.train_sampling_strategy == "group_by_length" else "",
        "looks": _words_of("exact.py"),
        "group": recipe.per_device_train_batch_size,
        "effective": recipe.effective_batch_size,
        "sft": sft | {"report_to": [], "dataset_kwargs": {"skip_prepare_dataset": True}},
        "lora": told.lora,
    }


def _packages(versions: dict[str, str], bits: bool) -> str:
    """What pip is told. A version as a machine has it may name its own build (2.13.0+cpu), which pip does not find."""
    known = [f"{name}=={versions[name].partition('+')[0]}" if name in versions else name for name in PACKAGES]
    return " ".join([*known, "datasets", *(["bitsandbytes"] if bits else [])])


def _is_packed(base: BaseSource, models: Path) -> bool:
    """Was it squeezed before it was published? Of a model that is not here that is not known."""
    try:
        return packed_in(read_config(base.folder(models) / "config.json")) is not None
    except FacetError:
        return False


def _quantised(recipe: TrainingRecipe) -> str:
    """The arguments of `BitsAndBytesConfig`, as the worker gives them."""
    skipped = f"llm_int8_skip_modules={['lm_head', *TOWERS, *(f'model.{tower}' for tower in TOWERS)]!r}"
    if recipe.base_precision == "8bit":
        return f"load_in_8bit=True, {skipped}"
    if recipe.base_precision != "4bit":
        return ""
    kind, double = recipe.bnb_4bit_quant_type, recipe.bnb_4bit_use_double_quant
    return (
        f"load_in_4bit=True, bnb_4bit_quant_type={kind!r}, bnb_4bit_use_double_quant={double!r}, "
        f"bnb_4bit_compute_dtype=getattr(torch, DTYPE), {skipped}"
    )


def _ended_at(run: RunCard) -> int | None:
    """The step at which a run ended before its time, by a person's wish or because it got no better."""
    return run.progress.step if run.progress.stage == "finished" and run.progress.early else None


def _words_of(name: str) -> str:
    """The code of a file beside this one, so that the script does the same. It is read, since importing takes torch."""
    source = Path(__file__).with_name(name).read_text("utf-8")
    parts = ast.parse(source).body
    return "\n\n\n".join(
        ast.get_source_segment(source, part) or ""
        for part in parts
        if isinstance(part, ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef)
    )


def _rows(run: RunCard, task: Task) -> int:
    try:
        return int(read_json(task.folder / "tokens" / "counts.json")["rows"])
    except (OSError, ValueError, KeyError):  # it has not begun
        return int(run.dataset["splits"]["train"])


def _targets(task: Task, base: BaseSource, models: Path) -> str | list[str]:
    """The layers its adapter sits on: as it was written down, or as it would be."""
    try:
        return read_json(task.folder / "adapter" / "adapter_config.json")["target_modules"]
    except (OSError, ValueError, KeyError):
        return lora_targets(inspect(base.folder(models)).model_type)


def _model_words(run: RunCard, base: BaseSource) -> str:
    if run.base_model == STARTER:
        return "the Facet starter, which lies in the folder “base” of a download from Facet."
    if base.where == "hub":
        return f"{clean_name(base.id)}, at the version below."
    return "a model from a folder of somebody's computer."


def _remarks(run: RunCard, task: Task) -> list[str]:
    """Where the script does not do quite the same, said plainly."""
    recipe = run.recipe
    said = ["Numbers differ from Facet's in the last digits, because Facet computes the loss in a faster way."]
    if recipe.keep_best:
        said.append("Facet keeps the save point that did best on the validation part; this script keeps the last.")
    if ended := _ended_at(run):
        said.append(f"That run ended early, at step {ended:,}, and so does this script; --stop-after says otherwise.")
    elif recipe.early_stopping_patience:
        said.append("Facet may stop early when the validation part gets no better; this script goes on to the end.")
    if (task.execution() or {}).get("at_once"):
        said.append("Facet divides large groups of examples to need less memory; this script takes each group at once.")
    if recipe.lora_dropout:
        said.append("“Forgetting on purpose” falls on other weights than in Facet, which draws its dice elsewhere.")
    if recipe.base_precision in SQUEEZED and recipe.tuning == "lora":
        said.append("On 4 or 8 bits TRL holds the adapter in bfloat16, and Facet in float32: expect small differences.")
    if recipe.base_precision == "auto" and not task.execution():
        said.append("The run has not begun: Facet would choose the precision on the machine it runs on.")
    for name, words in ELSEWHERE.items():
        if name == "too_long" and method_of(recipe) == "cpt":
            continue  # texts are divided, here as in Facet
        field = type(recipe).model_fields.get(name)
        if field is not None and getattr(recipe, name) != field.default:
            said.append(f"Not done here: {words} ({name}), which Facet does by itself.")
    if run.continues:
        what = "an adapter" if recipe.tuning == "lora" else "a whole model that was tuned before"
        said.append(f"It goes on from {what}: give the folder of that one with --{BEGINNING[recipe.tuning]}.")
    said.append("Text that spells a control token of the model stays text in Facet; here it becomes that token.")
    return said


def _tidy(text: str) -> str:
    """Never more than two empty lines, and none of the template's own left-overs."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or lines[-2:] != ["", ""]:
            lines.append(line.rstrip())
    return "\n".join(lines).strip() + "\n"

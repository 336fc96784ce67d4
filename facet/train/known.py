"""What earlier work here tells about the speed and the memory of the next: measurements, and finished runs."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from facet.gemma.inspect import ModelFacts
from facet.recipe.forecast import Machine, Measured, Pace, checkpoints, needs_of
from facet.recipe.methods import recipe_of
from facet.recipe.recipes import TrainingRecipe
from facet.recipe.workload import Lengths, workload
from facet.train.passes import line
from facet.work import log
from facet.work.log import Progress
from facet.work.task import Task
from facet.workspace import read_json

FEWEST_STEPS: Final = 5
MOST_TASKS: Final = 20  # of the newest
SAME: Final = ("tuning", "base_precision", "use_dora", "loss_kernel", "gradient_checkpointing", "optim")


def known(
    facts: ModelFacts,
    base: dict[str, Any],
    recipe: TrainingRecipe,
    device: str,
    measures: Iterable[Path],
    runs: Iterable[Path],
    look: Callable[[Path], Progress],
) -> Measured | None:
    """What is known of tuning this model in this way here, a measurement before earlier runs; newest first."""
    for folder in list(measures)[:MOST_TASKS]:
        is_done = _is_alike(folder, base, recipe, device) and look(folder).stage == "finished"
        if is_done and (found := of_measurement(look(folder).outputs)):
            return found
    for folder in list(runs)[:MOST_TASKS]:
        is_done = _is_alike(folder, base, recipe, device) and look(folder).stage == "finished"
        if is_done and (found := of_run(facts, Task(folder), look(folder))):
            return found
    return None


def _is_alike(folder: Path, base: dict[str, Any], recipe: TrainingRecipe, device: str) -> bool:
    """The same model, worked on in the same way on the same kind of device; how much of it does not matter."""
    task = Task(folder)
    try:
        request = task.request
        then = recipe_of(request)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    same_model = all(request.get("base", {}).get(name) == base[name] for name in ("id", "where", "revision"))
    if not same_model or request.get("imported") or task.where != "local":
        return False
    same_way = all(getattr(then, name, None) == getattr(recipe, name, None) for name in SAME)
    return same_way and (task.execution() or {}).get("device", device) == device


def of_measurement(outputs: dict[str, Any]) -> Measured | None:
    """None for one by another version of Facet, which told other numbers."""
    try:
        clock, processor = (
            Pace(
                *(float(outputs[f"{kind}_{name}"]) for name in ("per_gflop", "per_pass", "per_update", "load")),
                per_token=float(token) if (token := outputs.get(f"{kind}_per_token")) else None,
            )
            for kind in ("clock", "processor")
        )
        # A few passes have not seen the largest moment of a run: they may raise the estimate, and never lower it.
        return Measured("measured", clock, processor, max(1.0, float(outputs["memory_ratio"])), outputs["dtype"])
    except (KeyError, ValueError, TypeError):
        return None


def of_run(facts: ModelFacts, task: Task, progress: Progress) -> Measured | None:
    """What a finished run tells; None when it was too short to tell anything, or its numbers are gone."""
    recipe, steps = recipe_of(task.request), step_times(task.events_file)
    lengths = lengths_of(task)
    if len(steps) < FEWEST_STEPS or lengths is None:
        return None
    execution = task.execution() or {}
    here = Machine("local", "", execution.get("device", "cpu"), 0.0, 1.0, execution.get("dtype", "float32"))
    fewer = {"per_device_train_batch_size": execution.get("micro_batch") or recipe.per_device_train_batch_size}
    as_it_went = recipe.model_copy(update=fewer)  # after memory ran out, if it did
    load = workload(facts, recipe, lengths, checkpoints(recipe, here))
    work, passes = load.work / load.steps, load.passes / load.steps
    tokens, seconds = np.array(steps).T
    works = work * tokens / max(1e-9, float(np.mean(tokens)))
    per_gflop, fixed = line(works.tolist(), seconds.tolist())
    outputs = progress.outputs
    peak = max([float(outputs.get("memory_gb", 0.0)), *(value for _, value in progress.curves.get("memory_gb", ()))])
    spent = float(outputs.get("processor_seconds", 0.0))
    clock = Pace(per_gflop, fixed / passes, 0.0, _load_seconds(task.events_file))
    share = spent / progress.working_seconds if spent and progress.working_seconds else 1.0
    return Measured(
        "earlier runs",
        clock,
        Pace(*(share * seconds for seconds in (clock.per_gflop, clock.per_pass, clock.per_update, clock.load))),
        peak / needs_of(facts, as_it_went, lengths, here, at_once=execution.get("at_once", 0)).gb if peak else None,
        here.precision,
    )


def step_times(events: Path) -> list[tuple[float, float]]:
    """Tokens and seconds of each step; the few that took far longer, for whatever reason, are left out."""
    found = []
    for event, _ in log.read(events):
        if isinstance(event, log.Logged) and {"tokens_per_second", "step_seconds"} <= set(event.values):
            took = event.values["step_seconds"]
            found.append((event.values["tokens_per_second"] * took, took))
    if not found:
        return []
    middle = float(np.median([took for _, took in found]))
    return [(tokens, took) for tokens, took in found if took < 3 * middle]


def _load_seconds(events: Path) -> float:
    began = None
    for event, _ in log.read(events):
        if isinstance(event, log.Staged) and began is None:
            began = event.at
        if isinstance(event, log.Started | log.Logged) and began is not None:
            return max(0.0, event.at - began)
    return 15.0


def lengths_of(task: Task) -> Lengths | None:
    """The examples of a run as they were learned; their mean where the tokens are gone; None without any."""
    place = task.folder / "tokens"
    try:
        counts = read_json(place / "counts.json")
    except (OSError, ValueError):
        return None
    if not counts.get("rows"):
        return None
    try:
        with pa.memory_map(str(place / "train.arrow")) as file:
            table = pa.ipc.open_stream(file).read_all()
        sizes = np.array(table.column("input_ids").combine_chunks().value_lengths())
    except (OSError, pa.ArrowException, KeyError):
        sizes = np.array([counts["tokens"] / counts["rows"]])
    share = counts["trained"] / max(1, counts["tokens"])
    order = np.sort(sizes)[np.linspace(0, len(sizes) - 1, min(len(sizes), 256)).astype(int)]
    learned = tuple(max(1, round(float(size) * share)) for size in order)
    return Lengths(counts["rows"], tuple(int(size) for size in order), learned)

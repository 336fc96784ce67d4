"""Short ways to what many tests need: a prepared example and a run of the starter model on it."""

import time
from pathlib import Path
from typing import Any

from facet.identity import LOCAL, Person
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.studio import Studio
from facet.work.log import Progress, progress_of
from facet.work.task import Task
from facet.workspace import Workspace

TASTE: dict[str, Any] = {
    "learning_rate": 2e-3,
    "max_steps": 24,
    "per_device_train_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "max_length": 128,
    "evaluations": 3,
    "lora_dropout": 0.1,  # so that a resume must also get the dice right
}


def prepared_example(studio: Studio, name: str = "pirate", person: Person = LOCAL) -> str:
    upload_id = studio.bring_example(person, name)
    mapping = studio.look(person, upload_id)["shape"]["mapping"]
    return studio.prepare(person, upload_id, "", mapping)


def queued_run(studio: Studio, dataset_id: str, person: Person = LOCAL, **settings: Any) -> Task:
    recipe = read_recipe(SftRecipe, TASTE | settings)
    run_id = studio.start(person, dataset_id, "starter", recipe, "a run")
    return studio.runs_shelf.task(person, run_id)


def a_studio(home: Path) -> Studio:
    home.mkdir(parents=True, exist_ok=True)
    return Studio(Workspace(home))


def progress(task: Task) -> Progress:
    return progress_of(task.events_file)


def until(task: Task, reached: Any, seconds: float = 180) -> Progress:
    """Wait until `reached(progress)` holds; the test fails with the state it was stuck in."""
    end = time.time() + seconds
    while time.time() < end:
        now = progress(task)
        if reached(now):
            return now
        time.sleep(0.02)
    log = task.output_log.read_text()[-2000:] if task.output_log.exists() else ""
    raise AssertionError(f"still {now.stage} at step {now.step}: {now.words} {now.failure}\n{log}")


def curve(task: Task) -> dict[str, list[tuple[int, float]]]:
    """Everything of the curves that must be identical, to the last digit, however a run was cut."""
    names = ("loss", "validation_loss", "grad_norm", "learning_rate", "token_accuracy")
    return {name: progress(task).curves.get(name, []) for name in names}

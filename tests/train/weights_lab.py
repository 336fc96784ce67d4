"""A tiny model, conversations and texts, and one undisturbed run of each kind of weights, for tests."""

import os
from pathlib import Path
from typing import Any

from facet.identity import LOCAL
from facet.model.source import BaseSource
from facet.model.tuned import digest, tuned_in
from facet.recipe.knobs import read_recipe
from facet.recipe.methods import RECIPES, Method
from facet.work import worker
from facet.work.task import Task
from tests.journeys import TASTE, a_studio, prepared_example, progress
from tests.tiny_models import tiny_gemma3

SOAK = os.environ.get("FACET_SOAK") == "1"
KINDS: dict[str, dict[str, Any]] = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "4bit": {"base_precision": "4bit"},
    "4bit dora": {"base_precision": "4bit", "use_dora": True},
    "8bit": {"base_precision": "8bit"},
    "full": {"tuning": "full"},
}
SHORT: dict[str, Any] = {
    "max_steps": 6,
    "lora_rank": 4,
    "save_minutes": 0.1,
    "evaluations": 2,
    "validation_rows": 4,
    "sample_max_tokens": 8,
    "max_examples": 40,
}


class Lab:
    """Runs are made when they are first asked for."""

    def __init__(self, place: Path) -> None:
        self.studio = a_studio(place / "home")
        self.model = tiny_gemma3(place / "tiny")
        self.base = BaseSource("tiny", "folder", path=str(self.model))
        self.data = {"sft": prepared_example(self.studio), "cpt": prepared_example(self.studio, "repair_handbook")}
        self._runs: dict[tuple[str, Method], Task] = {}

    def queued(
        self, kind: str, method: Method, start_from: Path | None = None, step: int | None = None, **more
    ) -> Task:
        settings = TASTE | SHORT | KINDS[kind] | more
        recipe = read_recipe(RECIPES[method], settings)
        data = self.studio.shelf.folder(LOCAL, self.data[method])
        run_id = self.studio.runs_shelf.create(
            LOCAL, data, self.base, recipe, kind, "3", start_from=start_from, start_step=step
        )
        return self.studio.runs_shelf.task(LOCAL, run_id)

    def finished(self, task: Task) -> Task:
        worker.advance(task, self.studio.workspace.models)
        assert progress(task).stage == "finished", progress(task).failure
        return task

    def run(self, kind: str, method: Method = "sft") -> Task:
        if (kind, method) not in self._runs:
            self._runs[kind, method] = self.finished(self.queued(kind, method))
        return self._runs[kind, method]

    def digest(self, task: Task) -> str:
        return digest(tuned_in(task.folder))


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")

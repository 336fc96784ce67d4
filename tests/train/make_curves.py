"""Makes `curves/*.json`: what real runs of the starter model logged, each labelled with how it went. Minutes of work.

python -m tests.train.make_curves [NAME …]
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from facet.work import worker
from tests.journeys import a_studio, prepared_example, progress, queued_run

HERE = Path(__file__).parent / "curves"
SHARED: dict[str, Any] = {"early_stopping_patience": None, "evaluations": 8, "lora_dropout": 0.0, "seed": 7}
RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {  # name: (how it goes, example, settings)
    "a_style": ("finished", "pirate", {"max_steps": 32}),
    "facts": ("finished", "museum_facts", {"max_steps": 80, "learning_rate": 4e-3}),
    "by_heart": (
        "memorising",
        "museum_facts",
        {"max_steps": 240, "max_examples": 24, "learning_rate": 6e-3, "lora_rank": 64},
    ),
    "too_slow": ("flat", "pirate", {"max_steps": 24, "learning_rate": 1e-6}),
    "too_fast": (
        "unstable",
        "pirate",
        {
            "max_steps": 32,
            "learning_rate": 0.1,
            "lora_scale": 16.0,
            "max_grad_norm": 100.0,
            "warmup_share": 0.0,
            "lr_scheduler_type": "constant_with_warmup",
        },
    ),
}


def made(name: str) -> dict[str, Any]:
    kind, example, given = RUNS[name]
    with tempfile.TemporaryDirectory() as home:
        studio = a_studio(Path(home))
        task = queued_run(studio, prepared_example(studio, example), **SHARED | given)
        worker.advance(task, studio.workspace.models)
        assert progress(task).stage == "finished", progress(task).failure
        curves, steps = progress(task).curves, progress(task).total_steps
    kept = {
        curve: [[step, float(f"{value:.4g}")] for step, value in curves.get(curve, [])]
        for curve in ("loss", "validation_loss", "grad_norm")
    }
    return {"kind": kind, "total_steps": steps, "settings": given, "curves": kept}


if __name__ == "__main__":
    for chosen in sys.argv[1:] or RUNS:
        (HERE / f"{chosen}.json").write_text(json.dumps(made(chosen)) + "\n")

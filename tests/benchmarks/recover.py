"""How long a restarted Facet takes to know again where everything stood.

python -m tests.benchmarks.recover [--runs 100] [--steps 1000]
"""

import argparse
import tempfile
import time
from pathlib import Path

from facet.identity import LOCAL
from facet.model.source import BaseSource
from facet.recipe.recipes import SftRecipe
from facet.work import log
from facet.work.task import Task
from facet.workspace import write_json
from tests.journeys import a_studio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--steps", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        fill(home, options.runs, options.steps)
        studio = a_studio(home)
        began = time.perf_counter()
        studio.conductor.round()
        scanned = time.perf_counter()
        cards = studio.runs(LOCAL)
        listed = time.perf_counter()
        print(
            f"{len(cards)} runs of {options.steps} steps: scan {scanned - began:.2f} s, list {listed - scanned:.2f} s"
        )


def fill(home: Path, runs: int, steps: int) -> None:
    studio = a_studio(home)
    dataset = home / "dataset"
    dataset.mkdir()
    for name in ("train.parquet", "validation.parquet", "exam.parquet"):
        (dataset / name).write_bytes(b"")
    write_json(dataset / "dataset.json", {"name": "a dataset"})
    values = {"loss": 1.0, "learning_rate": 1e-4, "grad_norm": 1.0, "token_accuracy": 0.5, "tokens_per_second": 900.0}
    text = "".join(log.Logged(step=step, values=values).model_dump_json() + "\n" for step in range(1, steps + 1))
    start, end = log.Started(total_steps=steps).model_dump_json(), log.Finished(step=steps).model_dump_json()
    for _ in range(runs):
        base = BaseSource("starter", "starter")
        run_id = studio.runs_shelf.create(LOCAL, dataset, base, SftRecipe(), "a run", "starter")
        Task(studio.runs_shelf.folder(LOCAL, run_id)).events_file.write_text(f"{start}\n{text}{end}\n")


if __name__ == "__main__":
    main()

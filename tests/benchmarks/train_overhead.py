"""The share of a run's CPU time that goes into callbacks, the log, guards and saving: 5 % is the most it may be.

    python -m tests.benchmarks.train_overhead [--steps 60] [--model FOLDER]

The trainer's callbacks are timed inside an ordinary run. The starter's steps are the shortest there are, so the share
is the largest there is.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from facet.starter import FOLDER
from facet.train import slice as train_slice
from facet.work import worker
from facet.work.log import progress_of
from facet.work.task import Task
from tests.benchmarks.train import conversations, recipe, run_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--model", type=Path, default=FOLDER)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        task = run_of(Path(place), conversations(128), recipe(options.steps), options.model)
        spent, whole = timed(task, Path(place))
    samples = spent.pop("samples")
    print(f"samples to the person's prompts: {samples:.3f} CPU-s, {samples / whole:.2%}; not counted below")
    for event, seconds in sorted(spent.items(), key=lambda one: -one[1]):
        print(f"{event}: {seconds:.3f} CPU-s, {seconds / whole:.2%}")
    print(f"all callbacks: {sum(spent.values()) / whole:.2%} of {whole:.1f} CPU-s ({options.steps} steps)")


def timed(task: Task, models: Path) -> tuple[dict[str, float], float]:
    """CPU-seconds by event, and those of the whole training from its first step to its end."""
    build, spent, whole = train_slice.build, {"samples": 0.0}, [0.0]

    def watched(job: Any, watch: Any) -> Any:
        trainer = build(job, watch)
        call, train, ask = trainer.callback_handler.call_event, trainer.train, watch.looking.more

        def asked(*told: Any, **more: Any) -> None:
            began = time.process_time()
            ask(*told, **more)
            spent["samples"] += time.process_time() - began

        def event(name: str, *told: Any, **more: Any) -> Any:
            began, before = time.process_time(), spent["samples"]
            try:
                return call(name, *told, **more)
            finally:
                took = time.process_time() - began - (spent["samples"] - before)
                spent[name] = spent.get(name, 0.0) + took

        def all_of_it(*told: Any, **more: Any) -> Any:
            began = time.process_time()
            done = train(*told, **more)
            whole[0] = time.process_time() - began
            return done

        trainer.callback_handler.call_event, trainer.train, watch.looking.more = event, all_of_it, asked
        return trainer

    train_slice.build = watched
    try:
        worker.advance(task, models)
    finally:
        train_slice.build = build
    assert progress_of(task.events_file).stage == "finished", progress_of(task.events_file).failure
    return spent, whole[0]


if __name__ == "__main__":
    main()

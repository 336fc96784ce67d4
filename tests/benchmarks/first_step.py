"""How long after Start the first step of the starter is there, and what a spare worker costs.

python -m tests.benchmarks.first_step [--rounds 3] [--hero]

Cold: a worker is started for the run. Warm: a spare was ready. `--hero`: the first screen's button, up to both answers.
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from facet.compute import warm
from facet.identity import LOCAL
from facet.recipe.recipes import TrainingRecipe
from facet.studio import Studio
from facet.ui.asker import Asker
from facet.ui.hero import QUESTIONS, start_first_taste
from facet.work.task import Task
from tests.journeys import a_studio, prepared_example, progress, until


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hero", action="store_true")
    options = parser.parse_args()
    warm.CALM_PERCENT = 101.0  # also beside other work
    with tempfile.TemporaryDirectory() as place:
        studio = a_studio(Path(place) / "home")
        dataset = prepared_example(studio)
        recipe = studio.advise(LOCAL, dataset, "starter", "quick").recipe.model_copy(update={"max_steps": 2})
        studio.open()
        try:
            for _ in range(options.rounds):
                for is_warm in (False, True):
                    spare = wait_for_spare(studio) if is_warm else ""
                    if options.hero:
                        print(hero(studio), spare)
                    else:
                        print(f"{'warm' if is_warm else 'cold'}: {first_step(studio, dataset, recipe):.2f} s", spare)
        finally:
            studio.close()


def wait_for_spare(studio: Studio) -> str:
    """Until it has nothing more to do; what it cost."""
    studio.expect_start()
    spare = studio.backend.warm
    while not spare._is_there():
        time.sleep(0.1)
    process, used = psutil.Process(spare._spare.pid), -1.0
    while (now := sum(process.cpu_times()[:2])) > used or now < 2.0:
        used = now
        time.sleep(1.5)
    about = process.memory_full_info()
    return f"(spare: {used:.1f} s of a processor, {about.rss >> 20} MB, {about.uss >> 20} MB of its own)"


def first_step(studio: Studio, dataset: str, recipe: TrainingRecipe) -> float:
    began = time.time()
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset, "starter", recipe, "a run"))
    return after(task, began, 1, studio)


def after(task: Task, began: float, step: int, studio: Studio) -> float:
    found = until(task, lambda now: any(point[0] >= step for point in now.curves.get("loss", [])))
    seconds = time.time() - began
    assert found.failure is None
    until(task, lambda now: now.is_over)
    end = time.monotonic() + 5
    while studio.conductor.has_work() and time.monotonic() < end:
        time.sleep(0.1)
    return seconds


def hero(studio: Studio) -> str:
    began, asker = time.time(), Asker(studio)
    task = studio.runs_shelf.task(LOCAL, start_first_taste(studio, LOCAL))
    begun = time.time() - began
    until(task, lambda now: now.curves.get("loss"))
    first = time.time() - began
    until(task, lambda now: now.is_over)
    learned = time.time() - began
    while not (talk := asker.talk(LOCAL, task.id, QUESTIONS)).done:
        time.sleep(0.1)
    assert talk.failure is None and progress(task).stage == "finished"
    studio.voices.close()
    words = f"started {begun:.1f} s, first step {first:.1f} s, learned {learned:.1f} s"
    return f"hero: {words}, both answers {time.time() - began:.1f} s"


if __name__ == "__main__":
    main()

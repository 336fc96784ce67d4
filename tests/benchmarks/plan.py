"""What the planner predicts beside what really comes, on a processor: memory, processor time, and the clock.

    python -m tests.benchmarks.plan [--only NAME …] [--without-measuring] [--tokenizer FOLDER]

Each run goes through the studio like a person's: prepare, measure, plan, start, train. `rough` is what was predicted
before anything was measured here. The 270M is the architecture with random weights and the real tokenizer.
"""

import argparse
import json
import random
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facet.identity import LOCAL
from facet.recipe.knobs import read_recipe
from facet.recipe.recipes import SftRecipe
from facet.work.task import Task
from tests.benchmarks.full_size import SHARED, random_gemma3_270m
from tests.journeys import a_studio, progress
from tests.tiny_models import tiny_gemma3

WORDS = ("river", "stone", "lamp", "garden", "window", "quiet", "paper", "morning", "bread", "winter", "song")
USUAL = {"gradient_accumulation_steps": 1, "evaluations": 2, "validation_rows": 8, "max_steps": 12}


@dataclass(frozen=True)
class Configuration:
    name: str
    model: str  # "starter", "tiny" or "270m"
    words: int  # of the longest example
    settings: dict[str, Any] = field(default_factory=dict)


CONFIGURATIONS = (
    Configuration("starter", "starter", 60, {"per_device_train_batch_size": 8, "max_length": 128, "max_steps": 40}),
    Configuration("tiny", "tiny", 40, {"per_device_train_batch_size": 4, "max_length": 256, "max_steps": 40}),
    Configuration("270m, 1 of 64", "270m", 40, {"per_device_train_batch_size": 1, "max_length": 64, "lora_rank": 8}),
    Configuration("270m, 4 of 256", "270m", 180, {"per_device_train_batch_size": 4, "max_length": 256}),
    Configuration("270m, 8 of 128, rank 64", "270m", 90,
                  {"per_device_train_batch_size": 8, "max_length": 128, "lora_rank": 64}),
    Configuration("270m, 8 of 512", "270m", 380,
                  {"per_device_train_batch_size": 8, "max_length": 512, "max_steps": 4}),
    Configuration("270m, 4 of 512, checkpointing", "270m", 380,
                  {"per_device_train_batch_size": 4, "max_length": 512, "gradient_checkpointing": "on",
                   "max_steps": 6}),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these configurations alone")
    parser.add_argument("--without-measuring", action="store_true", help="compare with the formula and rules of thumb")
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    options = parser.parse_args()
    chosen = [one for one in CONFIGURATIONS if not options.only or one.name in options.only]
    print("configuration | GB rough, predicted, needed, ratio | processor-s rough, predicted, taken, ratio | clock-s")
    with tempfile.TemporaryDirectory() as place:
        made: dict[str, str] = {"starter": "starter"}
        for one in chosen:
            if one.model not in made:
                folder = Path(place) / one.model
                made[one.model] = str(
                    tiny_gemma3(folder) if one.model == "tiny" else random_gemma3_270m(folder, options.tokenizer)
                )
            compare(one, made[one.model], Path(place) / f"home-{len(one.name)}-{one.words}", options)


def compare(one: Configuration, model: str, home: Path, options: argparse.Namespace) -> None:
    """One configuration in a workspace of its own, so that nothing is known of earlier runs."""
    studio = a_studio(home)
    file = home / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows(one.words)))
    upload_id = studio.bring_file(LOCAL, file, file.name)
    dataset_id = studio.prepare(LOCAL, upload_id, one.name, studio.look(LOCAL, upload_id)["shape"]["mapping"])
    recipe = read_recipe(SftRecipe, USUAL | one.settings)
    rough = predicted = studio.plan(LOCAL, dataset_id, model, recipe).here
    if not options.without_measuring:
        measure_id = studio.start_measuring(LOCAL, dataset_id, model, recipe)
        work(studio, Task(studio.workspace.find(LOCAL, "measures", measure_id)))
        predicted = studio.plan(LOCAL, dataset_id, model, recipe).here
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset_id, model, recipe, one.name))
    work(studio, task)
    done = progress(task)
    gb, processor = float(done.outputs["memory_gb"]), float(done.outputs["processor_seconds"])
    print(
        f"{one.name} | {rough.gb:.2f} {predicted.gb:.2f} {gb:.2f} {predicted.gb / gb:.2f} | "
        f"{rough.processor_seconds:.0f} {predicted.processor_seconds:.0f} {processor:.0f} "
        f"{predicted.processor_seconds / processor:.2f} | {60 * predicted.minutes:.0f} {done.working_seconds:.0f}",
        flush=True,
    )


def work(studio: Any, task: Task) -> None:
    list(studio.backend.advance(task))
    done = progress(task)
    assert done.stage == "finished", done.failure


def rows(longest: int, count: int = 120) -> list[dict[str, str]]:
    """Questions and answers of a third of `longest` words and more, the longest last."""
    dice = random.Random(0)

    def sentence(words: int) -> str:
        return " ".join(dice.choice(WORDS) for _ in range(max(3, words)))

    sizes = [dice.randint(longest // 3, longest) for _ in range(count - 1)] + [longest]
    return [{"question": sentence(size // 2), "answer": sentence(size - size // 2)} for size in sizes]


if __name__ == "__main__":
    main()

"""What share of a ZeroGPU slice is training: the Gemma 3 270M architecture through the real client and our stand-in.

    python -m tests.benchmarks.slices [--seconds 60 120] [--slices 3] [--tokenizer FOLDER] [--data FILE]

Random weights, real tokenizer, on this machine's processor. The scheduler grants calls of the given length. Of each
slice: seconds from the grant to the first step (fork, model, save point), in steps, saving, and left over at the end,
which are not charged. "Training" is the time in steps.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from facet.identity import LOCAL
from facet.recipe.recipes import SftRecipe
from facet.work import log
from tests.benchmarks.full_size import SHARED, random_gemma3_270m
from tests.journeys import a_studio
from tests.stand_in.zero import ZeroGpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, nargs="+", default=[60, 120])
    parser.add_argument("--slices", type=int, default=3)
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "gsm8k_train_1500.jsonl")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        model = random_gemma3_270m(Path(place) / "gemma-3-270m-random", options.tokenizer)
        for seconds in options.seconds:
            measure(Path(place) / f"home-{seconds}", model, seconds, options)


def measure(home: Path, model: Path, seconds: int, options: argparse.Namespace) -> None:
    studio = a_studio(home)
    upload = studio.bring_file(LOCAL, options.data, options.data.name)
    dataset = studio.prepare(LOCAL, upload, "full size", studio.look(LOCAL, upload)["shape"]["mapping"])
    recipe = SftRecipe(
        max_steps=100_000,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        max_length=32,
        evaluations=0,
    )
    task = studio.runs_shelf.task(LOCAL, studio.start(LOCAL, dataset, str(model), recipe, "slices"))
    task.move_to("zerogpu")
    print(f"calls of {seconds} s")
    for number in range(options.slices):
        with ZeroGpu(factor=1.0) as zero:
            zero.quota("ann", left=seconds)  # the first refusal tells, and exactly this is asked for
            granted = watch_grants(zero)
            studio.resume(LOCAL, task.id)
            page = ["-m", "tests.stand_in.zero_app", "-m", "tests.stand_in.zero_page", str(home), "ann"]
            subprocess.run([sys.executable, *page], env=zero.environment, check=True, stdout=subprocess.DEVNULL)
        events = [event for event, _ in log.read(task.events_file) if event.at >= granted[0]]
        print(f"  slice {number + 1}: " + json.dumps(shares(granted[0], events, seconds)), flush=True)


def watch_grants(zero: ZeroGpu) -> list[float]:
    """When each call is granted, on the clock of the events."""
    times: list[float] = []
    grant = zero.grant

    def noted(*given: Any, **named: Any) -> Any:
        times.append(time.time())
        return grant(*given, **named)

    zero.grant = noted  # type: ignore[method-assign]
    return times


def shares(grant: float, events: list[log.Event], seconds: int) -> dict[str, float]:
    started = next(event.at for event in events if event.kind == "started")
    steps = [event.at for event in events if event.kind == "logged" and "loss" in event.values]
    saves = [event.at for event in events if event.kind == "saved"]
    end = max(event.at for event in events if event.kind in ("saved", "paused") and event.step)
    saving = sum(at - max(step for step in steps if step <= at) for at in saves)
    training = steps[-1] - started - sum(at - max(s for s in steps if s <= at) for at in saves if at < steps[-1])
    return {
        "to the first step": round(started - grant, 1),
        "in steps": round(training, 1),
        "saving": round(saving, 1),
        "not used": round(seconds - (end - grant), 1),
        "steps": len(steps),
        "training, of what was asked for": round(training / seconds, 3),
        "training, of what was charged": round(training / (end - grant), 3),
    }


if __name__ == "__main__":
    main()

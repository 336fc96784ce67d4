"""CPU-seconds per step and peak memory of a Facet run against a bare TRL script, interleaved.

    python -m tests.benchmarks.train [--pairs 5] [--short 8] [--long 40] [--model FOLDER]

Both sides get the same rows, model, adapter and trainer settings. Each side is run with few and with many steps;
the difference, divided by the extra steps, is the cost of one step without imports and loading.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facet.compute.child import PACKAGE_ROOT, environment
from facet.recipe.recipes import SftRecipe
from facet.starter import FOLDER
from facet.work.log import progress_of
from facet.work.task import Task

BARE = """
import json, sys
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer, set_seed
from trl import SFTConfig, SFTTrainer
import torch
spec = json.load(open(sys.argv[1]))
torch.set_num_threads(spec["threads"])
set_seed(spec["sft"]["seed"])
rows = [{"prompt": m[:-1], "completion": m[-1:]} for m in json.load(open(spec["rows"]))]
trainer = SFTTrainer(
    model=spec["model"],
    args=SFTConfig(**spec["sft"]),
    train_dataset=Dataset.from_list(rows),
    processing_class=AutoTokenizer.from_pretrained(spec["model"]),
    peft_config=LoraConfig(**spec["lora"]),
)
trainer.train()
trainer.save_model(spec["sft"]["output_dir"])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--short", type=int, default=8)
    parser.add_argument("--long", type=int, default=40)
    parser.add_argument("--model", type=Path, default=FOLDER)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--narrow", type=Path, metavar="TOKENIZER", help="a narrow Gemma 3 with this real tokenizer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.narrow:
            options.model = narrow_gemma3(Path(place) / "narrow", options.narrow)
        compare(options)


def compare(options: argparse.Namespace) -> None:
    rows = conversations(options.rows)
    few: dict[str, list[float]] = {"facet": [], "bare": []}
    many: dict[str, list[float]] = {"facet": [], "bare": []}
    memory = []
    for pair in range(options.pairs):
        peaks = {}
        for side in (facet, bare) if pair % 2 == 0 else (bare, facet):
            name = side.__name__
            few[name].append(side(rows, options.model, options.short)[0])
            seconds, peaks[name] = side(rows, options.model, options.long)
            many[name].append(seconds)
            one = (seconds - few[name][-1]) / (options.long - options.short)
            print(f"pair {pair + 1}, {name}: {one:.3f} CPU-s per step, peak {peaks[name]:.2f} GiB", flush=True)
        memory.append(peaks["facet"] / peaks["bare"])
    start = {name: statistics.mean(costs) for name, costs in few.items()}  # imports and loading, less noisy as a mean
    ratios = [(ours - start["facet"]) / (theirs - start["bare"]) for ours, theirs in zip(*many.values(), strict=True)]
    print(f"time ratio: {spread(ratios)}\nmemory ratio: {spread(memory)}")


def narrow_gemma3(folder: Path, tokenizer: Path) -> Path:
    """Few and thin layers, but the whole vocabulary: what a real tokenizer and head cost in memory."""
    code = (
        "import sys; from transformers import Gemma3ForCausalLM, Gemma3TextConfig as C; "
        "Gemma3ForCausalLM(C(vocab_size=262144, hidden_size=128, intermediate_size=256, num_hidden_layers=2, "
        "num_attention_heads=2, num_key_value_heads=1, head_dim=64)).save_pretrained(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    return folder


def conversations(count: int) -> list[list[dict[str, str]]]:
    dice = random.Random(0)
    words = ["river", "stone", "lamp", "garden", "window", "quiet", "paper", "morning", "bread", "winter", "song"]

    def sentence(low: int, high: int) -> str:
        return " ".join(dice.choice(words) for _ in range(dice.randint(low, high))).capitalize() + "."

    return [
        [{"role": "user", "content": sentence(8, 30)}, {"role": "assistant", "content": sentence(8, 40)}]
        for _ in range(count)
    ]


def recipe(steps: int) -> SftRecipe:
    return SftRecipe(max_steps=steps, evaluations=0, max_length=256, gradient_accumulation_steps=1,
                     per_device_train_batch_size=4)  # fmt: skip


def run_of(place: Path, rows: list[Any], recipe: SftRecipe, model: Path) -> Task:
    """A run's folder with these conversations to learn from, and no validation part."""
    folder = place / "run"
    (folder / "data").mkdir(parents=True)
    table = pa.table({"messages": rows})
    pq.write_table(table, folder / "data" / "train.parquet")
    pq.write_table(table.slice(0, 0), folder / "data" / "validation.parquet")
    (folder / "data" / "dataset.json").write_text("{}")
    base = {"id": "bench", "where": "folder", "revision": None, "path": str(model)}
    return Task.create(folder, "train", {"recipe": recipe.model_dump(), "base": base})


def worked(task: Task, models: Path) -> tuple[float, float]:
    """CPU-seconds and peak GiB of a worker that takes a run to its end."""
    cost = measured([sys.executable, "-m", "facet.work.worker", str(task.folder), "--models", str(models)])
    assert progress_of(task.events_file).stage == "finished", task.events_file.read_text()[-600:]
    return cost


def facet(rows, model: Path, steps: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as place:
        return worked(run_of(Path(place), rows, recipe(steps), model), Path(place))


def bare(rows, model: Path, steps: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as place:
        from facet.gemma.inspect import inspect
        from facet.gemma.targets import lora_targets
        from facet.model.load import threads
        from facet.train.to_trl import to_trl

        arguments = to_trl(recipe(steps), rows=len(rows), output=Path(place) / "out", device="cpu",
                           targets=lora_targets(inspect(model).model_type))  # fmt: skip
        sft = {name: value for name, value in arguments.sft.items() if name != "dataset_kwargs"}
        spec = {"sft": sft | {"model_init_kwargs": {"dtype": "float32"}}, "lora": arguments.lora, "model": str(model),
                "threads": threads(), "rows": str(Path(place) / "rows.json")}  # fmt: skip
        Path(spec["rows"]).write_text(json.dumps(rows))
        (Path(place) / "spec.json").write_text(json.dumps(spec))
        (Path(place) / "bare.py").write_text(BARE)
        return measured([sys.executable, str(Path(place) / "bare.py"), str(Path(place) / "spec.json")])


def measured(command: list[str]) -> tuple[float, float]:
    """CPU-seconds and peak GiB of a child, from the system's own account of it."""
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               cwd=PACKAGE_ROOT)  # fmt: skip
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, errors.decode()[-2000:]
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20


def spread(values: list[float]) -> str:
    """Mean and a 95 % interval by the t distribution."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.3f}"
    t = {2: 12.7, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}.get(len(values), 2.2)
    half = t * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.3f}, 95 % interval {mean - half:.3f} to {mean + half:.3f}"


if __name__ == "__main__":
    main()

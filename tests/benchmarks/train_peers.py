"""CPU-seconds per token and peak memory of a Facet run and of its peers, interleaved, on Gemma 3 270M's architecture.

    python -m tests.benchmarks.train_peers [--pairs 5] [--batch 4 8] [--rows 400] [--seen 32] [--threads 2]

`trl` is TRL's SFTTrainer as it comes, `trainer` the Trainer of transformers with PEFT and a base in bfloat16, the
fastest settings found for a peer (PERFORMANCE.md, section 1), `llamafactory` LLaMA-Factory where it is installed, or
in the environment whose Python `--factory` names. On a processor without bfloat16 instructions, where their bfloat16
takes some forty times as long, all of them get float32, TRL too unless `--as-it-comes`.

All get the same rows and the same adapter, each in a process of its own, and take as many steps as `--seen` rows make;
of few rows none are alike in length. Counted is what the process spends in `training_step` (forwards and backwards),
over the tokens that are no filling; the first step, in which memory is asked for and products are planned, is not.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from facet.model.bf16 import is_slow
from facet.recipe.recipes import SftRecipe
from facet.work.log import progress_of
from facet.work.task import Task
from tests.benchmarks.full_size import SHARED, random_gemma3_270m
from tests.benchmarks.train import measured, run_of, spread

GOALS = {("trl", 4): 4.5, ("trl", 8): 6.0, ("trainer", 4): 2.0, ("trainer", 8): 2.0}
WATCH = """
import atexit, json, sys, time
import torch
from transformers import Trainer
spec, steps, step = json.load(open(sys.argv[1])), [], Trainer.training_step
def watched(self, model, inputs, *rest, **more):
    tokens, began = int(inputs["attention_mask"].sum()), time.process_time()
    loss = step(self, model, inputs, *rest, **more)
    steps.append((self.state.global_step, tokens, time.process_time() - began))
    return loss
Trainer.training_step = watched
atexit.register(lambda: json.dump(steps, open(spec["steps"], "w")))
"""
FACET = """
from facet.work.worker import main
sys.exit(main([spec["task"], "--models", spec["out"]]))
"""
START = """
torch.set_num_threads(spec["threads"])
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import set_seed
set_seed(42)
rows = json.load(open(spec["rows"]))
lora = LoraConfig(**spec["lora"])
told = dict(output_dir=spec["out"], max_steps=spec["most"], per_device_train_batch_size=spec["batch"],
            learning_rate=2e-4,
            report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True, use_cpu=True)
precision = {} if spec["as_it_comes"] else dict(bf16=False)
"""
TRL = """
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer
SFTTrainer(
    model=spec["model"], args=SFTConfig(**told, **precision),
    train_dataset=Dataset.from_list([{"prompt": m[:-1], "completion": m[-1:]} for m in rows]),
    processing_class=AutoTokenizer.from_pretrained(spec["model"]), peft_config=lora,
).train()
"""
TRAINER = """
from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForSeq2Seq, Trainer, TrainingArguments
tokenizer = AutoTokenizer.from_pretrained(spec["model"])
def tokens(m):
    said = lambda m, ask: tokenizer.apply_chat_template(m, add_generation_prompt=ask, return_dict=False)
    ids, asked = said(m, False), len(said(m[:-1], True))
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": [-100] * asked + ids[asked:]}
model = AutoModelForCausalLM.from_pretrained(spec["model"], dtype=getattr(torch, spec["dtype"]))
model.config.use_cache = False
Trainer(
    model=get_peft_model(model, lora), args=TrainingArguments(**told), train_dataset=Dataset.from_list(list(map(tokens, rows))),
    data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
).train()
"""  # noqa: E501 - a script, not ours to wrap
FACTORY = """
import sys
sys.argv = ["llamafactory-cli", "train", spec["yaml"]]
from llamafactory.cli import main
main()
"""
SCRIPTS = {"facet": FACET, "trl": START + TRL, "trainer": START + TRAINER, "llamafactory": START + FACTORY}
PEERS = ("trl", "trainer", "llamafactory")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seen", type=int, default=32, help="rows that each run learns from before it ends")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--precision", default="auto", help="of the frozen model in Facet: auto, float32, bfloat16")
    parser.add_argument("--as-it-comes", action="store_true", help="TRL in bfloat16 wherever it runs")
    parser.add_argument("--factory", default=sys.executable, help="the Python of LLaMA-Factory's own environment")
    parser.add_argument("--model", type=Path, help="a folder; made anew where none is named")
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "gsm8k_train_1500.jsonl")
    options = parser.parse_args()
    os.environ["FACET_THREADS"] = str(options.threads)
    if "llamafactory" in options.peers and not has_factory(options.factory):
        print("LLaMA-Factory is skipped: it is not installed here.")
        options.peers.remove("llamafactory")
    if is_slow():
        print("This processor has no instructions for bfloat16: the peers compute in float32.")
    with tempfile.TemporaryDirectory() as place:
        options.model = options.model or random_gemma3_270m(Path(place) / "model", options.tokenizer)
        for batch in options.batch:
            compare(options, batch)


def has_factory(python: str) -> bool:
    return subprocess.run([python, "-c", "import llamafactory"], capture_output=True).returncode == 0


def compare(options: argparse.Namespace, batch: int) -> None:
    rows = conversations(options.data, options.rows)
    sides = ["facet", *options.peers]
    rate: dict[str, list[float]] = {side: [] for side in sides}
    peak: dict[str, list[float]] = {side: [] for side in sides}
    for pair in range(options.pairs):
        for side in sides if pair % 2 == 0 else sides[::-1]:
            fast, gigabytes = run(side, rows, batch, options)
            rate[side].append(fast)
            peak[side].append(gigabytes)
            print(f"batch {batch}, pair {pair + 1}, {side}: {rate[side][-1]:.1f} tokens per CPU-s, "
                  f"peak {gigabytes:.2f} GiB", flush=True)  # fmt: skip
    for peer in options.peers:
        faster = [ours / theirs for ours, theirs in zip(rate["facet"], rate[peer], strict=True)]
        goal = GOALS.get((peer, batch))
        print(f"batch {batch}, against {peer}: {spread(faster)} times as fast" + (f" (goal {goal})" if goal else ""))
        print(f"batch {batch}, peak {statistics.mean(peak['facet']):.2f} GiB to {statistics.mean(peak[peer]):.2f} GiB")


def run(side: str, rows: list[Any], batch: int, options: argparse.Namespace) -> tuple[float, float]:
    """Tokens per CPU-second, and the peak in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        told = facet_task(place, rows, batch, options) if side == "facet" else peer_spec(place, rows, batch, options)
        spec = told | {"threads": options.threads, "out": str(place / "out"), "steps": str(place / "steps.json")}
        (place / "spec.json").write_text(json.dumps(spec))
        (place / "side.py").write_text(WATCH + SCRIPTS[side])
        python = options.factory if side == "llamafactory" else sys.executable
        _, gigabytes = measured([python, str(place / "side.py"), str(place / "spec.json")])
        if side == "facet":
            require_ours(Task(Path(spec["task"])))
        passes = [one for one in json.loads((place / "steps.json").read_text()) if one[0]]  # none of the first step
        return sum(tokens for _, tokens, _ in passes) / sum(seconds for _, _, seconds in passes), gigabytes


def facet_task(place: Path, rows: list[Any], batch: int, options: argparse.Namespace) -> dict[str, Any]:
    recipe = SftRecipe(max_steps=options.seen // batch, evaluations=0, per_device_train_batch_size=batch,
                       lora_scale=1.0, gradient_accumulation_steps=1, max_length=1024,
                       base_precision=options.precision, sample_max_tokens=0)  # fmt: skip
    return {"task": str(run_of(place, rows, recipe, options.model).folder)}


def require_ours(task: Task) -> None:
    told = progress_of(task.events_file)
    assert told.stage == "finished" and task.execution()["loss"] == "facet", told.notes


def peer_spec(place: Path, rows: list[Any], batch: int, options: argparse.Namespace) -> dict[str, Any]:
    from facet.gemma.targets import lora_targets

    lora = {"r": 16, "lora_alpha": 16, "target_modules": lora_targets("gemma3_text"), "task_type": "CAUSAL_LM"}
    (place / "rows.json").write_text(json.dumps(rows))
    (place / "train.yaml").write_text(json.dumps(factory_settings(place, batch, options)))
    (place / "dataset_info.json").write_text(json.dumps(FACTORY_DATA))
    return {"batch": batch, "most": options.seen // batch, "model": str(options.model), "lora": lora,
            "rows": str(place / "rows.json"), "yaml": str(place / "train.yaml"),
            "dtype": "float32" if is_slow() else "bfloat16", "as_it_comes": options.as_it_comes or not is_slow(),
    }  # fmt: skip


def said_to_be_float32(model: Path, place: Path) -> Path:
    """The same model with another description: LLaMA-Factory computes in what it names, whatever else it is told."""
    place.mkdir()
    for file in model.iterdir():
        (place / file.name).symlink_to(file.resolve())
    config = json.loads((model / "config.json").read_text()) | {"dtype": "float32"}
    config.pop("torch_dtype", None)
    (place / "config.json").unlink()
    (place / "config.json").write_text(json.dumps(config))
    return place


FACTORY_DATA = {"bench": {"file_name": "rows.jsonl", "formatting": "sharegpt", "columns": {"messages": "messages"},
                          "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user",
                                   "assistant_tag": "assistant"}}}  # fmt: skip


def factory_settings(place: Path, batch: int, options: argparse.Namespace) -> dict[str, Any]:
    """LLaMA-Factory's own best settings of PERFORMANCE.md: a base in bfloat16, nothing recomputed."""
    rows = json.loads((place / "rows.json").read_text())
    (place / "rows.jsonl").write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    model = said_to_be_float32(options.model, place / "model") if is_slow() else options.model
    return {"model_name_or_path": str(model), "stage": "sft", "do_train": True, "finetuning_type": "lora",
            "lora_rank": 16, "lora_alpha": 16, "lora_target": "all", "dataset": "bench", "dataset_dir": str(place),
            "template": "gemma", "cutoff_len": 1024, "output_dir": str(place / "out"),
            "max_steps": options.seen // batch, "per_device_train_batch_size": batch, "bf16": not is_slow(),
            "use_cpu": True, "disable_gradient_checkpointing": True, "report_to": "none",
            "save_strategy": "no"}  # fmt: skip


def conversations(data: Path, count: int) -> list[list[dict[str, str]]]:
    rows = [json.loads(line) for line in data.read_text("utf-8").splitlines()[:count]]
    return [[{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["answer"]}]
            for row in rows]  # fmt: skip


if __name__ == "__main__":
    main()

"""CPU-seconds per token and peak memory of a Facet run and of its peers, interleaved, on Gemma 3 270M's architecture.

    python -m tests.benchmarks.train_peers [--pairs 5] [--batch 4 8] [--rows 64] [--threads 2] [--peers trl trainer]

`trl` is TRL's SFTTrainer as it comes, `trainer` the Trainer of transformers with PEFT and a base in bfloat16, the
fastest settings found for a peer (PERFORMANCE.md, section 1), `llamafactory` LLaMA-Factory where it is installed.
All get the same rows and the same adapter. Each side is run with few rows and with many, one epoch each; the
difference, divided by the tokens between, is the cost of a token without imports, loading and the first step.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facet.recipe.recipes import SftRecipe
from facet.work.log import progress_of
from tests.benchmarks.full_size import SHARED, random_gemma3_270m
from tests.benchmarks.train import measured, run_of, spread, worked

GOALS = {("trl", 4): 4.5, ("trl", 8): 6.0, ("trainer", 4): 2.0, ("trainer", 8): 2.0}
START = """
import json, sys
import torch
spec = json.load(open(sys.argv[1]))
torch.set_num_threads(spec["threads"])
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import set_seed
set_seed(42)
rows = json.load(open(spec["rows"]))
lora = LoraConfig(**spec["lora"])
told = dict(output_dir=spec["out"], num_train_epochs=1, per_device_train_batch_size=spec["batch"], learning_rate=2e-4,
            report_to=[], save_strategy="no", logging_steps=1, disable_tqdm=True, use_cpu=True)
"""
TRL = """
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer
SFTTrainer(
    model=spec["model"], args=SFTConfig(**told),
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
model = AutoModelForCausalLM.from_pretrained(spec["model"], dtype=torch.bfloat16)
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
SCRIPTS = {"trl": TRL, "trainer": TRAINER, "llamafactory": FACTORY}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--few", type=int, default=16, help="rows of the short run")
    parser.add_argument("--rows", type=int, default=64, help="rows of the long run beyond those of the short one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peers", nargs="+", default=["trl", "trainer", "llamafactory"], choices=list(SCRIPTS))
    parser.add_argument("--model", type=Path, help="a folder; made anew where none is named")
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "gsm8k_train_1500.jsonl")
    options = parser.parse_args()
    os.environ["FACET_THREADS"] = str(options.threads)
    if "llamafactory" in options.peers and find_spec("llamafactory") is None:
        print("LLaMA-Factory is skipped: it is not installed here.")
        options.peers.remove("llamafactory")
    with tempfile.TemporaryDirectory() as place:
        options.model = options.model or random_gemma3_270m(Path(place) / "model", options.tokenizer)
        for batch in options.batch:
            compare(options, batch)


def compare(options: argparse.Namespace, batch: int) -> None:
    rows = conversations(options.data, options.few + options.rows)
    between = token_count(rows, options.model) - token_count(rows[: options.few], options.model)
    sides = ["facet", *options.peers]
    rate: dict[str, list[float]] = {side: [] for side in sides}
    peak: dict[str, list[float]] = {side: [] for side in sides}
    for pair in range(options.pairs):
        for side in sides if pair % 2 == 0 else sides[::-1]:
            few, _ = run(side, rows[: options.few], batch, options)
            many, gigabytes = run(side, rows, batch, options)
            rate[side].append(between / (many - few))
            peak[side].append(gigabytes)
            print(f"batch {batch}, pair {pair + 1}, {side}: {rate[side][-1]:.1f} tokens per CPU-s, "
                  f"peak {gigabytes:.2f} GiB", flush=True)  # fmt: skip
    for peer in options.peers:
        faster = [ours / theirs for ours, theirs in zip(rate["facet"], rate[peer], strict=True)]
        goal = GOALS.get((peer, batch))
        print(f"batch {batch}, against {peer}: {spread(faster)} times as fast" + (f" (goal {goal})" if goal else ""))
        print(f"batch {batch}, peak {statistics.mean(peak['facet']):.2f} GiB to {statistics.mean(peak[peer]):.2f} GiB")


def run(side: str, rows: list[Any], batch: int, options: argparse.Namespace) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as place:
        return (facet if side == "facet" else peer)(Path(place), side, rows, batch, options)


def facet(place: Path, _: str, rows: list[Any], batch: int, options: argparse.Namespace) -> tuple[float, float]:
    recipe = SftRecipe(num_train_epochs=1, evaluations=0, per_device_train_batch_size=batch, lora_scale=1.0,
                       gradient_accumulation_steps=1, max_length=1024, sample_max_tokens=0)  # fmt: skip
    task = run_of(place, rows, recipe, options.model)
    cost = worked(task, place)
    assert task.execution()["loss"] == "facet", progress_of(task.events_file).notes
    return cost


def peer(place: Path, side: str, rows: list[Any], batch: int, options: argparse.Namespace) -> tuple[float, float]:
    from facet.gemma.targets import lora_targets

    lora = {"r": 16, "lora_alpha": 16, "target_modules": lora_targets("gemma3_text"), "task_type": "CAUSAL_LM"}
    spec = {"threads": options.threads, "batch": batch, "model": str(options.model), "lora": lora,
            "out": str(place / "out"), "rows": str(place / "rows.json"), "yaml": str(place / "train.yaml")}  # fmt: skip
    Path(spec["rows"]).write_text(json.dumps(rows))
    Path(spec["yaml"]).write_text(json.dumps(factory_settings(place, batch, options)))
    (place / "dataset_info.json").write_text(json.dumps(FACTORY_DATA))
    (place / "spec.json").write_text(json.dumps(spec))
    (place / "peer.py").write_text(START + SCRIPTS[side])
    return measured([sys.executable, str(place / "peer.py"), str(place / "spec.json")])


FACTORY_DATA = {"bench": {"file_name": "rows.jsonl", "formatting": "sharegpt", "columns": {"messages": "messages"},
                          "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user",
                                   "assistant_tag": "assistant"}}}  # fmt: skip


def factory_settings(place: Path, batch: int, options: argparse.Namespace) -> dict[str, Any]:
    """LLaMA-Factory's own best settings of PERFORMANCE.md: a base in bfloat16, nothing recomputed."""
    rows = json.loads((place / "rows.json").read_text())
    (place / "rows.jsonl").write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    return {"model_name_or_path": str(options.model), "stage": "sft", "do_train": True, "finetuning_type": "lora",
            "lora_rank": 16, "lora_alpha": 16, "lora_target": "all", "dataset": "bench", "dataset_dir": str(place),
            "template": "gemma3", "cutoff_len": 1024, "output_dir": str(place / "out"), "num_train_epochs": 1,
            "per_device_train_batch_size": batch, "pure_bf16": True, "use_cpu": True,
            "disable_gradient_checkpointing": True, "report_to": "none", "save_strategy": "no"}  # fmt: skip


def conversations(data: Path, count: int) -> list[list[dict[str, str]]]:
    rows = [json.loads(line) for line in data.read_text("utf-8").splitlines()[:count]]
    return [[{"role": "user", "content": row["question"]}, {"role": "assistant", "content": row["answer"]}]
            for row in rows]  # fmt: skip


def token_count(rows: list[Any], model: Path) -> int:
    from facet.dataset.render import Renderer

    return sum(len(row.ids) for row in Renderer.load(model).render_many(rows, 1024, [None] * len(rows)))


if __name__ == "__main__":
    main()

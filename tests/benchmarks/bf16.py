"""A model held in bfloat16 on a processor without such instructions: Facet's products, torch's own, and float32.

    python -m tests.benchmarks.bf16 [--pairs 3] [--tokens 128] [--model FOLDER]

One step of training (forwards and backwards, half of the tokens labelled) and one reading of a prompt, each in a
process of its own with one thread. On a processor that multiplies bfloat16 itself the first two are the same.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model

from facet.gemma.targets import lora_targets
from facet.model import bf16
from facet.model.load import load_base
from facet.train.probe import install
from tests.benchmarks.full_size import SHARED, random_gemma3_270m
from tests.benchmarks.train import spread

WAYS = {"facet": "bfloat16", "torch": "bfloat16", "float32": "float32"}
WARM, COUNTED = 1, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--model", type=Path, help="a folder with a Gemma 3; made anew where none is named")
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(*measure(options.way, options.model, options.tokens))
        return
    if not bf16.is_slow():
        print("This processor multiplies bfloat16 itself: Facet leaves it to torch here.")
    with tempfile.TemporaryDirectory() as place:
        model = options.model or random_gemma3_270m(Path(place) / "model", options.tokenizer)
        compare(model, options.tokens, options.pairs)


def compare(model: Path, tokens: int, pairs: int) -> None:
    found: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
    for pair in range(pairs):
        for way in WAYS if pair % 2 == 0 else reversed(WAYS):
            command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.bf16", "--way", way]
            command += ["--model", str(model), "--tokens", str(tokens)]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
            found[way].append(tuple(map(float, told)))
            step, read, gigabytes = found[way][-1]
            print(f"{way}: {step:.2f} CPU-s a step, {read:.2f} to read the prompt, {gigabytes:.2f} GiB", flush=True)
    for other in ("torch", "float32"):
        for at, what in enumerate(("a step", "a prompt")):
            faster = [theirs[at] / ours[at] for ours, theirs in zip(found["facet"], found[other], strict=True)]
            print(f"against {other}, {what}: {spread(faster)} times as fast")


def measure(way: str, folder: Path, tokens: int) -> tuple[float, float, float]:
    """CPU-seconds of a step and of a prompt, and the peak in GiB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if way == "torch":
        bf16.is_slow = lambda: False  # torch's own way is what is measured
    model = load_base(folder, WAYS[way], "cpu")
    ids = torch.randint(3, 200_000, (1, tokens))
    with torch.inference_mode():
        read = least(lambda: model(input_ids=ids, logits_to_keep=1))
    lora = LoraConfig(r=16, target_modules=lora_targets("gemma3_text"), task_type="CAUSAL_LM")
    model = get_peft_model(model, lora).train()
    install(model, "facet", fused=True)
    labels = ids.clone()
    labels[:, : tokens // 2] = -100

    def step() -> None:
        told = model(input_ids=ids, labels=labels, use_cache=False, fused_lm_head=True)
        (-told.log_probs.sum() / told.label_mask.sum()).backward()

    return least(step), read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def least(act) -> float:
    taken = []
    for _ in range(WARM + COUNTED):
        began = time.process_time()
        act()
        taken.append(time.process_time() - began)
    return min(taken[WARM:])


if __name__ == "__main__":
    main()

"""How a step's cost and memory grow with the length of the examples and the size of the adapter; drawn into `docs/`.

    python -m tests.benchmarks.train_growth [--lengths 128 256 512 1024 2048 4096] [--ranks 4 16 64 256] [--stock 1024]

One example at a time on the Gemma 3 270M architecture, half of its tokens labelled, forward and backward, the second
of two passes counts. `--stock` is the longest example that the stock way is measured with, too. Each point has a
process of its own; memory is the most that it held during the pass.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.full_size import SHARED, random_gemma3_270m

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "speed.json"


@dataclass(frozen=True)
class Point:
    way: str  # "facet" or "stock"
    dtype: str
    length: int  # tokens
    rank: int
    seconds: float  # of CPU time
    peak: float  # GiB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 256, 512, 1024, 2048, 4096])
    parser.add_argument("--ranks", type=int, nargs="+", default=[4, 16, 64, 256])
    parser.add_argument("--stock", type=int, default=1024)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--redraw", action="store_true", help="draw what was measured before, and measure nothing")
    parser.add_argument("--point", nargs=3, metavar=("WAY", "LENGTH", "RANK"), help="this point alone, as JSON")
    parser.add_argument("--tokenizer", type=Path, default=SHARED / "tokenizers" / "gemma3")
    options = parser.parse_args()
    if options.point:
        way, length, rank = options.point
        print(json.dumps(asdict(measure(options.model, way, int(length), int(rank), options.threads))))
        return
    if options.redraw:
        (DOCS / "speed.svg").write_text(picture([Point(**one) for one in json.loads(FIGURES.read_text())]))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = options.model or random_gemma3_270m(Path(place) / "model", options.tokenizer)
        wanted = [("facet", length, 16) for length in options.lengths]
        wanted += [("facet", 512, rank) for rank in options.ranks if ("facet", 512, rank) not in wanted]
        wanted += [("stock", length, 16) for length in options.lengths if length <= options.stock]
        points = [alone(folder, *point, options.threads) for point in wanted]
    FIGURES.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n")
    (DOCS / "speed.svg").write_text(picture(points))


def alone(folder: Path, way: str, length: int, rank: int, threads: int) -> Point:
    """Measured by another process."""
    command = [sys.executable, "-m", "tests.benchmarks.train_growth", "--point", way, str(length), str(rank)]
    command += ["--model", str(folder), "--threads", str(threads)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    point = Point(**json.loads(said.splitlines()[-1]))
    print(point, flush=True)
    return point


def measure(folder: Path, way: str, length: int, rank: int, threads: int) -> Point:
    import torch

    torch.set_num_threads(threads)
    model, dtype = learner(folder, way, rank)
    ids = torch.arange(length)[None] % 200_000 + 300
    labels = ids.clone()
    labels[:, : length // 2] = -100
    for _ in range(2):
        Path("/proc/self/clear_refs").write_text("5")  # forget the highest memory so far
        began = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=way == "stock"):
            told = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, fused_lm_head=True)
        (-told.log_probs.sum() / told.label_mask.sum()).backward()
        seconds = time.process_time() - began
    return Point(way, dtype, length, rank, round(seconds, 3), round(peak(), 2))


def learner(folder: Path, way: str, rank: int) -> tuple[Any, str]:
    """As a run has it: Facet's base in bfloat16, or TRL's defaults (float32, autocast, everything computed twice)."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from facet.gemma.targets import lora_targets
    from facet.train.probe import install

    dtype = "bfloat16" if way == "facet" else "float32"
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    base.config.use_cache = False
    if way == "stock":
        base.gradient_checkpointing_enable()
        base.enable_input_require_grads()
    add_fused_lm_head(base, outputs=("log_probs", "entropy", "is_top1"))
    lora = LoraConfig(r=rank, lora_alpha=rank, target_modules=lora_targets("gemma3_text"), task_type="CAUSAL_LM")
    model = get_peft_model(base, lora)
    install(model, way, fused=way == "facet")
    return model.train(), dtype


def peak() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def picture(points: list[Point]) -> str:
    """Three small charts side by side, both axes doubling from line to line."""
    ours = [point for point in points if point.way == "facet" and point.rank == 16]
    stock = [point for point in points if point.way == "stock"]
    ranks = [point for point in points if point.way == "facet" and point.length == 512]
    charts = [
        chart("CPU-seconds per step, by tokens", {
            "Facet": [(p.length, p.seconds) for p in ours], "stock TRL": [(p.length, p.seconds) for p in stock]}),
        chart("Peak memory in GiB, by tokens", {
            "Facet": [(p.length, p.peak) for p in ours], "stock TRL": [(p.length, p.peak) for p in stock]}),
        chart("CPU-seconds per step of 512 tokens, by rank", {"Facet": [(p.rank, p.seconds) for p in ranks]}),
    ]  # fmt: skip
    inner = "".join(f'<g transform="translate({340 * at} 0)">{one}</g>' for at, one in enumerate(charts))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1020 260" font-family="system-ui, sans-serif" '
        f'font-size="12" fill="#7d7d7d">{inner}</svg>\n'
    )


def chart(title: str, lines: dict[str, list[tuple[float, float]]]) -> str:
    from math import ceil, floor, log2

    xs = sorted({x for line in lines.values() for x, _ in line})
    ys = [y for line in lines.values() for _, y in line]
    low, high = floor(log2(min(ys))), max(ceil(log2(max(ys))), floor(log2(min(ys))) + 1)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (log2(x) - log2(xs[0])) / max(1e-9, log2(xs[-1]) - log2(xs[0]))
        return 45 + 210 * across, 220 - 170 * (log2(y) - low) / (high - low)

    marks = [f'<text x="10" y="20" font-weight="600">{title}</text>']
    for power in range(low, high + 1):
        y = at(xs[0], 2.0**power)[1]
        marks.append(f'<path d="M45 {y:.0f}H255" stroke="#8884"/><text x="40" y="{y + 4:.0f}" text-anchor="end">'
                     f"{2.0**power:g}</text>")  # fmt: skip
    marks += [f'<text x="{at(x, 1)[0]:.0f}" y="240" text-anchor="middle">{x:,}</text>' for x in xs]
    for (name, given), colour in zip(lines.items(), ("#6e6ade", "#8a8a8a"), strict=False):
        line = sorted(given)
        if not line:
            continue
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        x, y = at(*line[-1])
        is_short = line[-1][0] < xs[-1]  # then another line may pass where its name would stand
        put = f'x="{x:.0f}" y="{y - 8:.0f}" text-anchor="end"' if is_short else f'x="{x + 6:.0f}" y="{y + 4:.0f}"'
        marks.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<text {put} fill="{colour}">{name}</text>')  # fmt: skip
    return "".join(marks)


if __name__ == "__main__":
    main()

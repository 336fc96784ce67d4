"""Rows answered per CPU-second: Facet's batch against transformers one by one and naively batched, interleaved.

    python -m tests.benchmarks.generate [--rounds 3] [--rows 48] [--model FOLDER | --narrow TOKENIZER]

All three answer the same prompts of mixed lengths, greedily, with the same model in the same process on one thread.
“Naively batched” takes the prompts as they come, eight at a time, filled up on the left, and waits for the longest.
Random weights never end by themselves, so with them every row gets its own, seeded, longest reply through a stop token
that is thrown: not needed for a trained model such as the starter, whose answers end as they end.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from facet import starter
from facet.dataset.render import Renderer
from tests.benchmarks.train import narrow_gemma3, spread

NAIVE_ROWS = 8
WORDS = "river stone lamp garden window quiet paper morning bread winter song Peru capital what is the of".split()
QUESTIONS = [
    "What is the capital of Peru?",
    "Count to nine.",
    "What is 7 times 8?",
    "Why do ships float?",
    "What is the opposite of winter?",
    "How does rain come about?",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--longest", type=int, default=64, help="tokens of a reply")
    parser.add_argument("--model", type=Path, default=starter.FOLDER)
    parser.add_argument("--narrow", type=Path, metavar="TOKENIZER", help="a narrow Gemma 3 with this real tokenizer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.narrow:
            options.model = narrow_gemma3(Path(place) / "narrow", options.narrow)
        compare(options)


def compare(options: argparse.Namespace) -> None:
    import torch

    from facet.model.load import load_base

    torch.set_num_threads(1)
    renderer, model = Renderer.load(options.model), load_base(options.model, "float32", "cpu")
    asked = prompts(renderer, options.rows)
    ways = {"facet": facet, "naive": naive, "one by one": one_by_one}
    texts: dict[str, list[str]] = {}
    paces: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds):
        order = list(ways) if number % 2 == 0 else list(reversed(ways))
        for name in order:
            began = time.process_time()
            texts[name] = ways[name](model, renderer, asked, options.longest)
            paces[name].append(options.rows / (time.process_time() - began))
            print(f"round {number + 1}, {name}: {paces[name][-1]:.2f} rows per CPU-second", flush=True)
    for other in ("one by one", "naive"):
        ratios = [ours / theirs for ours, theirs in zip(paces["facet"], paces[other], strict=True)]
        same = sum(ours == theirs for ours, theirs in zip(texts["facet"], texts[other], strict=True))
        print(f"against {other}: {spread(ratios)}; {same} of {options.rows} answers are the same")


def prompts(renderer: Renderer, count: int) -> list[list[int]]:
    """From a few words to several sentences before a question, in no order."""
    dice = random.Random(0)
    talks: list[Any] = []
    for number in range(count):
        before = " ".join(dice.choice(WORDS) for _ in range(dice.choice([0, 0, 5, 20, 80, 160])))
        talks.append([{"role": "user", "content": f"{before} {QUESTIONS[number % len(QUESTIONS)]}".strip()}])
    return renderer.prompts(talks)


def facet(model: Any, renderer: Renderer, asked: Sequence[list[int]], longest: int) -> list[str]:
    from facet.model.batch import generate
    from facet.model.decoding import Decoding

    found: dict[int, str] = {}
    keep: Callable[..., None] = lambda place, reply: found.__setitem__(place, reply.text)  # noqa: E731
    generate(model, renderer, asked, Decoding(max_new_tokens=longest), on_done=keep)
    return [found[place] for place in range(len(asked))]


def one_by_one(model: Any, renderer: Renderer, asked: Sequence[list[int]], longest: int) -> list[str]:
    return [text for prompt in asked for text in _generated(model, renderer, [prompt], longest)]


def naive(model: Any, renderer: Renderer, asked: Sequence[list[int]], longest: int) -> list[str]:
    groups = [asked[at : at + NAIVE_ROWS] for at in range(0, len(asked), NAIVE_ROWS)]
    return [text for group in groups for text in _generated(model, renderer, group, longest)]


def _generated(model: Any, renderer: Renderer, rows: Sequence[list[int]], longest: int) -> list[str]:
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    ends = {"eos_token_id": renderer.stop_ids, "pad_token_id": 0}
    with torch.inference_mode():
        out = model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=longest, **ends)
    ends_at = set(renderer.stop_ids)
    said = [line[width:].tolist() for line in out]
    cut = [line[: next((at for at, token in enumerate(line) if token in ends_at), len(line))] for line in said]
    return renderer.tokenizer.decode_batch(cut, skip_special_tokens=True)


if __name__ == "__main__":
    main()

"""Chat: time to the first token against bare transformers, and memory over many turns and changes of adapter.

    python -m tests.benchmarks.chat [--rounds 15] [--turns 500] [--changes 10] [--model FOLDER]

The first token is timed in CPU-seconds from the conversation as text to the first piece of the reply, interleaved, in
one process on one thread; bare transformers is `generate` with its own tokenizer, chat template and streamer. Memory
is what the chat process holds, read after every tenth of the turns.
"""

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from facet import starter
from facet.model.decoding import Decoding
from tests.benchmarks.train import spread

QUESTIONS = ["What is the capital of Peru?", "Count to nine.", "What is 7 times 8?", "How does rain come about?"]
LONG = "The river is quiet in winter, and the garden waits for the morning. " * 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--model", type=Path, default=starter.FOLDER)
    options = parser.parse_args()
    first_token(options)
    if options.turns:
        memory(options)


def first_token(options: argparse.Namespace) -> None:
    import torch
    from transformers import AutoTokenizer

    from facet.model.company import Company

    company = Company.load(options.model)
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    ways = {"facet": lambda turns: facet(company, turns), "bare": lambda turns: bare(company.model, tokenizer, turns)}
    for name, before in (("a short question", ""), ("a long one", LONG)):
        costs: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(options.rounds + 2):
            turns = [{"role": "user", "content": f"{before}{QUESTIONS[number % len(QUESTIONS)]}"}]
            for way in list(ways) if number % 2 == 0 else list(reversed(ways)):
                cost = ways[way](turns)
                if number >= 2:  # both are warm
                    costs[way].append(cost)
        middle = {way: statistics.median(values) for way, values in costs.items()}
        ratios = [ours / theirs for ours, theirs in zip(*costs.values(), strict=True)]
        print(
            f"{name}: {1000 * middle['facet']:.1f} ms against {1000 * middle['bare']:.1f} ms of bare transformers, "
            f"ratio of medians {middle['facet'] / middle['bare']:.2f}, ratio {spread(ratios)}",
            flush=True,
        )


def facet(company: Any, turns: list[dict[str, str]]) -> float:
    from facet.model.history import check_messages
    from facet.model.speak import reply

    began = time.process_time()
    pieces = reply(company.model, company.renderer, check_messages(turns), Decoding(), "a", threading.Event())
    next(pieces)
    cost = time.process_time() - began
    pieces.close()
    return cost


def bare(model: Any, tokenizer: Any, turns: list[dict[str, str]]) -> float:
    """Until the streamer is handed the first new token; then the reply is stopped."""

    class Heard(Exception):
        pass

    class Streamer:
        seen = 0

        def put(self, value: Any) -> None:
            self.seen += 1
            if self.seen == 2:  # the prompt comes first
                tokenizer.decode(value)
                raise Heard

        def end(self) -> None: ...

    began = time.process_time()
    asked = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    try:
        model.generate(**asked, do_sample=False, max_new_tokens=256, streamer=Streamer())
    except Heard:
        return time.process_time() - began
    raise RuntimeError("no token came")


def memory(options: argparse.Namespace) -> None:
    from facet.model.voice import Voice
    from tests.model.conftest import save_adapter

    with tempfile.TemporaryDirectory() as place:
        count = options.changes
        adapters = [save_adapter(Path(place) / str(number), options.model, seed=number) for number in range(count)]
        voice, process = Voice(), psutil.Process()
        held: list[float] = []
        for turn in range(options.turns):
            adapter = adapters[turn * count // options.turns]
            talk = [{"role": "user", "content": QUESTIONS[turn % len(QUESTIONS)]}]
            sides = [
                {"key": key, "base": str(options.model), "adapter": folder, "messages": talk}
                for key, folder in (("base", None), ("tuned", str(adapter)))
            ]
            request = {"speakers": sides, "decoding": Decoding(max_new_tokens=4).as_dict(), "prove": True}
            said = list(voice.answers(request, threading.Event()))
            if "over" not in said[-1]:
                raise RuntimeError(said[-1])
            if (turn + 1) % max(1, options.turns // 10) == 0:
                held.append(process.memory_info().rss / 2**20)
                print(f"after {turn + 1} turns: {held[-1]:.0f} MiB", flush=True)
        voice.forget()
        after = process.memory_info().rss / 2**20
        print(f"growth from the second tenth to the last: {held[-1] - held[1]:+.1f} MiB; released: {after:.0f} MiB")


if __name__ == "__main__":
    main()

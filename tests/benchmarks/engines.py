"""Tokens per CPU-second of transformers and of llama.cpp: one reply at a time, as in a chat, and many at once.

    python -m tests.benchmarks.engines [--rounds 3] [--model FOLDER | --size 270m TOKENIZER]

Both continue the same prompts greedily on one thread, interleaved, with the same numbers. Said with it: how many of the
replies are equal token by token, and what it costs to prepare llama.cpp: writing, loading and trying the model.
With `--size 270m` the model has the shape of Gemma 3 270M with random weights, which never end by themselves.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facet import starter
from tests.benchmarks.generate import prompts
from tests.benchmarks.train import spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--longest", type=int, default=48, help="tokens of a reply")
    parser.add_argument("--at-once", type=int, default=4, help="replies that llama.cpp lets grow together")
    parser.add_argument("--model", type=Path, default=starter.FOLDER)
    parser.add_argument("--size", nargs=2, metavar=("270m", "TOKENIZER"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if options.size:
            options.model = gemma_270m(Path(place) / "model", Path(options.size[1]))
        compare(options, Path(place))


def gemma_270m(folder: Path, tokenizer: Path) -> Path:
    """The shape of Gemma 3 270M with random weights."""
    import shutil

    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=262144, hidden_size=640, intermediate_size=2048, num_hidden_layers=18, num_attention_heads=4,
        num_key_value_heads=1, head_dim=256, sliding_window=512, query_pre_attn_scalar=256,
        eos_token_id=1, bos_token_id=2, pad_token_id=0, dtype="bfloat16",
    )  # fmt: skip
    Gemma3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer / name, folder / name)
    shutil.copyfile(starter.FOLDER / "chat_template.jinja", folder / "chat_template.jinja")
    return folder


def compare(options: argparse.Namespace, place: Path) -> None:
    import torch

    from facet.model.company import Company
    from facet.model.decoding import LLAMA_CPP, Decoding
    from facet.model.engines import Engines
    from facet.model.load import Execution

    torch.set_num_threads(1)
    company = Company.load(options.model, Execution("cpu", "float32", 1, 1, {}))
    asked = prompts(company.renderer, options.rows)
    decoding = Decoding(max_new_tokens=options.longest)
    single, many = Engines(lambda: place / "one"), Engines(lambda: place / "many", options.at_once)
    began = time.process_time()
    one = single.get(LLAMA_CPP, company, None, None)
    print(f"preparing llama.cpp: {time.process_time() - began:.1f} CPU-seconds", flush=True)
    together = many.get(LLAMA_CPP, company, None, None)
    ways: dict[str, Callable[[], list[list[int]]]] = {
        "one reply, transformers": lambda: [own(company, prompt, decoding) for prompt in asked],
        "one reply, llama.cpp": lambda: [through(one, company, prompt, decoding) for prompt in asked],
        "many, transformers": lambda: batched(company, None, asked, decoding),
        "many, llama.cpp": lambda: batched(company, together, asked, decoding),
    }
    said: dict[str, list[Any]] = {}
    paces: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(options.rounds):
        for name in list(ways) if number % 2 == 0 else list(reversed(ways)):
            began = time.process_time()
            said[name] = ways[name]()
            count = sum(len(one) if isinstance(one, list) else one.tokens for one in said[name])
            paces[name].append(count / (time.process_time() - began))
            print(f"round {number + 1}, {name}: {paces[name][-1]:.1f} tokens per CPU-second", flush=True)
    for how in ("one reply", "many"):
        theirs, ours = f"{how}, transformers", f"{how}, llama.cpp"
        ratios = [fast / slow for fast, slow in zip(paces[ours], paces[theirs], strict=True)]
        same = sum(a == b for a, b in zip(said[theirs], said[ours], strict=True))
        print(f"{how}: llama.cpp is {spread(ratios)} as fast; {same} of {options.rows} replies are equal")
    single.close()
    many.close()


def own(company: Any, prompt: list[int], decoding: Any) -> list[int]:
    from facet.model.speak import Prompt, tokens

    return _until_end(company, tokens(company.model, Prompt(prompt), decoding, threading.Event()), decoding)


def through(engine: Any, company: Any, prompt: list[int], decoding: Any) -> list[int]:
    from facet.model.engine import one_reply

    return _until_end(company, one_reply(engine, prompt, decoding, threading.Event()), decoding)


def _until_end(company: Any, tokens: Any, decoding: Any) -> list[int]:
    found: list[int] = []
    for token in tokens:
        found.append(token)
        if token in company.renderer.stop_ids or len(found) >= decoding.max_new_tokens:
            break
    return found


def batched(company: Any, engine: Any, asked: list[list[int]], decoding: Any) -> list[Any]:
    from facet.model import batch

    found: dict[int, Any] = {}
    generate = batch.generate if engine is None else batch.generate_with
    generate(engine or company.model, company.renderer, asked, decoding, on_done=found.__setitem__)
    return [found[place] for place in range(len(asked))]


if __name__ == "__main__":
    main()

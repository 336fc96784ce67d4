"""llama.cpp, as the `xllamacpp` package brings it, asked what it makes of a GGUF file."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ORDINARY = 300  # a token that ends no answer


class LlamaCpp:
    """One loaded file."""

    def __init__(self, file: Path, context: int = 512) -> None:
        library = pytest.importorskip("xllamacpp")
        settings = library.CommonParams()
        settings.model.path = str(file)
        settings.n_ctx, settings.n_parallel, settings.n_gpu_layers = context, 1, 0
        settings.warmup, settings.verbosity = False, 0
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
        settings.flash_attn_type = library.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        settings.cache_type_k = settings.cache_type_v = library.ggml_type.GGML_TYPE_F32
        self.server = library.Server(settings)

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.server.listening_address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def tokens(self, text: str) -> list[int]:
        return self.ask("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]

    def log_probabilities(self, tokens: list[int], size: int) -> np.ndarray:
        """Of every token that may follow. Shapes: `size`. Units: nats."""
        speaks = [
            [ORDINARY, 1000.0]
        ]  # an answer that ends at once has no probabilities; these are taken before it counts
        body = {"prompt": tokens, "n_predict": 1, "n_probs": size, "temperature": 0, "cache_prompt": False}
        body |= {"logit_bias": speaks}
        first = self.ask("/completion", body)["completion_probabilities"][0]["top_logprobs"]
        found = np.full(size, np.nan)
        for one in first:
            found[one["id"]] = one["logprob"]
        return found

    def greedy(self, tokens: list[int], most: int) -> list[int]:
        body = {"prompt": tokens, "n_predict": most, "temperature": 0, "top_k": 1, "return_tokens": True}
        return self.ask("/completion", body | {"cache_prompt": False})["tokens"]

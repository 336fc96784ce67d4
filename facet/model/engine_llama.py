"""llama.cpp as an engine, through `xllamacpp`, on the processor: a model written as GGUF in the same numbers.

The file is written where only its owner reads, loaded into memory and deleted at once: nothing is left on the disk,
whatever ends the process. Its tokenizer and template are never used.
"""

import os
import queue
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from facet.errors import FacetError
from facet.gemma.memory import free_memory_gb
from facet.model.company import Company
from facet.model.decoding import LLAMA_CPP, Decoding
from facet.model.engine import Refused, Said, most_of
from facet.workspace import FREE_DISK_FLOOR_GB

SAID_AT_ONCE: Final = 8  # tokens of a reply between two looks whether it is still wanted
SHARE_OF_MEMORY: Final = 0.8  # of what is free
STEPS: Final = ("penalties", "temperature", "top_k", "top_p", "min_p")  # in the order of transformers' `generate`


class LlamaCpp:
    """One model in memory. `at_once` replies grow together."""

    name = LLAMA_CPP

    def __init__(self, gguf: Path, stop_ids: Sequence[int], threads: int, context: int, at_once: int) -> None:
        import xllamacpp

        self.context, self.at_once, self.stop_ids = context, at_once, list(stop_ids)
        asked = xllamacpp.CommonParams()
        asked.model.path = str(gguf)
        asked.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE  # all of it into memory: the file goes
        asked.n_ctx, asked.n_parallel, asked.n_gpu_layers = context * at_once, at_once, 0
        asked.kv_unified, asked.swa_full = False, True  # so that a reply can go on where it was
        asked.cache_type_k = asked.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        asked.n_ctx_checkpoints = asked.cache_ram_mib = 0
        asked.cpuparams.n_threads = asked.cpuparams_batch.n_threads = threads
        asked.warmup, asked.verbosity, asked.use_jinja = False, 0, False
        # The library listens besides being called: with a key nobody is told, and at an address that goes at once.
        asked.api_keys = [secrets.token_hex(32)]
        asked.endpoint_slots = asked.endpoint_props = asked.endpoint_metrics = asked.ui = False
        with tempfile.TemporaryDirectory(prefix="facet-") as place:  # a short name: that of a socket has a limit
            if os.name != "nt":
                asked.hostnames = [f"{place}/s.sock"]
            self._server: Any = xllamacpp.Server(asked)

    def speak(
        self, prompts: Sequence[list[int]], decoding: Decoding, wanted: Callable[[int], bool] = lambda place: True
    ) -> Iterator[Said]:
        """See `Engine`. Raises: `RuntimeError` when the library reports a fault."""
        heard: queue.Queue[Said | Exception | None] = queue.Queue()
        waiting, lock, left = iter(enumerate(prompts)), threading.Lock(), threading.Event()

        def work(slot: int) -> None:
            try:
                while not left.is_set():
                    with lock:
                        place, prompt = next(waiting, (-1, []))
                    if place < 0:
                        break
                    for said in self._one(slot, place, prompt, decoding):
                        heard.put(said)
                        if left.is_set() or not wanted(place):
                            break
            except Exception as error:
                heard.put(error)
            heard.put(None)

        workers = [threading.Thread(target=work, args=(slot,), daemon=True) for slot in range(self.at_once)]
        for worker in workers:
            worker.start()
        try:
            working = len(workers)
            while working:
                said = heard.get()
                if isinstance(said, Exception):
                    raise said
                if said is None:
                    working -= 1
                else:
                    yield said
        finally:
            left.set()
            for worker in workers:
                worker.join()

    def _one(self, slot: int, place: int, prompt: list[int], decoding: Decoding) -> Iterator[Said]:
        """A few tokens at a time: what is streamed leaves out tokens that are only a part of a letter."""
        said: list[int] = []
        most = most_of(prompt, decoding, self.context)
        while len(said) < most:
            count = min(SAID_AT_ONCE if said else 1, most - len(said))
            found = self._server.handle_completions(self._asked(slot, prompt + said, count, decoding, len(said)))
            if "error" in found:
                raise RuntimeError("llama.cpp refused a prompt")  # never its message: it may quote the prompt
            tokens = list(found["__verbose"]["tokens"])
            ended = found["choices"][0]["finish_reason"] == "stop"
            if ended and (not tokens or tokens[-1] not in self.stop_ids):
                tokens.append(self.stop_ids[0])
            if not tokens:
                raise RuntimeError("llama.cpp said nothing")
            said += tokens
            is_over = len(said) >= most or tokens[-1] in self.stop_ids
            yield Said(place, tokens, is_over)
            if is_over:
                return

    def _asked(self, slot: int, ids: list[int], count: int, decoding: Decoding, said: int) -> dict[str, Any]:
        return {
            "prompt": ids,
            "n_predict": count,
            "id_slot": slot,
            "cache_prompt": True,
            "return_tokens": True,
            "verbose": True,
            "samplers": list(STEPS[:2] if decoding.temperature == 0 else STEPS),
            "temperature": decoding.temperature,
            "top_k": decoding.top_k,
            "top_p": decoding.top_p,
            "min_p": decoding.min_p,
            "repeat_penalty": decoding.repetition_penalty,
            "repeat_last_n": self.context,  # everything that was read and said
            "seed": (decoding.seed * 1_000_003 + said) % 2**31,  # other dice for each part of a reply
        }

    def close(self) -> None:
        self._server = None


def open_llama(company: Company, adapter: Path | None, scratch: Path, context: int, at_once: int) -> LlamaCpp:
    """Write a model, what was trained of it merged in, and load it. `scratch` is a folder nobody else reads.

    Raises: `Refused` with the reason.
    """
    from facet.export.gguf import can_write_gguf, write_gguf

    if company.execution.dtype != "float32":
        raise Refused(LLAMA_CPP, "this model computes in 2-byte numbers here, in which it would say other words")
    if can_write_gguf(company.base, adapter) is not None:
        raise Refused(LLAMA_CPP, "this model cannot be written in its format (GGUF) with the same result")
    size_gb = sum(weight.numel() for weight in company.model.parameters()) * 4 / 1e9
    if size_gb > SHARE_OF_MEMORY * free_memory_gb():
        raise Refused(LLAMA_CPP, f"it needs {size_gb:.1f} GB of memory besides, which are not free")
    scratch.mkdir(parents=True, exist_ok=True)
    if size_gb + FREE_DISK_FLOOR_GB > shutil.disk_usage(scratch).free / 1e9:
        raise Refused(LLAMA_CPP, f"it needs {size_gb:.1f} GB of disk for a moment, which are not free")
    with tempfile.TemporaryDirectory(dir=scratch) as place:  # 0700
        gguf = Path(place) / "model.gguf"
        try:
            write_gguf(company.base, adapter, gguf, "f32")
        except FacetError as error:
            raise Refused(LLAMA_CPP, "the file it needs could not be written") from error
        return LlamaCpp(gguf, company.renderer.stop_ids, company.execution.threads, context, at_once)

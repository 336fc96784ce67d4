"""The engines of one process: each is opened once for a model, and used only after it was held to transformers.

The trial: what an engine says to a few questions is read by transformers in one pass, which at every place must find
the same word the likeliest. An engine that fails is not asked again for this model.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from facet.errors import FacetError
from facet.model.company import Company, Stamp
from facet.model.decoding import LLAMA_CPP, Decoding
from facet.model.engine import Engine, Refused, obstacle
from facet.model.load import give_memory_back
from facet.work.worker import is_out_of_memory

MOST_OPEN: Final = 4  # one for each who speaks; the one that spoke longest ago makes room
MOST_CONTEXT: Final = 4096  # tokens held for each reply; longer conversations are answered by transformers
CLOSE: Final = 1e-3  # in scores: two words as near as this are both the likeliest
TRIAL_TOKENS: Final = 24  # of each answer
QUESTIONS: Final = (
    "What is the capital of Peru?",
    "Write one sentence about the sea.",
    "Was ist sieben mal acht?",
    "List three colours, one on each line.",
)
LEFT_SECONDS: Final = 86_400.0
Key = tuple[str, Path, Stamp | None]


@dataclass
class Engines:
    """`scratch` names a folder nobody else reads; models stand there for a moment."""

    scratch: Callable[[], Path]
    at_once: int = 1  # replies that grow together
    _open: dict[Key, Engine] = field(default_factory=dict)
    _refused: dict[Key, Refused] = field(default_factory=dict)
    _shared: dict[Path, Any] = field(default_factory=dict)  # vLLM's, by base

    def has(self, name: str, base: Path, adapter: Path | None) -> bool:
        return _key(name, base, adapter) in self._open

    def get(self, name: str, company: Company, member: str | None, adapter: Path | None) -> Engine:
        """The engine for a base, or for one of its adapters, which `company` knows as `member`.

        Raises: `Refused`; `DataError` when the model is broken.
        """
        key = _key(name, company.base, adapter)
        if key in self._refused:
            raise self._refused[key]
        if key not in self._open:
            try:
                self._make_room()
                self._open[key] = self._opened(name, company, member, adapter)
            except Refused as refused:
                self._refused[key] = refused
                raise
        self._open[key] = self._open.pop(key)  # the last used stands last
        return self._open[key]

    def drop(self, base: Path) -> None:
        """Close what speaks for a base."""
        for key in [key for key in self._open if key[1] == base]:
            self._open.pop(key).close()
        self._shared.pop(base, None)

    def close(self) -> None:
        """Give all memory back; what was refused may be tried again."""
        for engine in self._open.values():
            engine.close()
        self._open.clear()
        self._refused.clear()
        self._shared.clear()
        give_memory_back()

    def _make_room(self) -> None:
        while len(self._open) >= MOST_OPEN:
            self._open.pop(next(iter(self._open))).close()

    def _opened(self, name: str, company: Company, member: str | None, adapter: Path | None) -> Engine:
        if why := obstacle(name, company.device):
            raise Refused(name, why)
        engine = None
        try:
            engine = self._started(name, company, adapter)
            wrong = differing(company, member, engine)
        except (Refused, FacetError):
            _end(engine)
            raise
        except Exception as error:  # another library's: whatever it is, transformers can answer
            _end(engine)
            why = "the memory was not enough" if is_out_of_memory(error) else f"it failed ({type(error).__name__})"
            raise Refused(name, why) from error
        if wrong:
            _end(engine)
            raise Refused(name, f"it gave other words than transformers in {wrong} of {len(QUESTIONS)} trials")
        return engine

    def _started(self, name: str, company: Company, adapter: Path | None) -> Engine:
        context = min(company.context, MOST_CONTEXT)
        if name == LLAMA_CPP:
            from facet.model.engine_llama import open_llama

            _sweep(scratch := self.scratch())
            return open_llama(company, adapter, scratch, context, self.at_once)
        from facet.model.engine_vllm import Vllm, load_vllm

        if company.base not in self._shared:
            self._shared[company.base] = load_vllm(company, context)
        return Vllm(self._shared[company.base], company.renderer.stop_ids, context, adapter)


def differing(company: Company, member: str | None, engine: Engine) -> int:
    """In how many trials an engine says a word that transformers does not find the likeliest.

    Raises: `DataError` when the model's scores are not numbers.
    """
    asked = [company.renderer.prompt([{"role": "user", "content": text}]) for text in QUESTIONS]
    said: dict[int, list[int]] = {place: [] for place in range(len(asked))}
    for part in engine.speak(asked, Decoding(max_new_tokens=TRIAL_TOKENS)):
        said[part.place] += part.tokens
    with company.speaking_as(member) as model:
        return sum(not _agrees(model, prompt, said[place]) for place, prompt in enumerate(asked))


def _agrees(model: Any, prompt: list[int], said: list[int]) -> bool:
    import torch

    from facet.model.next_token import require_numbers

    if not said:
        return False
    with torch.inference_mode():
        ids = torch.tensor([prompt + said[:-1]], device=model.device)  # (1, T)
        scores = model(input_ids=ids, use_cache=False, logits_to_keep=len(said)).logits[0].float()  # (N, V)
    require_numbers(scores)
    theirs = scores.gather(-1, torch.tensor(said, device=scores.device)[:, None])[:, 0]  # (N,)
    return bool((scores.amax(-1) - theirs <= CLOSE).all())


def _end(engine: Engine | None) -> None:
    if engine is not None:
        engine.close()


def _key(name: str, base: Path, adapter: Path | None) -> Key:
    return name, base, Stamp.of(adapter) if adapter else None


def _sweep(scratch: Path) -> None:
    """Take away what a process left that was killed while it wrote."""
    for folder in scratch.glob("tmp*") if scratch.is_dir() else ():
        if time.time() - folder.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)

"""Who turns the tokens of a prompt into those of a reply: transformers everywhere, others where they are installed.

An engine gets ready tokens and gives tokens back, so every engine reads the very same prompt. What is measured on a
model (likelihoods, distances, proofs) stays with transformers. No torch here, the page asks too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Protocol

from facet.model.decoding import AUTOMATIC, ENGINES, LLAMA_CPP, TRANSFORMERS, VLLM, Decoding

__all__ = ["AUTOMATIC", "ENGINES", "LLAMA_CPP", "TRANSFORMERS", "VLLM", "Engine", "Refused", "Said", "obstacle"]

PACKAGES: Final = {LLAMA_CPP: "xllamacpp", VLLM: "vllm"}
DEVICES: Final = {LLAMA_CPP: "cpu", VLLM: "cuda"}
PLACES: Final = {LLAMA_CPP: "the processor", VLLM: "a graphics card of NVIDIA"}


@dataclass(frozen=True)
class Said:
    """What came next for one prompt."""

    place: int  # of the prompt among those that were asked
    tokens: list[int]  # the token that ends a turn included
    is_over: bool


class Engine(Protocol):
    """A model, with an adapter or without, that continues prompts."""

    name: str
    context: int  # tokens of a prompt and its reply together

    def speak(
        self, prompts: Sequence[list[int]], decoding: Decoding, wanted: Callable[[int], bool] = lambda place: True
    ) -> Iterator[Said]:
        """Continue every prompt until its turn ends, it is as long as it may be, or it is not `wanted` any more."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...


class Refused(Exception):
    """An engine that will not do for a model. The text is one sentence a person reads."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} is not used: {why}. transformers answers instead.")


def obstacle(name: str, device: str) -> str | None:
    """What keeps an engine from this machine, in words; None for nothing."""
    if name == TRANSFORMERS:
        return None
    if device != DEVICES[name]:
        return f"it works on {PLACES[name]}, and this model is elsewhere"
    if find_spec(PACKAGES[name]) is None:
        return f"the package {PACKAGES[name]} is not installed"
    return None


def most_of(prompt: Sequence[int], decoding: Decoding, context: int) -> int:
    """Tokens that the reply to a prompt may have."""
    return min(decoding.max_new_tokens, context - len(prompt))


def one_reply(engine: Engine, prompt: list[int], decoding: Decoding, stop: Any) -> Iterator[int]:
    """Token after token of one reply; `stop`, an event, ends it soon."""
    for said in engine.speak([prompt], decoding, lambda place: not stop.is_set()):
        for token in said.tokens:
            if stop.is_set():
                return
            yield token

"""How the next word is chosen: the same for every model that is compared. No torch here, the page asks too."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from facet.errors import SettingError

LIMITS: Final[dict[str, tuple[float, float, str]]] = {
    "temperature": (0.0, 2.0, "Temperature"),
    "top_p": (0.01, 1.0, "Top-p"),
    "top_k": (0, 1000, "Top-k"),
    "max_new_tokens": (1, 8192, "Longest reply"),
    "seed": (0, 2**31 - 1, "Seed"),
    "repetition_penalty": (1.0, 2.0, "Repetition penalty"),
    "min_p": (0.0, 1.0, "Min-p"),
}
WHOLE: Final = ("top_k", "max_new_tokens", "seed")
MOST_STOPS, LONGEST_STOP = 8, 100  # texts, and characters of each
AUTOMATIC, TRANSFORMERS, LLAMA_CPP, VLLM = "automatic", "transformers", "llama.cpp", "vLLM"
ENGINES: Final = (AUTOMATIC, TRANSFORMERS, LLAMA_CPP, VLLM)


@dataclass(frozen=True)
class Decoding:
    """How words are chosen. Temperature 0 always takes the likeliest; the same seed repeats the same dice."""

    temperature: float = 0.0
    top_p: float = 0.95
    top_k: int = 64
    max_new_tokens: int = 256
    seed: int = 0
    repetition_penalty: float = 1.0  # 1 changes nothing; above it, words that were there already become less likely
    min_p: float = 0.0  # leave out words less likely than this share of the likeliest one
    stop: tuple[str, ...] = ()  # texts that end the reply where they appear
    engine: str = AUTOMATIC  # what computes the words, one of `ENGINES`; the likeliest words are the same from all

    def __post_init__(self) -> None:
        for name, (low, high, label) in LIMITS.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if not number or not low <= value <= high or (name in WHOLE and value != int(value)):
                whole = "a whole number" if name in WHOLE else "a number"
                raise _wrong(f"“{label}” must be {whole} from {low:g} to {high:g}.")
            if name in WHOLE:
                object.__setattr__(self, name, int(value))
        object.__setattr__(self, "stop", _stops(self.stop))
        if self.engine not in ENGINES:
            raise _wrong(f"“Answers come from” is one of {', '.join(ENGINES)}.")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _stops(texts: Any) -> tuple[str, ...]:
    """From a tuple, or from the list that JSON made of it."""
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise _wrong("“Stop at” must be a list of texts.")
    if len(texts) > MOST_STOPS or any(not 1 <= len(text) <= LONGEST_STOP for text in texts):
        raise _wrong(f"“Stop at” takes up to {MOST_STOPS} texts of 1 to {LONGEST_STOP} characters each.")
    return tuple(texts)


def _wrong(why: str) -> SettingError:
    return SettingError("A setting of the replies is not right.", why, "Correct it, then press the button once more.")

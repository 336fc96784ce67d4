"""The kinds of models (`model_type` in config.json) that Facet knows how to tune, and what is special about each."""

from typing import Final, Literal

Generation = Literal["starter", "1", "2", "3", "3n", "4", "other"]

# A kind is listed here only while tests/gemma/test_tiny_models.py builds a tiny one, tunes it for one step and lets it
# speak, and while Facet's own batches and likelihoods of it equal those of transformers (tests/model).
GENERATIONS: Final[dict[str, Generation]] = {
    "gemma": "1",
    "gemma2": "2",
    "gemma3": "3",
    "gemma3_text": "3",
    "gemma3n": "3n",
    "gemma3n_text": "3n",
    "gemma4": "4",
    "gemma4_text": "4",
    "gemma4_unified": "4",
    "gemma4_unified_text": "4",
    "apertus": "other",
    "arcee": "other",
    "cohere": "other",
    "cohere2": "other",
    "ernie4_5": "other",
    "exaone4": "other",
    "glm": "other",
    "glm4": "other",
    "gpt_oss": "other",
    "granite": "other",
    "granitemoe": "other",
    "helium": "other",
    "hunyuan_v1_dense": "other",
    "llama": "other",
    "ministral": "other",
    "ministral3": "other",
    "mistral": "other",
    "mixtral": "other",
    "nemotron": "other",
    "olmo": "other",
    "olmo2": "other",
    "olmo3": "other",
    "olmoe": "other",
    "phi": "other",
    "phi3": "other",
    "qwen2": "other",
    "qwen3": "other",
    "qwen3_moe": "other",
    "seed_oss": "other",
    "smollm3": "other",
    "stablelm": "other",
    "starcoder2": "other",
}
SUPPORTED_TYPES: Final[tuple[str, ...]] = tuple(GENERATIONS)
GEMMA_TYPES: Final[tuple[str, ...]] = tuple(kind for kind, generation in GENERATIONS.items() if generation != "other")
MULTIMODAL_TYPES: Final = frozenset({"gemma3", "gemma4", "gemma4_unified"})  # loaded with their towers

# Kinds of which only the language model is loaded: Gemma 3n's vision tower is a network of the timm library, which
# Facet does without. transformers finds the language model's weights in the whole model's files by itself.
TEXT_ONLY: Final[dict[str, str]] = {"gemma3n": "gemma3n_text"}

# The kind of the language model inside a multimodal one; the adapter's layers and the default numbers are its own.
EXPERTS: Final = frozenset({"gpt_oss", "granitemoe", "mixtral", "olmoe", "qwen3_moe"})  # no feed-forward but experts


def generation_of(model_type: str) -> Generation:
    return GENERATIONS.get(model_type, "other")

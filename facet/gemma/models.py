"""The models Facet offers by name, and the kinds (`model_type`) it knows how to tune."""

from dataclasses import dataclass
from typing import Literal

Generation = Literal["starter", "1", "2", "3", "4", "other"]
LicenceId = Literal["apache-2.0", "gemma", "other"]

STARTER = "starter"

# model_type in config.json -> the Gemma generation it belongs to. A kind is listed here only while
# tests/gemma/test_tiny_models.py builds a tiny one, tunes it for one step and lets it speak. Gemma 3n is not: its
# vision tower needs the timm library.
GENERATIONS: dict[str, Generation] = {
    "gemma": "1",
    "gemma2": "2",
    "gemma3": "3",
    "gemma3_text": "3",
    "gemma4": "4",
    "gemma4_text": "4",
    "gemma4_unified": "4",
    "gemma4_unified_text": "4",
    "llama": "other",
    "mistral": "other",
    "phi3": "other",
    "qwen2": "other",
    "qwen3": "other",
    "smollm3": "other",
}
SUPPORTED_TYPES: tuple[str, ...] = tuple(GENERATIONS)
MULTIMODAL_TYPES = frozenset({"gemma3", "gemma4", "gemma4_unified"})


@dataclass(frozen=True)
class BaseModel:
    """A model a person may start from."""

    id: str  # "starter", or its id on the Hugging Face Hub
    name: str
    words: str  # one plain line: what it is good for
    parameters: int
    context_length: int  # tokens
    licence: LicenceId
    gated: bool  # the Hub asks each person to accept the licence once
    licence_url: str
    disk_gb: float  # what is downloaded
    multimodal: bool
    ungated_mirror: str | None
    generation: Generation

    @property
    def source(self) -> str:
        """Where it is downloaded from: the mirror when the original asks for a click first."""
        return self.ungated_mirror or self.id


GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
APACHE = "https://www.apache.org/licenses/LICENSE-2.0"

OFFERED: tuple[BaseModel, ...] = (
    BaseModel(
        id=STARTER,
        name="Facet starter",
        words="Comes with Facet: nothing to download, tuned in about a minute. It is made to learn with, not to know.",
        parameters=5_577_728,
        context_length=2_048,
        licence="apache-2.0",
        gated=False,
        licence_url=APACHE,
        disk_gb=0.01,
        multimodal=False,
        ungated_mirror=None,
        generation="starter",
    ),
    BaseModel(
        id="google/gemma-3-270m-it",
        name="Gemma 3 270M",
        words="The smallest real Gemma. It learns one narrow task well, also on a computer without a graphics card.",
        parameters=268_098_176,
        context_length=32_768,
        licence="gemma",
        gated=True,
        licence_url=GEMMA_TERMS,
        disk_gb=0.57,
        multimodal=False,
        ungated_mirror="unsloth/gemma-3-270m-it",
        generation="3",
    ),
    BaseModel(
        id="google/gemma-3-1b-it",
        name="Gemma 3 1B",
        words="Writes fluent short answers. A small graphics card helps; a fast computer manages without.",
        parameters=999_885_952,
        context_length=32_768,
        licence="gemma",
        gated=True,
        licence_url=GEMMA_TERMS,
        disk_gb=2.04,
        multimodal=False,
        ungated_mirror="unsloth/gemma-3-1b-it",
        generation="3",
    ),
    BaseModel(
        id="google/gemma-3-4b-it",
        name="Gemma 3 4B",
        words="A capable all-rounder in many languages. It wants a graphics card with about 16 GB.",
        parameters=4_300_079_472,
        context_length=131_072,
        licence="gemma",
        gated=True,
        licence_url=GEMMA_TERMS,
        disk_gb=8.64,
        multimodal=True,
        ungated_mirror="unsloth/gemma-3-4b-it",
        generation="3",
    ),
    BaseModel(
        id="google/gemma-4-E2B-it",
        name="Gemma 4 E2B",
        words="The newest small Gemma, free to use for anything. It wants a graphics card with about 16 GB.",
        parameters=5_100_000_000,
        context_length=131_072,
        licence="apache-2.0",
        gated=False,
        licence_url=APACHE,
        disk_gb=10.3,
        multimodal=True,
        ungated_mirror=None,
        generation="4",
    ),
    BaseModel(
        id="google/gemma-4-E4B-it",
        name="Gemma 4 E4B",
        words="Stronger and slower than E2B. It wants a graphics card with about 24 GB.",
        parameters=8_000_000_000,
        context_length=131_072,
        licence="apache-2.0",
        gated=False,
        licence_url=APACHE,
        disk_gb=16.1,
        multimodal=True,
        ungated_mirror=None,
        generation="4",
    ),
)


def find(model_id: str) -> BaseModel | None:
    """The offered model with this id (or whose mirror has it), or None for any other."""
    wanted = model_id.strip().lower()
    return next((model for model in OFFERED if wanted and wanted in _ids(model)), None)


def _ids(model: BaseModel) -> tuple[str, ...]:
    return tuple(name.lower() for name in (model.id, model.ungated_mirror) if name)


def generation_of(model_type: str) -> Generation:
    return GENERATIONS.get(model_type, "other")

"""The models Facet offers by name, family by family: ids, sizes, contexts and licences, as their own pages state them.

Sources: the model cards of google/gemma-* (https://ai.google.dev/gemma/docs/core), Qwen/Qwen3-*,
HuggingFaceTB/SmolLM*, meta-llama/Llama-3.2-*, ibm-granite/granite-3.3-* and allenai/OLMo-2-* on the Hub; mirrors and
4-bit copies from the collections of unsloth. Sizes above 5 billion weights are rounded as the cards round them.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from facet.gemma.kinds import Generation

LicenceId = Literal["apache-2.0", "gemma", "llama3.2", "other"]
STARTER: Final = "starter"
GEMMA_TERMS: Final = "https://ai.google.dev/gemma/terms"
APACHE: Final = "https://www.apache.org/licenses/LICENSE-2.0"
LLAMA_3_2: Final = "https://www.llama.com/llama3_2/license/"
LICENCE_URLS: Final[dict[LicenceId, str]] = {"apache-2.0": APACHE, "gemma": GEMMA_TERMS, "llama3.2": LLAMA_3_2}


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
    family: str
    usual: bool = False  # one of the few to be shown at first
    pretrained: bool = False  # it continues text and was never tuned to answer
    packed_mirror: str | None = None  # the same squeezed to 4 bits beforehand: a quarter of the download

    @property
    def source(self) -> str:
        """Where it is downloaded from: the mirror when the original asks for a click first."""
        return self.ungated_mirror or self.id

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(name for name in (self.id, self.ungated_mirror, self.packed_mirror) if name)


def _gemma(
    name: str, id: str, billions: float, words: str, generation: Generation, context: int = 131_072, **more: object
) -> BaseModel:
    """A Gemma; up to generation 3n its licence is to be accepted first, and unsloth keeps a copy that asks nothing."""
    free = generation == "4"
    family = {"2": "Gemma 2", "3": "Gemma 3", "3n": "Gemma 3n", "4": "Gemma 4"}[generation]
    licence: LicenceId = "apache-2.0" if free else "gemma"
    model = BaseModel(
        f"google/{id}", name, words, round(billions * 1e9), context, licence, not free, LICENCE_URLS[licence],
        round(billions * 2.01, 2), generation in ("3", "4"), None if free else f"unsloth/{id}", generation, family,
    )  # fmt: skip
    return replace(model, **more)  # type: ignore[arg-type]


def _other(
    family: str, name: str, id: str, billions: float, words: str, context: int, disk_gb: float, **more: object
) -> BaseModel:
    model = BaseModel(id, name, words, round(billions * 1e9), context, "apache-2.0", False, APACHE, disk_gb, False,
                      None, "other", family)  # fmt: skip
    return replace(model, **more)  # type: ignore[arg-type]


def _continues(model: BaseModel, id: str) -> BaseModel:
    """The pre-trained sibling of a tuned model."""
    mirror = f"unsloth/{id.split('/')[1]}" if model.ungated_mirror else None
    words = "It continues text and was never tuned to answer. For raw texts, or to teach it to talk your way only."
    return replace(
        model, id=id, name=f"{model.name} pre-trained", words=words, ungated_mirror=mirror, packed_mirror=None,
        usual=False, pretrained=True,
    )  # fmt: skip


def _with_siblings() -> tuple[BaseModel, ...]:
    found: list[BaseModel] = []
    for model in _TUNED:
        found.append(model)
        if model.id in _PRETRAINED:
            found.append(_continues(model, _PRETRAINED[model.id]))
    return tuple(found)


_SMALL: Final = {"multimodal": False, "context": 32_768}
_LLAMA: Final = {"licence": "llama3.2", "licence_url": LLAMA_3_2, "gated": True}

_TUNED: Final[tuple[BaseModel, ...]] = (
    BaseModel(
        STARTER, "Facet starter",
        "Comes with Facet: nothing to download, tuned in about a minute. It is made to learn with, not to know.",
        5_577_728, 2_048, "apache-2.0", False, APACHE, 0.01, False, None, "starter", "Facet", True,
    ),
    _gemma("Gemma 3 270M", "gemma-3-270m-it", 0.268098176,
           "The smallest real Gemma. It learns one narrow task well, also on a computer without a graphics card.",
           "3", usual=True, disk_gb=0.57, **_SMALL),
    _gemma("Gemma 3 1B", "gemma-3-1b-it", 0.999885952,
           "Writes fluent short answers. A small graphics card helps; a fast computer manages without.",
           "3", usual=True, disk_gb=2.04, packed_mirror="unsloth/gemma-3-1b-it-bnb-4bit", **_SMALL),
    _gemma("Gemma 3 4B", "gemma-3-4b-it", 4.300079472,
           "A capable all-rounder in many languages. It wants a graphics card with about 16 GB.",
           "3", usual=True, packed_mirror="unsloth/gemma-3-4b-it-bnb-4bit"),
    _gemma("Gemma 3 12B", "gemma-3-12b-it", 12.2,
           "Knows and reasons clearly better than 4B. It wants a graphics card with about 40 GB, or 16 GB in 4 bits.",
           "3", packed_mirror="unsloth/gemma-3-12b-it-bnb-4bit"),
    _gemma("Gemma 3 27B", "gemma-3-27b-it", 27.4,
           "The strongest Gemma 3. It wants a graphics card with about 80 GB, or 32 GB in 4 bits.",
           "3", packed_mirror="unsloth/gemma-3-27b-it-bnb-4bit"),
    _gemma("FunctionGemma 270M", "functiongemma-270m-it", 0.268098176,
           "Made to call tools and nothing else: teach it yours. It runs on a computer without a graphics card.",
           "3", disk_gb=0.57, **_SMALL),
    _gemma("Gemma 3n E2B", "gemma-3n-E2B-it", 5.44,
           "Made for phones. Facet tunes its language model; pictures and sound are left out.",
           "3n", context=32_768),
    _gemma("Gemma 3n E4B", "gemma-3n-E4B-it", 7.85,
           "The larger model for phones. Facet tunes its language model; pictures and sound are left out.",
           "3n", context=32_768),
    _gemma("Gemma 4 E2B", "gemma-4-E2B-it", 5.1,
           "The newest small Gemma, free to use for anything. It wants a graphics card with about 16 GB.",
           "4", usual=True),
    _gemma("Gemma 4 E4B", "gemma-4-E4B-it", 8.0,
           "Stronger and slower than E2B. It wants a graphics card with about 24 GB.", "4", usual=True),
    _gemma("Gemma 4 12B", "gemma-4-12B-it", 11.95,
           "Nearly as strong as the large ones. It wants a graphics card with about 40 GB, or 16 GB in 4 bits.",
           "4", context=262_144),
    _gemma("Gemma 4 26B-A4B", "gemma-4-26B-A4B-it", 25.2,
           "A mixture of experts: large in memory, quick to answer. Its experts stay as they are; attention and the "
           "layers beside them learn. It wants about 80 GB.", "4", context=262_144),
    _gemma("Gemma 4 31B", "gemma-4-31B-it", 30.7,
           "The strongest Gemma. It wants a graphics card with about 80 GB, or 40 GB in 4 bits.",
           "4", context=262_144),
    _gemma("Gemma 2 2B", "gemma-2-2b-it", 2.614341888,
           "An older Gemma that many tools know. Text only.", "2", context=8_192),
    _gemma("Gemma 2 9B", "gemma-2-9b-it", 9.241705984,
           "An older, larger Gemma that many tools know. Text only.", "2", context=8_192),
    _other("Qwen 3", "Qwen3 0.6B", "Qwen/Qwen3-0.6B", 0.59604992,
           "Small, in many languages, and able to think before it answers.", 32_768, 1.5),
    _other("Qwen 3", "Qwen3 1.7B", "Qwen/Qwen3-1.7B", 1.720574976,
           "In many languages, and able to think before it answers. A graphics card helps.", 32_768, 4.06),
    _other("SmolLM", "SmolLM2 135M", "HuggingFaceTB/SmolLM2-135M-Instruct", 0.134515008,
           "Tiny and English: it learns formats and labels quickly on any computer.", 8_192, 0.27),
    _other("SmolLM", "SmolLM2 360M", "HuggingFaceTB/SmolLM2-360M-Instruct", 0.36182112,
           "Small and English, for a computer without a graphics card.", 8_192, 0.73),
    _other("SmolLM", "SmolLM3 3B", "HuggingFaceTB/SmolLM3-3B", 3.075098624,
           "Open to the last detail, in six languages. It wants a graphics card with about 12 GB.", 65_536, 6.15),
    _other("Llama", "Llama 3.2 1B", "meta-llama/Llama-3.2-1B-Instruct", 1.2358144,
           "A small Llama in eight languages. What is made from it has to be named after it.",
           131_072, 2.47, ungated_mirror="unsloth/Llama-3.2-1B-Instruct", **_LLAMA),
    _other("Llama", "Llama 3.2 3B", "meta-llama/Llama-3.2-3B-Instruct", 3.212749824,
           "The larger small Llama. What is made from it has to be named after it.",
           131_072, 6.43, ungated_mirror="unsloth/Llama-3.2-3B-Instruct", **_LLAMA),
    _other("More", "Granite 3.3 2B", "ibm-granite/granite-3.3-2b-instruct", 2.533531648,
           "For business texts in twelve languages. It wants a graphics card with about 10 GB.", 131_072, 5.07),
    _other("More", "OLMo 2 1B", "allenai/OLMo-2-0425-1B-Instruct", 1.484916736,
           "Made in the open, its training data included. English.", 4_096, 2.97),
)  # fmt: skip

_PRETRAINED: Final[dict[str, str]] = {
    "google/gemma-3-270m-it": "google/gemma-3-270m",
    **{f"google/gemma-3-{size}-it": f"google/gemma-3-{size}-pt" for size in ("1b", "4b", "12b", "27b")},
    **{f"google/gemma-3n-{size}-it": f"google/gemma-3n-{size}" for size in ("E2B", "E4B")},
    **{f"google/gemma-4-{size}-it": f"google/gemma-4-{size}" for size in ("E2B", "E4B", "12B", "26B-A4B", "31B")},
    **{f"google/gemma-2-{size}-it": f"google/gemma-2-{size}" for size in ("2b", "9b")},
    **{f"Qwen/Qwen3-{size}": f"Qwen/Qwen3-{size}-Base" for size in ("0.6B", "1.7B")},
    "HuggingFaceTB/SmolLM2-135M-Instruct": "HuggingFaceTB/SmolLM2-135M",
    "HuggingFaceTB/SmolLM2-360M-Instruct": "HuggingFaceTB/SmolLM2-360M",
    "HuggingFaceTB/SmolLM3-3B": "HuggingFaceTB/SmolLM3-3B-Base",
    "meta-llama/Llama-3.2-1B-Instruct": "meta-llama/Llama-3.2-1B",
    "meta-llama/Llama-3.2-3B-Instruct": "meta-llama/Llama-3.2-3B",
    "allenai/OLMo-2-0425-1B-Instruct": "allenai/OLMo-2-0425-1B",
}

OFFERED: Final[tuple[BaseModel, ...]] = _with_siblings()

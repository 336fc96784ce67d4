"""Which layers a LoRA adapter is attached to: the linear layers of the language model, and nothing else.

Embeddings are never touched: Gemma ties them to its output layer, and an adapter there merges wrongly without a word.
Vision and audio towers are left alone: we teach text, and Gemma 4 wraps their layers in a class that PEFT refuses.
The experts of a mixture are left alone too: PEFT can adapt them only by writing the whole tensor of all experts anew
at each step, cannot do it on 4-bit weights, and an adapter of Gemma 4 26B would have 30 million weights per unit of
rank instead of 1.5. What every token passes is adapted: attention, and the dense layers beside Gemma 4's experts.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from facet.errors import SettingError
from facet.gemma.kinds import EXPERTS, MULTIMODAL_TYPES

Which = Literal["all-linear", "attention", "feed-forward"]
OTHER_PARTS: Final = re.compile(r"vision|audio|tower|projector|embedder")  # than the language model


@dataclass(frozen=True)
class Layers:
    """Regular expressions of the linear layers in one block, behind `layers.N.`."""

    attention: str
    feed_forward: str | None  # None: its feed-forward layers are experts


ATTENTION: Final = r"self_attn\.(?:q_proj|k_proj|v_proj|o_proj)"
USUAL: Final = Layers(ATTENTION, r"mlp\.(?:gate_proj|up_proj|down_proj)")
FUSED: Final = r"mlp\.(?:gate_up_proj|down_proj)"  # two projections computed in one layer
_UNGATED: Final = r"mlp\.(?:up_proj|down_proj)"

# Kinds whose layers have other names.
OTHERS: Final[dict[str, Layers]] = {
    "apertus": Layers(ATTENTION, _UNGATED),
    "arcee": Layers(ATTENTION, _UNGATED),
    "glm": Layers(ATTENTION, FUSED),
    "glm4": Layers(ATTENTION, FUSED),
    "nemotron": Layers(ATTENTION, _UNGATED),
    "phi": Layers(r"self_attn\.(?:q_proj|k_proj|v_proj|dense)", r"mlp\.(?:fc1|fc2)"),
    "phi3": Layers(r"self_attn\.(?:qkv_proj|o_proj)", FUSED),
    "starcoder2": Layers(ATTENTION, r"mlp\.(?:c_fc|c_proj)"),
} | dict.fromkeys(EXPERTS, Layers(ATTENTION, None))


# Every layer that an adapter of any kind may sit on.
ANY_LAYER: Final = "|".join(
    dict.fromkeys(part for each in (USUAL, *OTHERS.values()) for part in (each.attention, each.feed_forward) if part)
)


def layers_of(model_type: str) -> Layers:
    return OTHERS.get(model_type, USUAL)


def lora_targets(
    model_type: str,
    multimodal: bool | None = None,
    which: Which = "all-linear",
    blocks: Iterable[int] | None = None,
) -> str:
    """A regular expression that matches the whole name of every module to adapt, as PEFT's `target_modules` wants it.

    `multimodal` says whether the loaded model has towers beside its language model; by default the kind decides.
    `blocks` are the numbers of the layers to adapt, counted from 0; all of them unless given.

    Raises: `SettingError` for the feed-forward layers of a model that has experts only.

    >>> import re
    >>> bool(re.fullmatch(lora_targets("gemma3_text"), "model.layers.0.self_attn.q_proj"))
    True
    >>> bool(re.fullmatch(lora_targets("gemma4"), "model.vision_tower.encoder.layers.0.self_attn.q_proj"))
    False
    >>> bool(re.fullmatch(lora_targets("gemma3_text", blocks=range(12, 18)), "model.layers.2.self_attn.q_proj"))
    False
    """
    has_towers = model_type in MULTIMODAL_TYPES if multimodal is None else multimodal
    stem = r"(?:model\.)?language_model\." if has_towers else r"(?:model\.)?"
    number = r"\d+" if blocks is None else f"(?:{'|'.join(map(str, blocks))})"
    return rf"{stem}(?:model\.)?layers\.{number}\.{_wanted(model_type, which)}"


def adapted(model_type: str, tensor: str, which: Which = "all-linear") -> bool:
    """Whether a weight stored under this name, in any of the ways models are stored in, is one an adapter sits on.

    >>> adapted("gemma3", "language_model.model.layers.0.mlp.up_proj.weight")
    True
    """
    found = re.search(r"(?:^|\.)layers\.\d+\.(.+)\.weight$", tensor)
    return bool(found and not OTHER_PARTS.search(tensor) and re.fullmatch(_wanted(model_type, which), found[1]))


def _wanted(model_type: str, which: Which) -> str:
    layers = layers_of(model_type)
    if which == "attention" or (which == "all-linear" and layers.feed_forward is None):
        return layers.attention
    if layers.feed_forward is None:
        raise SettingError(
            "This model has no feed-forward layers that an adapter fits on.",
            f"It is a mixture of experts ({model_type}), and experts are left as they are.",
            "Let the adapter sit on all layers or on attention.",
        )
    return layers.feed_forward if which == "feed-forward" else f"(?:{layers.attention}|{layers.feed_forward})"

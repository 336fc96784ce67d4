"""Which layers a LoRA adapter is attached to: the linear layers of the language model, and nothing else.

Embeddings are never touched: Gemma ties them to its output layer, and an adapter there merges wrongly without a word.
Vision and audio towers are left alone: we teach text, and Gemma 4 wraps their layers in a class that PEFT refuses.
"""

from facet.gemma.models import MULTIMODAL_TYPES

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
FEED_FORWARD = ("gate_proj", "up_proj", "down_proj")

# Kinds that compute several projections in one layer.
FUSED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "phi3": (("qkv_proj", "o_proj"), ("gate_up_proj", "down_proj")),
}


def lora_targets(model_type: str, multimodal: bool | None = None) -> str:
    """A regular expression that matches the whole name of every module to adapt, as PEFT's `target_modules` wants it.

    `multimodal` says whether the loaded model has towers beside its language model; by default the kind decides.

    >>> import re
    >>> bool(re.fullmatch(lora_targets("gemma3_text"), "model.layers.0.self_attn.q_proj"))
    True
    >>> bool(re.fullmatch(lora_targets("gemma4"), "model.vision_tower.encoder.layers.0.self_attn.q_proj"))
    False
    """
    attention, feed_forward = FUSED.get(model_type, (ATTENTION, FEED_FORWARD))
    has_towers = model_type in MULTIMODAL_TYPES if multimodal is None else multimodal
    stem = r"(?:model\.)?language_model\." if has_towers else r"(?:model\.)?"
    layers = rf"(?:self_attn\.(?:{'|'.join(attention)})|mlp\.(?:{'|'.join(feed_forward)}))"
    return rf"{stem}(?:model\.)?layers\.\d+\.{layers}"

"""Numbers that a published `config.json` may leave out because the transformers library knows them.

Gemma 3 and later ship configurations that name only what differs. A test compares this table with the library.
"""

from typing import Any

_GEMMA_3 = {
    "vocab_size": 262_208,
    "max_position_embeddings": 131_072,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
}
_GEMMA_3N = _GEMMA_3 | {"vocab_size": 262_400, "max_position_embeddings": 32_768, "num_key_value_heads": 2}
_GEMMA_4 = _GEMMA_3 | {"vocab_size": 262_144}
_GEMMA_4_UNIFIED = _GEMMA_4 | {"max_position_embeddings": 262_144}

DEFAULTS: dict[str, dict[str, int]] = {
    "gemma3": _GEMMA_3,
    "gemma3_text": _GEMMA_3,
    "gemma3n": _GEMMA_3N,
    "gemma3n_text": _GEMMA_3N,
    "gemma4": _GEMMA_4,
    "gemma4_text": _GEMMA_4,
    "gemma4_unified": _GEMMA_4_UNIFIED,
    "gemma4_unified_text": _GEMMA_4_UNIFIED,
}
TIED_BY_DEFAULT = frozenset({"gemma", "gemma2", *DEFAULTS, "cohere", "cohere2", "ernie4_5", "smollm3", "starcoder2"})


def language_part(config: dict[str, Any]) -> dict[str, Any]:
    """The numbers of the language model: a multimodal configuration keeps them one level down."""
    text = config.get("text_config")
    stated = text if isinstance(text, dict) else config
    return DEFAULTS.get(str(config.get("model_type")), {}) | {
        name: value for name, value in stated.items() if value is not None
    }

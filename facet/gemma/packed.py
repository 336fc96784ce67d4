"""Copies of models that were squeezed to 8 or 4 bits by bitsandbytes before they were published. Others are refused."""

import math
import re
from typing import Any, Final, Literal

Packed = Literal["8bit", "4bit"]
_STATE: Final = re.compile(r"\.(?:absmax|quant_map|nested_absmax|nested_quant_map|SCB|weight_format|quant_state\..+)$")


def packed_in(config: dict[str, Any]) -> Packed | None:
    """How a model described like this was squeezed; None for a whole one, and for ways that cannot be tuned."""
    how = config.get("quantization_config")
    if not isinstance(how, dict) or how.get("quant_method", "bitsandbytes") != "bitsandbytes":
        return None
    four, eight = (how.get(f"load_in_{bits}bit") or how.get(f"_load_in_{bits}bit") for bits in (4, 8))
    return "4bit" if four else "8bit" if eight else None


def weights_in(name: str, tensor: dict[str, Any]) -> int:
    """Number of weights a stored tensor stands for: 4-bit ones are stored two in a byte, scales are none."""
    if _STATE.search(name):
        return 0
    return math.prod(tensor["shape"]) * (2 if tensor["dtype"] == "U8" else 1)

"""The tensors of a GGUF file: what each is called there, which weight it comes from, and what is done to it.

A few rows are in memory at a time, whatever the size of the model.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
from gguf import GGMLQuantizationType, TensorNameMap, get_tensor_name_map, quant_shape_to_byte_shape
from gguf.constants import MODEL_ARCH, MODEL_TENSOR, MODEL_TENSORS, TENSOR_NAMES
from gguf.quants import quantize

from facet.errors import DataError
from facet.export.gguf_model import Model, refused
from facet.export.merge import Merged
from facet.gemma.refuse import printable

Type = GGMLQuantizationType

BLOCK: Final = 32  # numbers that Q8_0 rounds together; a row must be a whole number of blocks
LARGEST_F16: Final = 65_504.0
AT_A_TIME: Final = 4_000_000  # numbers
# A model with pictures is written without its eyes; old files keep a table that is computed anyway.
LEFT_OUT: Final = ("vision_tower.", "multi_modal_projector.")
COMPUTED: Final = "rotary_emb.inv_freq"
OPTIONAL: Final = {MODEL_TENSOR.OUTPUT, MODEL_TENSOR.ROPE_FREQS, MODEL_TENSOR.ATTN_ROT_EMBD, MODEL_TENSOR.FFN_GATE_INP}
OPTIONAL |= {MODEL_TENSOR.FFN_GATE_EXP, MODEL_TENSOR.FFN_DOWN_EXP, MODEL_TENSOR.FFN_UP_EXP}  # of mixtures of experts


@dataclass(frozen=True)
class Tensor:
    """One tensor of the file. To the writer it looks like an array: it has `nbytes` and `tofile`."""

    name: str
    source: str
    weights: Merged
    shape: tuple[int, ...]
    type: Type
    add: float = 0.0
    times: float = 1.0
    order: np.ndarray | None = None  # of its rows

    @property
    def nbytes(self) -> int:
        return math.prod(quant_shape_to_byte_shape(self.shape, self.type))

    def parts(self) -> Iterator[np.ndarray]:
        """Its rows in float32, some at a time."""
        step = max(1, AT_A_TIME // math.prod(self.shape[1:]))
        for start in range(0, self.shape[0], step):
            which = slice(start, start + step)
            rows = self.weights.rows(self.source, which if self.order is None else self.order[which])
            yield (rows + np.float32(self.add)) * np.float32(self.times)

    def tofile(self, file: IO[bytes]) -> None:
        for rows in self.parts():
            if self.type == Type.F16 and np.abs(rows).max() > LARGEST_F16:
                raise refused(f"“{printable(self.source)}” has numbers too large for 16 bits; f32 and bf16 have room.")
            file.write(np.ascontiguousarray(quantize(rows, self.type)).data)


def tensors_of(model: Model, weights: Merged, kind: Type) -> list[Tensor]:
    """Every tensor of the file.

    Raises: `SettingError` for a weight there is no place for, `DataError` when one is missing.
    """
    places = get_tensor_name_map(model.kind.arch, model.layers)
    found = [_tensor(model, weights, source, kind, places) for source in weights.stored if _belongs(source, model)]
    if missing := sorted(_expected(model) - {tensor.name for tensor in found}):
        raise DataError(
            "This model is not complete.",
            f"It lacks {len(missing)} of its weights, such as {missing[0]}.",
            "Download the model again.",
        )
    if weights.shape("embed_tokens.weight") != (model.vocab_size, model.number("hidden_size")):
        raise DataError(
            "This model's files do not belong together.",
            "Its embedding has another size than its config.json says.",
            "Download the model again.",
        )
    return found


def rope_factors(rope: dict[str, float], head_dim: int) -> np.ndarray:
    """What Llama 3 divides its rotary frequencies by, for texts longer than it was first trained on.

    Shapes: head_dim / 2.
    """
    waves = 2 * math.pi * rope["rope_theta"] ** (np.arange(0, head_dim, 2) / head_dim)  # tokens for a whole turn
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    share = (rope["original_max_position_embeddings"] / waves - low) / (high - low)  # 0: slow, 1: fast
    share = np.clip(share, 0, 1)
    return (1 / ((1 - share) / rope["factor"] + share)).astype(np.float32)


def _belongs(source: str, model: Model) -> bool:
    is_copy = model.tied and source == "lm_head.weight"
    return not is_copy and not source.startswith(LEFT_OUT) and not source.endswith(COMPUTED)


def _tensor(model: Model, weights: Merged, source: str, kind: Type, places: TensorNameMap) -> Tensor:
    whole = source if source.startswith("lm_head.") else f"model.{source}"
    name = places.get_name(whole, try_suffixes=(".weight", ".bias"))
    if name is None:
        raise refused(f"It has a weight we know no place for, “{printable(source)}”.")
    shape = weights.shape(source)
    if len(shape) == 1:
        kind = Type.F32
    elif kind == Type.Q8_0 and shape[-1] % BLOCK:
        kind = Type.F16
    is_norm = model.kind.shifted_norms and source.endswith("norm.weight")
    times = model.scale if model.kind.scaled and source.endswith(model.kind.scaled) else 1.0
    return Tensor(name, source, weights, shape, kind, float(is_norm), times, _order(model, source, shape))


def _order(model: Model, source: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """The order of rows that lays the two numbers a rotation turns beside each other."""
    if not model.kind.turned or (".self_attn.q_proj." not in source and ".self_attn.k_proj." not in source):
        return None
    if shape[0] % model.head_dim:
        raise refused(f"“{printable(source)}” is no whole number of attention heads.")
    rows = np.arange(shape[0]).reshape(-1, 2, model.head_dim // 2)
    return rows.swapaxes(1, 2).reshape(-1)


def _expected(model: Model) -> set[str]:
    names = {f"{TENSOR_NAMES[one]}.weight" for one in MODEL_TENSORS[model.kind.arch] if one not in OPTIONAL}
    if not model.tied:
        names.add("output.weight")
    if model.kind.arch is MODEL_ARCH.QWEN2:
        names |= {f"blk.{{bid}}.attn_{part}.bias" for part in "qkv"}
    return {name.format(bid=layer) for name in names for layer in range(model.layers)}

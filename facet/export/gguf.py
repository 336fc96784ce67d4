"""A model as one GGUF file, which llama.cpp and all built on it can run: its weights, an adapter merged in.

The container and its rounding are the `gguf` library's; ours is what goes where.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import numpy as np
from gguf import GGML_QUANT_VERSION, MODEL_ARCH_NAMES, GGUFWriter, LlamaFileType

from facet.errors import CapacityError, DataError, FacetError, full_disk
from facet.export import gguf_model, gguf_tokens
from facet.export.gguf_read import tensors_in
from facet.export.gguf_tensors import Tensor, Type, rope_factors, tensors_of
from facet.export.merge import merged
from facet.workspace import replacing

Precision = Literal["f32", "f16", "bf16", "q8_0"]

TYPES: Final[dict[str, tuple[Type, LlamaFileType]]] = {
    "f32": (Type.F32, LlamaFileType.ALL_F32),
    "f16": (Type.F16, LlamaFileType.MOSTLY_F16),
    "bf16": (Type.BF16, LlamaFileType.MOSTLY_BF16),
    "q8_0": (Type.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}


def can_write_gguf(base: Path, adapter: Path | None = None) -> str | None:
    """None when this model can be written, with this adapter in it; otherwise what stands in the way, in words."""
    try:
        model = gguf_model.read_model(base)
        tensors_of(model, merged(base, adapter, model.tied), Type.F32)
        gguf_tokens.read_tokens(base, model.vocab_size)
    except FacetError as error:
        return str(error)
    return None


def write_gguf(
    base: Path,
    adapter: Path | None,
    target: Path,
    precision: Precision,
    say: Callable[[float], None] = lambda share: None,
    name: str = "",
    licence: str = "",
) -> None:
    """Write a transformers folder, an adapter merged into it, as one GGUF file. Half a file never has that name.

    `say` hears which share of the weights is written, from 0 to 1. The file says `name` and `licence` of itself.
    Raises: `SettingError` for a model or adapter that cannot be written, `DataError` for a damaged one,
    `CapacityError` when the disk is full.
    """
    model = gguf_model.read_model(base)
    kind, file_type = TYPES[precision]
    tensors = tensors_of(model, merged(base, adapter, model.tied), kind)
    tokens = gguf_tokens.read_tokens(base, model.vocab_size)
    is_llama_3 = gguf_model.rope_kind(model.rope()) == "llama3"
    extra = {"rope_freqs.weight": rope_factors(model.rope(), model.head_dim)} if is_llama_3 else {}
    try:
        with replacing(target) as part:
            writer = GGUFWriter(part, MODEL_ARCH_NAMES[model.kind.arch])
            try:
                writer.add_name(name or base.name)
                if licence:
                    writer.add_license(licence)
                writer.add_file_type(file_type)
                writer.add_quantization_version(GGML_QUANT_VERSION)
                gguf_model.describe(model, writer)
                gguf_tokens.describe(tokens, writer)
                _write(writer, tensors, extra, say)
            finally:
                writer.close()
            _check(part, tensors, extra)
    except OSError as error:
        raise full_disk(error) or CapacityError(
            "The GGUF file could not be written.",
            f"{target.parent.name} does not let us: {type(error).__name__}.",
            "Choose another folder, or free some space, then try again.",
        ) from error


def _write(
    writer: GGUFWriter, tensors: list[Tensor], extra: dict[str, np.ndarray], say: Callable[[float], None]
) -> None:
    for tensor in tensors:
        writer.add_tensor_info(tensor.name, tensor.shape, np.dtype(np.float32), tensor.nbytes, tensor.type)
    for name, values in extra.items():
        writer.add_tensor_info(name, values.shape, values.dtype, values.nbytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    done, whole = 0, sum(tensor.nbytes for tensor in tensors)
    for tensor in [*tensors, *extra.values()]:
        writer.write_tensor_data(tensor)
        done += tensor.nbytes
        say(min(1.0, done / whole))


def _check(file: Path, tensors: list[Tensor], extra: dict[str, np.ndarray]) -> None:
    """Read the file as others will. Raises: `DataError` when it does not hold what it should."""
    expected = {tensor.name: (tensor.shape, tensor.type) for tensor in tensors}
    expected |= {name: (values.shape, Type.F32) for name, values in extra.items()}
    try:
        is_whole = tensors_in(file) == expected
    except ValueError:
        is_whole = False
    if not is_whole:
        raise DataError(
            "The GGUF file was not written as it should be.",
            "Reading it again gave other weights than those that went in.",
            "Try once more, on another disk if it happens again.",
        )

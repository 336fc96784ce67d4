"""Bring a base model and an adapter into memory. Safetensors only; code from a model's folder never runs."""

import contextlib
import ctypes
import gc
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil

from facet.errors import DataError
from facet.gemma.inspect import ModelFacts, inspect, read_config
from facet.gemma.packed import packed_in
from facet.model.text_only import text_only

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

DEVICE_WORDS = {"cpu": "the processor", "cuda": "the graphics card", "mps": "the graphics of an Apple chip"}
TOWERS = ("vision_tower", "audio_tower", "vision_model", "multi_modal_projector", "embed_vision", "embed_audio")
BF16_FROM_PARAMETERS = 1_500_000_000  # above this a CPU holds the base in bfloat16 to save half of the memory


@dataclass(frozen=True)
class Squeeze:
    """How bitsandbytes holds the weights of a base: by LLM.int8, or in 4 bits."""

    bits: Literal[4, 8]
    quant_type: str = "nf4"  # or "fp4"
    double: bool = True  # the scales of the 4-bit blocks are squeezed too


@dataclass(frozen=True)
class Execution:
    """How a task computes on this machine: decided once, at its first slice, and written down."""

    device: str  # "cpu", "cuda", "mps"
    dtype: str  # of the frozen base: "float32" or "bfloat16"; the adapter is always float32
    threads: int
    micro_batch: int  # examples per forward pass, after any halving
    versions: dict[str, str]
    loss: str = "stock"  # whose way of computing the error: "facet" or "stock"; "" until the first slice has compared
    fused: bool = False  # LoRA layers in one step (`facet/train/fused.py`)
    at_once: int = 0  # as decided for a processor; see `portion`

    @property
    def portion(self) -> int:
        """Most tokens in one pass through the model (`facet/train/portions.py`); 0: those of the whole group."""
        return self.at_once if self.device == "cpu" else 0

    @property
    def words(self) -> str:
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.device == "cpu" else ""
        return f"{DEVICE_WORDS[self.device].removeprefix('the ')}{threads}, {self.dtype}"


def decide(folder: Path, micro_batch: int) -> Execution:
    """Device, precision and threads for a model on this machine."""
    device = device_here()
    small = dtype_bytes(inspect(folder)) == 4
    dtype = "float32" if device != "cuda" and small else "bfloat16"
    return Execution(device, dtype, threads(), micro_batch, versions())


def device_here() -> str:
    """The best kind of device this process may use: "cuda", "mps" or "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def dtype_bytes(facts: ModelFacts) -> int:
    """Bytes of one base weight where there is no graphics card."""
    return 4 if facts.parameters <= BF16_FROM_PARAMETERS else 2


def threads() -> int:
    """Physical cores, less one for the page where there are few. `FACET_THREADS` overrides it."""
    wanted = os.environ.get("FACET_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, cores - 1)


def versions() -> dict[str, str]:
    from importlib.metadata import version

    import facet

    names = ("torch", "transformers", "trl", "peft", "tokenizers")
    return {"facet": facet.__version__} | {name: version(name) for name in names}


def give_memory_back() -> None:
    """Return freed memory to the system where it keeps it back otherwise: a large tokenizer leaves 300 MB."""
    gc.collect()
    trim_memory()


def trim_memory() -> None:
    """Return what is free already. It takes milliseconds, where looking for more takes tenths of a second."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def load_base(folder: Path, dtype: str, device: str, squeeze: Squeeze | None = None) -> "PreTrainedModel":
    """The base model, on the device, ready for inference; squeezed it computes in `dtype`.

    Raises: `FacetError` for folders that are not a model Facet can use.
    """
    inspect(folder)
    return _loaded(folder, dtype, device, squeeze)


def load_tuned(folder: Path, dtype: str, device: str) -> "PreTrainedModel":
    """A whole model that training left, or a save point of one, which has no tokenizer of its own.

    Raises: `DataError` when it is damaged.
    """
    read_config(folder / "config.json")
    return _loaded(folder, dtype, device)


def _loaded(folder: Path, dtype: str, device: str, squeeze: Squeeze | None = None) -> "PreTrainedModel":
    import torch
    from transformers import AutoModelForCausalLM

    numbers, config = getattr(torch, dtype), read_config(folder / "config.json")
    packed = packed_in(config)  # it stays as it is: its own configuration says how it was squeezed
    how = text_only(config) | ({"device_map": {"": device}} if squeeze or packed else {})
    if squeeze and not packed:
        how["quantization_config"] = _squeezing(squeeze, numbers)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=numbers, local_files_only=True, use_safetensors=True, trust_remote_code=False, **how
    )
    _refuse_broken(model)
    if device == "cpu" and dtype == "bfloat16":
        from facet.model.bf16 import is_slow, widen_products

        if is_slow():
            widen_products(model)
    return model.eval() if squeeze or packed else model.to(device).eval()


def _squeezing(squeeze: Squeeze, numbers: "torch.dtype") -> Any:
    """The output layer and the towers beside the language model stay as they are."""
    from transformers import BitsAndBytesConfig

    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it says at every step that numbers are rounded
    whole = {"llm_int8_skip_modules": ["lm_head", *TOWERS, *(f"model.{tower}" for tower in TOWERS)]}
    if squeeze.bits == 8:
        return BitsAndBytesConfig(load_in_8bit=True, **whole)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=squeeze.quant_type,
        bnb_4bit_use_double_quant=squeeze.double,
        bnb_4bit_compute_dtype=numbers,
        **whole,
    )


def _refuse_broken(model: "torch.nn.Module") -> None:
    """Weights that are not numbers would only show later, as a chart of nothing."""
    import torch

    for name, weight in model.named_parameters():
        if "norm" in name and not torch.isfinite(weight).all():
            raise DataError(
                "This starting model is damaged.",
                "Some of its weights are not numbers.",
                "Download it again or choose another starting model.",
            )


def with_adapter(model: Any, adapter: Path) -> Any:
    """The same base with a LoRA adapter beside it; `disable_adapter()` gives the untouched model back."""
    from peft import PeftModel

    if not (adapter / "adapter_model.safetensors").is_file():
        raise DataError(
            "This run has no finished model.",
            "Its adapter file is missing.",
            "Press “Resume” on the Runs tab and let it finish, then try again.",
        )
    return PeftModel.from_pretrained(model, adapter, local_files_only=True).eval()

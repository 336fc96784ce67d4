"""Bring a base model and an adapter into memory. Safetensors only; code from a model's folder never runs."""

import contextlib
import ctypes
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from facet.errors import DataError
from facet.gemma.inspect import ModelFacts, inspect

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

DEVICE_WORDS = {"cpu": "the processor", "cuda": "the graphics card", "mps": "the graphics of an Apple chip"}
BF16_FROM_PARAMETERS = 1_500_000_000  # above this a CPU holds the base in bfloat16 to save half of the memory


@dataclass(frozen=True)
class Execution:
    """How a task computes on this machine: decided once, at its first slice, and written down."""

    device: str  # "cpu", "cuda", "mps"
    dtype: str  # of the frozen base: "float32" or "bfloat16"; the adapter is always float32
    threads: int
    micro_batch: int  # examples per forward pass, after any halving
    versions: dict[str, str]

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
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
            ctypes.CDLL(None).malloc_trim(0)


def load_base(folder: Path, dtype: str, device: str) -> "PreTrainedModel":
    """The base model, on the device, ready for inference.

    Raises: `FacetError` for folders that are not a model Facet can use.
    """
    import torch
    from transformers import AutoModelForCausalLM

    inspect(folder)
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, dtype), local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    _refuse_broken(model)
    return model.to(device).eval()


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

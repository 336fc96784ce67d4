"""What every slice of training needs before it knows its run: libraries that take ten seconds to load."""

import contextlib
import functools
import gc
import importlib
import os
from typing import Final

LIBRARIES: Final = (
    "torch",
    "torch._dynamo",  # the first optimizer asks for it
    "datasets",
    "transformers.models.gemma3.modeling_gemma3",
    "peft.tuners.lora",
    "trl.trainer.sft_trainer",
    "safetensors.torch",
    "facet.train.slice",
    "facet.train.watch",
)


@functools.cache
def load() -> None:
    """Once in a process. Hardly anything of it is garbage: to look for some on the way takes a second of the seven."""
    gc.disable()
    try:
        _load()
    finally:
        gc.enable()


def _load() -> None:
    # Nothing here is compiled, and a compiler is not everybody's: bitsandbytes else loads torch's, a second's work.
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    for name in LIBRARIES:
        importlib.import_module(name)
    with contextlib.suppress(Exception):  # a table that transformers makes for the first model it loads
        importlib.import_module("transformers.conversion_mapping").get_checkpoint_conversion_mapping("gemma3_text")
    gc.collect()
    gc.freeze()  # these objects stay: to look through them all took half a second, twice before the first step

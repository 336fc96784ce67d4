"""Makes the real `spaces` client run where there is no NVIDIA card: call `install()` before anything imports it.

Two things at the edge of the world are replaced, in this process and what it forks:

- `spaces.zero.torch`, which pretends to a CPU process that CUDA is there and moves tensors to the card after the fork.
  It needs a torch built with CUDA. Here tensors stay where they are.
- what the driver says in `/proc/driver/nvidia` about the card. From it the client's own table has the factor.

Everything else is the real client: decorator, fork, queues, requests, messages.
"""

import os
import sys
from collections.abc import Callable
from types import ModuleType


def install() -> None:
    """Gradio imports `spaces` by itself, so this comes before Gradio too. Imports both."""
    if "spaces" in sys.modules:
        raise RuntimeError("spaces is imported already")
    sys.modules["spaces.zero.torch"] = _no_cuda()
    import spaces.zero.config

    spaces.zero.config._read_gpu_information = lambda: f"Model: \t\t {os.environ['STAND_IN_CARD']}\n"


def _no_cuda() -> ModuleType:
    stub = ModuleType("spaces.zero.torch")
    does: dict[str, Callable[..., object]] = {
        "patch": lambda: None,
        "unpatch": lambda: None,
        "pack": lambda: 0,
        "init": lambda nvidia_uuid: None,
        "size": lambda: 0,
        "move": lambda callback=None: None,
        "is_in_bad_fork": lambda: False,
        "enter_mode": lambda: None,
    }
    vars(stub).update(does)
    return stub

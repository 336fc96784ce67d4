"""How much memory this process holds, for the curve; asked after every step, so it has to be cheap."""

import os
from typing import Any

import psutil

GB = 1e9


def memory_gb() -> float:
    """The most that was ever held on the card where there is one, else what this process holds now."""
    cuda = _cuda()
    if cuda is not None:
        return round(cuda.max_memory_allocated() / GB, 3)
    return round(psutil.Process(os.getpid()).memory_info().rss / GB, 3)


def _cuda() -> Any:
    import torch

    return torch.cuda if torch.cuda.is_available() and torch.cuda.is_initialized() else None

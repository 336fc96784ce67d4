"""What a worker has used so far of this machine: to be compared with what was forecast."""

import sys
import time

import psutil

from facet.work.log import Progress


def peak_gb() -> float:
    """The most memory this process had at once, in GB: of the graphics card where it works on one."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.max_memory_reserved() / 1e9
    try:
        import resource  # not on Windows
    except ImportError:
        return psutil.Process().memory_info().rss / 1e9
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e9 if sys.platform == "darwin" else most * 1024 / 1e9


def spent(done: Progress) -> dict[str, float]:
    """For the outputs of a run. A last slice that only finishes never holds the model: what the curve says counts too.

    `processor_seconds` are known only where this process did all of it.
    """
    curve = [value for _, value in done.curves.get("memory_gb", ())]
    outputs = {"memory_gb": round(max([peak_gb(), *curve]), 3)}
    alone = time.time() - psutil.Process().create_time() > 0.9 * done.working_seconds
    return outputs | ({"processor_seconds": round(time.process_time(), 1)} if alone else {})

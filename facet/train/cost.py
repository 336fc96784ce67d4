"""What a worker has used so far of this machine: to be compared with what was forecast."""

import sys
import time

import psutil


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


def spent() -> dict[str, float]:
    """For the outputs of a run. `processor_seconds` are those of its last slice."""
    return {"memory_gb": round(peak_gb(), 3), "processor_seconds": round(time.process_time(), 1)}

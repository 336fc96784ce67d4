"""What this machine computes with, found without torch: the page's process must know it too.

The worker decides for itself what torch can use; both agree unless a driver is broken, which the worker then says.
"""

import functools
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

Kind = Literal["cpu", "cuda", "mps"]
ASK_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Card:
    """A graphics card. Memory in GB (10^9 bytes)."""

    name: str
    memory_gb: float
    free_gb: float


def kind() -> Kind:
    """The best kind of device here, for the torch that is installed."""
    if cards():
        return "cuda"
    return "mps" if _is_apple_silicon() else "cpu"


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards torch may use, as their driver's own tool lists them; none for a torch built without CUDA."""
    if not _has_cuda(_torch_build()) or os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return ()
    return _listed(int(time.monotonic() / ASK_EVERY_SECONDS))


@functools.lru_cache(maxsize=1)
def has_fast_bfloat16() -> bool:
    """Does this processor multiply in bfloat16 itself? As far as the system tells."""
    try:
        told = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in told or "amx_bf16" in told


def _is_apple_silicon() -> bool:
    """torch reaches Apple's graphics through Metal, on their own chips only."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def _has_cuda(build: str) -> bool:
    """PyPI's wheels say nothing of their build: on Linux they come with CUDA, elsewhere without."""
    return build.startswith("cu") if build else platform.system() == "Linux"


@functools.lru_cache(maxsize=1)
def _torch_build() -> str:
    """ "cpu", "cu130", … from the version of the installed wheel; empty where it does not say."""
    try:
        return metadata.version("torch").partition("+")[2]
    except metadata.PackageNotFoundError:
        return ""


@functools.lru_cache(maxsize=1)
def _listed(moment: int) -> tuple[Card, ...]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    wish = ["--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run([tool, *wish], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):  # a tool without a driver behind it
        return ()
    return read_cards(told, os.environ.get("CUDA_VISIBLE_DEVICES"))


def read_cards(told: str, visible: str | None) -> tuple[Card, ...]:
    """Cards out of the tool's lines `index, name, MiB in all, MiB free`, in the order torch numbers them."""
    found = {}
    for line in told.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 4 and parts[2].isdigit() and parts[3].isdigit():
            found[parts[0]] = Card(parts[1], int(parts[2]) * 2**20 / 1e9, int(parts[3]) * 2**20 / 1e9)
    if visible is None or not all(part.strip().isdigit() for part in visible.split(",")):
        return tuple(found.values())
    return tuple(found[part.strip()] for part in visible.split(",") if part.strip() in found)

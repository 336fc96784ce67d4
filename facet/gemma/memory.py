"""How much memory a model needs to speak and to be tuned, in GB (10^9 bytes), and how much is free.

    speaking = libraries + weights + the conversation so far (keys and values of every layer)
    tuning   = libraries + weights + adapter + activations + scores

- adapter: 16 bytes per LoRA weight (itself, its gradient and AdamW's two averages, 4 bytes each)
- activations: what the backward pass needs of every token. With gradient checkpointing one vector per layer
  (B, T, D) and the inside of a single layer; without it the inside of all layers.
- scores: the output layer rates all V word pieces for up to 4,096 tokens at a time, in 4 bytes, with working copies.

Calibrated on a Gemma 3 270M in 4-byte weights, batch 4, LoRA rank 16, TRL 1.16 on a CPU: 3.0 GB measured at 256 tokens
and 4.7 at 512 with checkpointing, 3.9 and 6.1 without (estimates 3.2, 4.7, 4.1 and 6.5).
An estimate, not a promise: it is meant to be a little high.
"""

import contextlib
from pathlib import Path
from typing import Final

import psutil

from facet.gemma.inspect import ModelFacts

LIBRARIES_GB: Final = 0.6  # Python, torch, transformers, TRL
BYTES_PER_TRAINABLE: Final = 16
SCORE_COPIES: Final = 1.3  # of the (tokens, V) scores in 4 bytes
SCORED_AT_ONCE: Final = 4096  # tokens; TRL's tile
INSIDE_A_LAYER: Final = 20  # bytes kept per token and layer, for each number of D + feed-forward width


def inference_gb(facts: ModelFacts, *, dtype_bytes: int = 2, context: int = 2048) -> float:
    """Memory to chat with a model, its conversation up to `context` tokens long."""
    weights = facts.parameters * dtype_bytes
    keys_and_values = 2 * facts.layers * facts.hidden_size * context * dtype_bytes  # at most: heads are often shared
    return LIBRARIES_GB + (weights + keys_and_values) / 1e9


def training_gb(
    facts: ModelFacts,
    *,
    dtype_bytes: int = 4,
    lora_rank: int,
    batch: int,
    length: int,
    gradient_checkpointing: bool = False,
    scored_at_once: int = SCORED_AT_ONCE,
) -> float:
    """Memory to tune a LoRA adapter on `batch` examples of `length` tokens at once.

    `scored_at_once` is how many tokens the loss rates together: fewer with a loss that works in smaller tiles.
    """
    tokens = batch * length
    weights = facts.parameters * dtype_bytes
    adapter = facts.trainable(lora_rank) * BYTES_PER_TRAINABLE
    scores = min(tokens, scored_at_once) * facts.vocab_size * 4 * SCORE_COPIES
    activations = _activations(facts, tokens, gradient_checkpointing)
    return LIBRARIES_GB + (weights + adapter + scores + activations) / 1e9


def _activations(facts: ModelFacts, tokens: int, gradient_checkpointing: bool) -> float:
    """Bytes kept between the forward and the backward pass."""
    inside = INSIDE_A_LAYER * (facts.hidden_size + facts.intermediate_size) * tokens
    if not gradient_checkpointing:
        return inside * facts.layers
    return 4 * facts.layers * facts.hidden_size * tokens + inside


def free_memory_gb() -> float:
    """Memory this process can still have: what the machine has free, within the limit of its container."""
    free = psutil.virtual_memory().available
    return max(0.0, min([free, *_container_allowances()])) / 1e9


def _container_allowances(
    root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> list[int]:
    """Bytes left under each limit that this process's control groups set (Linux; elsewhere there are none)."""
    folders = [root / "memory", root]  # version 1, and version 2 seen from inside a container
    with contextlib.suppress(OSError, StopIteration):
        own = next(line[3:] for line in membership.read_text().splitlines() if line.startswith("0::"))
        inner = root / own.strip("/")
        folders += [folder for folder in (inner, *inner.parents) if folder.is_relative_to(root)]
    return [left for folder in set(folders) if (left := _left_in(folder)) is not None]


def _left_in(folder: Path) -> int | None:
    for limit_name, usage_name, cache_name in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            limit = int((folder / limit_name).read_text())
            usage = int((folder / usage_name).read_text())
            statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        return limit - usage + int(statistics.get(cache_name, 0))
    return None

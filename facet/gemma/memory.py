"""How much memory a model needs to speak and to be tuned, in GB (10^9 bytes), and how much is free.

    speaking = libraries + weights + the conversation so far (keys and values of every layer)
    tuning   = libraries + weights + what learns + activations + scores

- what learns: 16 bytes for each trained weight (itself, its gradient and AdamW's two averages, 4 bytes each); where
  all weights of a model learn, none lie frozen.
- activations: what the backward pass needs of every token. With gradient checkpointing one vector per layer
  (B, T, D) and the inside of a single layer; without it the inside of all layers.
- scores: the output layer rates all V word pieces, for a tile of tokens at a time. Facet's own loss rates 256 trained
  tokens at a time in the precision of the frozen model; TRL's rates 4,096 tokens, prompts too, in 4 bytes.

The constants were fitted to peaks measured on a processor; `python -m tests.benchmarks.plan` measures them again.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from facet.gemma.inspect import ModelFacts

LIBRARIES_GB: Final = 0.6  # Python, torch, transformers, TRL
CARD_OVERHEAD_GB: Final = 0.6  # what CUDA itself and its libraries take of a card
BYTES_PER_TRAINABLE: Final = 8  # the weight and its gradient
REMEMBERED: Final[dict[str, int]] = {
    "adamw_8bit": 2,
    "lion_32bit": 4,
    "adafactor": 1,
    "rmsprop": 4,
    "adagrad": 4,
    "sgd": 4,
}  # bytes an optimizer keeps for each weight; AdamW 8
BYTES: Final[dict[str, float]] = {"float32": 4, "bfloat16": 2, "8bit": 1.02, "4bit": 0.52}  # of a frozen weight
STOCK_TILE: Final = 4096  # tokens that TRL's loss rates at once
STOCK_COPIES: Final = 1.3  # of their (tokens, V) scores in 4 bytes
TILE: Final = 256  # trained tokens that Facet's loss rates at once
TILE_COPIES: Final = 1.0  # the scores, which become probabilities in the same buffer
BYTES_PER_PIECE: Final = 1_700  # of the vocabulary: scores for the comparison before the first step, and copies
SPELLED_PIECE: Final = 2_000  # of the tokenizer that turns the answers on the way into text
WIDTHS_KEPT: Final = 13.0  # numbers kept per token and layer for each of the D numbers of its width
FEED_FORWARD_KEPT: Final = 3.0  # and for each of its feed-forward width
NOT_FUSED: Final = 2.0  # times as many where adapters are not computed in one step (`facet/train/fused.py`)
AGAIN: Final = 2.0  # insides of a layer there are at once with checkpointing
PER_RANK: Final = 14  # numbers kept per token, layer and unit of rank: two for each of seven adapted projections
DORA: Final = 3.2  # times as many activations: every adapted layer's own output is kept, too

Precision = Literal["float32", "bfloat16", "8bit", "4bit"]


@dataclass(frozen=True)
class Training:
    """What the memory of a training depends on, beside the model."""

    batch: float  # examples at once; not a whole number where they go in portions of so many tokens
    length: int  # tokens of the longest of them
    learned: int | None = None  # trained tokens of such a batch; None: all
    tuning: Literal["lora", "full"] = "lora"
    precision: Precision = "float32"  # of the frozen model
    rank: int = 16
    trainable: int | None = None  # weights that learn; None: an adapter of this rank on all linear layers
    optimizer: str = "adamw_torch_fused"
    dora: bool = False
    gradient_checkpointing: bool = False
    stock_loss: bool = False
    device: str = "cpu"
    dropout: bool = False
    answers: bool = True  # does it answer prompts on the way?

    @property
    def is_fused(self) -> bool:
        """Are the adapters computed in one step? Of a model that learns as a whole there are none."""
        plain = self.precision in ("float32", "bfloat16") and not (self.dora or self.dropout or self.stock_loss)
        return self.tuning == "full" or plain


@dataclass(frozen=True)
class Needs:
    """Memory of a training by what it is for, in GB."""

    libraries: float  # and what the vocabulary takes beside its scores
    weights: float  # frozen
    learning: float  # weights that learn, their gradients, and what the optimizer remembers of them
    activations: float
    scores: float

    @property
    def gb(self) -> float:
        return self.libraries + self.weights + self.learning + self.activations + self.scores


def inference_gb(facts: ModelFacts, *, dtype_bytes: int = 2, context: int = 2048) -> float:
    """Memory to chat with a model, its conversation up to `context` tokens long."""
    weights = _frozen(facts, facts.packed, dtype_bytes) if facts.packed else facts.parameters * dtype_bytes
    keys_and_values = 2 * facts.layers * facts.hidden_size * context * dtype_bytes  # at most: heads are often shared
    return LIBRARIES_GB + (weights + keys_and_values) / 1e9


def training_needs(facts: ModelFacts, how: Training) -> Needs:
    """Memory to tune a model, where it is largest: while the longest examples are worked on."""
    full = how.tuning == "full"
    return Needs(
        libraries=CARD_OVERHEAD_GB if how.device == "cuda" else _libraries(facts, how.answers),
        weights=0.0 if full else _frozen(facts, how.precision) / 1e9,
        learning=_learning(facts, how) / 1e9,
        activations=_activations(facts, how) / 1e9,
        scores=_scores(facts, how) / 1e9,
    )


def training_gb(facts: ModelFacts, how: Training) -> float:
    return training_needs(facts, how).gb


def _libraries(facts: ModelFacts, answers: bool) -> float:
    return LIBRARIES_GB + facts.vocab_size * (BYTES_PER_PIECE + (SPELLED_PIECE if answers else 0)) / 1e9


def _learning(facts: ModelFacts, how: Training) -> float:
    """Bytes of the weights that learn, of their gradients, and of what the optimizer remembers."""
    adapter = facts.trainable(how.rank) if how.trainable is None else how.trainable
    weights = facts.parameters if how.tuning == "full" else adapter
    return weights * (BYTES_PER_TRAINABLE + REMEMBERED.get(how.optimizer, 8))


def _frozen(facts: ModelFacts, precision: Precision, embedded: int = 2) -> float:
    """Bytes of the frozen weights. Fewer bits apply to linear layers alone: embeddings stay in `embedded` bytes."""
    if precision in ("float32", "bfloat16"):
        return facts.parameters * BYTES[precision]
    embeddings = min(facts.parameters, facts.vocab_size * facts.hidden_size)
    return embeddings * embedded + (facts.parameters - embeddings) * BYTES[precision]


def _activations(facts: ModelFacts, how: Training) -> float:
    """Bytes kept between the forward and the backward pass."""
    size = 4 if how.precision == "float32" or how.tuning == "full" else 2
    tokens = how.batch * how.length
    inside = WIDTHS_KEPT * facts.hidden_size + FEED_FORWARD_KEPT * facts.intermediate_size
    inside *= DORA if how.dora else NOT_FUSED if not how.is_fused else 1
    inside += PER_RANK * how.rank if how.tuning == "lora" else 0
    if how.gradient_checkpointing:
        return size * tokens * (facts.layers * facts.hidden_size + AGAIN * inside)
    return size * tokens * inside * facts.layers


def _scores(facts: ModelFacts, how: Training) -> float:
    """Bytes of the rated word pieces of one tile."""
    size = 4 if how.precision == "float32" or how.tuning == "full" else 2
    every = how.batch * how.length
    if how.stock_loss or how.tuning == "full" or how.device == "cuda":
        return min(every, STOCK_TILE) * facts.vocab_size * 4 * STOCK_COPIES
    return min(every if how.learned is None else how.learned, TILE) * facts.vocab_size * size * TILE_COPIES


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

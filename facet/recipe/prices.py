"""Machines that Hugging Face rents by the minute: memory, a rough speed, and dollars an hour."""

from dataclasses import dataclass
from typing import Final

AS_OF: Final = "August 2026"  # https://huggingface.co/docs/hub/jobs-pricing


@dataclass(frozen=True)
class Rented:
    """`gflops` is what training reaches there, by rule of thumb: about a third of the card's peak in bfloat16."""

    flavor: str
    words: str
    memory_gb: float
    gflops: float
    usd_per_hour: float


RENTED: Final[tuple[Rented, ...]] = (
    Rented("t4-small", "NVIDIA T4", 16.0, 15_000, 0.40),
    Rented("l4x1", "NVIDIA L4", 24.0, 40_000, 0.80),
    Rented("a10g-small", "NVIDIA A10G", 24.0, 40_000, 1.00),
    Rented("l40sx1", "NVIDIA L40S", 48.0, 110_000, 1.80),
    Rented("a100-large", "NVIDIA A100", 80.0, 110_000, 2.50),
    Rented("rtx-pro-6000", "RTX Pro 6000", 96.0, 150_000, 2.75),
    Rented("h200", "NVIDIA H200", 141.0, 300_000, 5.00),
)

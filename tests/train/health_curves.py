"""Curves as runs of many kinds would draw them, with noise and a seed: what the health sentence is held to."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

Points = list[tuple[int, float]]


@dataclass(frozen=True)
class Case:
    name: str
    kind: str  # how it goes, as a person who knows would say
    curves: dict[str, Points]
    total_steps: int
    over: bool = False


def drawn(
    name: str,
    kind: str,
    steps: int,
    total: int,
    level: Callable[[float], float],
    seen: Callable[[float], float] | None = None,
    noise: float = 0.05,
    norm: Callable[[float], float] = lambda share: 1.0,
    spikes: tuple[int, ...] = (),
    over: bool = False,
    looks: int = 8,
) -> Case:
    """`level` and `seen` give training and validation loss at a share of the run; noise is a share of the loss."""
    chance = random.Random(name)
    loss = [
        (step, level(step / total) * (1 + chance.gauss(0, noise)) * (4.0 if step in spikes else 1.0))
        for step in range(1, steps + 1)
    ]
    norms = [(step, norm(step / total) * math.exp(chance.gauss(0, 0.3))) for step in range(1, steps + 1)]
    curves: dict[str, Points] = {"loss": loss, "grad_norm": norms}
    if seen:
        at = sorted({0, *(round(total * n / looks) for n in range(1, looks + 1))})
        curves["validation_loss"] = [
            (step, seen(step / total) * (1 + chance.gauss(0, noise / 10))) for step in at if step <= steps
        ]
    return Case(name, kind, curves, total, over)


def falls(start: float, end: float, speed: float = 5.0) -> Callable[[float], float]:
    return lambda share: end + (start - end) * math.exp(-speed * share)


def turns(start: float, low: float, at: float, rise: float) -> Callable[[float], float]:
    """Falls until a share of the run, then rises by so much until its end."""
    return lambda share: (
        low + (start - low) * math.exp(-5 * share / at)
        if share < at
        else low + (start - low) * math.exp(-5) + rise * (share - at) / (1 - at)
    )


def cases() -> list[Case]:
    still, slow = (lambda share: 2.5), falls(2.5, 2.47)
    return [
        drawn("one step", "begun", 1, 200, falls(3, 1), falls(3, 1.2)),
        drawn("five noisy steps", "begun", 5, 200, falls(3, 1), falls(3, 1.2), noise=0.2),
        drawn("warming up", "begun", 12, 400, still, still),
        drawn("warming up, no validation", "begun", 20, 300, still),
        drawn("seven of many", "begun", 7, 5000, falls(4, 1), noise=0.1),
        drawn("half way", "learning", 100, 200, falls(3, 1), falls(3, 1.2)),
        drawn("half way, noisy", "learning", 150, 300, falls(3, 1.5), falls(3, 1.6), noise=0.2),
        drawn("no validation", "learning", 80, 200, falls(3, 1)),
        drawn("slow and steady", "learning", 200, 400, falls(2.5, 1.8, 2), falls(2.5, 1.9, 2)),
        drawn("fast style", "learning", 30, 60, falls(4.5, 0.1, 8), falls(4.5, 0.12, 8)),
        drawn("levelled off", "learning", 180, 200, falls(3, 1, 20), falls(3, 1.2, 20)),
        drawn("one outlier", "learning", 150, 200, falls(3, 1), falls(3, 1.2), spikes=(120,)),
        drawn("tiny rise at one look", "learning", 150, 200, falls(3, 1), turns(3, 1.2, 0.65, 0.02)),
        drawn("nothing moves", "flat", 200, 200, still, still, over=True),
        drawn("nothing moves, half way", "flat", 100, 200, still, still),
        drawn("next to nothing", "flat", 300, 300, slow, slow, over=True),
        drawn("nothing moves, noisy", "flat", 200, 200, still, noise=0.15, over=True),
        drawn("too slow, no validation", "flat", 120, 200, slow),
        drawn("only training", "memorising", 200, 200, falls(3, 0.1), turns(3, 1.2, 0.3, 0.8), over=True),
        drawn("by heart, half way", "memorising", 130, 200, falls(3, 0.2), turns(3, 1.3, 0.25, 0.9)),
        drawn("by heart, noisy", "memorising", 300, 300, falls(3, 0.3), turns(3, 1.4, 0.3, 0.6), noise=0.2, over=True),
        drawn("by heart, slowly", "memorising", 400, 400, falls(2, 0.7, 2), turns(2, 1.4, 0.4, 0.2), over=True),
        drawn(
            "by heart, steeply", "memorising", 60, 60, falls(4, 0.02, 8), turns(4, 1.0, 0.2, 2.5), looks=4, over=True
        ),
        drawn("getting worse", "unstable", 100, 200, lambda share: 2.5 + 6 * share),
        drawn("exploded and stayed", "unstable", 150, 200, lambda share: 2.0 if share < 0.3 else 7.5, noise=0.05),
        drawn("spikes", "unstable", 180, 200, falls(3, 1.5), falls(3, 1.6), spikes=(110, 125, 140, 155, 170)),
        drawn("no number", "unstable", 50, 200, lambda share: 2.0 if share < 0.24 else math.nan),
        drawn("growing push", "unstable", 150, 200, falls(2.5, 2.2), norm=lambda share: math.exp(7 * share)),
        drawn("worse, noisy", "unstable", 200, 200, lambda share: 2.0 + 2.5 * share, noise=0.15, over=True),
        drawn("a style", "finished", 60, 60, falls(4.5, 0.1, 8), falls(4.5, 0.12, 8), over=True),
        drawn("a long run", "finished", 2000, 2000, falls(3, 1), falls(3, 1.1), over=True),
        drawn("noisy to the end", "finished", 200, 200, falls(3, 1.5), falls(3, 1.6), noise=0.25, over=True),
        drawn("without validation", "finished", 120, 120, falls(3, 1.2), over=True),
        drawn("ends a little above its best", "finished", 200, 200, falls(3, 1), turns(3, 1.2, 0.8, 0.01), over=True),
        drawn("few steps", "finished", 12, 12, falls(4, 0.5, 4), falls(4, 0.6, 4), looks=3, over=True),
    ]

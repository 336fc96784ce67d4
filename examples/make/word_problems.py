"""Writes `word_problems.jsonl`: small sums from daily life, worked step by step, the result on a last line.

Everything follows from one seed: `python -m examples.make.word_problems` writes the same file again.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

from examples.make import sums
from examples.make.sums import Chance, Problem

FILE = Path(__file__).parents[1] / "word_problems.jsonl"
SEED = 20260917
EACH = 6  # problems of one kind
KINDS = (
    sums.shopping, sums.change, sums.train, sums.seats, sums.buses, sums.recipe, sums.ages, sums.garden, sums.tiles,
    sums.pages, sums.sale, sums.sharing, sums.water, sums.wages, sums.mean, sums.speed, sums.fraction, sums.savings,
    sums.chairs,
)  # fmt: skip


def rows() -> list[dict[str, str]]:
    """All problems in the order of the file. Two of one kind are told about different things as far as possible."""
    chance = random.Random(SEED)
    made = [row(*problem) for kind in KINDS for problem in several(kind, chance)]
    chance.shuffle(made)
    return made


def several(kind: Callable[[Chance], Problem], chance: Chance) -> list[Problem]:
    """Out of many, those that share the fewest words with the ones already taken."""
    found = [kind(chance)]
    while len(found) < EACH:
        found.append(min((kind(chance) for _ in range(40)), key=lambda new: max(alike(new, old) for old in found)))
    return found


def alike(one: Problem, other: Problem) -> float:
    """Share of the words of both that are in both: 1 for the same problem."""
    mine, theirs = set(one[0].split()), set(other[0].split())
    return len(mine & theirs) / len(mine | theirs)


def row(problem: str, steps: list[str], result: int) -> dict[str, str]:
    return {"problem": problem, "solution": "\n".join([*steps, f"Answer: {result}"]), "final_answer": str(result)}


def text() -> str:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows())


if __name__ == "__main__":
    FILE.write_text(text(), "utf-8", newline="\n")

"""Examples with nothing wrong, as many as wanted."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from facet.dataset.prepare import prepare

TOWNS = ("Lima,Oslo,Quito,Riga,Sofia,Tunis,Bern,Cairo,Delhi,Hanoi,Kyiv,Lagos,Malmö,Nice,Porto,Turin,Ulm,Vigo").split(
    ","
)
THINGS = ("a bicycle,a teapot,an umbrella,a violin,a lantern,a compass,a ladder,a hammock,a kite,a suitcase").split(",")
QUALITIES = ("sturdy,cheap,elegant,light,old-fashioned,quiet,waterproof,easy to repair,colourful,small").split(",")
OPENINGS = ("I would look for,Most people choose,A good choice is,My advice is to take,You will be happy with").split(
    ","
)
REASONS = (
    "it lasts for years,it is simple to carry,the shops there sell good ones,nobody regrets it,"
    "it needs little care,the weather is often rough,spare parts are easy to find,"
    "it makes a fine present,you can lend it to friends"
).split(",")
ENDS = (
    "Take your time.,Ask for a receipt.,Compare two shops first.,Try it before you pay.,The market is best early."
).split(",")


def rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Different questions with answers of a few sentences."""
    rng = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < count:
        a, b = rng.sample(QUALITIES, 2)
        thing, town, number = rng.choice(THINGS), rng.choice(TOWNS), rng.randint(5, 900)
        question = f"In {town} I want to buy {thing} that is {a} and {b}, for {number} coins. What do you suggest?"
        first, second = rng.sample(REASONS, 2)
        answer = f"{rng.choice(OPENINGS)} {thing} made in {town}, because {first} and {second}. {rng.choice(ENDS)}"
        made.setdefault(question, f"{answer} For {number} coins you will find one that is {a}.")
    return [{"question": question, "answer": answer} for question, answer in made.items()]


def write(rows: list[dict[str, Any]], file: Path) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def made(rows: list[dict[str, Any]], folder: Path, mapping: dict[str, Any] | None = None, **options: Any) -> Path:
    """A prepared dataset of these rows."""
    folder.mkdir(parents=True)
    file = write(rows, folder.with_suffix(".jsonl"))
    prepare(str(file), file.name, None, mapping, str(folder), "Test", **options)
    return folder


@pytest.fixture
def clean_folder(tmp_path: Path) -> Path:
    return made(rows(300), tmp_path / "clean")

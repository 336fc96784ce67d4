"""How alike answer and expected answer are in meaning, and how far a tuned model is from its untouched one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facet.exam.outcome import Answer
from facet.workspace import read_json, write_json


def similarity_file(folder: Path, part: str, key: str) -> Path:
    return folder / "similar" / f"{part}.{key}.json"


def similarities(
    model: Any, renderer: Any, given: Mapping[int, Answer], expected: Mapping[int, str]
) -> dict[str, float]:
    """Cosine by row, for the rows that have both texts. An empty answer is like nothing."""
    from facet.model.embed import embeddings

    rows = [row for row in sorted(expected) if row in given and given[row].text.strip() and expected[row].strip()]
    if not rows:
        return {}
    answers = embeddings(model, renderer, [given[row].text for row in rows])  # (n, d)
    right = embeddings(model, renderer, [expected[row] for row in rows])
    return {str(row): float(one) for row, one in zip(rows, (answers * right).sum(1), strict=True)}


def read_similarities(folder: Path, part: str, key: str) -> dict[int, float]:
    try:
        return {int(row): one for row, one in read_json(similarity_file(folder, part, key)).items()}
    except (OSError, ValueError):
        return {}


def distances(folder: Path) -> dict[str, float]:
    """Nats per token between each tuned contestant and its untouched model, by key."""
    try:
        return read_json(folder / "kl.json")
    except (OSError, ValueError):
        return {}


def write_distances(folder: Path, found: Mapping[str, float]) -> None:
    write_json(folder / "kl.json", dict(found))

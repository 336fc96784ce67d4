"""Which prompts are answered on the way: the person's own, or two of the validation part."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from facet.dataset.conversation import Example
from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.model.tokens import batches
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.work.task import Task

MOST_PROMPTS: Final = 5
MOST_CHARACTERS: Final = 1_000  # of a prompt
MOST_TOKENS: Final = 768  # of what is read before the answer
FROM_VALIDATION: Final = 2
BEGINNING: Final = 8  # words of a text that is to be continued


@dataclass(frozen=True)
class Asked:
    shown: str  # what a person reads
    ids: list[int]  # what the model reads


def own_prompts(request: dict[str, Any]) -> list[str]:
    """The person's own, cleaned: no empty ones, none twice, at most five."""
    given = request.get("samples") or []
    cleaned = [str(each).strip()[:MOST_CHARACTERS] for each in given if str(each).strip()]
    return list(dict.fromkeys(cleaned))[:MOST_PROMPTS]


def prompts_of(task: Task, renderer: Renderer, recipe: TrainingRecipe) -> list[Asked]:
    """What is asked in this run. Prompts that the model's template refuses, or that are very long, are left out."""
    if not recipe.sample_max_tokens:
        return []
    own = own_prompts(task.request)
    if isinstance(recipe, PretrainRecipe):
        texts = own or [_beginning(row.get("text", "")) for row in _some(task) if row.get("text")]
        # without what ends a text: it is to go on
        found = [Asked(text, _without_end(renderer, text)) for text in texts]
    else:
        asked = [{"messages": [{"role": "user", "content": text}]} for text in own] or _questions(_some(task))
        found = [Asked(row["messages"][-1]["content"], _read(renderer, row)) for row in asked]
    return [each for each in found if 0 < len(each.ids) <= MOST_TOKENS]


def _some(task: Task) -> list[Example]:
    """Rows of the validation part, or of the training part where there is none."""
    for part in ("validation", "train"):
        file = task.folder / "data" / f"{part}.parquet"
        rows = list(itertools.islice(_rows(file), 4 * FROM_VALIDATION)) if file.exists() else []
        if rows:
            return rows[: FROM_VALIDATION if "text" in rows[0] else None]
    return []


def _rows(file: Any) -> Iterator[Example]:
    for batch in batches(file, 4 * FROM_VALIDATION):
        yield from batch


def _questions(rows: Sequence[Example]) -> list[dict[str, Any]]:
    """Everything up to the last answer of conversations without pictures, each question once."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        turns = list(row["messages"])
        while turns and turns[-1]["role"] != "user":
            turns.pop()
        text = turns[-1]["content"] if turns else ""
        if isinstance(text, str) and text.strip() and len(text) <= MOST_CHARACTERS and "<image>" not in text:
            found.setdefault(text, {"messages": turns, "tools": row.get("tools")})
    return list(found.values())[:FROM_VALIDATION]


def _read(renderer: Renderer, row: dict[str, Any]) -> list[int]:
    try:
        return renderer.prompt(row["messages"], row.get("tools"))
    except DataError:
        return []


def _beginning(text: str) -> str:
    return " ".join(text.split()[:BEGINNING])[:MOST_CHARACTERS]


def _without_end(renderer: Renderer, text: str) -> list[int]:
    ids = renderer.chunks(text)[0].ids if text else []
    return ids[:-1] if ids and ids[-1] in renderer.stop_ids else ids

"""The rows a run learns from and checks on: tokens made once, and how many are looked at on the way."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.model.load import give_memory_back
from facet.model.tokens import Lesson, TokenCounts, write_tokens
from facet.recipe.recipes import PretrainRecipe, TrainingRecipe
from facet.work import log
from facet.work.task import Task
from facet.work.worker import Slice
from facet.workspace import read_json, write_json

MOST_VALIDATION_ROWS = 200  # looked at during training; the whole part is measured by the test afterwards
FEWEST_VALIDATION_ROWS = 8


def tokens(piece: Slice, folder: Path, recipe: TrainingRecipe) -> TokenCounts:
    """Tokens of train and validation, made once and kept in the task's folder.

    Raises: `DataError` when nothing is left to learn from.
    """
    place = piece.task.folder / "tokens"
    if (place / "counts.json").exists():
        return TokenCounts(**read_json(place / "counts.json"))
    piece.emit(log.Staged(words="Turning the examples into tokens"))
    place.mkdir(exist_ok=True)
    renderer = Renderer.load(folder)
    data = piece.task.folder / "data"
    lesson = lesson_of(recipe)
    counts = write_tokens(data / "train.parquet", place / "train.arrow", renderer, lesson)
    write_tokens(data / "validation.parquet", place / "validation.arrow", renderer, replace(lesson, most=None))
    if not counts.rows:
        raise _nothing_left(counts, recipe)
    del renderer
    give_memory_back()
    for words in _cut_words(counts, recipe.max_length):
        piece.emit(log.Noted(words=words))
    write_json(place / "counts.json", asdict(counts))
    return counts


def lesson_of(recipe: TrainingRecipe) -> Lesson:
    """What a recipe says about the examples. A setting of another method is not in it."""
    return Lesson(
        max_length=recipe.max_length,
        train_on=getattr(recipe, "train_on", "answers"),
        leave_out_long=recipe.too_long == "leave_out",
        min_length=recipe.min_length,
        packing=getattr(recipe, "packing", False),
        most=recipe.max_examples,
    )


def _nothing_left(counts: TokenCounts, recipe: TrainingRecipe) -> DataError:
    what, max_length = "There is nothing left to learn from.", recipe.max_length
    if counts.left_out and isinstance(recipe, PretrainRecipe):
        return DataError(
            what,
            f"All {counts.left_out:,} texts have fewer than {recipe.min_length:,} tokens, and were to be left out.",
            "Lower “Fewest word pieces”.",
        )
    if counts.left_out:
        return DataError(
            what,
            f"{counts.left_out:,} examples are too long or too short, and were to be left out.",
            f"Raise “Longest example” above {max_length:,}, or lower “Fewest word pieces”.",
        )
    return DataError(
        what,
        f"All {counts.nothing_left:,} examples are cut off before their answer begins.",
        f"Raise “Longest example” above {max_length:,}, or shorten the examples.",
    )


def _cut_words(counts: TokenCounts, max_length: int) -> list[str]:
    words = []
    if counts.cut - counts.nothing_left:
        words.append(f"{counts.cut - counts.nothing_left:,} examples were cut at {max_length:,} tokens.")
    if counts.nothing_left:
        words.append(
            f"{counts.nothing_left:,} examples lost their whole answer at {max_length:,} tokens and are left out."
        )
    if counts.left_out:
        words.append(f"{counts.left_out:,} examples were too long or too short and are left out.")
    return words


def validation_rows(recipe: TrainingRecipe, total_steps: int) -> int:
    """How many validation examples each look on the way takes, so that all looks cost about a seventh of the run.

    Scoring an example costs about a third of learning from it (no backward pass). The recipe may say another number.
    """
    if recipe.validation_rows:
        return recipe.validation_rows
    learned = total_steps * recipe.effective_batch_size
    looks = min(recipe.evaluations, total_steps) + 1  # and once before the first step
    return max(FEWEST_VALIDATION_ROWS, min(MOST_VALIDATION_ROWS, int(0.45 * learned / looks)))


def dataset(task: Task, part: str, most: int | None = None) -> Any:
    """The rows of a part as the trainer takes them, at most so many; None when there is none."""
    from datasets import Dataset

    rows = Dataset.from_file(str(task.folder / "tokens" / f"{part}.arrow"))
    if most and len(rows) > most:
        rows = rows.select(range(most))
    return rows if len(rows) else None


def longest(task: Task) -> int:
    """Tokens of the longest example of the training part."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with pa.memory_map(str(task.folder / "tokens" / "train.arrow")) as file:
        ids = pa.ipc.open_stream(file).read_all().column("input_ids")
        return max(1, pc.max(pc.list_value_length(ids)).as_py() or 1)

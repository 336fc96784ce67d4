"""What is to be said of a run beside its numbers: how it is doing, which step is best, how long it takes. No torch."""

from typing import Any

from facet.recipe.recipes import TrainingRecipe
from facet.train import best
from facet.train.health import Health, health
from facet.train.remaining import seconds_left
from facet.work.log import Progress


def health_of(progress: Progress, recipe: TrainingRecipe) -> Health | None:
    """None before the first number, and for what was trained elsewhere."""
    if not progress.curves.get("loss") and not progress.curves.get("validation_loss"):
        return None
    return health(progress.curves, progress.total_steps, recipe, progress.is_over, kept_step(progress))


def kept_step(progress: Progress) -> int | None:
    """The step of the save point that a finished run ended with."""
    step = progress.outputs.get("kept_step")
    return int(step) if step is not None else None


def best_step(progress: Progress, recipe: TrainingRecipe) -> int | None:
    """The step that is kept, or would be if the run ended now; None without a validation part."""
    if (step := kept_step(progress)) is not None or not recipe.keep_best:
        return step
    return best.lowest(best.looks_of(progress.curves.get("validation_loss", []), progress.step))


def described(progress: Progress, recipe: TrainingRecipe) -> dict[str, Any]:
    """The same for a machine to read."""
    found, left = health_of(progress, recipe), seconds_left(progress, recipe)
    return {
        "health": {"kind": found.kind, "words": found.words, "next": found.next} if found else None,
        "best_step": best_step(progress, recipe),
        "kept_step": kept_step(progress),
        "seconds_left": round(left) if left is not None else None,
        "samples": [
            {"prompt": prompt, "answers": [{"step": step, "text": text} for step, text in answers]}
            for prompt, answers in progress.samples.items()
        ],
    }


def in_words(progress: Progress, recipe: TrainingRecipe) -> list[str]:
    """The same for a person at a terminal, a line each."""
    found, left, step = health_of(progress, recipe), seconds_left(progress, recipe), best_step(progress, recipe)
    lines = [f"health: {found.words} {found.next}".strip()] if found else []
    lines += [f"best step: {step:,}"] if step is not None else []
    if left is not None:
        lines.append(f"time left: {left / 60:.0f} minutes" if left > 90 else f"time left: {left:.0f} seconds")
    for prompt, answers in progress.samples.items():
        lines.append(f"asked: {prompt}")
        lines += [f"  step {at:,}: {text}" for at, text in distinct(answers)]
    return lines


def distinct(answers: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Answers that are not the same as the one before."""
    return [each for at, each in enumerate(answers) if at == 0 or each[1] != answers[at - 1][1]]

"""For data whose answers are labels: how many validation questions the model would label right, at each look."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.errors import DataError
from facet.model.tokens import batches
from facet.work.task import Task
from facet.workspace import read_json, write_json

MOST_ROWS: Final = 32  # each question is read once more for this, so few have to do
MOST_LABELS: Final = 20
MOST_TOKENS: Final = 1_024  # of a question
FILE = "labels.json"


@dataclass(frozen=True)
class Labelled:
    """Shapes: `prompts` has N rows of tokens, `right` N places in `candidates`."""

    prompts: list[list[int]]
    right: list[int]
    candidates: list[list[int]]  # what the model would write for each label, the end of its turn included

    @classmethod
    def read(cls, folder: Path, most: int) -> "Labelled | None":
        """None where answers are no labels. `most` are the validation rows that each look takes."""
        try:
            known = read_json(folder / "tokens" / FILE)
        except OSError:
            return None
        most = max(1, min(MOST_ROWS, most))
        return cls(known["prompts"][:most], known["right"][:most], known["candidates"])

    def look(self, model: Any) -> dict[str, float]:
        """The label that the model finds likeliest, against the right one."""
        from facet.model import likelihood

        was_training, device = model.training, str(next(model.parameters()).device)
        model.eval()
        try:
            likely = [likelihood.labels(model, prompt, self.candidates, device) for prompt in self.prompts]
        finally:
            model.train(was_training)
        given = [max(range(len(each)), key=each.__getitem__) for each in likely]
        return scores(self.right, given)


def scores(right: Sequence[int], given: Sequence[int]) -> dict[str, float]:
    """Accuracy, and F1 averaged over the labels that are right or given somewhere."""
    pairs = list(zip(right, given, strict=True))
    f1 = []
    for label in {*right, *given}:
        hits = sum(r == g == label for r, g in pairs)
        told = sum(label in pair for pair in pairs) + hits  # right or given, both counted
        f1.append(2 * hits / told)
    return {"accuracy": sum(r == g for r, g in pairs) / len(pairs), "macro_f1": sum(f1) / len(f1)}


def prepare(task: Task, renderer: Renderer) -> None:
    """The questions and labels as tokens; nothing where answers are no labels, or too many different ones."""
    labels = sorted(read_json(task.folder / "data" / "dataset.json").get("labels") or {})
    rows = _questions(task, labels) if 2 <= len(labels) <= MOST_LABELS else []
    if not rows:
        return
    try:
        prompts = renderer.prompts([turns for turns, _ in rows])
        answered = [[*rows[0][0], {"role": "assistant", "content": label}] for label in labels]
        rendered = renderer.render_many(answered)
    except DataError:  # a template that refuses some of them: training itself will say so
        return
    candidates = [[token for token, taught in zip(one.ids, one.trained, strict=True) if taught] for one in rendered]
    right = [labels.index(label) for _, label in rows]
    kept = [at for at, prompt in enumerate(prompts) if len(prompt) <= MOST_TOKENS]
    if kept and all(candidates):
        write_json(
            task.folder / "tokens" / FILE,
            {"prompts": [prompts[at] for at in kept], "right": [right[at] for at in kept], "candidates": candidates},
        )


def _questions(task: Task, labels: list[str]) -> list[tuple[list[Any], str]]:
    """Validation conversations of one question whose answer is one of the labels."""
    file = task.folder / "data" / "validation.parquet"
    if not file.exists():
        return []
    some = itertools.islice((row for batch in batches(file, MOST_ROWS) for row in batch), 4 * MOST_ROWS)
    found = []
    for row in some:
        *turns, last = row["messages"] or [{"role": "", "content": ""}]
        earlier = any(turn["role"] == "assistant" for turn in turns)
        if last["role"] == "assistant" and last["content"] in labels and turns and not earlier:
            found.append((turns, last["content"]))
    return found[:MOST_ROWS]

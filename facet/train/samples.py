"""Answers on the way: what the model says to the same prompts at the start, at each look and at the end.

They are greedy and short, and no die is thrown for them: a run with samples ends with the same weights as one without.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from facet.dataset.render import Renderer
from facet.recipe.forecast import ANSWER_SECONDS, ANSWER_SHARE, ANSWER_TIMES, ANSWERED_AT_MOST
from facet.recipe.recipes import TrainingRecipe
from facet.train.asked import Asked, prompts_of
from facet.work import log
from facet.work.task import Task
from facet.workspace import read_json, write_json

MOST_TOKENS: Final = 48  # of an answer: the change shows at its beginning
FILE, SPELLING = "samples.json", "spelling.json"


def prepare(task: Task, renderer: Renderer, recipe: TrainingRecipe) -> None:
    """The prompts as tokens, and what turns tokens into text, kept in the task's folder."""
    asked = prompts_of(task, renderer, recipe)
    spelling = json.loads(renderer.tokenizer.to_str())
    if "merges" in spelling["model"]:
        spelling["model"]["merges"] = []  # to read tokens none are needed, and they are most of a tokenizer's memory
    write_json(task.folder / "tokens" / SPELLING, spelling)
    described = [{"shown": each.shown, "ids": each.ids} for each in asked]
    write_json(task.folder / "tokens" / FILE, {"prompts": described, "stop_ids": renderer.stop_ids})


def times(total_steps: int, per_epoch: int, looks: frozenset[int]) -> frozenset[int]:
    """After which steps they are answered: at each look, at the end of each epoch and of the run.

    Of many more than can be read, evenly spread ones are left.
    """
    count = min(ANSWER_TIMES, total_steps)
    spread = looks or {round(total_steps * number / count) for number in range(1, count + 1)}
    wanted = sorted({*spread, *range(per_epoch, total_steps + 1, max(1, per_epoch)), total_steps} - {0})
    most = ANSWERED_AT_MOST
    if len(wanted) <= most:
        return frozenset(wanted)
    return frozenset(wanted[round(at * (len(wanted) - 1) / (most - 1))] for at in range(most))


@dataclass
class Samples:
    """`at` are the steps after which the prompts are answered again."""

    asked: list[Asked]
    stop_ids: frozenset[int]
    decode: Callable[[list[int]], str]
    at: frozenset[int]
    most: int = MOST_TOKENS
    answered: set[int] = field(default_factory=set)  # steps after which they were, in earlier slices too
    spent: float = 0.0  # seconds of this slice
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def read(cls, folder: Path, at: frozenset[int], most: int = MOST_TOKENS) -> "Samples":
        from tokenizers import Tokenizer

        known = read_json(folder / "tokens" / FILE)
        tokenizer = Tokenizer.from_file(str(folder / "tokens" / SPELLING)) if known["prompts"] else None
        asked = [Asked(each["shown"], each["ids"]) for each in known["prompts"]]
        decode = tokenizer.decode if tokenizer else str
        return cls(asked, frozenset(known["stop_ids"]), decode, at | {0}, most)

    def is_due(self, step: int, last: bool) -> bool:
        if not self.asked or step not in self.at or step in self.answered:
            return False
        allowed = ANSWER_SECONDS + ANSWER_SHARE * (time.monotonic() - self.began)
        return self.spent <= allowed or step == 0 or last

    def take(self, model: Any, step: int) -> log.Sampled:
        """Ask the model as it is now."""
        start = time.monotonic()
        said = greedy(model, [each.ids for each in self.asked], self.stop_ids, self.most)
        answers = {each.shown: self.decode(ids).strip() for each, ids in zip(self.asked, said, strict=True)}
        self.spent += time.monotonic() - start
        self.answered.add(step)
        return log.Sampled(step=step, answers=answers)


def greedy(model: Any, prompts: list[list[int]], stop_ids: frozenset[int], most: int = MOST_TOKENS) -> list[list[int]]:
    """The likeliest continuation of each prompt, all at once, filled up on the left. The model stays as it was."""
    import torch
    from transformers import DynamicCache

    was_training, device = model.training, next(model.parameters()).device
    longest = max(map(len, prompts))
    gaps = [longest - len(ids) for ids in prompts]
    ids = torch.tensor([[0] * gap + row for gap, row in zip(gaps, prompts, strict=True)], device=device)  # (B, T)
    mask = torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps], device=device)  # (B, T)
    places = (mask.cumsum(1) - 1).clamp(min=0)
    cache, said = DynamicCache(config=model.config), [[] for _ in prompts]
    is_over = [False] * len(prompts)
    model.eval()
    try:
        with torch.no_grad():
            for _ in range(most):
                seen = {"input_ids": ids, "attention_mask": mask, "position_ids": places}
                scores = model(**seen, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]  # (B, V)
                tokens = scores.argmax(-1)
                for row, token in enumerate(tokens.tolist()):
                    is_over[row] = is_over[row] or token in stop_ids
                    said[row] += [] if is_over[row] else [token]
                if all(is_over):
                    break
                ids, places = tokens[:, None], places[:, -1:] + 1
                mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], 1)
    finally:
        model.train(was_training)
    return said

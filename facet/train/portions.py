"""A large group of examples goes through the model in portions: the same step, in less memory.

What a step keeps for the way back grows with the tokens that go through the model at once, and a processor is hardly
faster with more of them than `recipe.workload.AT_ONCE`. Each portion's errors are divided by the labels of the whole
step, so their gradients add up to the group's own, to rounding.
"""

from collections.abc import Iterator
from typing import Any


def in_portions(trainer: Any, most: int) -> None:
    """Let every group of more than `most` tokens, filling included, be learned from in portions of no more.

    A single example is never divided, nor is a group of which something is not by example and place, as pictures are.
    """
    step = trainer.training_step

    def in_parts(model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        shapes = {value.shape for value in inputs.values()}
        if num_items_in_batch is None or len(shapes) > 1 or trainer.aux_loss_enabled:
            return step(model, inputs, num_items_in_batch)
        parts = list(portions(inputs, most))
        losses = [step(model, part, num_items_in_batch) for part in parts]
        _as_of_one(trainer, [int((part["labels"][:, 1:] != -100).sum()) for part in parts])
        return sum(losses)

    trainer.training_step = in_parts


def portions(group: dict[str, Any], most: int) -> Iterator[dict[str, Any]]:
    """Some rows after the other, as equal in number as can be, each no longer than its own rows need.

    Shapes: every value of `group` (B, T), filled up on the right.
    """
    rows, length = group["input_ids"].shape
    parts = -(-rows // max(1, most // length))
    for number in range(parts):
        some = slice(number * rows // parts, (number + 1) * rows // parts)
        until = length if parts == 1 else int(group["attention_mask"][some].sum(-1).max())
        yield {name: value[some, :until] for name, value in group.items()}


def _as_of_one(trainer: Any, labels: list[int]) -> None:
    """The trainer notes shares of labels (hits, for one) after each pass; make one note of those of all portions."""
    for name, notes in trainer._metrics["train"].items():
        if name != "num_tokens" and len(labels) > 1:  # of which the last is the sum already
            shares = [notes.pop() for _ in labels][::-1]
            notes.append(sum(n * share for n, share in zip(labels, shares, strict=True)) / max(1, sum(labels)))

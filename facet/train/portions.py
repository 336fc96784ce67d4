"""A large group of examples goes through the model in portions: the same step, in less memory.

What a step keeps for the way back grows with the tokens that go through the model at once, and a processor is hardly
faster with more of them than `recipe.workload.AT_ONCE`. Each portion's errors are divided by the labels of the whole
step, so their gradients add up to the group's own, to rounding.
"""

from collections.abc import Iterator
from typing import Any


def in_portions(trainer: Any, most: int) -> None:
    """Let every group of more than `most` tokens, filling included, go through the model in portions of no more.

    So it is for learning and for looks at the validation part. A single example is never divided, nor is a group of
    which something is not by example and place, as pictures are.
    """
    step, look = trainer.training_step, trainer.prediction_step
    whole = bool(trainer.args.neftune_noise_alpha)  # noise goes by the length of the group

    def learn(model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        if num_items_in_batch is None or not _can_be_divided(inputs) or trainer.aux_loss_enabled:
            return step(model, inputs, num_items_in_batch)
        parts = list(portions(inputs, most, whole))
        losses = [step(model, part, num_items_in_batch) for part in parts]
        _as_of_one(trainer, [int((part["labels"][:, 1:] != -100).sum()) for part in parts])
        return sum(losses)

    def see(model: Any, inputs: dict[str, Any], *given: Any, **named: Any) -> Any:
        """`ExactLooks` adds up what it sees; what is returned of it is not used."""
        parts = portions(inputs, most) if _can_be_divided(inputs) else [inputs]
        return [look(model, part, *given, **named) for part in parts][-1]

    trainer.training_step, trainer.prediction_step = learn, see


def _can_be_divided(inputs: dict[str, Any]) -> bool:
    return len({getattr(value, "shape", None) for value in inputs.values()}) == 1


def portions(group: dict[str, Any], most: int, whole: bool = False) -> Iterator[dict[str, Any]]:
    """Some rows after the other, as equal in number as can be, each no longer than its own rows need, or `whole`.

    Shapes: every value of `group` (B, T), filled up on the right.
    """
    rows, length = group["input_ids"].shape
    parts = -(-rows // max(1, most // length))
    for number in range(parts):
        some = slice(number * rows // parts, (number + 1) * rows // parts)
        until = length if whole or parts == 1 else int(group["attention_mask"][some].sum(-1).max())
        yield {name: value[some, :until] for name, value in group.items()}


def _as_of_one(trainer: Any, labels: list[int]) -> None:
    """The trainer notes shares of labels (hits, for one) after each pass; make one note of those of all portions."""
    for name, notes in trainer._metrics["train"].items():
        if name != "num_tokens" and len(labels) > 1:  # of which the last is the sum already
            shares = [notes.pop() for _ in labels][::-1]
            notes.append(sum(n * share for n, share in zip(labels, shares, strict=True)) / max(1, sum(labels)))

"""Does an adapter change what the model says, and does the untouched side really run without it? Measured, not assumed.

The untouched side is computed with every layer's adapter switched off; tests hold it equal, bit for bit, to a process
that never loaded PEFT.
"""

from dataclasses import dataclass
from typing import Any, Final

from facet.errors import DataError
from facet.model.company import Company

READ_TOKENS: Final = 256  # of the prompt: enough to see a change, and little to compute
HARDLY: Final = 1e-3  # in the scores before the softmax, which are many units apart


@dataclass(frozen=True)
class Proof:
    """What the adapter does to the scores of all next words, at every place of a prompt."""

    changes: bool
    largest: float  # difference of one score, in the model's own units (logits)
    words: str


def prove(company: Company, key: str, prompt_ids: list[int]) -> Proof:
    """Compare the scores with and without one adapter.

    Raises: `DataError` when the adapter is broken: its scores are not numbers.
    """
    import torch

    ids = prompt_ids[-READ_TOKENS:]
    with company.speaking_as(None) as model:
        before = _scores(model, ids)
    with company.speaking_as(key) as model:
        after = _scores(model, ids)
    if not torch.isfinite(before).all():
        raise _broken("starting model")
    if not torch.isfinite(after).all():
        raise _broken("tuned model" if company.is_whole(key) else "adapter")
    largest = float((after - before).abs().max())
    another = float((after.argmax(-1) != before.argmax(-1)).float().mean())
    what = "tuned model" if company.is_whole(key) else "adapter"
    return Proof(largest > 0, largest, _words(largest, another, what))


def _scores(model: Any, ids: list[int]) -> Any:
    import torch

    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0].float()  # (T, V)


def _words(largest: float, another: float, what: str) -> str:
    if largest == 0:
        return f"This {what} changes nothing: every score is exactly the same with and without it."
    if largest < HARDLY:
        return f"This {what} changes almost nothing: no score by more than {largest:.0e}."
    moved = f"the scores of the next word move by up to {largest:.2g}"
    if not another:
        return f"The {what} is at work: the likeliest words stay the same here, and {moved}."
    share = f"{another:.0%}" if another >= 0.01 else "under 1%"
    return f"The {what} is at work: at {share} of the places another word becomes the likeliest ({moved})."


def _broken(what: str) -> DataError:
    return DataError(
        f"This {what} is broken.",
        "The scores it gives to the next word are not numbers.",
        "Choose another model, or an earlier save point of this one.",
    )

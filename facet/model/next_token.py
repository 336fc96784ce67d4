"""From scores to the next token, the same way for one reply in a chat and for many in a batch."""

from typing import Any

from facet.errors import DataError
from facet.model.decoding import Decoding


class Dice:
    """Chooses the tokens of one reply. With the same seed and the same scores it always chooses the same.

    The order of the steps, and what each does, is that of transformers' `generate`.
    """

    def __init__(self, decoding: Decoding) -> None:
        import torch
        from transformers.generation import logits_process as steps

        self.is_greedy = decoding.temperature == 0
        self.is_plain = self.is_greedy and decoding.repetition_penalty == 1  # argmax is all there is to it
        self.generator = torch.Generator().manual_seed(decoding.seed)
        self.steps: list[Any] = []
        if decoding.repetition_penalty != 1:
            self.steps.append(steps.RepetitionPenaltyLogitsProcessor(float(decoding.repetition_penalty)))
        if self.is_greedy:
            return
        if decoding.temperature != 1:
            self.steps.append(steps.TemperatureLogitsWarper(float(decoding.temperature)))
        if decoding.top_k:
            self.steps.append(steps.TopKLogitsWarper(decoding.top_k))
        if decoding.top_p < 1:
            self.steps.append(steps.TopPLogitsWarper(float(decoding.top_p)))
        if decoding.min_p:
            self.steps.append(steps.MinPLogitsWarper(float(decoding.min_p)))

    def choose(self, scores: Any, ids: list[int]) -> int:
        """The next token, from its scores (V,) in 4-byte numbers and everything read and said so far."""
        import torch

        scores = scores[None]  # (1, V)
        before = torch.tensor([ids], device=scores.device)
        for step in self.steps:
            scores = step(before, scores)
        if self.is_greedy:
            return int(scores.argmax())
        shares = scores.softmax(-1).cpu()  # the dice are the processor's, so that every device throws the same
        return int(torch.multinomial(shares, 1, generator=self.generator))


def require_numbers(scores: Any) -> None:
    """Raises: `DataError` when the model's scores (…, V) are not numbers any more."""
    import torch

    if not torch.isfinite(scores.amax(-1)).all():  # the largest is not a number where any is not
        raise DataError(
            "This model is broken.",
            "Its scores for the next word are not numbers, so there is nothing to choose from.",
            "Choose another model, or an earlier save point of this one.",
        )

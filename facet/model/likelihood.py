"""How likely a model finds given answers: summed negative log-likelihoods in nats, and how far two models lie apart.

A row is a mapping with `input_ids` and `labels`, as `tokens.py` writes them; positions labelled `IGNORED` are read and
not scored. The same rows in the same call give the same numbers to the last bit; in other company the last bits may
differ, so whoever must be able to repeat a measurement measures in fixed groups.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from facet.dataset.render import Rendered
from facet.model.company import Company
from facet.model.tokens import IGNORED

Row = Mapping[str, Sequence[int]]
SCORE_BYTES: Final = 3e8  # memory the scores of one batch may take
MOST_ROWS: Final = 16


def row_of(rendered: Rendered) -> Row:
    """A conversation that was rendered, ready to be scored on what the model is taught to write."""
    labels = [token if trained else IGNORED for token, trained in zip(rendered.ids, rendered.trained, strict=True)]
    return {"input_ids": rendered.ids, "labels": labels}


def nats(model: Any, rows: Sequence[Row], device: str) -> list[tuple[float, int]]:
    """For each row the summed -log p of its labelled tokens, and how many there are.

    Only positions that predict a label are given to the vocabulary head: for Gemma it is most of the work.
    """
    import torch

    found: list[tuple[float, int]] = [(0.0, 0)] * len(rows)
    for places in _batches(rows, model):
        batch = _Batch.of([rows[place] for place in places], device)
        with torch.inference_mode():
            losses = torch.nn.functional.cross_entropy(
                batch.scores(model).flatten(0, 1), batch.wanted.flatten(), ignore_index=IGNORED, reduction="none"
            ).reshape(batch.wanted.shape)  # (B, K)
        sums = losses.double().sum(1).tolist()
        counts = (batch.wanted != IGNORED).sum(1).tolist()
        for place, total, count in zip(places, sums, counts, strict=True):
            found[place] = (total, count)
    return found


def labels(model: Any, prompt: list[int], candidates: Sequence[list[int]], device: str) -> list[float]:
    """Log-likelihood of each candidate right behind the prompt, which is read once for all of them."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        if prompt[:-1]:
            ids = torch.tensor([prompt[:-1]], device=device)
            model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
    longest = max(map(len, candidates))
    size = max(1, int(SCORE_BYTES / (longest * _vocabulary(model) * 4)))
    found: list[float] = []
    for start in range(0, len(candidates), size):
        chosen = candidates[start : start + size]
        known = copy.deepcopy(cache)
        known.batch_repeat_interleave(len(chosen))
        found += _behind(model, prompt[-1], chosen, known, device)
    return found


def _behind(model: Any, last: int, candidates: Sequence[list[int]], cache: Any, device: str) -> list[float]:
    """Filled up on the right, where no earlier position looks."""
    import torch

    longest = max(map(len, candidates))
    ids = [[last, *row[:-1], *[0] * (longest - len(row))] for row in candidates]
    wanted = [row + [IGNORED] * (longest - len(row)) for row in candidates]
    with torch.inference_mode():
        scores = model(input_ids=torch.tensor(ids, device=device), past_key_values=cache, use_cache=True).logits
        losses = torch.nn.functional.cross_entropy(
            scores.flatten(0, 1).float(),
            torch.tensor(wanted, device=device).flatten(),
            ignore_index=IGNORED,
            reduction="none",
        )
    return (-losses.double().reshape(len(candidates), longest).sum(1)).tolist()


def kl(company: Company, key: str, rows: Sequence[Row]) -> float:
    """KL(with the adapter ‖ untouched) in nats per labelled token: how far its answers have moved from the base.

    Source: the direction of the penalty in https://arxiv.org/abs/1909.08593 and of TRL.
    """
    import torch

    total, count = 0.0, 0
    for places in _batches(rows, company.model, copies=4):
        batch = _Batch.of([rows[place] for place in places], company.device)
        kept = batch.wanted != IGNORED  # (B, K)
        with torch.inference_mode():
            with company.speaking_as(None) as model:
                untouched = batch.scores(model)[kept].log_softmax(-1)  # (N, V)
            with company.speaking_as(key) as model:
                tuned = batch.scores(model)[kept].log_softmax(-1)
            total += float((tuned.exp() * (tuned - untouched)).double().sum())
        count += int(kept.sum())
    return max(0.0, total / count) if count else 0.0


@dataclass(frozen=True)
class _Batch:
    """Rows filled up on the left, so that answers, which stand at the end, share their positions."""

    ids: Any  # (B, T)
    mask: Any  # (B, T)
    places: Any  # (B, T), of each token in its own row
    kept: Any  # (K,): positions that predict a label in any row
    wanted: Any  # (B, K): the token each of them should predict, or IGNORED

    @classmethod
    def of(cls, rows: Sequence[Row], device: str) -> "_Batch":
        import torch

        longest = max(len(row["input_ids"]) for row in rows)
        gaps = [longest - len(row["input_ids"]) for row in rows]

        def filled(name: str, filler: int) -> Any:
            lines = [[filler] * gap + list(row[name]) for gap, row in zip(gaps, rows, strict=True)]
            return torch.tensor(lines, device=device)

        mask = torch.tensor([[0] * gap + [1] * (longest - gap) for gap in gaps], device=device)
        targets = filled("labels", IGNORED)[:, 1:]  # (B, T - 1): position t predicts token t + 1
        first = torch.tensor(gaps, device=device)[:, None]  # nothing comes before a row's own first token
        targets = targets.masked_fill(torch.arange(1, longest, device=device) <= first, IGNORED)
        kept = (targets != IGNORED).any(0).nonzero().flatten()
        return cls(filled("input_ids", 0), mask, (mask.cumsum(1) - 1).clamp(min=0), kept, targets[:, kept])

    def scores(self, model: Any) -> Any:
        """(B, K, V) in 4-byte numbers."""
        where = {"attention_mask": self.mask, "position_ids": self.places} if not bool(self.mask.all()) else {}
        return model(input_ids=self.ids, logits_to_keep=self.kept, use_cache=False, **where).logits.float()


def _batches(rows: Sequence[Row], model: Any, copies: int = 2) -> Iterator[list[int]]:
    """Places of rows that are scored together: those of like length, as many as the memory for scores allows."""
    most = SCORE_BYTES / (copies * _vocabulary(model) * 4)  # scored positions
    batch: list[int] = []
    needed = 0
    for place in sorted(range(len(rows)), key=lambda place: len(rows[place]["input_ids"])):
        labelled = sum(label != IGNORED for label in rows[place]["labels"])
        if not labelled:
            continue
        span = max(needed, _span(rows[place]["labels"]))
        if batch and (len(batch) >= MOST_ROWS or span * (len(batch) + 1) > most):
            yield batch
            batch, span = [], _span(rows[place]["labels"])
        batch.append(place)
        needed = span
    if batch:
        yield batch


def _span(labelled: Sequence[int]) -> int:
    """How many positions lie between a row's first label and its end."""
    return len(labelled) - next(place for place, label in enumerate(labelled) if label != IGNORED)


def _vocabulary(model: Any) -> int:
    return int(model.config.get_text_config().vocab_size)

"""The error of the trained tokens only, with its gradient made on the way forward. Exact for a head that is frozen.

A model's vocabulary head is most of the work of a step: 262,144 scores per position for Gemma. The stock loss scores
every position, prompts and filling included, and does so again on the way back. Here only positions that predict a
label are scored, a tile at a time in one buffer that is used again and again; while a tile is at hand, its gradient
is taken too, so that the way back has nothing left to do. Whether that equals the model's own scores is checked by
`probe.py` before the first step.
"""

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers.utils import ModelOutput

from facet.model.bf16 import inwards, outwards

TILE: Final = 256  # positions scored at once; larger ones are no faster, smaller ones are
IGNORED: Final = -100
SURE: Final = 0.5  # from here on the probability of the label is one minus the rest, which rounds far less


@dataclass
class Head:
    """What turns the model's last hidden states into scores: `cap * tanh(scale * h @ W.T / cap)`."""

    weight: Tensor  # (V, D)
    softcap: float | None = None
    scale: float = 1.0
    _tiles: dict[str, Tensor] = field(default_factory=dict)

    def tile(self, name: str, rows: int) -> Tensor:
        """A buffer of `rows` by the vocabulary. Fresh memory for each tile would cost a seventh of the time."""
        known = self._tiles.get(name)
        if known is None or known.shape[0] < rows:
            with torch.inference_mode(False):  # one made for a look only could not be written to while learning
                known = self._tiles[name] = self.weight.new_empty(rows, self.weight.shape[0])
        return known[:rows]


class TokenLogProbs(torch.autograd.Function):
    """log p of each target, and whether no other token was likelier. Only the hidden states receive a gradient."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, targets: Tensor, head: Head) -> tuple[Tensor, Tensor]:
        """Shapes: hidden (N, D), targets (N,); both results (N,). Targets are ids, never `IGNORED`."""
        count = len(targets)
        states = hidden.detach().to(head.weight.dtype)
        towards = torch.empty_like(states) if ctx.needs_input_grad[0] else None  # d(-log p) / d hidden
        log_probs = torch.empty(count, dtype=torch.float32, device=hidden.device)
        first = torch.empty(count, dtype=torch.bool, device=hidden.device)
        size = -(-count // max(1, -(-count // TILE)))  # tiles of equal size
        for start in range(0, count, max(1, size)):
            part = slice(start, start + size)
            into = None if towards is None else towards[part]
            log_probs[part], first[part] = _tile(states[part], targets[part], head, into)
        ctx.save_for_backward(towards)
        ctx.dtype = hidden.dtype
        ctx.mark_non_differentiable(first)
        return log_probs, first

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Any) -> tuple[Tensor, None, None]:
        (towards,) = ctx.saved_tensors
        return (towards.float() * -grad[:, None]).to(ctx.dtype), None, None


def _tile(states: Tensor, targets: Tensor, head: Head, towards: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores one tile; fills `towards` with the gradient of -log p where that is wanted."""
    scores = head.tile("scores", len(targets))  # (n, V)
    places = torch.arange(len(targets), device=targets.device)
    outwards(states, head.weight, out=scores)
    slope = _transform(scores, head, wanted=towards is not None)
    highest, of_target = scores.amax(-1).float(), scores[places, targets].float()
    probs = torch.softmax(scores, -1, out=scores)
    log_highest = probs.amax(-1).float().log()
    probs[places, targets] = 0
    rest = probs.sum(-1)  # of all other tokens: the smaller it is, the more digits of it are kept
    unsure = of_target - highest + log_highest
    log_probs = torch.where(rest.float() < SURE, torch.log1p(-rest.float()), unsure)
    if towards is not None:
        probs[places, targets] = -rest
        if slope is not None:
            probs.mul_(slope)
        inwards(probs, head.weight, out=towards)
    return log_probs, of_target >= highest


def _transform(scores: Tensor, head: Head, wanted: bool) -> Tensor | float | None:
    """Scale and soft cap in place; what the gradient is multiplied by on the way back, if that is wanted."""
    slope: Tensor | float | None = head.scale if head.scale != 1.0 else None
    if slope is not None:
        scores.mul_(head.scale)
    if head.softcap:
        scores.div_(head.softcap).tanh_()
        if wanted:
            bent = torch.square(scores, out=head.tile("slope", len(scores)))
            slope = bent.neg_().add_(1.0).mul_(head.scale)
        scores.mul_(head.softcap)
    return slope


@dataclass
class TrainedTokens(ModelOutput):
    """What TRL's trainer reads after a pass with `fused_lm_head=True`. Positions without a label are 0 in all."""

    log_probs: Tensor | None = None  # (B, T - 1)
    entropy: Tensor | None = None  # (B, T - 1); not computed, always 0
    is_top1: Tensor | None = None  # (B, T - 1)
    label_mask: Tensor | None = None  # (B, T - 1)


def head_of(model: nn.Module) -> Head | None:
    """The head of a model of transformers, without an adapter around it; None where this loss would not be exact."""
    head = model.get_output_embeddings()
    if type(head) is not nn.Linear or head.bias is not None or head.weight.requires_grad:
        return None
    if not head.weight.is_floating_point() or head.weight.device.type == "meta":
        return None
    config = model.config.get_text_config()
    return Head(head.weight.detach(), getattr(config, "final_logit_softcapping", None), _scale(config))


def _scale(config: Any) -> float:
    """What scores are multiplied by. The names are those of the kinds of model that do so."""
    for name in ("logit_scale", "output_multiplier", "lm_head_multiplier"):
        if getattr(config, name, None) is not None:
            return float(getattr(config, name))
    divisor = getattr(config, "logits_scaling", None)
    return 1.0 if divisor is None else 1.0 / float(divisor)


def score_trained_tokens(model: nn.Module) -> Callable[[], None] | None:
    """Let `model(..., fused_lm_head=True)` take the way above. Returns how to undo it, or None where it cannot."""
    head = head_of(model)
    if head is None:
        return None
    usual = model.forward

    @functools.wraps(type(model).forward)
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, **more: Any) -> Any:
        if not fused_lm_head or labels is None or "shift_labels" in more:
            told = {"fused_lm_head": True} if fused_lm_head else {}
            return usual(*args, labels=labels, **told, **more) if labels is not None else usual(*args, **told, **more)
        more.pop("num_items_in_batch", None)  # the trainer divides by it itself
        hidden = self.base_model(*args, **(more | {"use_cache": False})).last_hidden_state
        return trained_tokens(hidden, labels, head)

    model.forward = types.MethodType(forward, model)

    def undo() -> None:
        model.forward = usual

    return undo


def trained_tokens(hidden: Tensor, labels: Tensor, head: Head) -> TrainedTokens:
    """Shapes: hidden (B, T, D), labels (B, T). Position t predicts label t + 1."""
    wanted = labels[:, 1:]
    mask = wanted != IGNORED
    log_probs, first = TokenLogProbs.apply(hidden[:, :-1][mask], wanted[mask], head)
    spread = log_probs.new_zeros(mask.shape).masked_scatter(mask, log_probs)
    hits = first.new_zeros(mask.shape).masked_scatter(mask, first)
    return TrainedTokens(log_probs=spread, entropy=torch.zeros_like(spread.detach()), is_top1=hits, label_mask=mask)

"""Products with bfloat16 weights on a processor that cannot multiply bfloat16 itself.

There torch's products take eight times as long in bfloat16 as in float32, those of the way back far longer
(docs/speed.md), and large models are held in bfloat16 because float32 would not fit. Here the weights stay as they
are, and a block at a time is widened to float32 when a product needs it, so small that it stays in the processor's
cache. Sums are kept in float32 and rounded at the end, as a processor with such instructions does: the numbers are
the same to rounding.
"""

import functools
import types
from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from facet.work.device import has_fast_bfloat16

BLOCK: Final = 2**20  # numbers widened at once: 4 MiB; twice and half of it are as fast
FEW: Final = 2  # rows up to which torch's own product is as fast: reading the weights takes all the time


@functools.lru_cache(maxsize=1)
def is_slow() -> bool:
    """Does torch multiply bfloat16 on this processor without the help of oneDNN, one number at a time?"""
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return not (has_fast_bfloat16() if asked is None else asked())


def mm(left: Tensor, right: Tensor) -> Tensor:
    """`left @ right` of two small matrices."""
    return (left.float() @ right.float()).to(left.dtype) if _is_for_us(left, right) else left @ right


def add_mm(into: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """`into += left @ right` of two small matrices."""
    return into.add_(left.float() @ right.float()) if _is_for_us(left, right) else into.addmm_(left, right)


def outwards(x: Tensor, weight: Tensor, bias: Tensor | None = None, out: Tensor | None = None) -> Tensor:
    """`x @ weight.T + bias`, as a linear layer does. Shapes: x (N, D_in), weight (D_out, D_in); the result (N, D_out).

    Into `out` goes the product alone.
    """
    if not _is_for_us(x, weight):
        linear = nn.functional.linear
        return linear(x, weight, bias) if out is None else torch.mm(x, weight.t(), out=out)
    y = x.new_empty(len(x), len(weight)) if out is None else out
    wide = x.float()
    for part, block in _blocks(weight):
        y[:, part] = wide @ block.t()
    return y if bias is None else y.add_(bias)


def inwards(x: Tensor, weight: Tensor, out: Tensor | None = None) -> Tensor:
    """`x @ weight`, the way back through a linear layer. Shapes: x (N, D_out), weight (D_out, D_in)."""
    if not _is_for_us(x, weight):
        return torch.mm(x, weight, out=out) if out is not None else x @ weight
    total = torch.zeros(len(x), weight.shape[1])
    for part, block in _blocks(weight):
        total.addmm_(x[:, part].float(), block)
    return total.to(x.dtype) if out is None else out.copy_(total)


def _is_for_us(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype == torch.bfloat16 and one.device.type == "cpu" and len(one) > FEW and is_slow()


def _blocks(weight: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Some rows of the weight after the other, widened into the same buffer."""
    rows = max(1, BLOCK // weight.shape[1])
    buffer = torch.empty(min(rows, len(weight)), weight.shape[1])
    for start in range(0, len(weight), rows):
        part = slice(start, min(start + rows, len(weight)))
        yield part, buffer[: part.stop - start].copy_(weight[part])


class FrozenLinear(torch.autograd.Function):
    """A frozen linear layer by the products above."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Shapes: x (..., D_in), weight (D_out, D_in), bias (D_out,); the result (..., D_out)."""
        ctx.weight, ctx.shape = weight, x.shape
        return outwards(x.detach().reshape(-1, x.shape[-1]), weight, bias).view(*x.shape[:-1], len(weight))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return inwards(grad.reshape(-1, grad.shape[-1]), ctx.weight).view(ctx.shape), None, None


def widen_products(model: nn.Module) -> None:
    """Let a model held in bfloat16 on a slow processor take the ways above: its linear layers and its attention.

    Layers that learn keep torch's own way. Those of 4 bits are unpacked for every product anyway, and then to float32.
    """
    for layer in model.modules():
        if hasattr(layer, "compute_type_is_set"):  # of bitsandbytes
            layer.compute_dtype, layer.compute_type_is_set = torch.float32, True
        if type(layer) is nn.Linear and layer.weight.dtype == torch.bfloat16:
            layer.forward = types.MethodType(_forward, layer)
    _widen_attention()


def _forward(layer: nn.Linear, x: Tensor) -> Tensor:
    learns = torch.is_grad_enabled() and any(one.requires_grad for one in layer.parameters())
    if learns or x.dtype != layer.weight.dtype:
        return nn.functional.linear(x, layer.weight, layer.bias)
    return FrozenLinear.apply(x, layer.weight.detach(), None if layer.bias is None else layer.bias.detach())


@functools.lru_cache(maxsize=1)
def _widen_attention() -> None:
    """For the whole process: the models' own code knows this kind of attention by its name alone."""
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    @functools.wraps(sdpa_attention_forward)
    def widened(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **more: Any) -> Any:
        if query.dtype != torch.bfloat16 or query.device.type != "cpu" or query.shape[-2] <= FEW:
            return sdpa_attention_forward(module, query, key, value, attention_mask, **more)
        if attention_mask is not None and attention_mask.is_floating_point():
            attention_mask = attention_mask.float()
        wide = (one.float() for one in (query, key, value))
        seen, weights = sdpa_attention_forward(module, *wide, attention_mask, **more)
        return seen.to(query.dtype), weights

    AttentionInterface.register("sdpa", widened)

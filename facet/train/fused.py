"""One step for a linear layer and the LoRA adapter beside it: fewer passes over memory, the same numbers.

Only for plain LoRA on a plain frozen linear layer. Everything else (dropout, DoRA, quantised weights, several adapters
at once, an adapter that is switched off) takes PEFT's own way.
"""

import types
from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn

from facet.model.bf16 import add_mm, inwards, mm, outwards


class LinearWithLora(torch.autograd.Function):
    """`y = x W^T + b + s (x A^T) B^T` with W and b frozen. A and B stay float32; here they are rounded as W is."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, base: nn.Linear, down: Tensor, up: Tensor, strength: float) -> Tensor:
        """Shapes: x (..., D_in), down A (R, D_in), up B (D_out, R); the result (..., D_out)."""
        weight = base.weight
        flat = x.detach().reshape(-1, x.shape[-1])  # (N, D_in)
        a, b = down.detach().to(weight.dtype), (up.detach() * strength).to(weight.dtype)
        narrow = mm(flat, a.t())  # (N, R)
        y = add_mm(outwards(flat, weight, base.bias), narrow, b.t())
        ctx.save_for_backward(flat, weight, a, b, narrow)
        ctx.strength, ctx.shape, ctx.learned = strength, x.shape, down.dtype
        return y.view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None]:
        flat, weight, a, b, narrow = ctx.saved_tensors
        towards = grad.reshape(-1, grad.shape[-1])  # (N, D_out)
        narrowed = mm(towards, b)  # (N, R)
        up = mm(towards.t(), narrow).to(ctx.learned) * ctx.strength
        down = mm(narrowed.t(), flat).to(ctx.learned)
        x = add_mm(inwards(towards, weight), narrowed, a).view(ctx.shape) if ctx.needs_input_grad[0] else None
        return x, None, down, up, None


def fuse(model: nn.Module) -> list[Callable[[], None]]:
    """Let every layer where it is exact take the way above. Returns how to undo it, one function per layer."""
    return [_fuse(layer) for layer in model.modules() if _is_plain(layer)]


def _is_plain(layer: nn.Module) -> bool:
    if type(layer) is not LoraLinear or len(layer.active_adapters) != 1:
        return False
    name, base = layer.active_adapters[0], layer.base_layer
    if type(base) is not nn.Linear or base.weight.requires_grad or not base.weight.is_floating_point():
        return False
    if name not in layer.lora_A or name in layer.lora_variant or layer.lora_bias.get(name):
        return False
    frozen_bias = base.bias is None or not base.bias.requires_grad
    return frozen_bias and not layer.fan_in_fan_out and type(layer.lora_dropout[name]) is nn.Identity


def _fuse(layer: LoraLinear) -> Callable[[], None]:
    name, usual = layer.active_adapters[0], layer.forward

    def forward(self: Any, x: Tensor, *args: Any, **more: Any) -> Tensor:
        weight = self.base_layer.weight
        switched = self.disable_adapters or self.merged or self.active_adapters != [name]
        if args or more or switched or x.dtype != weight.dtype or torch.is_autocast_enabled(x.device.type):
            return usual(x, *args, **more)
        down, up = self.lora_A[name].weight, self.lora_B[name].weight
        return LinearWithLora.apply(x, self.base_layer, down, up, self.scaling[name])

    layer.forward = types.MethodType(forward, layer)

    def undo() -> None:
        del layer.forward

    return undo

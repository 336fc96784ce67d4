"""A linear layer and its LoRA in one step: PEFT's numbers where it is exact, PEFT's own way everywhere else."""

import pytest

pytestmark = pytest.mark.tiny


def adapted(dtype="float32", bias=False, **lora):
    """Two layers with LoRA on both, whose matrices are none of them zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from torch import nn

    torch.manual_seed(0)
    layers = nn.Sequential()
    layers.add_module("first", nn.Linear(24, 40, bias=bias))
    layers.add_module("second", nn.Linear(40, 16, bias=bias))
    model = get_peft_model(
        layers.to(getattr(torch, dtype)), LoraConfig(r=4, target_modules=["first", "second"], **lora)
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.3)
    return model


def results(model, x):
    import torch

    model.zero_grad()
    x = x.clone().requires_grad_()
    y = model(x)
    (y * torch.linspace(-1, 1, y.shape[-1], dtype=y.dtype)).sum().backward()
    return [y.detach(), x.grad, *(weight.grad for weight in model.parameters() if weight.requires_grad)]


@pytest.mark.parametrize("how", [{}, {"bias": True}, {"use_rslora": True}])
def test_it_gives_pefts_numbers(how):
    import torch

    from facet.train.fused import LinearWithLora, fuse

    model, x = adapted(**how), torch.randn(3, 5, 24)
    usual = results(model, x)
    undo = fuse(model)
    assert len(undo) == 2
    assert "LinearWithLora" in type(model(x).grad_fn.next_functions[0][0]).__name__ + type(model(x).grad_fn).__name__
    assert issubclass(LinearWithLora, torch.autograd.Function)

    for ours, theirs in zip(results(model, x), usual, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    for one in undo:
        one()
    for again, theirs in zip(results(model, x), usual, strict=True):
        assert torch.equal(again, theirs)


def test_with_a_base_in_bfloat16_it_differs_by_rounding_only_and_the_adapter_keeps_float32():
    import torch

    from facet.train.fused import fuse

    model, x = adapted("bfloat16"), torch.randn(3, 5, 24).bfloat16()
    usual = results(model, x)
    fuse(model)

    for ours, theirs in zip(results(model, x), usual, strict=True):
        assert ours.dtype == theirs.dtype
        assert (ours.float() - theirs.float()).norm() <= 0.03 * theirs.float().norm()
    assert all(weight.grad.dtype == torch.float32 for weight in model.parameters() if weight.requires_grad)


@pytest.mark.parametrize("how", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True, "bias": True}])
def test_what_it_is_not_exact_for_is_left_alone(how):
    from facet.train.fused import fuse

    assert fuse(adapted(**how)) == []


def test_an_adapter_that_is_switched_off_or_merged_is_not_heard_twice():
    import torch

    from facet.train.fused import fuse

    model, x = adapted(), torch.randn(2, 24)
    with torch.no_grad():
        tuned = model(x)
        with model.disable_adapter():
            untouched = model(x)
        fuse(model)
        with model.disable_adapter():
            assert torch.equal(model(x), untouched)
        model.merge_adapter()
        torch.testing.assert_close(model(x), tuned, rtol=1e-5, atol=1e-5)
        model.unmerge_adapter()
        torch.testing.assert_close(model(x), tuned, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(tuned, untouched)

"""Models held in bfloat16 on a processor without such instructions: the same numbers, many times as fast."""

import pytest

from tests.journeys import a_studio, prepared_example, progress, queued_run
from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny


@pytest.fixture(autouse=True)
def a_processor_without_the_instructions(monkeypatch):
    from facet.model import bf16

    monkeypatch.setattr(bf16, "is_slow", lambda: True)


def numbers(*shape):
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape))).bfloat16()


def widened_layers(model):
    return [name for name, layer in model.named_modules() if "forward" in vars(layer)]


@pytest.mark.parametrize("rows", [1, 2, 3, 40])
@pytest.mark.parametrize(("wide", "narrow"), [(24, 40), (1500, 1000), (600_000, 2)])
def test_products_are_those_of_exact_numbers_rounded_once(rows, wide, narrow):
    import torch

    from facet.model import bf16

    weight, x, back, bias = numbers(wide, narrow), numbers(rows, narrow), numbers(rows, wide), numbers(wide)
    exact, exact_back = x.double() @ weight.double().t(), back.double() @ weight.double()
    into, into_back = numbers(rows, wide), numbers(rows, narrow)

    for ours, wanted in (
        (bf16.outwards(x, weight), exact),
        (bf16.outwards(x, weight, out=into), exact),
        (bf16.inwards(back, weight), exact_back),
        (bf16.inwards(back, weight, out=into_back), exact_back),
        (bf16.mm(x, weight[:16].t()), exact[:, :16]),
    ):
        assert ours.dtype == torch.bfloat16
        assert (ours.double() - wanted).norm() <= 0.003 * wanted.norm()
    assert (bf16.outwards(x, weight, bias).double() - exact - bias.double()).norm() <= 0.005 * exact.norm()
    assert (bf16.add_mm(into, x, weight.t()).double() - 2 * exact).norm() <= 0.008 * exact.norm()


def test_a_model_held_in_bfloat16_says_what_it_said_and_passes_the_same_gradient(tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    from facet.model.load import load_base

    folder = tiny_gemma3(tmp_path / "model")
    usual = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    exact = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ours = load_base(folder, "bfloat16", "cpu")
    assert len(widened_layers(ours)) > 7 and not widened_layers(load_base(folder, "float32", "cpu"))
    ids = torch.randint(3, 90, (3, 30), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[0, 20:] = 0

    def told(model):
        for name, weight in model.named_parameters():
            weight.requires_grad = name.endswith("embed_tokens.weight")  # the first that words go through
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone(), requires_grad=False)
        scores = model(input_ids=ids, attention_mask=mask).logits.float()[mask.bool()]
        scores.logsumexp(-1).mean().backward()
        return scores.detach(), model.get_input_embeddings().weight.grad.float()

    wanted, rounded, widened = told(exact), told(usual), told(ours)
    for right, theirs, mine in zip(wanted, rounded, widened, strict=True):
        off = float((theirs - right).norm() / right.norm())
        assert 0 < float((mine - right).norm() / right.norm()) <= max(1.3 * off, 0.01)


def test_its_layers_can_still_learn_themselves(tmp_path):
    import torch

    from facet.model.load import load_base

    model = load_base(tiny_gemma3(tmp_path / "model"), "bfloat16", "cpu")
    model(input_ids=torch.randint(3, 90, (2, 12))).logits.float().sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_a_run_held_in_bfloat16_takes_every_one_of_facets_ways_and_learns(tmp_path):
    from facet.work import worker

    studio = a_studio(tmp_path)
    task = queued_run(studio, prepared_example(studio), base_precision="bfloat16", max_steps=12, evaluations=1)
    worker.advance(task, studio.workspace.models)

    done, execution = progress(task), task.execution()
    assert done.stage == "finished" and not done.notes, (done.failure, done.notes)
    assert (execution["dtype"], execution["loss"], execution["fused"]) == ("bfloat16", "facet", True)
    losses = [loss for _, loss in done.curves["loss"]]
    assert losses[-1] < 0.8 * losses[0]


def test_a_model_in_4_bits_multiplies_in_float32(tmp_path):
    import torch

    from facet.model.load import Squeeze, load_base

    pytest.importorskip("bitsandbytes")
    folder = tiny_gemma3(tmp_path / "model")
    ids = torch.randint(3, 90, (2, 20), generator=torch.Generator().manual_seed(1))
    exact = load_base(folder, "float32", "cpu", Squeeze(4))(input_ids=ids).logits
    model = load_base(folder, "bfloat16", "cpu", Squeeze(4))
    inside = {}
    layer = model.get_submodule("model.layers.0.mlp.gate_proj")
    layer.register_forward_hook(lambda _, given, made: inside.update(given=given[0].dtype, made=made.dtype))
    scores = model(input_ids=ids).logits.float()

    assert layer.compute_dtype == torch.float32 and inside == {"given": torch.bfloat16, "made": torch.bfloat16}
    assert (scores - exact).norm() <= 0.05 * exact.norm()


def test_where_the_processor_can_torch_is_left_alone(tmp_path, monkeypatch):
    from facet.model import bf16
    from facet.model.load import load_base

    monkeypatch.setattr(bf16, "is_slow", lambda: False)
    assert not widened_layers(load_base(tiny_gemma3(tmp_path / "model"), "bfloat16", "cpu"))

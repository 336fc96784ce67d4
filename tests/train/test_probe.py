"""What a run decides once: the precision of the frozen model, and whether Facet's own loss may be used."""

import itertools
import os
from types import SimpleNamespace

import pytest

from facet.gemma.models import SUPPORTED_TYPES
from facet.model.load import Execution
from facet.recipe.recipes import SftRecipe
from facet.train import probe
from facet.work import worker
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run
from tests.tiny_models import build

pytestmark = pytest.mark.tiny
USUAL = Execution("cpu", "float32", 1, 4, {})
ALWAYS = ("gemma2", "gemma3", "gemma4_text", "qwen2")  # the rest with FACET_SOAK=1
KINDS = SUPPORTED_TYPES if os.environ.get("FACET_SOAK") else ALWAYS


def precision(parameters, settings=None, usual=USUAL):
    return probe.precision(SftRecipe(**settings or {}), SimpleNamespace(parameters=parameters), usual)


def test_the_recipes_precision_is_obeyed_and_otherwise_size_and_speed_decide(monkeypatch):
    monkeypatch.setattr(probe, "faster_precision", lambda threads: "bfloat16")
    cuda = Execution("cuda", "bfloat16", 1, 4, {})
    large = Execution("cpu", "bfloat16", 1, 4, {})

    assert precision(5e6, {"base_precision": "bfloat16"}) == "bfloat16"
    assert precision(4e9, {"base_precision": "float32"}, large) == "float32"
    assert precision(270e6) == "bfloat16", "what multiplies faster here"
    assert precision(5e6) == "float32", "too small to gain"
    assert precision(270e6, {"tuning": "full"}) == "float32", "weights that learn need their digits"
    assert precision(4e9, {"tuning": "full", "base_precision": "bfloat16"}, cuda) == "float32", "as they are loaded"
    assert precision(4e9, usual=large) == precision(5e6, usual=cuda) == "bfloat16"
    monkeypatch.setattr(probe, "faster_precision", lambda threads: "float32")
    assert precision(270e6) == "float32"
    assert precision(4e9, usual=large) == "bfloat16", "or it would not fit"


@pytest.mark.parametrize(
    ("says_so", "wide", "narrow", "chosen"),
    [
        (False, 1.0, 0.5, "bfloat16"),
        (False, 1.0, 0.9, "float32"),
        (False, 1.0, 2.0, "float32"),
        (True, 1.0, 0.5, "bfloat16"),
        (True, 1.0, 1.1, "bfloat16"),
        (True, 1.0, 2.0, "float32"),
    ],
)
def test_what_the_processor_says_holds_unless_the_other_is_clearly_faster(monkeypatch, says_so, wide, narrow, chosen):
    import torch

    monkeypatch.setattr(probe, "has_fast_bfloat16", lambda: says_so)
    monkeypatch.setattr(probe, "_multiplication", lambda dtype: narrow if dtype == torch.bfloat16 else wide)
    assert probe.faster_precision(1) == chosen


def test_a_busy_moment_does_not_decide(monkeypatch):
    """One in three timings is ten times too long."""
    import torch

    monkeypatch.setattr(probe, "has_fast_bfloat16", lambda: False)
    busy = itertools.cycle((10.0, 1.0, 1.0))
    monkeypatch.setattr(
        probe, "_multiplication", lambda dtype: next(busy) * (0.4 if dtype == torch.bfloat16 else 1.0)
    )
    assert probe.faster_precision(1) == "bfloat16"


def a_trainer(folder, place, dtype="float32", **lora):
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from facet.gemma.inspect import inspect
    from facet.gemma.targets import lora_targets
    from facet.model.load import load_base
    from facet.train.trainer import padding_tokenizer

    torch.manual_seed(0)
    model = load_base(folder, dtype, "cpu")
    ids = list(range(5, 45))
    targets = lora_targets(inspect(folder).model_type)
    return SFTTrainer(
        model=model,
        args=SFTConfig(output_dir=str(place), report_to=[], use_cpu=True, bf16=False, gradient_checkpointing=False,
                       dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_list([{"input_ids": ids, "labels": [-100] * n + ids[n:]} for n in (10, 30, 20)]),
        processing_class=padding_tokenizer(),
        peft_config=LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM", **lora),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_passes_the_comparison_with_its_own_scores(kind, dtype, tmp_path):
    trainer = a_trainer(build(kind, tmp_path / "model"), tmp_path / "out", dtype)

    assert probe.equals_stock(trainer, fused=True, dtype=dtype)


@pytest.fixture(scope="module")
def gemma2(tmp_path_factory):
    place = tmp_path_factory.mktemp("gate")
    return a_trainer(build("gemma2", place / "model"), place / "out")


def test_the_comparison_leaves_no_trace(gemma2):
    import torch

    before = {name: weight.detach().clone() for name, weight in gemma2.model.named_parameters()}
    chance, forward = torch.get_rng_state(), gemma2.model.get_base_model().forward

    probe.equals_stock(gemma2, fused=True, dtype="float32")

    assert torch.equal(chance, torch.get_rng_state()) and gemma2.model.get_base_model().forward == forward
    assert all(weight.grad is None and torch.equal(weight, before[n]) for n, weight in gemma2.model.named_parameters())
    assert gemma2.model.training


def wrong_value(tile):
    return lambda *told: (lambda log_probs, first: (log_probs * 1.01, first))(*tile(*told))


def wrong_gradient(tile):
    def broken(states, targets, head, towards):
        told = tile(states, targets, head, towards)
        if towards is not None:
            towards.mul_(1.01)
        return told

    return broken


def no_cap(tile):
    return lambda states, targets, head, towards: tile(states, targets, type(head)(head.weight), towards)


def refuses(tile):
    def broken(*_):
        raise NotImplementedError("not on this device")

    return broken


@pytest.mark.parametrize("fault", [wrong_value, wrong_gradient, no_cap, refuses])
def test_a_broken_loss_does_not_pass(gemma2, monkeypatch, fault):
    from facet.train import loss

    gemma2.model.get_base_model().config.final_logit_softcapping = 0.05  # so low that a tiny model feels it
    monkeypatch.setattr(loss, "_tile", fault(loss._tile))

    assert not probe.equals_stock(gemma2, fused=False, dtype="float32")


def test_a_broken_lora_layer_does_not_pass(gemma2, monkeypatch):
    from facet.train.fused import LinearWithLora

    right = LinearWithLora.backward

    def twice(ctx, grad):
        x, base, down, up, strength = right(ctx, grad)
        return x, base, down * 2, up, strength

    monkeypatch.setattr(LinearWithLora, "backward", staticmethod(twice))
    assert not probe.equals_stock(gemma2, fused=True, dtype="float32")
    assert probe.equals_stock(gemma2, fused=False, dtype="float32")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("probe") / "home")
    return studio, prepared_example(studio)


def run(lab, **settings):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=2, evaluations=1, **settings)
    worker.advance(task, studio.workspace.models)
    assert progress(task).stage == "finished", progress(task).failure
    return task


def test_a_run_uses_it_falls_back_and_says_so_or_never_asks(lab, monkeypatch):
    from facet.train import loss

    used = run(lab)
    asked = run(lab, loss_kernel="stock")
    monkeypatch.setattr(loss, "_tile", wrong_gradient(loss._tile))
    fell = run(lab)

    decided = [(task.execution()["loss"], task.execution()["fused"]) for task in (used, asked, fell)]
    assert decided == [("facet", True), ("stock", False), ("stock", False)]
    assert [probe.WORDS in progress(task).notes for task in (used, asked, fell)] == [False, False, True]
    assert curve(asked)["loss"] == curve(fell)["loss"]
    for name in ("loss", "validation_loss", "token_accuracy"):
        for (_, ours), (_, theirs) in zip(curve(used)[name], curve(asked)[name], strict=True):
            assert ours == pytest.approx(theirs, abs=1e-3)

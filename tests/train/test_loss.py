"""The error of the trained tokens only: the numbers of autograd and of TRL's own loss, in value, gradient and log."""

import pytest

from tests.tiny_models import tiny_gemma3

pytestmark = pytest.mark.tiny
VOCABULARY, WIDTH = 700, 32
SHAPES = {"plain": (None, 1.0), "capped": (5.0, 1.0), "scaled": (None, 0.25), "both": (5.0, 2.0)}


def by_autograd(hidden, weight, targets, softcap, scale):
    """The same from whole scores in float32, and the gradient of their sum."""
    import torch

    hidden = hidden.float().clone().requires_grad_()
    scores = hidden @ weight.float().t() * scale
    scores = softcap * torch.tanh(scores / softcap) if softcap else scores
    log_probs = scores.log_softmax(-1)[range(len(targets)), targets]
    log_probs.sum().backward()
    return log_probs.detach(), scores.argmax(-1) == targets, hidden.grad


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "value", "slope"), [("float32", 1e-5, 1e-5), ("bfloat16", 0.03, 0.02)])
def test_value_and_gradient_are_those_of_autograd(dtype, value, slope, shape):
    import torch

    from facet.train.loss import Head, TokenLogProbs

    dice = torch.Generator().manual_seed(3)
    softcap, scale = SHAPES[shape]
    weight = torch.randn(VOCABULARY, WIDTH, generator=dice).to(getattr(torch, dtype)) * 0.5
    hidden = torch.randn(600, WIDTH, generator=dice).to(getattr(torch, dtype))
    targets = torch.randint(VOCABULARY, (600,), generator=dice)
    targets[:50] = (hidden[:50].float() @ weight.float().t()).argmax(-1)  # some that the model is right about
    wanted, hits, gradient = by_autograd(hidden, weight, targets, softcap, scale)

    ours = hidden.clone().requires_grad_()
    log_probs, first = TokenLogProbs.apply(ours, targets, Head(weight, softcap, scale))
    (log_probs * 2.0).sum().backward()

    assert log_probs.dtype == torch.float32 and ours.grad.dtype == hidden.dtype
    torch.testing.assert_close(log_probs, wanted, rtol=value, atol=value)
    assert (ours.grad.float() / 2 - gradient).norm() <= slope * gradient.norm()
    assert (first == hits).float().mean() >= (1.0 if dtype == "float32" else 0.98)


def test_a_label_the_model_is_sure_of_keeps_its_digits_in_bfloat16():
    import torch

    from facet.train.loss import Head, TokenLogProbs

    weight = torch.zeros(VOCABULARY, WIDTH, dtype=torch.bfloat16)
    weight[7, 0] = 16.0
    hidden = torch.zeros(1, WIDTH, dtype=torch.bfloat16)
    hidden[0, 0] = 1.0
    wanted, _, _ = by_autograd(hidden, weight, torch.tensor([7]), None, 1.0)

    log_probs, first = TokenLogProbs.apply(hidden, torch.tensor([7]), Head(weight))

    assert first.all() and wanted.item() < -1e-5
    assert log_probs.item() == pytest.approx(wanted.item(), rel=0.01), "and not 0, as the nearest bfloat16 to 1 says"


@pytest.mark.parametrize("labelled", [0, 1])
def test_no_label_at_all_and_a_single_one_can_be_learned_from(labelled):
    import torch

    from facet.train.loss import IGNORED, Head, trained_tokens

    hidden = torch.randn(2, 5, WIDTH, requires_grad=True)
    labels = torch.full((2, 5), IGNORED)
    labels[:, 0] = 3  # nothing predicts the first token
    labels[1, 2 : 2 + labelled] = 9
    told = trained_tokens(hidden, labels, Head(torch.randn(VOCABULARY, WIDTH)))
    told.log_probs.sum().backward()

    assert int(told.label_mask.sum()) == labelled and bool(told.log_probs[told.label_mask].lt(0).all())
    assert told.log_probs[~told.label_mask].abs().sum() == 0 and not told.is_top1[~told.label_mask].any()
    moved = hidden.grad.abs().sum(-1).nonzero().tolist()
    assert moved == [[1, 1]] * labelled, "only the position that predicts the label"


def rows(count):
    import torch

    dice = torch.Generator().manual_seed(5)
    made = []
    for number in range(count):
        ids = torch.randint(10, 16, (12 + 3 * (number % 7),), generator=dice).tolist()
        asked = 4 + number % 5
        made.append({"input_ids": ids, "labels": [-100] * asked + ids[asked:]})
    return made


def trained(folder, place, kernels):
    """Twenty steps of two groups each with TRL's trainer, a look at other rows, and all it logged."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, set_seed
    from trl import SFTConfig, SFTTrainer

    from facet.train.probe import install
    from facet.train.trainer import padding_tokenizer

    torch.set_num_threads(1)
    set_seed(1)
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
        args=SFTConfig(
            output_dir=str(place), max_steps=20, per_device_train_batch_size=3, gradient_accumulation_steps=2,
            learning_rate=2e-2, logging_steps=1, report_to=[], disable_tqdm=True, use_cpu=True, bf16=False,
            gradient_checkpointing=False, save_strategy="no", dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(rows(40)),
        eval_dataset=Dataset.from_list(rows(11)),
        processing_class=padding_tokenizer(),
        peft_config=LoraConfig(r=8, lora_alpha=64, target_modules=["v_proj", "o_proj"], task_type="CAUSAL_LM"),
    )  # fmt: skip
    if kernels:
        install(trainer.model, "facet", fused=True)
    trainer.train()
    return trainer.state.log_history[:-1], trainer.evaluate()


def test_twenty_steps_log_what_the_stock_trainer_logs(tmp_path):
    """Groups of unlike length, the last one not full: `num_items_in_batch` must mean the same."""
    folder = tiny_gemma3(tmp_path / "model")

    ours, our_look = trained(folder, tmp_path / "a", kernels=True)
    stock, stock_look = trained(folder, tmp_path / "b", kernels=False)

    assert len(ours) == len(stock) == 20
    assert stock[-1]["loss"] < stock[0]["loss"] - 0.1, "it learned, so that gradients count"
    for mine, theirs in zip(ours, stock, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], abs=1e-3)
        assert mine["grad_norm"] == pytest.approx(theirs["grad_norm"], rel=1e-2)
        assert mine["mean_token_accuracy"] == pytest.approx(theirs["mean_token_accuracy"], abs=1e-6)
        assert mine["num_tokens"] == theirs["num_tokens"]
    assert our_look["eval_loss"] == pytest.approx(stock_look["eval_loss"], abs=1e-3)
    assert our_look["eval_mean_token_accuracy"] == pytest.approx(stock_look["eval_mean_token_accuracy"], abs=1e-6)

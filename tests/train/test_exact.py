"""A look at the validation part measures the plain error per token, whatever is learned by and how many at once."""

import pytest

from tests.tiny_models import tiny_gemma3
from tests.train.test_loss import rows

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """Makes a trainer, not trained, with so many validation rows at once."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig

    from facet.train.exact import ExactLooks
    from facet.train.trainer import padding_tokenizer

    place = tmp_path_factory.mktemp("looks")
    folder = tiny_gemma3(place / "model")

    def made(at_once: int, loss_type: str = "nll", unlike: bool = True):
        torch.set_num_threads(1)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        with torch.no_grad():
            for weight in model.parameters():  # so that rows differ in how likely they are
                weight.mul_(3.0 if unlike else 1.0)
        return ExactLooks(
            model=model,
            args=SFTConfig(
                output_dir=str(place / "out"), per_device_eval_batch_size=at_once, loss_type=loss_type, report_to=[],
                disable_tqdm=True, use_cpu=True, bf16=False, dataset_kwargs={"skip_prepare_dataset": True},
            ),
            train_dataset=Dataset.from_list(rows(2)),
            eval_dataset=Dataset.from_list(rows(11)),
            processing_class=padding_tokenizer(),
        )  # fmt: skip

    return made


def by_hand(model) -> float:
    """Nats per label, one row after the other."""
    import torch

    total, labels = 0.0, 0
    with torch.no_grad():
        for row in rows(11):
            scores = model(torch.tensor([row["input_ids"]])).logits[0, :-1].float()
            wanted = torch.tensor(row["labels"])[1:]
            total += float(torch.nn.functional.cross_entropy(scores, wanted, reduction="sum"))
            labels += int((wanted != -100).sum())
    return total / labels


def test_the_validation_loss_is_the_same_however_many_examples_go_at_once(looked):
    found = [(trainer := looked(at_once)).evaluate() for at_once in (1, 3, 11)]

    assert [one["eval_loss"] for one in found] == [pytest.approx(by_hand(trainer.model), rel=1e-5)] * 3
    assert len({round(one["eval_mean_token_accuracy"], 6) for one in found}) == 1


def test_gentle_training_is_checked_with_the_plain_loss_and_goes_on_gently(looked):
    plain, gentle = looked(4), looked(4, "dft")

    assert gentle.evaluate()["eval_loss"] == pytest.approx(plain.evaluate()["eval_loss"], rel=1e-6)
    assert gentle.args.loss_type == "dft"

    gentle.compute_loss = lambda *_, **__: 1 / 0
    with pytest.raises(ZeroDivisionError):
        gentle.evaluate()
    assert gentle.args.loss_type == "dft", "after a failure too"

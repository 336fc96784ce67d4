"""A large group goes through the model in portions: fewer tokens at once, the same error, slope and notes."""

from dataclasses import replace

import pytest

from tests.tiny_models import tiny_gemma3
from tests.train.test_loss import rows

pytestmark = pytest.mark.tiny
SIZES = [40, 33, 21, 21, 9, 7, 5]  # tokens of the rows of a group


@pytest.fixture(scope="module")
def learns(tmp_path_factory):
    """Takes one pass over a group in portions of so many tokens: error, slope, notes, and the shapes of all passes."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig

    from facet.train.exact import ExactLooks
    from facet.train.portions import in_portions
    from facet.train.trainer import padding_tokenizer

    place = tmp_path_factory.mktemp("portions")
    folder = tiny_gemma3(place / "model")
    dice = torch.Generator().manual_seed(1)
    group = [{"input_ids": torch.randint(3, 200, (size,), generator=dice).tolist()} for size in SIZES]
    for row in group:
        row["labels"] = [-100] * (len(row["input_ids"]) // 2) + row["input_ids"][len(row["input_ids"]) // 2 :]

    def learned(most: int, rows_of_it=group, **settings):
        torch.set_num_threads(1)
        trainer = ExactLooks(
            model=AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            args=SFTConfig(
                output_dir=str(place / "out"), report_to=[], disable_tqdm=True, use_cpu=True, bf16=False,
                gradient_checkpointing=False, dataset_kwargs={"skip_prepare_dataset": True}, **settings,
            ),
            train_dataset=Dataset.from_list(rows(2)),
            processing_class=padding_tokenizer(),
        )  # fmt: skip
        in_portions(trainer, most)
        passes, forward = [], trainer.model.forward

        def seen(*args, **more):
            passes.append(tuple(more["input_ids"].shape))
            return forward(*args, **more)

        trainer.model.forward = seen
        batch = trainer.data_collator(rows_of_it)
        labels = sum(label != -100 for row in rows_of_it for label in row["labels"][1:])
        loss = trainer.training_step(trainer.model, batch, torch.tensor(labels))
        slope = torch.cat([weight.grad.flatten() for weight in trainer.model.parameters() if weight.grad is not None])
        return float(loss), slope, dict(trainer._metrics["train"]), passes

    return learned


@pytest.mark.parametrize("settings", [{}, {"loss_type": "dft"}, {"label_smoothing_factor": 0.1}])
def test_portions_add_up_to_the_group(learns, settings):
    whole_loss, whole_slope, whole_notes, whole_passes = learns(10_000, **settings)
    loss, slope, notes, passes = learns(90, **settings)

    assert set(whole_passes) == {(7, 40)}
    assert max(rows * length for rows, length in passes) <= 90
    assert loss == pytest.approx(whole_loss, rel=1e-5)
    assert (slope - whole_slope).norm() <= 1e-5 * whole_slope.norm()
    assert {name: len(noted) for name, noted in notes.items()} == {name: 1 for name in whole_notes}
    assert notes["mean_token_accuracy"] == pytest.approx(whole_notes["mean_token_accuracy"])
    assert notes["entropy"] == pytest.approx(whole_notes["entropy"], rel=1e-5)
    assert notes["num_tokens"] == whole_notes["num_tokens"] == [sum(SIZES)]


def test_a_portion_is_no_longer_than_its_own_rows_and_a_long_example_stays_whole(learns):
    _, _, _, passes = learns(25)

    assert passes == [(1, 40), (1, 33), (1, 21), (1, 21), (1, 9), (1, 7), (1, 5)]


def test_a_row_without_anything_to_learn_does_no_harm(learns):
    group = [{"input_ids": [5] * 30, "labels": [-100] * 30}, {"input_ids": [6, 7] * 15, "labels": [6, 7] * 15}]

    loss, slope, notes, passes = learns(30, group)

    whole_loss, whole_slope, whole_notes, _ = learns(60, group)
    assert len(passes) == 2 and loss == pytest.approx(whole_loss, rel=1e-5)
    assert (slope - whole_slope).norm() <= 1e-5 * whole_slope.norm()
    assert notes["mean_token_accuracy"] == pytest.approx(whole_notes["mean_token_accuracy"])


def test_the_plan_counts_what_goes_through_at_once():
    from facet.gemma.inspect import facts_of
    from facet.recipe.forecast import Machine, memory_gb
    from facet.recipe.recipes import SftRecipe
    from facet.recipe.workload import Lengths

    facts = facts_of(
        {"model_type": "gemma3_text", "hidden_size": 640, "intermediate_size": 2048, "num_hidden_layers": 18,
         "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262_144,
         "max_position_embeddings": 32_768}, 268_098_176,
    )  # fmt: skip
    here = Machine("local", "this machine", "cpu", 64.0, 50.0)
    card = replace(here, device="cuda")

    def gb(batch: int, length: int, where: Machine = here) -> float:
        recipe = SftRecipe(per_device_train_batch_size=batch, max_length=length, gradient_checkpointing="off")
        return memory_gb(facts, recipe, Lengths(100, (length,) * 10, (length // 2,) * 10), where)

    assert gb(4, 256) < gb(8, 256), "2,048 tokens go at once"
    assert gb(4, 512) == gb(8, 512) == gb(64, 512), "more are divided"
    assert gb(1, 4096) == gb(8, 4096), "an example is not"
    assert gb(8, 512, card) > 1.5 * gb(4, 512, card), "a graphics card takes them all"

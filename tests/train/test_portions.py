"""A large group goes through the model in portions: fewer tokens at once, the same error, slope and notes."""


import pytest

from facet.identity import LOCAL
from facet.train import slice as train_slice
from facet.train.known import of_run
from facet.work import worker
from tests.journeys import a_studio, prepared_example, progress, queued_run
from tests.tiny_models import tiny_gemma3
from tests.train.test_loss import rows

pytestmark = pytest.mark.tiny
SIZES = [40, 33, 21, 21, 9, 7, 5]  # tokens of the rows of a group


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("portions-lab") / "home")
    return studio, prepared_example(studio)


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

    def learned(most: int, rows_of_it=group, beside=None, times=1, **settings):
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
            return forward(*args, **{name: value for name, value in more.items() if name != "pictures"})

        trainer.model.forward = seen
        batch = trainer.data_collator(rows_of_it)
        batch |= {name: torch.zeros(shape) for name, shape in (beside or {}).items()}
        labels = sum(label != -100 for row in rows_of_it for label in row["labels"][1:])
        for _ in range(times):
            loss = trainer.training_step(trainer.model, dict(batch), torch.tensor(labels))
        slope = torch.cat([weight.grad.flatten() for weight in trainer.model.parameters() if weight.grad is not None])
        return float(loss), slope, dict(trainer._metrics["train"]), passes

    return learned


@pytest.mark.parametrize("settings", [{}, {"loss_type": "dft"}])
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


def test_what_two_groups_of_a_step_are_told_apart_by_stays(learns):
    _, _, notes, _ = learns(90, times=2)
    _, _, whole_notes, _ = learns(10_000, times=2)

    assert notes["mean_token_accuracy"] == pytest.approx(whole_notes["mean_token_accuracy"])
    assert len(notes["entropy"]) == 2


def test_noise_by_the_length_of_a_group_is_not_changed_by_its_portions(learns):
    _, _, _, passes = learns(90, neftune_noise_alpha=5.0)

    assert passes == [(1, 40), (2, 40), (2, 40), (2, 40)]


def test_of_what_has_no_place_in_the_row_nothing_is_divided(learns):
    _, _, _, passes = learns(90, beside={"pictures": (7, 3, 2)})

    assert passes == [(7, 40)]


@pytest.mark.parametrize("most", [100, None])
def test_a_run_learns_and_looks_in_portions_where_its_device_has_them(lab, monkeypatch, most):
    studio, dataset_id = lab
    monkeypatch.setattr("facet.train.job.AT_ONCE", {"cpu": most} if most else {})
    trainer_of, seen = train_slice.build, {"learning": [], "looking": []}

    def watched(job, watch):
        trainer = trainer_of(job, watch)
        forward = trainer.model.forward

        def one(*args, **more):
            if "labels" in more:
                seen["learning" if trainer.model.training else "looking"].append(more["input_ids"].numel())
            return forward(*args, **more)

        trainer.model.forward = one
        return trainer

    monkeypatch.setattr(train_slice, "build", watched)
    task = queued_run(studio, dataset_id, max_steps=3, evaluations=1, validation_rows=16)
    worker.advance(task, studio.workspace.models)

    assert progress(task).stage == "finished", progress(task).failure
    assert task.execution()["at_once"] == (most or 0)
    assert all((max(tokens) <= 100) == (most == 100) for tokens in seen.values()), seen


def test_what_an_older_facet_needed_is_not_held_against_the_portions(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=8, evaluations=0)
    worker.advance(task, studio.workspace.models)
    facts, done = studio.check_model(LOCAL, "starter").facts, progress(task)
    now = of_run(facts, task, done).memory_ratio

    task.decide_execution(task.execution() | {"at_once": 30})
    assert of_run(facts, task, done).memory_ratio > now, "so few at once should have needed less"
    old = {name: value for name, value in task.execution().items() if name != "at_once"}
    task.decide_execution(old)
    assert of_run(facts, task, done).memory_ratio <= now

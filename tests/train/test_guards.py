"""What can go wrong inside a run: no numbers, no memory, no room, nothing to learn. Each ends in words."""

import json
import math

import pytest

from facet.errors import DataError
from facet.identity import LOCAL
from facet.recipe.recipes import SftRecipe
from facet.recipe.workload import AT_ONCE
from facet.train import slice as train_slice
from facet.train.rows import longest
from facet.work import worker
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run

pytestmark = pytest.mark.tiny


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    studio = a_studio(tmp_path_factory.mktemp("guards") / "home")
    return studio, prepared_example(studio)


def test_a_loss_that_is_no_number_stops_the_run_and_the_last_good_save_point_stays(lab):
    studio, dataset_id = lab
    task = queued_run(
        studio,
        dataset_id,
        learning_rate=0.1,
        lora_scale=16,
        max_grad_norm=100,
        weight_decay=1.0,
        warmup_share=0.0,
        max_steps=40,
        lora_rank=64,
    )
    trainer_of = train_slice.build

    def poisoned(job, watch):
        trainer = trainer_of(job, watch)
        step = trainer.training_step
        # the sixth step: step 5 is done
        trainer.training_step = lambda *a, **k: step(*a, **k) * (math.nan if trainer.state.global_step == 5 else 1)
        return trainer

    train_slice.build = poisoned
    try:
        worker.advance(task, studio.workspace.models)
    finally:
        train_slice.build = trainer_of

    stopped = progress(task)
    assert stopped.stage == "failed" and stopped.step <= 8
    assert math.isnan(stopped.latest("loss")), "the chart shows it, and never 0.0"
    assert "Learning speed" in stopped.failure["next"]
    assert stopped.checkpoint is not None and stopped.checkpoint < 6


def test_when_memory_runs_out_the_groups_get_smaller_and_the_result_keeps_its_meaning(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=6)
    train, calls = train_slice._train, []

    def hungry(job):
        at_once = job.execution.at_once // longest(job.piece.task)
        calls.append(min(job.execution.micro_batch, at_once))
        if calls[-1] > 1:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        train(job)

    train_slice._train = hungry
    try:
        for _ in range(4):
            worker.advance(task, studio.workspace.models)
    finally:
        train_slice._train = train

    assert calls == [8, 4, 2, 1]
    assert progress(task).stage == "finished" and len(curve(task)["loss"]) == 6
    assert sum("Memory ran out" in words for words in progress(task).notes) == 3
    assert SftRecipe(**task.request["recipe"]).effective_batch_size == 8


@pytest.mark.parametrize("examples", [1, 8])
def test_when_one_example_at_a_time_is_too_much_it_says_so_with_what_to_do(lab, monkeypatch, examples):
    studio, dataset_id = lab
    monkeypatch.setitem(AT_ONCE, "cpu", 8)  # so few that the long ones go through the model alone
    settings = {"per_device_train_batch_size": examples, "gradient_accumulation_steps": 8 // examples}
    task = queued_run(studio, dataset_id, **settings)
    train = train_slice._train

    def hungry(job):
        raise MemoryError

    train_slice._train = hungry
    try:
        worker.advance(task, studio.workspace.models)
    finally:
        train_slice._train = train

    assert progress(task).stage == "failed"
    assert "Longest example" in progress(task).failure["next"]


def test_a_full_disk_is_named_and_does_not_spoil_what_was_saved(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id, max_steps=6)
    train = train_slice._train

    def on_a_full_disk(job):
        raise RuntimeError("[enforce fail at inline_container.cc:659] . unexpected pos 64 vs 0")

    train_slice._train = on_a_full_disk
    try:
        worker.advance(task, studio.workspace.models)
    finally:
        train_slice._train = train

    assert progress(task).failure["what"] == "The disk is full."
    studio.resume(LOCAL, task.id)
    list(studio.backend.advance(task))
    assert progress(task).stage == "finished"


def test_when_every_answer_is_cut_off_the_run_refuses_with_the_number(lab, tmp_path):
    studio, _ = lab
    file = tmp_path / "long.jsonl"
    file.write_text(
        "".join(json.dumps({"prompt": f"{n} " + "word " * 200, "completion": "yes"}) + "\n" for n in range(20))
    )
    upload_id = studio.bring_file(LOCAL, file, "long.jsonl")
    mapping = studio.look(LOCAL, upload_id)["shape"]["mapping"]
    dataset_id = studio.prepare(LOCAL, upload_id, "long", mapping)

    with pytest.raises(DataError) as refused:  # at the press, and not some minutes later
        queued_run(studio, dataset_id, max_length=64)

    assert "16 of 16 examples are cut off" in refused.value.what and "Longest example" in refused.value.next
    assert studio.runs(LOCAL) == [] or all(run.dataset_name != "long" for run in studio.runs(LOCAL))


def test_an_unexpected_fault_is_told_without_quoting_anybodys_text(lab):
    studio, dataset_id = lab
    task = queued_run(studio, dataset_id)
    prepare = train_slice.read_job

    def broken(piece):
        raise ValueError("canary: the secret row of a person")

    train_slice.read_job = broken
    try:
        worker.advance(task, studio.workspace.models)
    finally:
        train_slice.read_job = prepare

    assert progress(task).stage == "interrupted", "it is tried again by itself"
    for _ in range(2):
        train_slice.read_job = broken
        try:
            worker.advance(task, studio.workspace.models)
        finally:
            train_slice.read_job = prepare
    assert progress(task).stage == "failed" and "ValueError" in progress(task).failure["why"]
    assert "canary" not in task.events_file.read_text()

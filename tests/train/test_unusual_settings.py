"""Settings that hardly anybody changes keep the promise of all others: paused and resumed, the numbers are the same."""

import os

import pytest

from facet.identity import LOCAL
from facet.workspace import read_json
from tests.journeys import a_studio, curve, prepared_example, progress, queued_run

UNUSUAL = {
    "max_steps": 8,
    "evaluations": 2,
    "validation_rows": 4,
    "learning_rate": 2e-4,
    "optim": "lion_32bit",
    "loraplus_lr_ratio": 4.0,
    "neftune_noise_alpha": 5.0,
    "loss_type": "dft",
    "lr_scheduler_type": "warmup_stable_decay",
    "lora_targets": "attention",
    "first_layer": 2,
    "init_lora_weights": "orthogonal",
    "train_sampling_strategy": "sequential",
    "data_seed": 7,
    "weight_decay": 0.01,
    "threads": 1,
    "pad_to_multiple_of": "8",
}


@pytest.mark.long
@pytest.mark.tiny
@pytest.mark.skipif(not os.environ.get("FACET_SOAK"), reason="FACET_SOAK=1 for the long tests")
def test_a_run_with_unusual_settings_is_the_same_however_it_is_cut(tmp_path):
    studio = a_studio(tmp_path / "home")
    dataset_id = prepared_example(studio)
    whole, cut = (queued_run(studio, dataset_id, **UNUSUAL) for _ in range(2))
    list(studio.backend.advance(whole))
    for _ in studio.backend.advance(cut):
        if progress(cut).step == 3:
            cut.ask_to_stop("pause")
    assert progress(cut).stage == "paused" and 3 <= progress(cut).step < 8
    studio.runs_shelf.resume(LOCAL, cut.id)
    list(studio.backend.advance(cut))

    assert progress(whole).stage == progress(cut).stage == "finished"
    assert curve(whole) == curve(cut)
    assert progress(whole).outputs["adapter_sha256"] == progress(cut).outputs["adapter_sha256"]
    assert r"\.mlp\." in read_json(cut.folder / "adapter" / "adapter_config.json")["exclude_modules"]

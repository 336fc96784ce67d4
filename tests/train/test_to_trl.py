"""Changing any setting changes what the trainer is told, under names that TRL and PEFT still have."""

from pathlib import Path
from typing import Any

import pytest

from facet.recipe.knobs import Setting, settings
from facet.recipe.recipes import SftRecipe
from facet.train.rows import validation_rows
from facet.train.to_trl import evaluation_steps, to_trl


def told(recipe: SftRecipe) -> tuple[Any, ...]:
    arguments = to_trl(recipe, rows=1000, output=Path("out"), device="cpu", targets="all")
    return arguments, evaluation_steps(recipe, recipe.steps(1000))


def another(setting: Setting) -> Any:
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    if setting.default is None:
        return 7
    return setting.default + 1 if setting.type is int else min(setting.high, setting.default * 0.5 + 0.011)


@pytest.mark.parametrize("setting", settings(SftRecipe), ids=lambda setting: setting.name)
def test_changing_a_setting_changes_what_the_trainer_is_told(setting):
    assert told(SftRecipe(**{setting.name: another(setting)})) != told(SftRecipe())


@pytest.mark.parametrize("micro", [1, 2, 4, 8])
def test_a_smaller_micro_batch_keeps_the_effective_batch_and_the_steps(micro):
    recipe = SftRecipe(per_device_train_batch_size=8, gradient_accumulation_steps=1)
    sft = to_trl(recipe, rows=100, output=Path("out"), device="cpu", targets="all", micro_batch=micro).sft

    assert sft["per_device_train_batch_size"] * sft["gradient_accumulation_steps"] == 8
    assert sft["max_steps"] == 39


def test_evaluations_are_evenly_spaced_and_include_the_last_step():
    assert evaluation_steps(SftRecipe(evaluations=4), 32) == {8, 16, 24, 32}
    assert evaluation_steps(SftRecipe(evaluations=8), 3) == {1, 2, 3}
    assert evaluation_steps(SftRecipe(evaluations=0), 3) == frozenset()


@pytest.mark.tiny
def test_trl_and_peft_know_every_name_they_are_told():
    import dataclasses

    from peft import LoraConfig
    from trl import SFTConfig

    arguments = told(SftRecipe())[0]
    for kind, given in ((SFTConfig, arguments.sft), (LoraConfig, arguments.lora)):
        assert set(given) <= {field.name for field in dataclasses.fields(kind)}


def test_looking_at_the_validation_part_stays_a_small_share_of_the_run():
    for steps in (4, 40, 400, 4000):
        recipe = SftRecipe(max_steps=steps)
        scored = validation_rows(recipe, steps) * (min(recipe.evaluations, steps) + 1) / 3

        assert scored <= max(0.16 * steps * recipe.effective_batch_size, 8 * 9 / 3)

"""Changing any setting changes what a run is told, under names that TRL and PEFT still have."""

import ast
import functools
from pathlib import Path
from typing import Any

import pytest

from facet.recipe.knobs import Setting, settings
from facet.recipe.methods import RECIPES
from facet.recipe.recipes import SftRecipe, TrainingRecipe
from facet.train.rows import validation_rows
from facet.train.to_trl import OURS, evaluation_steps, left_out, to_trl

PACKAGE = Path(__file__).parents[2] / "facet"
EVERY = [(recipe, setting) for recipe in RECIPES.values() for setting in settings(recipe)]
TOLD = [(recipe, setting) for recipe, setting in EVERY if setting.name not in OURS]


def name_of(part: Any) -> str:
    return part.name if isinstance(part, Setting) else part.__name__


def told(recipe: TrainingRecipe) -> tuple[Any, ...]:
    """Everything the libraries are told, on a processor and on a graphics card."""
    words = [to_trl(recipe, rows=1003, output=Path("out"), device=here, targets="all") for here in ("cpu", "cuda")]
    return words, evaluation_steps(recipe, recipe.steps(1003))


def another(setting: Setting) -> Any:
    if setting.choices:
        return next(choice for choice in setting.choices if choice != setting.default)
    if setting.type is bool:
        return not setting.default
    if setting.default is None:
        return 7 if setting.type is int else 7.0
    return setting.default + 1 if setting.type is int else min(setting.high, setting.default * 0.5 + 0.011)


def ready_for(recipe: type[TrainingRecipe], setting: Setting) -> dict[str, Any]:
    """What the setting needs of another one to do anything."""
    need = setting.knob.needs
    if need is None or need.is_met(getattr(recipe(), need.setting)):
        return {}
    return {need.setting: need.values[0] if need.values else 5}


@pytest.mark.parametrize(("recipe", "setting"), TOLD, ids=name_of)
def test_changing_a_setting_changes_what_the_trainer_is_told(recipe, setting):
    before = ready_for(recipe, setting)
    assert told(recipe(**before | {setting.name: another(setting)})) != told(recipe(**before))


@functools.cache
def read_of_recipes() -> set[str]:
    """What the code that trains reads of a recipe: `recipe.x`, `job.recipe.x` or `getattr(recipe, "x", …)`."""
    read = set()
    for file in (PACKAGE / "train").glob("*.py"):
        if file.name in ("to_trl.py", "script.py", "history.py"):  # they tell others
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and is_recipe(node.value):
                read.add(node.attr)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr" and is_recipe(node.args[0]):
                read.add(getattr(node.args[1], "value", ""))
    return read


def is_recipe(node: ast.expr) -> bool:
    return getattr(node, "id", getattr(node, "attr", "")) == "recipe"


@pytest.mark.parametrize("name", OURS)
def test_what_no_library_is_told_is_read_by_our_own_code_and_is_a_setting(name):
    assert name in {setting.name for _, setting in EVERY}
    assert name in read_of_recipes()


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
    assert evaluation_steps(SftRecipe(evaluations=2, eval_delay_share=0.5), 8) == {6, 8}
    assert evaluation_steps(SftRecipe(evaluations=8, eval_delay_share=0.9), 1) == {1}


LAYER = "base_model.model.model.layers.{}.{}"


@pytest.mark.parametrize(
    ("chosen", "module", "has_adapter"),
    [
        ({}, LAYER.format(0, "mlp.up_proj"), True),
        ({"lora_targets": "attention"}, LAYER.format(0, "mlp.up_proj"), False),
        ({"lora_targets": "attention"}, LAYER.format(0, "self_attn.q_proj"), True),
        ({"lora_targets": "feed_forward"}, LAYER.format(3, "self_attn.q_proj"), False),
        ({"first_layer": 2}, LAYER.format(0, "mlp.up_proj"), False),
        ({"first_layer": 2}, LAYER.format(1, "mlp.up_proj"), True),
        ({"first_layer": 2}, LAYER.format(11, "mlp.up_proj"), True),
        ({"last_layer": 2}, LAYER.format(11, "mlp.up_proj"), False),
        ({"first_layer": 2, "last_layer": 2}, LAYER.format(1, "self_attn.q_proj"), True),
    ],
)
def test_the_layers_that_were_not_chosen_get_no_adapter(chosen, module, has_adapter):
    import re

    pattern = left_out(SftRecipe(**chosen))
    assert (pattern is None or re.fullmatch(pattern, module) is None) == has_adapter


SCHEDULES = next(setting.choices for setting in settings(SftRecipe) if setting.name == "lr_scheduler_type")
OPTIMIZERS = next(setting.choices for setting in settings(SftRecipe) if setting.name == "optim")


@pytest.mark.tiny
@pytest.mark.parametrize("kind", SCHEDULES)
def test_every_schedule_rises_to_the_learning_rate_and_goes_where_it_says(kind):
    import torch
    from transformers import get_scheduler

    recipe = SftRecipe(lr_scheduler_type=kind, learning_rate=0.01, max_steps=100, warmup_share=0.1, min_lr_rate=0.2)
    sft = to_trl(recipe, rows=100, output=Path("out"), device="cpu", targets="all").sft
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.01)
    schedule = get_scheduler(
        kind, optimizer, sft["warmup_steps"], 100, scheduler_specific_kwargs=sft["lr_scheduler_kwargs"]
    )
    rates = []
    for _ in range(100):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[0] <= 0.002 and max(rates) == pytest.approx(0.01)
    if kind in ("cosine_with_min_lr", "polynomial", "warmup_stable_decay"):
        assert schedule.get_last_lr()[0] == pytest.approx(0.002, rel=0.01)


@pytest.mark.tiny
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_way_of_stepping_runs_here_and_goes_on_exactly_from_its_saved_state(name, tmp_path):
    import io

    import torch
    from transformers import Trainer
    from trl import SFTConfig

    recipe = SftRecipe(optim=name, learning_rate=0.01)
    told = to_trl(recipe, rows=100, output=tmp_path, device="cpu", targets="all").sft
    config = SFTConfig(**told)

    def learned(interrupted: bool) -> torch.Tensor:
        torch.manual_seed(0)
        model, seen = torch.nn.Linear(64, 80), torch.randn(8, 64)
        kind, words = Trainer.get_optimizer_cls_and_kwargs(config, model)
        optimizer = kind(model.parameters(), **words)
        for step in range(6):
            if interrupted and step == 3:
                kept = io.BytesIO()
                torch.save(optimizer.state_dict(), kept)
                optimizer = kind(model.parameters(), **words)
                optimizer.load_state_dict(torch.load(io.BytesIO(kept.getvalue()), weights_only=True))
            (model(seen) ** 2).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
        return model.weight.detach().clone()

    whole, cut = learned(False), learned(True)
    assert torch.equal(whole, cut)
    torch.manual_seed(0)
    assert not torch.equal(whole, torch.nn.Linear(64, 80).weight)


@pytest.mark.tiny
def test_trl_and_peft_know_every_name_they_are_told():
    import dataclasses

    from peft import LoraConfig
    from trl import SFTConfig

    for arguments in told(SftRecipe())[0]:
        for kind, given in ((SFTConfig, arguments.sft), (LoraConfig, arguments.lora)):
            assert set(given) <= {field.name for field in dataclasses.fields(kind)}


def test_looking_at_the_validation_part_stays_a_small_share_of_the_run():
    for steps in (4, 40, 400, 4000):
        recipe = SftRecipe(max_steps=steps)
        scored = validation_rows(recipe, steps) * (min(recipe.evaluations, steps) + 1) / 3

        assert scored <= max(0.16 * steps * recipe.effective_batch_size, 8 * 9 / 3)

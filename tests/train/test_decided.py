"""What an adapter that goes on learning decides is recorded as it is, and nobody's own choice is dropped in silence."""

import pytest

from facet.cli.main import read_arguments
from facet.cli.train import require_no_model
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.recipe.recipes import SftRecipe
from facet.train.continued import fitted
from facet.train.to_trl import left_out
from tests.adapters import adapter_folder, names, small_lab

BOTH = ("self_attn.q_proj", "mlp.up_proj")


def of_layers(first, last, modules=BOTH):
    kept = [f".layers.{number}." for number in range(first - 1, last)]
    return {name: shape for name, shape in names(modules, 6).items() if any(part in name for part in kept)}


@pytest.mark.parametrize(
    ("said", "shapes", "decided"),
    [
        ({}, names(BOTH, 6), ("all_linear", None, None, "default")),
        ({}, names(("self_attn.q_proj",), 6), ("attention", None, None, "default")),
        ({}, names(("mlp.up_proj",), 6), ("feed_forward", None, None, "default")),
        ({"layers_to_transform": [2, 3]}, of_layers(3, 4), ("all_linear", 3, 4, "default")),
        ({"init_lora_weights": "gaussian"}, names(BOTH, 6), ("all_linear", None, None, "gaussian")),
        ({"init_lora_weights": "pissa"}, names(BOTH, 6), ("all_linear", None, None, "default")),
    ],
)
def test_where_the_adapter_sits_and_how_it_began_is_read_from_it(tmp_path, said, shapes, decided):
    made = fitted(SftRecipe(lora_targets="attention", last_layer=1), adapter_folder(tmp_path, said, shapes), "a run")

    assert (made.lora_targets, made.first_layer, made.last_layer, made.init_lora_weights) == decided


@pytest.mark.parametrize(
    "asked", [{"first_layer": 3}, {"last_layer": 4}, {"first_layer": 2, "last_layer": 5}, {"lora_targets": "attention"}]
)
def test_an_adapter_that_facet_made_says_what_it_was_made_with(tmp_path, asked):
    recipe = SftRecipe(**asked)
    modules = BOTH[:1] if "lora_targets" in asked else BOTH
    shapes = of_layers(recipe.first_layer or 1, recipe.last_layer or 6, modules)

    made = fitted(SftRecipe(), adapter_folder(tmp_path, {"exclude_modules": left_out(recipe)}, shapes), "a run")

    assert {name: getattr(made, name) for name in asked} == asked
    assert (made.first_layer, made.last_layer) == (recipe.first_layer, recipe.last_layer)


def test_what_such_an_adapter_cannot_do_is_refused_before_it_is_queued(tmp_path):
    dora = adapter_folder(tmp_path, {"use_dora": True})

    with pytest.raises(SettingError, match="8 bits keep no sizes") as refused:
        fitted(SftRecipe(base_precision="8bit"), dora, "a run")

    assert "“a run” keeps its kind" in refused.value.next


def test_a_flag_that_the_adapter_decides_otherwise_is_refused_by_its_name(tmp_path):
    lab = small_lab(tmp_path)
    run_id = lab.bring(base=lab.base)

    for given in ({"lora_rank": 64}, {"use_dora": True}, {"first_layer": 2}):
        with pytest.raises(SettingError, match="decides this setting") as refused:
            lab.studio.as_decided(LOCAL, SftRecipe(**given), given, run_id)
        assert "--" + next(iter(given)).replace("_", "-") in refused.value.why
    recipe = SftRecipe(lora_rank=4, learning_rate=1e-3)
    made = lab.studio.as_decided(LOCAL, recipe, ["lora_rank", "learning_rate"], run_id)
    assert (made.lora_rank, made.learning_rate, made.lora_targets) == (4, 1e-3, "attention")


@pytest.mark.parametrize(
    "line",
    [
        "train --data D --from RUN --model starter",
        "plan --data D --from RUN --model starter",
        "train --file f.yaml --from RUN",
        "train --file f.yaml --preset quick",
        "train --file f.yaml --goal style",
    ],
)
def test_flags_that_say_two_things_are_wrong_usage_and_none_is_dropped(line, capsys):
    with pytest.raises(SystemExit) as ended:
        read_arguments(line.split())

    assert ended.value.code == 2 and "leave one of them out" in capsys.readouterr().err


def test_a_run_that_went_on_from_another_is_not_cloned_onto_another_model():
    options = read_arguments("clone RUN --model starter".split())

    require_no_model(options, None)
    with pytest.raises(SettingError, match="Leave out --model"):
        require_no_model(options, "the run it went on from")

"""What does not go together is said in one sentence that names both labels, before anything starts."""

import pytest

from facet.errors import SettingError
from facet.recipe.advice import DataFacts, ModelFacts, require_fit
from facet.recipe.knobs import read_recipe, settings
from facet.recipe.methods import RECIPES
from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.recipe.together import Situation, clashes_with, labels

LABELS = labels(SftRecipe) | labels(PretrainRecipe)
IMPOSSIBLE = [
    ({"tuning": "full", "base_precision": "4bit"}, ("tuning", "base_precision")),
    ({"tuning": "full", "base_precision": "8bit"}, ("tuning", "base_precision")),
    ({"tuning": "full", "use_dora": True}, ("tuning", "use_dora")),
    ({"tuning": "full", "use_rslora": True}, ("tuning", "use_rslora")),
    ({"use_dora": True, "base_precision": "8bit"}, ("use_dora", "base_precision")),
    ({"init_lora_weights": "orthogonal", "lora_rank": 7}, ("init_lora_weights", "lora_rank")),
    ({"first_layer": 9, "last_layer": 3}, ("first_layer", "last_layer")),
    ({"min_length": 2048}, ("min_length", "max_length")),
    ({"warmup_steps": 50, "max_steps": 40}, ("warmup_steps", "max_steps")),
]
IDLE = [
    (SftRecipe, {"early_stopping_patience": 3, "evaluations": 0}, ("early_stopping_patience", "evaluations")),
    (SftRecipe, {"min_lr_rate": 0.3}, ("min_lr_rate", "lr_scheduler_type")),
    (SftRecipe, {"num_cycles": 4}, ("num_cycles", "lr_scheduler_type")),
    (SftRecipe, {"momentum": 0.5}, ("momentum", "optim")),
    (SftRecipe, {"adam_beta2": 0.95, "optim": "sgd"}, ("adam_beta2", "optim")),
    (SftRecipe, {"bnb_4bit_quant_type": "fp4"}, ("bnb_4bit_quant_type", "base_precision")),
    (SftRecipe, {"lora_rank": 8, "tuning": "full"}, ("lora_rank", "tuning")),
    (PretrainRecipe, {"too_long": "leave_out"}, ("too_long", "max_length")),
    (SftRecipe, {"base_precision": "bfloat16", "tuning": "full"}, ("base_precision", "tuning")),
    (PretrainRecipe, {}, ("train_sampling_strategy", "packing")),
]


@pytest.mark.parametrize(("chosen", "named"), IMPOSSIBLE, ids=str)
def test_what_cannot_be_is_refused_with_both_labels(chosen, named):
    with pytest.raises(SettingError) as refused:
        read_recipe(SftRecipe, chosen)
    assert all(LABELS[name] in refused.value.why for name in named)
    SftRecipe(**chosen)  # a run of an earlier Facet that was so can still be read


@pytest.mark.parametrize(("kind", "chosen", "named"), IDLE, ids=str)
def test_what_does_nothing_is_said_with_both_labels_and_refuses_nothing(kind, chosen, named):
    recipe = read_recipe(kind, chosen)
    said = [clash.words for clash in recipe.clashes() if not clash.is_fatal]
    assert any(all(LABELS[name] in words for name in named) for words in said), said


def test_texts_may_be_asked_to_be_longer_than_the_pieces_they_are_divided_into():
    assert read_recipe(PretrainRecipe, {"min_length": 2048, "max_length": 256}).min_length == 2048


def test_the_usual_recipe_has_nothing_to_say():
    assert SftRecipe().clashes() == []


@pytest.mark.parametrize(
    ("chosen", "situation", "words"),
    [
        ({"max_length": 4096}, Situation(context_length=2048, model="Tiny"), "Tiny reads 2,048 at most"),
        ({"tuning": "full", "learning_rate": 2e-4}, Situation(adapter_rate=2e-4), "that of an adapter"),
        ({"last_layer": 30}, Situation(layers=18, model="Tiny"), "Tiny has 18 layers"),
        ({"warmup_steps": 90}, Situation(rows=80), "the whole run has 30"),
        ({}, Situation(validation=0), "this dataset has none"),
        (
            {"lora_targets": "feed_forward"},
            Situation(only_experts=True, model="Tiny"),
            "“Kinds of layers” is “Only what knows”, and in Tiny those are experts",
        ),
    ],
)
def test_what_does_not_suit_the_data_or_the_model_is_said_with_its_number(chosen, situation, words):
    assert any(words in clash.words for clash in clashes_with(SftRecipe(**chosen), situation))


def test_a_recipe_longer_than_the_model_can_read_does_not_start():
    data, model = DataFacts(100, 10, 3000, 200, True), ModelFacts("Tiny", 5_000_000, 2048)
    require_fit(SftRecipe(), data, model)
    require_fit(SftRecipe(max_length=4096), DataFacts(100, 10, 300, 200, True), model)  # none is that long
    with pytest.raises(SettingError, match="does not suit"):
        require_fit(SftRecipe(max_length=4096), data, model)


def test_an_adapter_on_experts_alone_does_not_start_and_any_other_does():
    data, model = DataFacts(100, 10, 300, 200, True), ModelFacts("Tiny", 5_000_000, 2048, only_experts=True)
    for fine in ({}, {"lora_targets": "attention"}, {"lora_targets": "feed_forward", "tuning": "full"}):
        require_fit(SftRecipe(**fine), data, model)
    with pytest.raises(SettingError, match="experts"):
        require_fit(SftRecipe(lora_targets="feed_forward"), data, model)


@pytest.mark.parametrize("kind", RECIPES.values(), ids=lambda kind: kind.__name__)
def test_a_need_names_a_setting_and_values_that_there_are(kind):
    every = {setting.name: setting for setting in settings(kind)}
    for setting in every.values():
        need = setting.knob.needs
        if need is not None:
            other = every[need.setting]
            assert not other.choices or set(need.values) <= set(other.choices)


def test_there_are_at_least_fifty_settings_with_words_of_their_own_in_every_group():
    for kind in RECIPES.values():
        every = settings(kind)
        assert len(every) >= 50
        assert len({setting.knob.label for setting in every}) == len(every)
        assert len({setting.knob.plain for setting in every}) == len(every)


def test_a_recipe_of_an_earlier_facet_still_loads():
    assert SftRecipe(learning_rate=2e-4, lora_rank=8, lr_scheduler_type="cosine", warmup_share=0.05).lora_rank == 8

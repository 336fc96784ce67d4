import re
from dataclasses import replace

import pytest

from facet.errors import SettingError
from facet.gemma.inspect import facts_of
from facet.gemma.licences import licence_of, of_generation
from facet.gemma.memory import Training, _container_allowances, free_memory_gb, inference_gb, training_gb
from facet.gemma.models import OFFERED, SUPPORTED_TYPES, copied, find, generation_of, offered_by_family, usual
from facet.gemma.targets import USUAL, adapted, layers_of, lora_targets

GEMMA_270M = facts_of(
    {
        "model_type": "gemma3_text",
        "hidden_size": 640,
        "intermediate_size": 2048,
        "num_hidden_layers": 18,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "vocab_size": 262_144,
        "max_position_embeddings": 32_768,
    },
    268_098_176,
)


def needs(**changes):
    usual = {"batch": 4, "length": 125, "learned": 224, "precision": "bfloat16", "rank": 16}
    return training_gb(GEMMA_270M, Training(**(usual | changes)))


def test_every_offered_model_has_what_the_page_shows():
    assert next(model.id for model in OFFERED) == "starter"
    for model in OFFERED:
        assert model.words.endswith(".") and model.parameters > 1e6 and model.disk_gb > 0
        assert model.licence == licence_of(model.id, model.generation).card_id != "other"
        assert model.generation == "other" or model.licence == of_generation(model.generation).card_id
        assert model.gated == (model.ungated_mirror is not None) == (model.licence in ("gemma", "llama3.2"))
        assert model.disk_gb == pytest.approx(model.parameters * 2 / 1e9, rel=0.3)  # some store a tied layer twice
        assert find(model.id) is model is find(model.source)
        assert model.pretrained == ("pre-trained" in model.name)
    assert find("somebody/else") is None is find("")


def test_every_model_is_offered_once_and_in_a_family():
    ids = [one.lower() for model in OFFERED for one in model.ids]
    assert len(set(ids)) == len(ids) and len({model.name for model in OFFERED}) == len(OFFERED)
    families = offered_by_family()
    assert [model for models in families.values() for model in models] == list(OFFERED)
    assert {"Gemma 3", "Gemma 3n", "Gemma 4"} <= set(families) and len(usual()) == 6
    assert {model.pretrained for model in families["Gemma 4"]} == {True, False}


def test_a_copy_in_4_bits_is_taken_as_it_is_and_has_the_licence_of_the_whole():
    copy = "unsloth/gemma-3-12b-it-bnb-4bit"
    assert find(copy) is None and copied(copy).id == "google/gemma-3-12b-it"
    assert licence_of(copy, "3").card_id == "gemma"


def test_an_adapter_of_the_270m_has_the_weights_that_peft_counts():
    assert GEMMA_270M.trainable(16) == 3_796_992


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({}, 2.54),
        ({"batch": 8, "learned": 448}, 2.81),
        ({"batch": 1, "length": 315, "learned": 151, "rank": 8}, 2.31),
        ({"length": 317, "learned": 604, "rank": 64, "answers": False}, 2.64),
        ({"length": 317, "learned": 604, "gradient_checkpointing": True, "answers": False}, 1.80),
        ({"batch": 1, "length": 51, "learned": 21, "precision": "float32", "rank": 8, "answers": False}, 2.19),
    ],
)
def test_the_estimate_is_near_what_was_measured(changes, measured):
    assert needs(**changes) == pytest.approx(measured, rel=0.15)


def test_every_demand_raises_the_estimate():
    for more in ({"batch": 8}, {"length": 512}, {"rank": 64}, {"precision": "float32"}, {"stock_loss": True}):
        assert needs(**more) > needs()
    assert needs(length=512, gradient_checkpointing=True, device="cuda") < needs(length=512, device="cuda")
    assert needs(precision="4bit") < needs(dropout=True)
    assert needs(tuning="full", optimizer="adafactor") < needs(tuning="full")
    assert inference_gb(GEMMA_270M) == pytest.approx(1.2, abs=0.15)
    assert inference_gb(replace(GEMMA_270M, packed="4bit")) < inference_gb(GEMMA_270M)


def test_free_memory_respects_the_limit_of_a_container(tmp_path):
    root, membership = tmp_path / "cgroup", tmp_path / "self"
    inner = root / "pods" / "mine"
    inner.mkdir(parents=True)
    membership.write_text("0::/pods/mine\n")
    for folder, limit in ((root / "pods", "4000"), (inner, "max")):
        (folder / "memory.max").write_text(limit)
        (folder / "memory.current").write_text("3000")
        (folder / "memory.stat").write_text("anon 1\ninactive_file 500\n")
    assert _container_allowances(root, membership) == [1500]
    assert _container_allowances(tmp_path / "none", tmp_path / "nobody") == []
    assert free_memory_gb() > 0


TEXT = ["model.layers.0.self_attn.q_proj", "model.layers.31.mlp.down_proj"]
LANGUAGE = ["model.language_model.layers.0.self_attn.o_proj", "model.language_model.layers.3.mlp.gate_proj"]
NEVER = [
    "model.embed_tokens",
    "lm_head",
    "model.language_model.embed_tokens",
    "model.language_model.embed_tokens_per_layer",
    "model.language_model.layers.0.per_layer_input_gate",
    "model.language_model.layers.0.self_attn.q_norm",
    "model.vision_tower.encoder.layers.0.self_attn.q_proj",
    "model.vision_tower.encoder.layers.0.self_attn.q_proj.linear",
    "model.vision_tower.vision_model.encoder.layers.0.mlp.up_proj",
    "model.audio_tower.layers.0.self_attn.q_proj",
    "model.multi_modal_projector.q_proj",
]


@pytest.mark.parametrize("kind", SUPPORTED_TYPES)
def test_targets_hit_the_language_model_only(kind):
    hits = re.compile(lora_targets(kind)).fullmatch
    wanted, others = (LANGUAGE, TEXT) if kind in ("gemma3", "gemma4", "gemma4_unified") else (TEXT, LANGUAGE)
    if layers_of(kind) == USUAL:
        assert all(map(hits, wanted))
    assert not any(map(hits, NEVER + others))
    assert re.fullmatch(lora_targets("gemma4", multimodal=False), TEXT[0])


def test_a_part_of_the_layers_can_be_chosen():
    attention, feed_forward = (re.compile(lora_targets("gemma4", which=which)) for which in PARTS)
    assert [bool(attention.fullmatch(name)) for name in LANGUAGE] == [True, False]
    assert [bool(feed_forward.fullmatch(name)) for name in LANGUAGE] == [False, True]
    last = re.compile(lora_targets("gemma3_text", blocks=range(2, 12)))
    numbers = [number for number in range(30) if last.fullmatch(f"model.layers.{number}.mlp.up_proj")]
    assert numbers == list(range(2, 12))


def test_experts_are_left_as_they_are():
    assert lora_targets("qwen3_moe") == lora_targets("qwen3_moe", which="attention")
    with pytest.raises(SettingError, match="experts"):
        lora_targets("qwen3_moe", which="feed-forward")
    assert adapted("gemma4", "model.language_model.layers.0.mlp.up_proj.weight")
    assert not adapted("gemma4", "model.language_model.layers.0.experts.gate_up_proj.weight")
    assert not adapted("qwen3_moe", "model.layers.0.mlp.experts.0.up_proj.weight")


PARTS = ("attention", "feed-forward")


def test_licences_follow_the_generation():
    assert licence_of("google/gemma-3-1b-it", "3").card_id == "gemma"
    assert licence_of("google/gemma-4-E2B-it", "4").card_id == "apache-2.0"
    assert licence_of("starter", "3").card_id == "apache-2.0"  # a Gemma by shape, but our own weights
    assert licence_of("somebody/gemma-2-tuned", "2", stated="mit").card_id == "gemma"
    assert licence_of("somebody/llama", generation_of("llama")).card_id == "other"
    assert licence_of("somebody/qwen", "other", stated="apache-2.0").card_id == "apache-2.0"
    assert licence_of("somebody/odd", "other", stated="cc-by-nc-4.0").card_id == "other"
    assert "ai.google.dev/gemma/terms" in of_generation("3").notice

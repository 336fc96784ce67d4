import re

import pytest

from facet.gemma.inspect import facts_of
from facet.gemma.licences import licence_of, of_generation
from facet.gemma.memory import _container_allowances, free_memory_gb, inference_gb, training_gb
from facet.gemma.models import OFFERED, SUPPORTED_TYPES, find, generation_of
from facet.gemma.targets import lora_targets

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
    usual = {"dtype_bytes": 4, "lora_rank": 16, "batch": 4, "length": 256, "gradient_checkpointing": True}
    return training_gb(GEMMA_270M, **(usual | changes))


def test_every_offered_model_has_what_the_page_shows():
    assert next(model.id for model in OFFERED) == "starter"
    for model in OFFERED:
        assert model.words.endswith(".") and model.parameters > 1e6 and model.disk_gb > 0
        assert model.licence == of_generation(model.generation).card_id
        assert model.gated == (model.ungated_mirror is not None) == (model.licence == "gemma")
        assert model.disk_gb == pytest.approx(model.parameters * 2 / 1e9, rel=0.15)
        assert find(model.id) is model is find(model.source)
    assert find("somebody/else") is None is find("")


def test_an_adapter_of_the_270m_has_the_weights_that_peft_counts():
    assert GEMMA_270M.trainable(16) == 3_796_992


LONG_AND_WHOLE = {"length": 512, "gradient_checkpointing": False}


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({}, 3.0),
        ({"length": 512}, 4.7),
        ({"gradient_checkpointing": False}, 3.95),
        (LONG_AND_WHOLE, 6.06),
    ],
)
def test_the_estimate_is_near_what_was_measured_and_seldom_below(changes, measured):
    assert -0.05 * measured < needs(**changes) - measured < 0.15 * measured


def test_every_demand_raises_the_estimate():
    for more in ({"batch": 8}, {"length": 512}, {"lora_rank": 64}, {"gradient_checkpointing": False}):
        assert needs(**more) > needs()
    assert needs(dtype_bytes=2) < needs() and needs(scored_at_once=256) < needs()
    assert inference_gb(GEMMA_270M) == pytest.approx(1.2, abs=0.15)


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
    if kind != "phi3":
        assert all(map(hits, wanted))
    assert not any(map(hits, NEVER + others))
    assert re.fullmatch(lora_targets("gemma4", multimodal=False), TEXT[0])


def test_licences_follow_the_generation():
    assert licence_of("google/gemma-3-1b-it", "3").card_id == "gemma"
    assert licence_of("google/gemma-4-E2B-it", "4").card_id == "apache-2.0"
    assert licence_of("starter", "3").card_id == "apache-2.0"  # a Gemma by shape, but our own weights
    assert licence_of("somebody/gemma-2-tuned", "2", stated="mit").card_id == "gemma"
    assert licence_of("somebody/llama", generation_of("llama")).card_id == "other"
    assert licence_of("somebody/qwen", "other", stated="apache-2.0").card_id == "apache-2.0"
    assert licence_of("somebody/odd", "other", stated="cc-by-nc-4.0").card_id == "other"
    assert "ai.google.dev/gemma/terms" in of_generation("3").notice

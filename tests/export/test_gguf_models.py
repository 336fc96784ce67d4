"""A GGUF file says what the model says: llama.cpp and transformers in float32, number by number."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from facet import starter
from facet.errors import SettingError
from facet.export.gguf import can_write_gguf, write_gguf
from tests.export.gguf_models import adapter_for, edit, lively, loaded, log_probabilities, some_tokens
from tests.export.llama_cpp import LlamaCpp

pytestmark = pytest.mark.tiny

WEIGHTS = "model.safetensors"
# llama.cpp looks GELU up in a table of 16-bit numbers; SiLU it computes.
NEAR = {"gelu": 4e-3, "silu": 2e-5}
SEVEN_LAYERS = {"num_hidden_layers": 7, "layer_types": None, "sliding_window": 8, "query_pre_attn_scalar": 3}
LLAMA_3 = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS = {
    "gemma": ("gemma", "gelu", {}),
    "gemma 2 with windows": ("gemma2", "gelu", {"sliding_window": 8, "query_pre_attn_scalar": 3}),
    "gemma 3": ("gemma3_text", "gelu", {}),
    "gemma 3 with windows": ("gemma3_text", "gelu", SEVEN_LAYERS),
    "gemma 3 with pictures": ("gemma3", "gelu", {}),
    "llama": ("llama", "silu", {}),
    "llama with an output of its own": ("llama", "silu", {"tie_word_embeddings": False}),
    "llama 3": ("llama", "silu", {"rope_parameters": LLAMA_3}),
    "mistral": ("mistral", "silu", {"sliding_window": None}),
    "qwen 2": ("qwen2", "silu", {}),
    "qwen 3": ("qwen3", "silu", {"tie_word_embeddings": True}),
}


def differences(base: Path, file: Path, adapter: Path | None = None, counts: tuple[int, ...] = (1, 30, 200)) -> float:
    """The largest difference between the two, in nats, over all tokens that may follow."""
    ours, theirs = loaded(base, adapter), LlamaCpp(file)
    size = ours.get_input_embeddings().weight.shape[0]
    found = 0.0
    for count in counts:
        tokens = some_tokens(count, size)
        expected = log_probabilities(ours, tokens)
        assert expected.std() > 0.3, "the model must have an opinion"
        found = max(found, float(np.abs(expected - theirs.log_probabilities(tokens, size)).max()))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_llama_cpp_computes_what_transformers_computes(tmp_path, name):
    kind, activation, changes = MODELS[name]
    base = lively(kind, tmp_path / "base", **changes)
    assert can_write_gguf(base) is None
    write_gguf(base, None, tmp_path / "model.gguf", "f32")
    assert differences(base, tmp_path / "model.gguf") < NEAR[activation]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"use_rslora": True},
        {"use_dora": True},
        {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"layers.1.mlp.down_proj": 32}},
        {"modules_to_save": ["lm_head"]},
    ],
    ids=["plain", "rank-stabilised", "sizes apart", "patterns", "a whole layer"],
)
def test_an_adapter_is_merged_as_peft_applies_it(tmp_path, settings):
    base = lively("llama", tmp_path / "base", tie_word_embeddings=False)
    adapter = adapter_for(base, tmp_path / "adapter", **settings)
    write_gguf(base, adapter, tmp_path / "model.gguf", "f32")
    assert differences(base, tmp_path / "model.gguf", adapter) < 5e-5
    assert differences(base, tmp_path / "model.gguf", None, (30,)) > 0.05  # the adapter is heard


def test_a_tuned_starter_answers_the_same_and_stops_where_it_does(tmp_path):
    import torch

    adapter = adapter_for(starter.FOLDER, tmp_path / "adapter", lora_alpha=2)
    write_gguf(starter.FOLDER, adapter, tmp_path / "model.gguf", "f32")
    ours, theirs = loaded(starter.FOLDER, adapter), LlamaCpp(tmp_path / "model.gguf", 1024)
    for tokens in (some_tokens(20, 4096), some_tokens(700, 4096)):  # the second is longer than the window
        expected = log_probabilities(ours, tokens)
        assert np.abs(expected - theirs.log_probabilities(tokens, 4096)).max() < 0.02
    for question in ("Hello! Who are you?", "What is honey?", "Write a sentence about the sea."):
        text = f"<start_of_turn>user\n{question}<end_of_turn>\n<start_of_turn>model\n"
        tokens = theirs.tokens(text)
        said = ours.generate(input_ids=torch.tensor([tokens]), do_sample=False, max_new_tokens=32)[0, len(tokens) :]
        assert theirs.greedy(tokens, 32) == said.tolist()


@pytest.mark.parametrize(("precision", "near"), [("f16", 0.02), ("bf16", 0.3), ("q8_0", 0.3)])
def test_rounding_changes_little(tmp_path, precision, near):
    write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", precision)
    assert differences(starter.FOLDER, tmp_path / "model.gguf", counts=(20,)) < near


def test_a_model_described_by_an_older_transformers_is_the_same_file(tmp_path):
    scaled = {"rope_type": "linear", "factor": 4.0}
    rope = {
        "full_attention": scaled | {"rope_theta": 5e5},
        "sliding_attention": {"rope_type": "default", "rope_theta": 2e4},
    }
    base = lively("gemma3_text", tmp_path / "base", rope_parameters=rope, **SEVEN_LAYERS)
    write_gguf(base, None, tmp_path / "new.gguf", "f32")
    assert differences(base, tmp_path / "new.gguf", counts=(200,)) < NEAR["gelu"]
    edit(base / "config.json", rope_parameters=None, rope_theta=5e5, rope_local_base_freq=2e4, rope_scaling=scaled)
    write_gguf(base, None, tmp_path / "old.gguf", "f32")
    assert (tmp_path / "old.gguf").read_bytes() == (tmp_path / "new.gguf").read_bytes()


def test_a_copy_of_a_tied_embedding_is_left_out_and_numbers_too_large_are_refused(tmp_path):
    from safetensors.numpy import load_file, save_file

    base = lively("qwen3", tmp_path / "base", tie_word_embeddings=True)
    write_gguf(base, None, tmp_path / "tied.gguf", "f16")
    weights = load_file(base / WEIGHTS)
    save_file(weights | {"lm_head.weight": weights["model.embed_tokens.weight"]}, base / WEIGHTS)
    write_gguf(base, None, tmp_path / "copied.gguf", "f16")
    assert (tmp_path / "tied.gguf").read_bytes() == (tmp_path / "copied.gguf").read_bytes()

    save_file(weights | {"model.embed_tokens.weight": weights["model.embed_tokens.weight"] * 1e6}, base / WEIGHTS)
    with pytest.raises(SettingError, match="too large for 16 bits"):
        write_gguf(base, None, tmp_path / "large.gguf", "f16")
    assert not (tmp_path / "large.gguf").exists()


def test_bfloat16_weights_go_through_unchanged(tmp_path):
    from safetensors.torch import load_file

    write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", "bf16")
    import torch

    stored = {}
    for shard in starter.FOLDER.glob("*.safetensors"):
        stored |= load_file(shard)
    found = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "model.gguf").tensors}
    embedding = stored["model.embed_tokens.weight"].view(torch.uint8).numpy()
    assert (found["token_embd.weight"].reshape(-1) == embedding.reshape(-1)).all()
    norm = stored["model.norm.weight"].float().numpy()
    assert (found["output_norm.weight"] == norm + 1).all()


def test_progress_is_told_up_to_the_end(tmp_path):
    told = []
    write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", "q8_0", told.append, name="My bees")
    assert told == sorted(told) and told[-1] == 1.0
    assert GGUFReader(tmp_path / "model.gguf").fields["general.name"].contents() == "My bees"

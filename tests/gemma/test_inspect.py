import json
import subprocess
import sys

import pytest

from facet.errors import DataError, FacetError, NotFoundError, SettingError
from facet.gemma.inspect import facts_of, inspect
from tests.gemma.folders import CONFIG, model_folder, write_safetensors


def test_a_model_is_understood_from_its_headers(tmp_path):
    facts = inspect(model_folder(tmp_path))
    assert (facts.parameters, facts.dtype, facts.layers, facts.vocab_size) == (2112, "bfloat16", 2, 100)
    assert (facts.tied, facts.has_template, facts.licence, facts.generation) == (True, True, "gemma", "3")


def test_a_tied_output_layer_is_counted_once(tmp_path):
    shapes = {"model.embed_tokens.weight": [100, 16], "lm_head.weight": [100, 16]}
    assert inspect(model_folder(tmp_path / "tied", shapes=shapes)).parameters == 1600
    untied = CONFIG | {"tie_word_embeddings": False}
    assert inspect(model_folder(tmp_path / "untied", untied, shapes)).parameters == 3200


def test_shards_are_added_up_and_a_missing_one_is_named_by_its_number(tmp_path):
    folder = model_folder(tmp_path)
    (folder / "model.safetensors").unlink()
    write_safetensors(folder / "a.safetensors", {"model.embed_tokens.weight": [100, 16]})
    write_safetensors(folder / "b.safetensors", {"model.norm.weight": [16]})
    index = {"weight_map": {"model.embed_tokens.weight": "a.safetensors", "model.norm.weight": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert inspect(folder).parameters == 1616
    (folder / "b.safetensors").unlink()
    with pytest.raises(DataError, match="1 of its 2 weight files are missing"):
        inspect(folder)


@pytest.mark.parametrize(
    "weight_map", [{"w": "../../etc/passwd"}, {"w": "/etc/x.safetensors"}, {"w": 3}, [], {"w": "x.bin"}]
)
def test_an_index_cannot_point_out_of_its_folder(tmp_path, weight_map):
    folder = model_folder(tmp_path)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(DataError):
        inspect(folder)


def test_a_multimodal_configuration_may_leave_out_what_the_library_knows():
    text = {"hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34, "model_type": "gemma3_text"}
    facts = facts_of({"model_type": "gemma3", "text_config": text}, 4_300_079_472)
    assert (facts.vocab_size, facts.context_length, facts.multimodal, facts.tied) == (262_208, 131_072, True, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "mamba"}, "kind “mamba”"),
        ({"model_type": "<img src=x>" * 40}, "img src=x"),
        ({"model_type": None}, "kind “None”"),
        ({"auto_map": {"AutoModel": "modeling_x.X"}}, "auto_map"),
        ({"quantization_config": {"bits": 4}}, "compressed"),
        ({"hidden_size": None}, "hidden_size"),
        ({"hidden_size": -1}, "hidden_size"),
        ({"num_hidden_layers": True}, "num_hidden_layers"),
        ({"head_dim": "8"}, "head_dim"),
        ({"vocab_size": 999}, "do not belong together"),
    ],
)
def test_a_model_we_do_not_take_is_refused_with_the_reason(tmp_path, change, words):
    with pytest.raises((SettingError, DataError), match=words) as caught:
        inspect(model_folder(tmp_path, CONFIG | change))
    assert_three_sentences(caught.value)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["adapter_config.json", "adapter_model.safetensors"], "an adapter"),
        (["model-Q8_0.gguf", "config.json"], "GGUF"),
        (["config.json", "tokenizer.json", "pytorch_model.bin"], "hide programs"),
        (["config.json", "model.safetensors"], "tokenizer.json"),
        (["model.safetensors", "tokenizer.json"], "config.json"),
        ([], "config.json file and a model.safetensors file and a tokenizer.json"),
    ],
)
def test_a_folder_of_something_else_is_refused_by_its_file_names(tmp_path, files, words):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises((SettingError, DataError), match=words) as caught:
        inspect(tmp_path)
    assert_three_sentences(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda weights: weights[:-1],
        lambda weights: weights[:20],
        lambda weights: b"",
        lambda weights: (2**62).to_bytes(8, "little") + weights[8:],
        lambda weights: weights[:8] + b"[" * 200 + weights[208:],
        lambda weights: (2).to_bytes(8, "little") + b"[]",
        lambda weights: (9).to_bytes(8, "little") + b'{"a":{}}  ',
    ],
)
def test_damaged_weights_are_noticed(tmp_path, damage):
    folder = model_folder(tmp_path)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(damage(weights))
    with pytest.raises(DataError, match="cannot be read") as caught:
        inspect(folder)
    assert_three_sentences(caught.value)


@pytest.mark.parametrize("config", ["", "[]", "{", "[" * 100_000, '"x"'])
def test_a_damaged_description_is_noticed(tmp_path, config):
    folder = model_folder(tmp_path)
    (folder / "config.json").write_text(config)
    with pytest.raises(DataError, match="description cannot be read"):
        inspect(folder)


def test_a_place_that_is_no_folder_is_not_found(tmp_path):
    with pytest.raises(NotFoundError):
        inspect(tmp_path / "nowhere")


def test_the_room_imports_nothing_heavy():
    code = "import sys; from facet.gemma import inspect, licences, memory, targets; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(printed.split())
    assert not loaded & {"torch", "transformers", "trl", "peft", "datasets", "gradio", "huggingface_hub", "numpy"}


def assert_three_sentences(error: FacetError):
    for sentence in (error.what, error.why, error.next):
        assert sentence.endswith(".") and len(sentence) < 200

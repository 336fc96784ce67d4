"""What cannot become a GGUF file is said in words, and half a file is never left."""

import json
import resource
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader
from safetensors.numpy import save_file

from facet import starter
from facet.errors import CapacityError, DataError, FacetError, SettingError
from facet.export import gguf
from facet.export.gguf import can_write_gguf, write_gguf
from facet.export.gguf_read import tensors_in
from tests.adapters import base_folder
from tests.export.gguf_models import edit

pytestmark = pytest.mark.faults
QUERIES = "base_model.model.model.layers.0.self_attn.q_proj"
EMBEDDING = "base_model.model.model.embed_tokens"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return shutil.copytree(starter.FOLDER, tmp_path / "base")


def adapter(folder: Path, tensors: dict[str, np.ndarray] | None = None, **said: Any) -> Path:
    """An adapter for the starter that changes the queries of its first layer."""
    folder.mkdir()
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4, "bias": "none"} | said
    (folder / "adapter_config.json").write_text(json.dumps(config))
    both = {f"{QUERIES}.lora_A.weight": np.ones((2, 256), "f4"), f"{QUERIES}.lora_B.weight": np.ones((256, 2), "f4")}
    save_file(both if tensors is None else tensors, folder / "adapter_model.safetensors")
    return folder


def refusal(tmp_path: Path, base: Path, adapter: Path | None = None) -> FacetError:
    """What the writer says. It leaves nothing, and says the same when only asked."""
    with pytest.raises(FacetError) as caught:
        write_gguf(base, adapter, tmp_path / "out" / "model.gguf", "f16")
    assert can_write_gguf(base, adapter) == str(caught.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    return caught.value


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"model_type": "gemma4_text"}, "gemma4_text"),
        ({"model_type": "phi3"}, "phi3"),
        ({"hidden_activation": "relu"}, "relu"),
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
        ({"attention_bias": True}, "attention_bias"),
        ({"use_bidirectional_attention": True}, "use_bidirectional_attention"),
        ({"layer_types": ["full_attention"] * 6}, "order"),
        ({"rope_parameters": {"full_attention": {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0}}}, "yarn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_model_llama_cpp_would_compute_otherwise_is_refused(tmp_path, base, changes, word):
    edit(base / "config.json", **changes)
    error = refusal(tmp_path, base)
    assert isinstance(error, SettingError) and word in error.why


def test_damaged_files_are_named(tmp_path, base):
    shard = base / "model-00002-of-00002.safetensors"
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    assert isinstance(refusal(tmp_path, base), DataError)
    shard.write_bytes(b"\xff" * 100)
    assert isinstance(refusal(tmp_path, base), DataError)
    shard.write_bytes(whole.replace(b'"BF16"', b'"F8_E"', 1))
    assert "F8_E" in refusal(tmp_path, base).why
    shard.unlink()
    assert "weight files are missing" in refusal(tmp_path, base).why


def test_a_missing_tokenizer_is_named(tmp_path, base):
    (base / "tokenizer.json").unlink()
    assert "tokenizer.json" in refusal(tmp_path, base).why


def test_a_model_without_one_of_its_weights_is_refused(tmp_path):
    base = base_folder(tmp_path / "base")  # it has no norms
    edit(base / "config.json", hidden_activation="gelu_pytorch_tanh", sliding_window=64)
    assert "It lacks" in refusal(tmp_path, base).why


def test_weights_that_are_no_numbers_are_refused_while_writing(tmp_path, base):
    shard = base / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-2] + b"\xc0\x7f")
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="not numbers"):
        write_gguf(base, None, tmp_path / "out" / "model.gguf", "f16")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"use_dora": True}, "A part of its weights"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"bias": "all"}, "bias"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"trainable_token_indices": [3]}, "trainable_token_indices"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"),
        ({"alpha_pattern": {"(a+)+q_proj": 3}}, "alpha_pattern"),
        ({"r": 3}, "rank 3"),
        ({"lora_alpha": "much"}, "much"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_adapter_that_is_more_than_lora_is_refused(tmp_path, base, said, word):
    assert word in refusal(tmp_path, base, adapter(tmp_path / "adapter", **said)).why


@pytest.mark.parametrize(
    ("tensors", "word"),
    [
        ({f"{QUERIES}.lora_A.weight": (2, 200), f"{QUERIES}.lora_B.weight": (256, 2)}, "256 × 200"),
        ({f"{QUERIES}.lora_A.weight": (2, 256)}, "A part of its weights"),
        ({"base_model.model.model.layers.9.mlp.up_proj.lora_A.weight": (2, 256)}, "A part of its weights"),
        (
            {f"base_model.model.model.layers.9.mlp.up_proj.lora_{half}.weight": (2, 2) for half in "AB"},
            "missing there",
        ),
        ({f"{EMBEDDING}.lora_embedding_A": (2, 4096), f"{EMBEDDING}.lora_embedding_B": (256, 2)}, "another way"),
        ({f"{EMBEDDING}.weight": (4100, 256)}, "another way"),
        ({f"{QUERIES}.lora_magnitude_vector": (256,)}, "another way"),
        ({}, "no weights"),
    ],
)
def test_an_adapter_of_another_model_is_refused(tmp_path, base, tensors, word):
    theirs = adapter(tmp_path / "adapter", {name: np.ones(shape, "f4") for name, shape in tensors.items()})
    assert word in refusal(tmp_path, base, theirs).why


def test_an_adapter_with_an_embedding_of_its_own_is_refused_where_it_is_the_output_too(tmp_path, base):
    theirs = adapter(
        tmp_path / "adapter", {f"{EMBEDDING}.weight": np.ones((4096, 256), "f4")}, modules_to_save=["embed_tokens"]
    )
    assert "output layer too" in refusal(tmp_path, base, theirs).why


def test_a_damaged_adapter_is_named(tmp_path, base):
    theirs = adapter(tmp_path / "adapter")
    (theirs / "adapter_model.safetensors").write_bytes(b"\x00" * 9)
    assert "adapter_model.safetensors" in refusal(tmp_path, base, theirs).why
    (theirs / "adapter_model.safetensors").unlink()
    assert "adapter_model.safetensors" in refusal(tmp_path, base, theirs).why
    (theirs / "adapter_config.json").write_text("[]")
    assert "adapter_config.json" in refusal(tmp_path, base, theirs).why


def test_a_full_disk_is_named_and_the_file_that_was_there_stays(tmp_path):
    target = tmp_path / "out" / "model.gguf"
    target.parent.mkdir()
    target.write_bytes(b"before")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limit[1]))
    try:
        with pytest.raises(CapacityError, match="The disk is full"):
            write_gguf(starter.FOLDER, None, target, "f16")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert [file.name for file in target.parent.iterdir()] == ["model.gguf"] and target.read_bytes() == b"before"


def test_a_folder_that_cannot_be_written_to_is_said_in_words(tmp_path):
    with pytest.raises(CapacityError, match="Choose another folder"):
        write_gguf(starter.FOLDER, None, tmp_path / "no such folder" / "model.gguf", "f16")


def test_a_file_that_reads_otherwise_than_it_was_written_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf.GGUFWriter, "add_tensor_info", _without_the_norm(gguf.GGUFWriter.add_tensor_info))
    monkeypatch.setattr(gguf.GGUFWriter, "write_tensor_data", lambda writer, tensor: None)
    with pytest.raises(DataError, match="was not written as it should be"):
        write_gguf(starter.FOLDER, None, tmp_path / "model.gguf", "f16")
    assert not list(tmp_path.iterdir())


def _without_the_norm(add):
    return lambda writer, name, *about: None if name == "output_norm.weight" else add(writer, name, *about)


def test_the_file_is_read_as_the_librarys_own_reader_reads_it(tmp_path):
    file = tmp_path / "model.gguf"
    write_gguf(starter.FOLDER, None, file, "q8_0")
    theirs = {one.name: (tuple(reversed(one.shape.tolist())), one.tensor_type) for one in GGUFReader(file).tensors}
    assert tensors_in(file) == theirs and len(theirs) == 80
    whole = file.read_bytes()
    for cut in (0, 3, 30, 5_000, len(whole) - 1):
        file.write_bytes(whole[:cut])
        with pytest.raises(ValueError):
            tensors_in(file)

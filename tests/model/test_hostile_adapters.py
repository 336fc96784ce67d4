"""Adapters that are no plain LoRA, or not what they say: each is refused in three sentences, and none is loaded."""

import json
import struct

import pytest

from facet.errors import DataError, FacetError, SettingError
from facet.model import adapter
from tests.adapters import adapter_folder, header_of, names, raw_weights

WEIGHTS = "adapter_model.safetensors"

HOSTILE_WORDS = [
    {"peft_type": "PROMPT_TUNING"},
    {"peft_type": ["LORA"]},
    {"peft_type": ...},
    {"task_type": "SEQ_CLS"},
    {"auto_mapping": {"base_model_class": "Evil", "parent_library": "evil_module"}},
    {"auto_mapping": "evil"},
    {"auto_map": {"AutoModel": "evil.Evil"}},
    {"r": 0},
    {"r": 257},
    {"r": True},
    {"r": "4"},
    {"r": 8},
    {"lora_alpha": 0},
    {"lora_alpha": -8},
    {"lora_alpha": 10**300},
    {"lora_alpha": "8"},
    {"lora_alpha": None},
    {"lora_dropout": 1.0},
    {"lora_dropout": []},
    {"modules_to_save": ["lm_head"]},
    {"trainable_token_indices": [1, 2]},
    {"rank_pattern": {"q_proj": 8}},
    {"alpha_pattern": {"(a+)+$": 8}},
    {"use_dora": True},
    {"use_rslora": "yes"},
    {"bias": "all"},
    {"lora_bias": True},
    {"fan_in_fan_out": True},
    {"init_lora_weights": "pissa"},
    {"init_lora_weights": "loftq"},
    {"init_lora_weights": 1},
    {"layer_replication": [[0, 2]]},
    {"target_parameters": ["mlp.experts"]},
    {"target_modules": None},
    {"target_modules": {"a": 1}},
    {"alora_invocation_tokens": [1]},
    {"something_new": "a value"},
]


@pytest.mark.parametrize("said", HOSTILE_WORDS, ids=lambda said: str(said)[:60])
def test_any_other_kind_is_refused_in_three_sentences(tmp_path, said):
    with pytest.raises((SettingError, DataError)) as refused:
        adapter.read(adapter_folder(tmp_path / "a", said))
    assert all(sentence.endswith(".") for sentence in refused.value.args)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"r": NaN}',
        b'{"r": 4, "r": 8}',
        b"[" * 100_000,
        b'{"a":' * 30_000,
        b"\xff\xfe",
        b'{"r": 1' + b"0" * 5000 + b"}",
        b" " * 200_001,
    ],
    ids=range(11),
)
def test_a_description_that_is_no_plain_json_is_refused(tmp_path, text):
    folder = adapter_folder(tmp_path / "a")
    (folder / "adapter_config.json").write_bytes(text)
    with pytest.raises(FacetError):
        adapter.read(folder)


def weights_of(change) -> bytes:
    header, size = header_of(names())
    first = next(iter(header))
    data = bytearray(size)
    header = change(header, first, data) or header
    return raw_weights(header, bytes(data))


def set_in(name, value):
    def change(header, first, data):
        header[first][name] = value

    return change


def put(number):
    def change(header, first, data):
        data[-4:] = struct.pack("<f", number)

    return change


def renamed(name):
    def change(header, first, data):
        return {name if old == first else old: entry for old, entry in header.items()}

    return change


PLACE = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
HOSTILE_WEIGHTS = {
    "not a number": put(float("nan")),
    "infinite": put(float("inf")),
    "other kind": set_in("dtype", "I64"),
    "kind is a list": set_in("dtype", ["F32"]),
    "three sides": set_in("shape", [2, 2, 16]),
    "negative": set_in("shape", [-4, -16]),
    "shape is text": set_in("shape", "ab"),
    "a true side": set_in("shape", [True, 64]),
    "offsets too far": set_in("data_offsets", [0, 10**9]),
    "offsets overlap": set_in("data_offsets", [16, 272]),
    "no offsets": lambda header, first, data: header[first].pop("data_offsets") and None,
    "entry is a list": lambda header, first, data: header | {first: []},
    "another rank": set_in("shape", [8, 8]),
    "empty": lambda header, first, data: data.clear() or {"__metadata__": {}},
    "half missing": lambda header, first, data: (
        data.__delitem__(slice(len(data) - 128, None)) or dict(list(header.items())[:-1])
    ),
    "hidden tail": lambda header, first, data: data.extend(b"#!/bin/sh"),
    "cut short": lambda header, first, data: data.__delitem__(slice(len(data) - 4, None)),
    "output layer": renamed("base_model.model.lm_head.lora_A.weight"),
    "embedding": renamed("base_model.model.model.embed_tokens.lora_embedding_A"),
    "vision": renamed("base_model.model.model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.weight"),
    "whole layer": renamed("base_model.model.model.layers.0.self_attn.q_proj.weight"),
    "strength of dora": renamed("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector"),
    "leading zero": renamed(PLACE.replace("layers.0", "layers.00")),
    "other digits": renamed(PLACE.replace("layers.0", "layers.\u0660")),
    "two stems": renamed(PLACE.replace("model.layers", "model.language_model.layers")),
    "newline": renamed(PLACE + "\n"),
    "surrogate": renamed("\ud800"),
    "description is a list": lambda header, first, data: b"[]",
    "description is no json": lambda header, first, data: b"{" * 50,
    "a name twice": lambda header, first, data: json.dumps(header).replace("}}", f'}}, "{first}": {{}}}}').encode(),
    "deep": lambda header, first, data: b"[" * 100_000,
}


@pytest.mark.parametrize("change", HOSTILE_WEIGHTS.values(), ids=HOSTILE_WEIGHTS.keys())
def test_weights_that_are_not_what_they_say_are_refused(tmp_path, change):
    folder = adapter_folder(tmp_path / "a")
    (folder / WEIGHTS).write_bytes(weights_of(change))
    with pytest.raises(DataError) as refused:
        adapter.read(folder)
    assert all(sentence.endswith(".") and len(sentence) < 200 for sentence in refused.value.args)


NO_SAFETENSORS = {
    "empty": b"",
    "no header": bytes(8),
    "pickle": b"\x80\x04\x95pickle",
    "a header longer than any file": struct.pack("<Q", 2**63) + b"{}",
    "a header of megabytes": struct.pack("<Q", 5 * 10**6) + bytes(6 * 10**6),
}


@pytest.mark.parametrize("content", NO_SAFETENSORS.values(), ids=NO_SAFETENSORS.keys())
def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path, content):
    folder = adapter_folder(tmp_path / "a")
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(DataError):
        adapter.read(folder)


def test_bfloat16_is_looked_through_for_what_is_no_number(tmp_path):
    folder = adapter_folder(tmp_path / "a", dtype="BF16")
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:-2] + struct.pack("<H", 0x7FC0))
    with pytest.raises(DataError, match="not numbers"):
        adapter.read(folder)

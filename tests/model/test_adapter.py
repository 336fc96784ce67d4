"""An adapter from elsewhere is read without being trusted: plain LoRA that fits its starting model, or a reason."""

import json
import struct

import pytest

from facet import starter
from facet.errors import FacetError, SettingError
from facet.gemma.targets import lora_targets
from facet.model import adapter
from facet.model.source import BaseSource
from tests.adapters import RANK, SIZES, adapter_folder, base_folder, names

BASE = BaseSource("ann/tiny-gemma", "hub", "a" * 40, "ann--tiny-gemma/" + "a" * 40)
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def base(tmp_path):
    return base_folder(tmp_path / "base model")


def test_a_plain_adapter_is_understood_and_written_anew(tmp_path, base):
    found = adapter.read(adapter_folder(tmp_path / "theirs"))
    found.require_fit(base)
    found.write(tmp_path / "ours", BASE, base)

    assert (found.rank, found.scale, found.dropout, found.base()) == (4, 2.0, 0.05, ("ann/tiny-gemma", None))
    assert found.parameters == 2 * RANK * (16 + 16 + 16 + 8)
    written = json.loads((tmp_path / "ours" / "adapter_config.json").read_text())
    assert (written["base_model_name_or_path"], written["revision"]) == (BASE.id, BASE.revision)
    assert written["target_modules"] == [
        f"model.layers.{layer}.self_attn.{name}" for layer in (0, 1) for name in ("q_proj", "v_proj")
    ]
    assert (tmp_path / "ours" / WEIGHTS).read_bytes() == (found.folder / WEIGHTS).read_bytes()


def test_the_layers_come_from_the_weights_and_a_strangers_pattern_is_never_run(tmp_path, base):
    endless = "(a+)+$" * 50
    found = adapter.read(adapter_folder(tmp_path / "a", {"target_modules": endless}, names(tuple(SIZES))))
    found.write(tmp_path / "ours", BASE, base)

    written = json.loads((tmp_path / "ours" / "adapter_config.json").read_text())
    assert written["target_modules"] == lora_targets("gemma3_text"), "all layers: the pattern is ours"
    assert endless not in json.dumps(written)


def test_a_stem_of_another_time_is_renamed_and_the_numbers_stay(tmp_path, base):
    folder = adapter_folder(tmp_path / "old", shapes=names(stem="model.language_model."))
    file = folder / WEIGHTS
    whole = file.read_bytes()
    file.write_bytes(whole[:-8] + struct.pack("<2f", 1.5, -2.5))
    adapter.read(folder).write(tmp_path / "ours", BASE, base)

    again = adapter.read(tmp_path / "ours")
    assert again.weights.stem == "model." and again.weights.modules == adapter.read(folder).weights.modules
    assert (tmp_path / "ours" / WEIGHTS).read_bytes().endswith(struct.pack("<2f", 1.5, -2.5))


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_the_usual_precisions_are_read(tmp_path, dtype):
    assert adapter.read(adapter_folder(tmp_path / "a", dtype=dtype)).rank == RANK


def test_rank_stabilised_lora_keeps_its_own_strength(tmp_path):
    assert adapter.read(adapter_folder(tmp_path / "a", {"use_rslora": True})).scale == 4.0


HARMLESS = [
    {"auto_mapping": {"base_model_class": "Gemma3ForCausalLM", "parent_library": "transformers.models.gemma3"}},
    {"something_new": None, "another": {}, "third": False},
    {"layers_to_transform": [0, 1], "layers_pattern": "layers"},
    {"init_lora_weights": "gaussian"},
    {"task_type": None},
    {"loftq_config": {"bits": 4}, "megatron_core": "megatron.core"},
]


@pytest.mark.parametrize("said", HARMLESS)
def test_what_changes_nothing_about_the_weights_is_passed_over(tmp_path, base, said):
    found = adapter.read(adapter_folder(tmp_path / "a", said))
    found.write(tmp_path / "ours", BASE, base)
    assert not set(said) - {"task_type", "init_lora_weights"} & set(
        json.loads((tmp_path / "ours" / "adapter_config.json").read_text())
    )


@pytest.mark.parametrize(
    "shapes",
    [
        names(layers=3),
        names() | {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": [RANK, 32]},
        {name.replace("q_proj", "qkv_proj"): shape for name, shape in names().items()},
    ],
    ids=["one layer more", "another width", "another kind"],
)
def test_an_adapter_of_another_starting_model_is_refused(tmp_path, base, shapes):
    found = adapter.read(adapter_folder(tmp_path / "a", shapes=shapes))
    with pytest.raises(SettingError, match="another starting model"):
        found.require_fit(base)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"base_model_name_or_path": "starter"}, ("starter", None)),
        ({"base_model_name_or_path": "ann/x", "revision": "b" * 40}, ("ann/x", "b" * 40)),
        ({"base_model_name_or_path": "ann/x", "revision": "main"}, ("ann/x", None)),
        ({"base_model_name_or_path": "ann/x", "revision": 3}, ("ann/x", None)),
        ({"base_model_name_or_path": "unsloth/gemma-3-270m-it-unsloth-bnb-4bit"}, ("unsloth/gemma-3-270m-it", None)),
        # the commit is of the original, and Facet reads the copy that asks for no click
        ({"base_model_name_or_path": "google/gemma-3-270m-it", "revision": "b" * 40}, ("google/gemma-3-270m-it", None)),
    ],
)
def test_the_starting_model_is_known_by_its_name(tmp_path, said, meant):
    assert adapter.read(adapter_folder(tmp_path / "a", said)).base() == meant


@pytest.mark.parametrize(
    "named", ["/home/gemma", "./out", "C:\\models\\gemma", "", None, 5, ..., "a/b/c", "my-gemma", "../x/y"]
)
def test_a_place_on_somebody_elses_computer_is_asked_for(tmp_path, named):
    found = adapter.read(adapter_folder(tmp_path / "a", {"base_model_name_or_path": named}))
    with pytest.raises(SettingError, match="name the starting model yourself"):
        found.base()


@pytest.mark.parametrize(
    ("present", "words"),
    [
        ({"adapter_config.json": "{}", "adapter_model.bin": "x"}, "hide programs"),
        ({"adapter_config.json": "{}", "adapter_model.pt": "x"}, "hide programs"),
        ({"config.json": "{}", "model.safetensors": "x"}, "whole model"),
        ({"adapter_model.safetensors": "x"}, "no adapter here"),
        ({}, "no adapter here"),
    ],
)
def test_what_is_no_adapter_is_called_by_its_name(tmp_path, present, words):
    for name, text in present.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(FacetError, match=words):
        adapter.read(tmp_path)


def test_a_tuned_starter_that_brought_another_starter_along_is_refused(tmp_path):
    config = json.loads((starter.FOLDER / "config.json").read_text())
    shapes = {}
    for layer in range(config["num_hidden_layers"]):
        place = f"base_model.model.model.layers.{layer}.self_attn.o_proj"
        shapes |= {f"{place}.lora_A.weight": [RANK, 256], f"{place}.lora_B.weight": [256, RANK]}
    folder = adapter_folder(tmp_path / "a", {"base_model_name_or_path": "starter"}, shapes)
    adapter.read(folder).require_fit(starter.FOLDER)
    (folder / "base").mkdir()
    for file in starter.FOLDER.glob("*.safetensors"):
        (folder / "base" / file.name).write_bytes(file.read_bytes())
    adapter.read(folder).require_fit(starter.FOLDER)

    (folder / "base" / file.name).write_bytes(b"another")
    with pytest.raises(SettingError, match="another version of the Facet starter"):
        adapter.read(folder).require_fit(starter.FOLDER)


@pytest.mark.tiny
@pytest.mark.parametrize("kind", ["gemma3_text", "gemma3", "gemma4", "phi3", "llama"])
def test_the_names_are_those_peft_gives_to_this_kind_of_model(kind, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model
    from safetensors.torch import load_file, save_file

    from facet.model.load import load_base, with_adapter
    from tests.tiny_models import build

    base = build(kind, tmp_path / "base")
    lora = LoraConfig(r=RANK, target_modules=lora_targets(kind), task_type="CAUSAL_LM")
    get_peft_model(load_base(base, "float32", "cpu"), lora).save_pretrained(tmp_path / "peft")
    weights = {name: torch.randn(value.shape) for name, value in load_file(tmp_path / "peft" / WEIGHTS).items()}
    save_file(weights, tmp_path / "peft" / WEIGHTS)
    other = tmp_path / "other names"
    other.mkdir()
    now = "model.language_model.layers" if kind in ("gemma3", "gemma4") else "model.layers"
    save_file({name.replace(now, "language_model.model.layers"): v for name, v in weights.items()}, other / WEIGHTS)
    (other / "adapter_config.json").write_bytes((tmp_path / "peft" / "adapter_config.json").read_bytes())
    ids = torch.arange(10, 26)[None]

    with torch.inference_mode():
        theirs = with_adapter(load_base(base, "float32", "cpu"), tmp_path / "peft")(input_ids=ids).logits
        for folder in (tmp_path / "peft", other):
            found = adapter.read(folder)
            found.require_fit(base)
            found.write(folder / "ours", BASE, base)
            ours = with_adapter(load_base(base, "float32", "cpu"), folder / "ours")(input_ids=ids).logits
            assert torch.equal(ours, theirs)

"""Every kind of model Facet says it can tune is built small, tuned for one step, and made to speak."""

import re

import pytest

from facet import starter
from facet.errors import SettingError
from facet.gemma.defaults import DEFAULTS, TIED_BY_DEFAULT
from facet.gemma.inspect import facts_of, inspect, read_config
from facet.gemma.models import SUPPORTED_TYPES
from facet.gemma.targets import lora_targets
from facet.model.load import load_base
from tests.tiny_models import MIXTURE_OF_GEMMA, build, squeezed, tiny_gemma3, tiny_gemma4

pytestmark = pytest.mark.tiny
CHAT = [{"role": "user", "content": "What is the capital of Peru?"}, {"role": "assistant", "content": "Lima."}]
LANGUAGE_LAYER = re.compile(r"model\.(language_model\.)?layers\.\d+\.(self_attn|mlp)\.\w+")


@pytest.fixture(scope="module", params=[*SUPPORTED_TYPES, MIXTURE_OF_GEMMA])
def tuned(request, tmp_path_factory):
    """(kind, folder, adapted model, encoded chat) of one kind, before its step."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoTokenizer

    torch.manual_seed(0)
    folder = build(request.param, tmp_path_factory.mktemp("models") / request.param)
    model = load_base(folder, "float32", "cpu")
    config = LoraConfig(r=2, target_modules=lora_targets(inspect(folder).model_type), task_type="CAUSAL_LM")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(CHAT, return_dict=True, return_tensors="pt")["input_ids"]
    return request.param, folder, get_peft_model(model, config), ids


def test_the_adapter_sits_on_every_linear_layer_of_the_language_model_and_nowhere_else(tuned):
    import torch

    _, _, model, _ = tuned
    modules = dict(model.named_modules())
    adapted = {name.removesuffix(".lora_A") for name in modules if name.endswith(".lora_A")}
    linear = {
        name.removesuffix(".base_layer")
        for name, module in modules.items()
        if isinstance(module, torch.nn.Linear) and ".lora_" not in name
    }
    assert adapted and adapted == {
        name for name in linear if LANGUAGE_LAYER.fullmatch(name[len("base_model.model.") :])
    }
    assert not [name for name, weight in model.named_parameters() if weight.requires_grad and "lora_" not in name]


def test_the_facts_read_without_torch_are_the_models_own(tuned):
    kind, folder, model, _ = tuned
    facts = inspect(folder)
    own = [weight for name, weight in model.named_parameters() if "lora_" not in name]
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert facts.model_type == kind or (kind, facts.model_type) == (MIXTURE_OF_GEMMA, "gemma4_text")
    assert facts.parameters == pytest.approx(sum(weight.numel() for weight in own), abs=8)  # a few stored buffers
    by_config = facts_of(read_config(folder / "config.json"), facts.parameters)
    assert facts.trainable(2) == trainable <= by_config.trainable(2) <= 1.5 * trainable
    assert sum(facts.trainable(2, which) for which in ("attention", "feed-forward")) == trainable
    assert facts.dtype == "float32" and facts.has_template and facts.layers == len(language_layers(model))
    assert facts.tied == (model.get_input_embeddings().weight is model.get_output_embeddings().weight)


def test_one_step_changes_the_adapter_and_the_model_speaks(tuned):
    import torch

    _, _, model, ids = tuned
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    optimizer = torch.optim.AdamW(
        (weight for weight in model.parameters() if weight.requires_grad), lr=0.01, weight_decay=0
    )
    loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids).loss
    loss.backward()
    optimizer.step()
    changed = {name for name, weight in model.named_parameters() if not torch.equal(weight, before[name])}
    assert torch.isfinite(loss)
    assert changed and all("lora_B" in name for name in changed)
    model.eval()
    spoken = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=3, do_sample=False)
    assert spoken.shape[1] > ids.shape[1]


@pytest.mark.parametrize("kind", sorted(TIED_BY_DEFAULT))
def test_left_out_numbers_are_the_librarys(kind):
    from transformers import CONFIG_MAPPING

    config = CONFIG_MAPPING[kind]().to_dict()
    text = config.get("text_config") or config
    assert config["tie_word_embeddings"]
    assert {name: text[name] for name in DEFAULTS.get(kind, {})} == DEFAULTS.get(kind, {})


def test_gemma_3n_is_its_language_model_to_the_last_bit(tmp_path):
    """The towers lie in its files and stay there: without the timm library they could not be loaded."""
    import torch

    whole = load_base(build("gemma3n", tmp_path / "whole"), "float32", "cpu")
    alone = load_base(build("gemma3n_text", tmp_path / "alone"), "float32", "cpu")
    ids = torch.tensor([[2, 7, 9, 11]])
    assert type(whole).__name__ == "Gemma3nForCausalLM"
    assert torch.equal(whole(ids).logits, alone(ids).logits)


@pytest.mark.parametrize(("bits", "packed"), [(4, "4bit"), (8, "8bit")])
def test_a_copy_squeezed_beforehand_is_counted_loaded_tuned_and_heard(tmp_path, bits, packed):
    import torch
    from peft import LoraConfig, get_peft_model

    folder = squeezed(starter.FOLDER, tmp_path / packed, bits)
    facts, whole = inspect(folder), inspect(starter.FOLDER)
    assert (facts.packed, facts.parameters) == (packed, whole.parameters)
    model = load_base(folder, "float32", "cpu")
    assert {"4bit": "Linear4bit", "8bit": "Linear8bitLt"}[packed] in {type(part).__name__ for part in model.modules()}
    model = get_peft_model(model, LoraConfig(r=2, target_modules=lora_targets(facts.model_type), task_type="CAUSAL_LM"))
    ids = torch.tensor([[2, 7, 9, 11]])
    model(input_ids=ids, labels=ids).loss.backward()
    learned = [weight.grad for name, weight in model.named_parameters() if "lora_B" in name]
    assert learned and all(bool(grad.any()) for grad in learned)
    assert model.generate(input_ids=ids, max_new_tokens=2, do_sample=False).shape[1] > 4


@pytest.mark.parametrize("method", ["gptq", "fp8", "mxfp4"])
def test_copies_squeezed_in_other_ways_are_refused_in_words(method):
    with pytest.raises(SettingError, match=method):
        facts_of({"model_type": "gemma3_text", "quantization_config": {"quant_method": method}}, 1)


def test_the_two_usual_ones_chat_in_their_own_format(tmp_path):
    from transformers import AutoTokenizer

    three = AutoTokenizer.from_pretrained(tiny_gemma3(tmp_path / "three"))
    four = AutoTokenizer.from_pretrained(tiny_gemma4(tmp_path / "four"))
    assert three.apply_chat_template(CHAT, tokenize=False).endswith("<start_of_turn>model\nLima.<end_of_turn>\n")
    assert "<|turn>model\nLima.<turn|>" in four.apply_chat_template(CHAT, tokenize=False)
    for tokenizer in (three, four):
        text = "Ünïcode — 漢字 \t and\n\nbreaks"
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def language_layers(model):
    from torch.nn import ModuleList

    found = (part for name, part in model.named_modules() if name.endswith("layers") and "tower" not in name)
    return next(part for part in found if isinstance(part, ModuleList))

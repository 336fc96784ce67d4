"""Every kind of model Facet says it can tune is built small, tuned for one step, and made to speak."""

import re

import pytest

from facet.gemma.defaults import DEFAULTS, TIED_BY_DEFAULT
from facet.gemma.inspect import inspect
from facet.gemma.models import SUPPORTED_TYPES
from facet.gemma.targets import lora_targets
from tests.tiny_models import build, tiny_gemma3, tiny_gemma4

pytestmark = pytest.mark.tiny
CHAT = [{"role": "user", "content": "What is the capital of Peru?"}, {"role": "assistant", "content": "Lima."}]
LANGUAGE_LAYER = re.compile(r"model\.(language_model\.)?layers\.\d+\.(self_attn|mlp)\.\w+_proj")


@pytest.fixture(scope="module", params=SUPPORTED_TYPES)
def tuned(request, tmp_path_factory):
    """(kind, folder, adapted model, encoded chat) of one kind, before its step."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    folder = build(request.param, tmp_path_factory.mktemp("models") / request.param)
    model = AutoModelForCausalLM.from_pretrained(folder)
    config = LoraConfig(r=2, target_modules=lora_targets(request.param), task_type="CAUSAL_LM")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.apply_chat_template(CHAT, return_dict=True, return_tensors="pt")["input_ids"]
    return request.param, folder, get_peft_model(model, config), ids


def test_the_adapter_sits_on_linear_layers_of_the_language_model_and_nowhere_else(tuned):
    import torch

    _, _, model, _ = tuned
    modules = dict(model.named_modules())
    adapted = {name.removesuffix(".lora_A"): module for name, module in modules.items() if name.endswith(".lora_A")}
    assert len(adapted) >= 8
    for name in adapted:
        assert LANGUAGE_LAYER.fullmatch(name.removeprefix("base_model.model.")), name
        assert isinstance(modules[name].base_layer, torch.nn.Linear)
    assert not [name for name, weight in model.named_parameters() if weight.requires_grad and "lora_" not in name]


def test_the_facts_read_without_torch_are_the_models_own(tuned):
    kind, folder, model, _ = tuned
    facts = inspect(folder)
    own = [weight for name, weight in model.named_parameters() if "lora_" not in name]
    trainable = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert facts.model_type == kind
    assert facts.parameters == pytest.approx(sum(weight.numel() for weight in own), abs=8)  # a few stored buffers
    assert trainable <= facts.trainable(2) <= 1.3 * trainable
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

"""Random models of a few thousand weights, each with a tokenizer trained on the spot and a chat template, for tests.

`build("gemma3_text", folder)` makes any kind Facet supports; `tiny_gemma3` and `tiny_gemma4` are the usual two.
torch and transformers are imported inside functions, so that collecting the tests stays fast.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from facet.gemma.kinds import EXPERTS, GEMMA_TYPES, SUPPORTED_TYPES

ROOT = Path(__file__).parent.parent
OUR_GEMMA_3_TEMPLATE = ROOT / "facet" / "starter" / "chat_template.jinja"

GEMMA_3_TOKENS = [
    "<pad>",
    "<eos>",
    "<bos>",
    "<unk>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
]
GEMMA_4_TOKENS = [
    *["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>", '<|"|>'],
    *["<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>"],
    *["<|image>", "<image|>", "<|image|>", "<|audio>", "<audio|>", "<|audio|>"],
]
CHATML_TOKENS = ["<pad>", "<eos>", "<bos>", "<unk>", "<|im_start|>", "<|im_end|>"]
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS = """The quick brown fox jumps over the lazy dog. What is the capital of Peru? The capital of Peru is Lima.
Write a short line about the sea, please. user model system assistant thought 0 1 2 3 4 5 6 7 8 9 yes no arr ahoy"""

SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "eos_token_id": 1,
    "bos_token_id": 2,
}
GEMMA_4_SIZES = SIZES | {
    "num_hidden_layers": 4,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "global_head_dim": 8,
    "hidden_size_per_layer_input": 4,
    "num_kv_shared_layers": 2,
    "sliding_window": 64,
}
GEMMA_4_MIXTURE = {
    "enable_moe_block": True,
    "num_experts": 4,
    "top_k_experts": 2,
    "moe_intermediate_size": 8,
    "attention_k_eq_v": True,
    "num_global_key_value_heads": 1,
    "num_kv_shared_layers": 0,
    "hidden_size_per_layer_input": 0,
}
GEMMA_3N_SIZES = SIZES | {
    "num_hidden_layers": 4,
    "intermediate_size": [32] * 4,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "sliding_window": 64,
    "hidden_size_per_layer_input": 4,
    "num_kv_shared_layers": 2,
    "laurel_rank": 2,
    "altup_num_inputs": 2,
    "activation_sparsity_pattern": [0.9, 0.0, 0.0, 0.0],
}
MIXTURE = {"moe_intermediate_size": 8, "num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2}
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 4}


def tiny_gemma3(folder: Path, seed: int = 0) -> Path:
    """A text-only Gemma 3: tied embeddings, sliding and full attention, the system turn folded into the first."""
    return build("gemma3_text", folder, seed)


def tiny_gemma4(folder: Path, seed: int = 0, template: str = "gemma4_v5") -> Path:
    """A Gemma 4 with its towers, shared key-value layers and per-layer embeddings; `template` is one of TRL's files."""
    return build("gemma4", folder, seed, trl_template(template))


def build(model_type: str, folder: Path, seed: int = 0, template: str | None = None) -> Path:
    """Save a random model of this kind, and everything a chat with it needs, into `folder`."""
    if model_type in ODD:
        return ODD[model_type](folder, seed)
    return _saved(partial(_config, model_type), model_type, folder, seed, template)


def _saved(config: Callable[[int], Any], model_type: str, folder: Path, seed: int, template: str | None) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    is_gemma_4 = model_type.startswith("gemma4")
    tokens = GEMMA_4_TOKENS if is_gemma_4 else GEMMA_3_TOKENS if model_type.startswith("gemma") else CHATML_TOKENS
    vocabulary = save_tokenizer(folder, tokens, template or default_template(model_type))
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config(vocabulary), dtype=torch.float32)
    model.generation_config.update(eos_token_id=[1, 5], pad_token_id=0, bos_token_id=2)
    model.save_pretrained(folder)
    return folder


def default_template(model_type: str) -> str:
    if model_type.startswith("gemma4"):
        return trl_template("gemma4_v5")
    return OUR_GEMMA_3_TEMPLATE.read_text("utf-8") if model_type.startswith("gemma") else CHATML


def trl_template(name: str) -> str:
    """The text of one of the chat templates that TRL carries, without importing it."""
    spec = find_spec("trl")
    return (Path(spec.submodule_search_locations[0]) / "chat_templates" / f"{name}.jinja").read_text("utf-8")


def save_tokenizer(folder: Path, specials: list[str], template: str) -> int:
    """Train byte-pair encoding in Gemma's shape on a few sentences and save it; returns the size of the vocabulary."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    reserved = [*specials, *(f"<0x{value:02X}>" for value in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=len(reserved) + 200,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in reserved],
        show_progress=False,
    )
    tokenizer.train_from_iterator([*WORDS.splitlines(), *WORDS.split()], trainer)
    tokenizer = _only_special(tokenizer, specials)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        unk_token="<unk>",
        model_max_length=512,
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    return fast.vocab_size


def _only_special(tokenizer: Any, specials: list[str]) -> Any:
    """The same tokenizer, its byte pieces turned from special tokens into ordinary ones."""
    from tokenizers import Tokenizer

    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] in specials]
    return Tokenizer.from_str(json.dumps(data))


def _config(model_type: str, vocabulary: int) -> Any:
    from transformers import CONFIG_MAPPING

    make: Callable[..., Any] = CONFIG_MAPPING[model_type]
    if model_type in ("gemma3", "gemma4", "gemma4_unified"):
        return make(**_multimodal(model_type, vocabulary))
    return make(**_sizes(model_type, vocabulary))


def _sizes(model_type: str, vocabulary: int) -> dict[str, Any]:
    sizes = SIZES | {"vocab_size": vocabulary}
    if model_type == "gemma4_text":
        return GEMMA_4_SIZES | {"vocab_size": vocabulary, "vocab_size_per_layer_input": vocabulary}
    if model_type == "gemma3n_text":
        return GEMMA_3N_SIZES | {"vocab_size": vocabulary, "vocab_size_per_layer_input": vocabulary}
    if model_type == "gemma4_unified_text":
        layer_types = ["sliding_attention", "full_attention"]
        return sizes | {"global_head_dim": 8, "num_global_key_value_heads": 1, "layer_types": layer_types}
    if model_type in EXPERTS:
        return sizes | MIXTURE
    return sizes


def _multimodal(model_type: str, vocabulary: int) -> dict[str, Any]:
    text = _config(f"{model_type}_text", vocabulary).to_dict()
    if model_type == "gemma3":
        return {"text_config": text, "vision_config": VISION | {"image_size": 8}, "mm_tokens_per_image": 4}
    if model_type == "gemma4":
        vision = VISION | {"head_dim": 8, "num_key_value_heads": 2, "position_embedding_size": 16}
        return {"text_config": text, "vision_config": vision, "audio_config": None}
    return {"text_config": text, "vision_config": None, "audio_config": None}


def tiny_mixture(folder: Path, seed: int = 0) -> Path:
    """A Gemma 4 as the 26B-A4B is: experts beside the dense layers, keys that serve as values, no shared layers."""
    from transformers import CONFIG_MAPPING

    def config(vocabulary: int) -> Any:
        return CONFIG_MAPPING["gemma4_text"](**GEMMA_4_SIZES | GEMMA_4_MIXTURE | {"vocab_size": vocabulary})

    return _saved(config, "gemma4_text", folder, seed, None)


def tiny_gemma3n(folder: Path, seed: int = 0) -> Path:
    """A Gemma 3n as it is published: the language model one level down, beside towers of which some weights are here.

    Its vision tower is of the timm library, so it can neither be made nor loaded whole.
    """
    import torch
    from safetensors.torch import load_file, save_file

    build("gemma3n_text", folder, seed)
    weights = load_file(folder / "model.safetensors")
    inner = {name.replace("model.", "model.language_model.", 1): weight for name, weight in weights.items()}
    towers = ("vision_tower.timm_model.conv_stem.conv.weight", "audio_tower.conformer.0.attention.post.weight")
    inner |= {f"model.{name}": torch.ones(3, 3) for name in towers}
    save_file(inner, folder / "model.safetensors", metadata={"format": "pt"})
    text = json.loads((folder / "config.json").read_text("utf-8"))
    whole = {"architectures": ["Gemma3nForConditionalGeneration"], "model_type": "gemma3n", "text_config": text}
    whole |= {"vision_config": {"model_type": "gemma3n_vision"}, "audio_config": {"model_type": "gemma3n_audio"}}
    (folder / "config.json").write_text(json.dumps(whole), "utf-8")
    return folder


def squeezed(base: Path, folder: Path, bits: int) -> Path:
    """A copy of a model that was squeezed before it was published."""
    import shutil

    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    how = BitsAndBytesConfig(load_in_4bit=bits == 4, load_in_8bit=bits == 8, bnb_4bit_quant_type="nf4")
    whole = {"dtype": torch.float32, "quantization_config": how, "device_map": {"": "cpu"}}
    AutoModelForCausalLM.from_pretrained(base, **whole).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(base / name, folder / name)
    return folder


def pretrained(folder: Path) -> Path:
    """The model in a folder without its chat template, as pre-trained models are published."""
    (folder / "chat_template.jinja").unlink()
    return folder


# Names that `build` takes beside the kinds themselves, and the one kind that cannot be made whole.
MIXTURE_OF_GEMMA = "gemma4 with experts"
ODD: dict[str, Callable[[Path, int], Path]] = {MIXTURE_OF_GEMMA: tiny_mixture, "gemma3n": tiny_gemma3n}
# Kinds that every test over kinds of models takes; all others are taken where FACET_SOAK=1 asks for it.
EVERYDAY = (*GEMMA_TYPES, "llama", "mistral", "phi3", "qwen2", "qwen3", "smollm3")
KINDS = SUPPORTED_TYPES if os.environ.get("FACET_SOAK") == "1" else EVERYDAY

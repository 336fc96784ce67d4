"""Random models of a few thousand weights, each with a tokenizer trained on the spot and a chat template, for tests.

`build("gemma3_text", folder)` makes any kind Facet supports; `tiny_gemma3` and `tiny_gemma4` are the usual two.
torch and transformers are imported inside functions, so that collecting the tests stays fast.
"""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_size": 4}


def tiny_gemma3(folder: Path, seed: int = 0) -> Path:
    """A text-only Gemma 3: tied embeddings, sliding and full attention, the system turn folded into the first."""
    return build("gemma3_text", folder, seed)


def tiny_gemma4(folder: Path, seed: int = 0, template: str = "gemma4_v5") -> Path:
    """A Gemma 4 with its towers, shared key-value layers and per-layer embeddings; `template` is one of TRL's files."""
    return build("gemma4", folder, seed, trl_template(template))


def build(model_type: str, folder: Path, seed: int = 0, template: str | None = None) -> Path:
    """Save a random model of this kind, and everything a chat with it needs, into `folder`."""
    import torch
    from transformers import AutoModelForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    is_gemma_4 = model_type.startswith("gemma4")
    tokens = GEMMA_4_TOKENS if is_gemma_4 else GEMMA_3_TOKENS if model_type.startswith("gemma") else CHATML_TOKENS
    vocabulary = save_tokenizer(folder, tokens, template or default_template(model_type))
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(_config(model_type, vocabulary), dtype=torch.float32)
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
    sizes = SIZES | {"vocab_size": vocabulary}
    if model_type in ("gemma3", "gemma4", "gemma4_unified"):
        return make(**_multimodal(model_type, vocabulary))
    if model_type == "gemma4_text":
        sizes = GEMMA_4_SIZES | {"vocab_size": vocabulary, "vocab_size_per_layer_input": vocabulary}
    if model_type == "gemma4_unified_text":
        layer_types = ["sliding_attention", "full_attention"]
        sizes = sizes | {"global_head_dim": 8, "num_global_key_value_heads": 1, "layer_types": layer_types}
    return make(**sizes)


def _multimodal(model_type: str, vocabulary: int) -> dict[str, Any]:
    text = _config(f"{model_type}_text", vocabulary).to_dict()
    if model_type == "gemma3":
        return {"text_config": text, "vision_config": VISION | {"image_size": 8}, "mm_tokens_per_image": 4}
    if model_type == "gemma4":
        vision = VISION | {"head_dim": 8, "num_key_value_heads": 2, "position_embedding_size": 16}
        return {"text_config": text, "vision_config": vision, "audio_config": None}
    return {"text_config": text, "vision_config": None, "audio_config": None}

"""Model folders made of bytes alone: no torch, no real weights."""

import json
import math
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "model_type": "gemma3_text",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "vocab_size": 100,
    "max_position_embeddings": 512,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
}
WIDTHS = {"BF16": 2, "F16": 2, "F32": 4}


def write_safetensors(file: Path, shapes: dict[str, list[int]], dtype: str = "BF16") -> None:
    header, at = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape) * WIDTHS[dtype]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


def model_folder(
    folder: Path, config: dict[str, Any] | None = None, shapes: dict[str, list[int]] | None = None
) -> Path:
    """A small, complete-looking Gemma 3: 1,600 weights in the embedding and 512 elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG if config is None else config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    write_safetensors(
        folder / "model.safetensors",
        shapes or {"model.embed_tokens.weight": [100, 16], "model.layers.0.mlp.up_proj.weight": [32, 16]},
    )
    return folder

"""Tiny models with weights far from their first ones, so that every part of them is heard in what they say."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np

from tests.tiny_models import build


def lively(kind: str, folder: Path, **changes: Any) -> Path:
    """A random model of this kind; `changes` are made to its configuration before its weights are."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    build(kind, folder)
    config = AutoConfig.from_pretrained(folder)
    if changes:
        config = type(config)(**(config.to_dict() | changes))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    torch.manual_seed(5)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            middle = 1.0 if "norm" in name and not kind.startswith("gemma") else 0.0
            weight.copy_(torch.randn_like(weight) * 0.3 + middle)
    model.save_pretrained(folder)
    return folder


def adapter_for(base: Path, folder: Path, **settings: Any) -> Path:
    """A LoRA adapter with random weights, as PEFT saves it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"} | settings
    model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings))
    torch.manual_seed(6)
    with torch.no_grad():
        for weight in (weight for weight in model.parameters() if weight.requires_grad):
            weight.copy_(torch.randn_like(weight) * 0.1)
    model.save_pretrained(folder)
    return folder


def loaded(base: Path, adapter: Path | None = None) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    return (PeftModel.from_pretrained(model, adapter) if adapter else model).eval()


def log_probabilities(model: Any, tokens: list[int]) -> np.ndarray:
    import torch

    with torch.no_grad():
        return torch.log_softmax(model(input_ids=torch.tensor([tokens])).logits[0, -1].float(), -1).numpy()


def some_tokens(count: int, size: int) -> list[int]:
    draw = random.Random(count)
    return [2, *(draw.randrange(7, size) for _ in range(count))]


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")

"""Models and adapters that several files of tests need, made once."""

import json
import os
from pathlib import Path

import pytest

from facet import starter

os.environ.setdefault("FACET_THREADS", "1")


def save_adapter(folder: Path, base: Path = starter.FOLDER, *, seed: int = 0, size: float = 1.5, rank: int = 4) -> Path:
    """A LoRA adapter with random weights, as a run would have written it; size 0 makes one that changes nothing."""
    import torch
    from peft import LoraConfig, get_peft_model

    from facet.gemma.inspect import inspect
    from facet.gemma.targets import lora_targets
    from facet.model.load import load_base

    torch.manual_seed(seed)
    targets = lora_targets(inspect(base).model_type)
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, task_type="CAUSAL_LM")
    adapted = get_peft_model(load_base(base, "float32", "cpu"), config)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name:
                weight.normal_().mul_(size)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter(tmp_path_factory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("adapters") / "one")


@pytest.fixture(scope="session")
def another(tmp_path_factory) -> Path:
    return save_adapter(tmp_path_factory.mktemp("adapters") / "two.with.dots", seed=1)


@pytest.fixture
def company():
    from facet.model.company import Company

    return Company.load(starter.FOLDER)


def spoil(adapter: Path, into: Path, change) -> Path:
    """A copy of an adapter whose tensors went through `change(name, tensor)`."""
    from safetensors.torch import load_file, save_file

    into.mkdir()
    tensors = load_file(adapter / "adapter_model.safetensors")
    save_file({name: change(name, weight) for name, weight in tensors.items()}, into / "adapter_model.safetensors")
    (into / "adapter_config.json").write_text(json.dumps(json.loads((adapter / "adapter_config.json").read_text())))
    return into

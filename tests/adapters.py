"""Adapters and starting models made of bytes alone: no torch, no real weights."""

import json
import math
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.identity import LOCAL, Person
from facet.model.source import BaseSource
from facet.studio import Studio
from facet.train import imports
from tests.gemma.folders import CONFIG, model_folder, write_safetensors
from tests.journeys import a_studio

SOURCE = BaseSource("ann/tiny-gemma", "hub", "a" * 40, f"ann--tiny-gemma/{'a' * 40}")
RANK = 4
SIZES = {  # (numbers in, numbers out), as tests.gemma.folders.CONFIG describes them
    "self_attn.q_proj": (16, 16),
    "self_attn.k_proj": (16, 8),
    "self_attn.v_proj": (16, 8),
    "self_attn.o_proj": (16, 16),
    "mlp.gate_proj": (16, 32),
    "mlp.up_proj": (16, 32),
    "mlp.down_proj": (32, 16),
}
SAID: dict[str, Any] = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "base_model_name_or_path": "ann/tiny-gemma",
    "r": RANK,
    "lora_alpha": 8,
    "lora_dropout": 0.05,
    "bias": "none",
    "target_modules": ["q_proj", "v_proj"],
    "inference_mode": True,
    "modules_to_save": None,
    "peft_version": "0.17.0",
}


def base_folder(folder: Path, layers: int = 2) -> Path:
    """A starting model with every layer an adapter may change."""
    shapes = {"model.embed_tokens.weight": [100, 16]}
    for layer in range(layers):
        shapes |= {f"model.layers.{layer}.{name}.weight": [out, into] for name, (into, out) in SIZES.items()}
    return model_folder(folder, CONFIG | {"num_hidden_layers": layers}, shapes)


def names(
    modules: tuple[str, ...] = ("self_attn.q_proj", "self_attn.v_proj"), layers: int = 2, stem: str = "model."
) -> dict[str, list[int]]:
    """The tensors of an adapter for `base_folder`, by name, with their shapes."""
    shapes: dict[str, list[int]] = {}
    for layer in range(layers):
        for module in modules:
            into, out = SIZES[module]
            place = f"base_model.model.{stem}layers.{layer}.{module}"
            shapes |= {f"{place}.lora_A.weight": [RANK, into], f"{place}.lora_B.weight": [out, RANK]}
    return shapes


def adapter_folder(
    folder: Path, said: dict[str, Any] | None = None, shapes: dict[str, list[int]] | None = None, dtype: str = "F32"
) -> Path:
    """An adapter whose numbers are all zero. `said` changes its description; None takes a key away."""
    folder.mkdir(parents=True, exist_ok=True)
    description = {name: value for name, value in (SAID | (said or {})).items() if value is not ...}
    (folder / "adapter_config.json").write_text(json.dumps(description))
    write_safetensors(folder / "adapter_model.safetensors", names() if shapes is None else shapes, dtype)
    return folder


def raw_weights(header: dict[str, Any] | bytes, data: bytes = b"") -> bytes:
    """A weights file whose header says anything at all."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def header_of(shapes: dict[str, list[int]]) -> tuple[dict[str, Any], int]:
    """The honest header for these tensors in 4-byte numbers, and how many bytes they take."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return header, at


def zip_of(folder: Path, file: Path, more: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return file


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@dataclass(frozen=True)
class Small:
    """A studio, an adapter and the starting model it belongs to, all of bytes."""

    studio: Studio
    theirs: Path
    base: Path

    def bring(self, place: Path | None = None, base: Path | None = None, person: Person = LOCAL) -> str:
        """Import an adapter; without `base` its starting model is not here yet."""
        with imports.taken(self.studio.workspace, person, place or self.theirs) as taken:
            return imports.create(self.studio.workspace, person, taken, SOURCE, "3", base)


def small_lab(place: Path) -> Small:
    return Small(a_studio(place / "home"), adapter_folder(place / "adapter"), base_folder(place / "base model"))

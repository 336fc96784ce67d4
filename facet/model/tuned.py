"""What training leaves in a folder: an adapter beside its starting model, or a whole model. No torch here."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from facet.gemma.adapter_files import CONFIG, WEIGHTS
from facet.work.checkpoint import sha256

ADAPTER: Final = "adapter"  # the folder of a finished run that holds an adapter
MODEL: Final = "model"  # … that holds a whole model
WHOLE_WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
ADAPTER_FILES: Final = (WEIGHTS, CONFIG)
TOKENIZER_FILES: Final = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "tokenizer.model",
    "chat_template.jinja",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
)


def tuned_in(run: Path) -> Path | None:
    """Where a finished run keeps what it learned."""
    return next((run / name for name in (ADAPTER, MODEL) if (run / name).is_dir()), None)


def is_whole(folder: Path) -> bool:
    """Does this folder hold all weights of a model, and not an adapter?"""
    return not (folder / CONFIG).is_file() and any((folder / name).is_file() for name in (WHOLE_WEIGHTS, INDEX))


def weight_files(folder: Path) -> list[Path]:
    """The files with weights. Raises: `ValueError` for an index that names files elsewhere; `OSError`."""
    if not is_whole(folder):
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        return [folder / WHOLE_WEIGHTS]
    names = sorted(set(json.loads((folder / INDEX).read_bytes())["weight_map"].values()))
    if any(Path(name).name != name for name in names):
        raise ValueError("it points to a file elsewhere")
    return [folder / name for name in names]


def tuned_files(folder: Path) -> list[Path]:
    """All that is needed to speak with it, beside the files of its starting model."""
    if not is_whole(folder):
        return [folder / name for name in ADAPTER_FILES]
    index = [folder / INDEX] if (folder / INDEX).is_file() else []
    return [*weight_files(folder), *index, folder / "config.json"]


def digest(folder: Path) -> str:
    """SHA-256 of the weights: of the one file, or of the list of all files with theirs."""
    files = weight_files(folder)
    if len(files) == 1:
        return sha256(files[0])
    listed = "".join(f"{sha256(file)}  {file.name}\n" for file in files)
    return hashlib.sha256(listed.encode()).hexdigest()


def digest_said(outputs: Mapping[str, Any]) -> str:
    """The digest that training wrote when it was over, of whichever kind; "" where there is none."""
    return str(outputs.get("adapter_sha256") or outputs.get("model_sha256") or "")

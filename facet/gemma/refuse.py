"""Which models are turned away, judged by their file names and `config.json` alone, before anything is downloaded."""

from collections.abc import Collection
from typing import Any

from facet.errors import DataError, FacetError, SettingError
from facet.gemma.models import SUPPORTED_TYPES
from facet.gemma.packed import packed_in

CHOOSE = "Choose another one under “Starting model”."
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
TOKENIZER = "tokenizer.json"


def complaint_about_files(files: Collection[str]) -> FacetError | None:
    """Why a model with these files cannot be used, or None."""
    names = {name.rsplit("/", 1)[-1] for name in files if "/" not in name}
    if "adapter_config.json" in names and "config.json" not in names:
        return SettingError(
            "This is an adapter, not a whole model.",
            "It holds only the changes that somebody's training made to another model.",
            "Choose the model it was made from under “Starting model”.",
        )
    has_safetensors = bool(names & {"model.safetensors", "model.safetensors.index.json"})
    if not has_safetensors and any(name.lower().endswith(".gguf") for name in files):
        return SettingError(
            "This model is in the GGUF format, which is made for chatting and cannot be tuned.",
            "It has GGUF files and no safetensors files.",
            "Choose the model it was converted from under “Starting model”.",
        )
    if not has_safetensors and any(name.endswith(PICKLES) for name in names):
        return SettingError(
            "This model's weights are in an old format that can hide programs.",
            "It has pickle files and no safetensors files, and Facet opens only the latter.",
            CHOOSE,
        )
    return _something_missing(names, has_safetensors)


def _something_missing(names: set[str], has_safetensors: bool) -> FacetError | None:
    missing = [
        words
        for words, present in (
            ("a config.json file", "config.json" in names),
            ("a model.safetensors file", has_safetensors),
            ("a tokenizer.json file", TOKENIZER in names),
        )
        if not present
    ]
    if not missing:
        return None
    return DataError("This is not a complete model.", f"It lacks {' and '.join(missing)}.", CHOOSE)


def complaint_about_config(config: Any) -> FacetError | None:
    """Why a model described like this cannot be used, or None."""
    if not isinstance(config, dict):
        return DataError("This model's description cannot be read.", "Its config.json is not a JSON object.", CHOOSE)
    if "auto_map" in config:
        return SettingError(
            "This model brings its own program, and Facet runs none but its own.",
            "Its config.json has an entry called auto_map.",
            CHOOSE,
        )
    model_type = config.get("model_type")
    if model_type not in SUPPORTED_TYPES:
        return SettingError(
            "Facet cannot tune this kind of model yet.",
            f"It is of the kind “{printable(model_type)}”, and Facet knows {len(SUPPORTED_TYPES)} others.",
            CHOOSE,
        )
    if config.get("quantization_config") and packed_in(config) is None:
        return _compressed(config["quantization_config"])
    return None


def _compressed(how: Any) -> SettingError:
    method = printable(how.get("quant_method", "unknown")) if isinstance(how, dict) else "unknown"
    return SettingError(
        "This copy of the model has been compressed in a way that cannot be tuned.",
        f"Its config.json says “{method}”; Facet tunes copies made with bitsandbytes (4 or 8 bits), and whole models.",
        "Choose the uncompressed model under “Starting model”; Facet can hold it in 4 bits itself.",
    )


def printable(value: Any, most: int = 60) -> str:
    """A stranger's word, fit to be shown inside a sentence of ours."""
    text = "".join(letter for letter in str(value) if letter.isprintable() and letter not in "“”<>`")
    return text if len(text) <= most else text[: most - 1] + "…"

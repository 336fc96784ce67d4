"""What a model in a folder is, read from its JSON files and the headers of its weights. No torch, no loading."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError, NotFoundError
from facet.gemma.defaults import TIED_BY_DEFAULT, language_part
from facet.gemma.kinds import TEXT_ONLY
from facet.gemma.licences import of_generation
from facet.gemma.models import MULTIMODAL_TYPES, Generation, LicenceId, generation_of
from facet.gemma.packed import Packed, packed_in, weights_in
from facet.gemma.refuse import CHOOSE, complaint_about_config, complaint_about_files, printable
from facet.gemma.targets import OTHER_PARTS, Which, adapted, layers_of

CONFIG_CAP: Final = 2_000_000  # bytes
HEADER_CAP: Final = 100_000_000  # bytes, the limit of the safetensors format itself
DTYPES: Final = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}


@dataclass(frozen=True)
class ModelFacts:
    """What the advice, the memory estimate and the worker need to know about a model."""

    model_type: str
    generation: Generation
    parameters: int  # tied weights counted once
    dtype: str  # of most of the weights: "bfloat16", "float16", "float32" or "mixed"
    hidden_size: int
    intermediate_size: int
    layers: int
    vocab_size: int
    context_length: int  # tokens
    adapter_width: int  # LoRA weights per unit of rank, on all targets of `targets.py`
    tied: bool  # does the output layer share the embedding's weights?
    multimodal: bool
    has_template: bool
    licence: LicenceId  # by generation; a model's own page may say otherwise
    attention_width: int = 0  # the part of `adapter_width` that lies on attention
    packed: Packed | None = None  # a copy that was squeezed beforehand, and how

    def trainable(self, rank: int, which: Which = "all-linear") -> int:
        """LoRA weights of an adapter of this rank on the layers that `lora_targets` takes."""
        feed_forward = self.adapter_width - self.attention_width
        widths = {"all-linear": self.adapter_width, "attention": self.attention_width, "feed-forward": feed_forward}
        return widths[which] * rank


def inspect(folder: Path) -> ModelFacts:
    """The facts of a model folder.

    Raises: `NotFoundError` when it is no folder; `SettingError` for a model Facet does not take;
    `DataError` for one that is incomplete or damaged.
    """
    if not folder.is_dir():
        raise NotFoundError.of("model")
    files = [file.name for file in folder.iterdir() if file.is_file()]
    if complaint := complaint_about_files(files):
        raise complaint
    config = read_config(folder / "config.json")
    tensors = read_tensors(folder)
    if config["model_type"] in TEXT_ONLY:
        tensors = {name: tensor for name, tensor in tensors.items() if not OTHER_PARTS.search(name)}
    facts = facts_of(config, count(tensors, tied_in(config)), _dtype(tensors), has_template(folder))
    _require_whole_embedding(tensors, facts.vocab_size)
    if facts.packed:
        return facts  # the shapes in its files are not those of its layers
    attention, whole = (stored_width(tensors, facts.model_type, which) for which in ("attention", "all-linear"))
    return replace(facts, attention_width=attention, adapter_width=whole) if whole else facts


def facts_of(config: dict[str, Any], parameters: int, dtype: str = "bfloat16", template: bool = True) -> ModelFacts:
    """The facts a `config.json` tells, given the number of weights. Also used before anything is downloaded.

    Raises: `SettingError` for a model Facet does not take; `DataError` when a number is missing or absurd.
    """
    if complaint := complaint_about_config(config):
        raise complaint
    text = language_part(config)
    model_type = config["model_type"]
    generation = generation_of(model_type)
    attention, feed_forward = _widths(text, model_type)
    return ModelFacts(
        model_type=model_type,
        generation=generation,
        parameters=parameters,
        dtype=dtype,
        hidden_size=_number(text, "hidden_size"),
        intermediate_size=_number(text, "intermediate_size"),
        layers=_number(text, "num_hidden_layers"),
        vocab_size=_number(text, "vocab_size"),
        context_length=_number(text, "max_position_embeddings"),
        adapter_width=attention + feed_forward,
        tied=tied_in(config),
        multimodal=model_type in MULTIMODAL_TYPES,
        has_template=template,
        licence=of_generation(generation).card_id,
        attention_width=attention,
        packed=packed_in(config),
    )


def read_config(file: Path) -> dict[str, Any]:
    """A model's `config.json`.

    Raises: `DataError` when it is damaged; `SettingError` for a model Facet does not take.
    """
    try:
        if file.stat().st_size > CONFIG_CAP:
            raise ValueError(f"larger than {CONFIG_CAP:,} bytes")
        config = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError("This model's description cannot be read.", _because(file.name, error), CHOOSE) from error
    if complaint := complaint_about_config(config):
        raise complaint
    return config


def read_tensors(folder: Path) -> dict[str, dict[str, Any]]:
    """Name → {"dtype", "shape"} of every weight, from the headers of all shards.

    Raises: `DataError` when a shard is missing, cut short or damaged.
    """
    tensors: dict[str, dict[str, Any]] = {}
    for name in _shards(folder):
        try:
            tensors |= read_header(folder / name)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                "This model's weights cannot be read.", _because(name, error), "Download the model again."
            ) from error
    return tensors


def read_header(file: Path) -> dict[str, dict[str, Any]]:
    """The header of one safetensors file: eight bytes of length, then JSON.

    Raises: `ValueError` when the file does not hold what its header promises.
    Source: https://huggingface.co/docs/safetensors/index#format
    """
    size = file.stat().st_size
    with open(file, "rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or length > min(HEADER_CAP, size - 8):
            raise ValueError("it is cut short")
        header = json.loads(handle.read(length))
    header.pop("__metadata__", None)
    if any(tensor["data_offsets"][1] > size - 8 - length for tensor in header.values()):
        raise ValueError("it is cut short")
    return header


def count(tensors: dict[str, dict[str, Any]], tied: bool) -> int:
    """Number of weights; an output layer stored beside the embedding it is tied to counts once."""
    return sum(
        weights_in(name, tensor) for name, tensor in tensors.items() if not (tied and name.endswith("lm_head.weight"))
    )


def tied_in(config: dict[str, Any]) -> bool:
    """Does the output layer share the embedding's weights? All Gemmas do unless they say otherwise."""
    by_kind = config.get("model_type") in TIED_BY_DEFAULT
    return bool(config.get("tie_word_embeddings", language_part(config).get("tie_word_embeddings", by_kind)))


def has_template(folder: Path) -> bool:
    """Does the model bring a chat template of its own?"""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(settings, dict) and bool(settings.get("chat_template"))


def _shards(folder: Path) -> list[str]:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return ["model.safetensors"]
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        strange = [name for name in names if Path(name).name != name or not name.endswith(".safetensors")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError("This model's weights cannot be read.", _because(index.name, error), CHOOSE) from error
    if strange:
        raise DataError(
            "This model's weights cannot be read.", f"It points to a file called “{printable(strange[0])}”.", CHOOSE
        )
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(
            "This model is not complete.",
            f"{len(missing)} of its {len(names)} weight files are missing.",
            "Download the model again.",
        )
    return names


def _require_whole_embedding(tensors: dict[str, dict[str, Any]], vocab_size: int) -> None:
    rows = [tensor["shape"][0] for name, tensor in tensors.items() if name.endswith("embed_tokens.weight")]
    if rows and vocab_size not in rows:
        raise DataError(
            "This model's files do not belong together.",
            f"Its description speaks of {vocab_size:,} word pieces and its weights hold {rows[0]:,}.",
            CHOOSE,
        )


def _dtype(tensors: dict[str, dict[str, Any]]) -> str:
    kinds = {tensor["dtype"] for tensor in tensors.values() if len(tensor["shape"]) > 1}
    return DTYPES.get(kinds.pop(), "mixed") if len(kinds) == 1 else "mixed"


def _number(text: dict[str, Any], name: str) -> int:
    value = text.get(name)
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        value = max(value)  # a width per layer
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 10**8:
        raise DataError(
            "This model's description is not complete.",
            f"In its config.json, {name} is “{printable(value)}”.",
            CHOOSE,
        )
    return value


def stored_width(tensors: dict[str, dict[str, Any]], model_type: str, which: Which) -> int:
    """LoRA weights per unit of rank: every adapted layer W (out, in) gains `in + out` of them."""
    return sum(sum(tensor["shape"]) for name, tensor in tensors.items() if adapted(model_type, name, which))


def _widths(text: dict[str, Any], model_type: str) -> tuple[int, int]:
    """The same by the numbers of a configuration, for attention and for feed-forward layers; a little too much."""
    hidden, ffn, heads = (_number(text, name) for name in ("hidden_size", "intermediate_size", "num_attention_heads"))
    head = _number({"head_dim": hidden // heads} | text, "head_dim")
    queries, keys = heads * head, _number({"num_key_value_heads": heads} | text, "num_key_value_heads") * head
    attention = 2 * (hidden + queries) + 2 * (hidden + keys)
    count = _number(text, "num_hidden_layers")
    return count * attention, count * 3 * (hidden + ffn) if layers_of(model_type).feed_forward else 0


def _because(name: str, error: Exception) -> str:
    reason = str(error) if type(error) is ValueError else "it is damaged"
    return f"The file {printable(name)} is no good: {printable(reason, 80)}."

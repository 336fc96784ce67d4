"""An adapter from elsewhere: is it LoRA or DoRA, and does it fit its starting model? No torch; nothing of it is run.

What it says about itself is read and then written anew: no word of a stranger's `adapter_config.json` reaches PEFT.
Which layers it changes is read from its weights, because a pattern from outside could be made to take for ever.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet import starter
from facet.errors import DataError, SettingError
from facet.gemma.adapter_files import BASE_FOLDER, CHOOSE, CONFIG, WEIGHTS, complaint_about
from facet.gemma.inspect import inspect, read_tensors
from facet.gemma.models import STARTER, find
from facet.gemma.refuse import printable
from facet.gemma.targets import lora_targets
from facet.model.adapter_weights import Weights, read_weights, sizes_in_base, strict_json, write_weights
from facet.model.choose import HUB_ID
from facet.model.source import BaseSource
from facet.work.checkpoint import sha256
from facet.workspace import fsync, write_json

LARGEST_RANK: Final = 256
SCALES: Final = (0.01, 16.0)  # what a recipe can say
MOST_DROPOUT: Final = 0.9

# What PEFT writes for LoRA and DoRA; whatever stands under another name must be empty.
READ: Final = frozenset(
    "r lora_alpha lora_dropout use_rslora use_dora base_model_name_or_path revision target_modules".split()
)
WITHOUT_EFFECT: Final = frozenset(  # on weights that are there already, once the layers are known
    "peft_version inference_mode megatron_core qalora_group_size loftq_config eva_config runtime_config "
    "layers_to_transform layers_pattern exclude_modules".split()
)
ONLY: Final[dict[str, tuple[Any, ...]]] = {
    "peft_type": ("LORA",),
    "task_type": ("CAUSAL_LM", None),
    "bias": ("none",),
    "init_lora_weights": (True, False, None, "gaussian", "orthogonal", "eva"),  # others change the starting model too
}
_QUANTISED = re.compile(r"(?:-unsloth)?-bnb-4bit$")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Adapter:
    """A folder whose two files were read and found good."""

    folder: Path
    rank: int
    alpha: float
    dropout: float
    rslora: bool
    dora: bool
    base_named: str  # as its description names the starting model
    base_revision: str | None
    weights: Weights

    @property
    def scale(self) -> float:
        """What its change is multiplied by: alpha / r, or alpha / √r for rank-stabilised LoRA."""
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)

    @property
    def parameters(self) -> int:
        return self.weights.parameters

    def base(self) -> tuple[str, str | None]:
        """Its starting model as Facet names it, with the commit where that can be known.

        Raises: `SettingError` when it names a place on somebody else's computer, or nothing.
        """
        named = _QUANTISED.sub("", self.base_named)  # trained on a compressed copy; it belongs to the original
        if named == STARTER:
            return STARTER, None
        if not HUB_ID.fullmatch(named) or ".." in named:
            shown = f"It names “{printable(self.base_named, 80)}”, which is no model of the Hub."
            raise SettingError(
                "We cannot tell which starting model this adapter needs.",
                shown if self.base_named else "Its adapter_config.json names none.",
                "Import it again and name the starting model yourself, such as google/gemma-3-270m-it.",
            )
        offered = find(named)
        elsewhere = named != self.base_named or (offered is not None and offered.source != named)
        pinned = self.base_revision and _COMMIT.fullmatch(self.base_revision) and not elsewhere
        return named, self.base_revision if pinned else None

    def require_fit(self, base: Path) -> None:
        """Raises: `SettingError` when its layers are not those of this starting model."""
        theirs = sizes_in_base(read_tensors(base))
        for module, size in self.weights.modules.items():
            if theirs.get(module) != size:
                found = f"{theirs[module][0]:,} × {theirs[module][1]:,}" if module in theirs else "missing"
                raise SettingError(
                    "This adapter was made for another starting model.",
                    f"Its layer {module} is {size[0]:,} × {size[1]:,}, and in this model that is {found}.",
                    "Import it again and name the starting model it was trained on.",
                )
        self._require_same_starter(base)

    def _require_same_starter(self, base: Path) -> None:
        """A download of a tuned starter carries its starting model along; it may be of another Facet."""
        brought = sorted((self.folder / BASE_FOLDER).glob("*.safetensors"))
        if base != starter.FOLDER or not brought:
            return
        ours = {file.name: sha256(file) for file in base.glob("*.safetensors")}
        if {file.name: sha256(file) for file in brought} != ours:
            raise SettingError(
                "This adapter was made for another version of the Facet starter.",
                "The starting model in its folder base is not the one that came with this Facet.",
                "Import it with that folder as the starting model, or train again here.",
            )

    def write(self, into: Path, base: BaseSource, base_folder: Path) -> None:
        """The two files as this Facet would have written them, on disk for certain."""
        into.mkdir()
        stem = "model.language_model." if inspect(base_folder).multimodal else "model."
        write_weights(self.weights, stem, into / WEIGHTS)
        fsync(into / WEIGHTS)
        write_json(into / CONFIG, self._config(stem, base, base_folder))

    def _config(self, stem: str, base: BaseSource, base_folder: Path) -> dict[str, Any]:
        everything = set(self.weights.modules) == set(sizes_in_base(read_tensors(base_folder)))
        named = sorted(f"{stem}{module}" for module in self.weights.modules)
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": base.id,
            "revision": base.revision,
            "inference_mode": True,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.dropout,
            "use_rslora": self.rslora,
            "use_dora": self.dora,
            "bias": "none",
            "init_lora_weights": True,
            "target_modules": lora_targets(inspect(base_folder).model_type) if everything else named,
        }


def read(folder: Path) -> Adapter:
    """The adapter in a folder.

    Raises: `DataError` when its files are missing or damaged, `SettingError` for a kind Facet does not use.
    """
    if complaint := complaint_about({file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()}):
        raise complaint
    config = _config(folder / CONFIG)
    rank, alpha, dropout = _rank(config), _number(config, "lora_alpha", 8), _number(config, "lora_dropout", 0)
    try:
        weights = read_weights(folder / WEIGHTS, rank, bool(config.get("use_dora")))
    except ValueError as error:
        raise DataError("This adapter cannot be used.", str(error), CHOOSE) from error
    named, revision = config.get("base_model_name_or_path") or "", config.get("revision")
    adapter = Adapter(
        folder,
        rank,
        alpha,
        dropout,
        bool(config.get("use_rslora")),
        bool(config.get("use_dora")),
        named if isinstance(named, str) else "",
        revision if isinstance(revision, str) else None,
        weights,
    )
    if not SCALES[0] <= adapter.scale <= SCALES[1] or not 0 <= dropout <= MOST_DROPOUT:
        raise _unusual(f"Its strength is {adapter.scale:g} and its dropout {dropout:g}, outside of what Facet can do.")
    return adapter


def _config(file: Path) -> dict[str, Any]:
    try:
        config = strict_json(file.read_bytes())
        if not isinstance(config, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise DataError("This adapter cannot be used.", "Its adapter_config.json is damaged.", CHOOSE) from error
    for name, value in config.items():
        _require_plain(name, value)
    if config.get("peft_type") is None:
        raise _unusual("Its adapter_config.json does not say of which kind it is.")
    if not isinstance(config.get("target_modules"), (str, list)):
        raise _unusual("Its adapter_config.json does not say which layers it changes.")
    return config


def _require_plain(name: str, value: Any) -> None:
    if name in ONLY:
        if not any(value is allowed or (isinstance(value, str) and value == allowed) for allowed in ONLY[name]):
            raise _unusual(f"In its adapter_config.json, {name} is “{printable(value)}”.")
    elif name == "auto_mapping":
        library = value.get("parent_library") if isinstance(value, dict) else None
        if value and not str(library).startswith("transformers."):
            raise _unusual("It asks for a program of its own, and Facet runs none but its own.")
    elif name in ("use_rslora", "use_dora"):
        if not isinstance(value, bool):
            raise _unusual(f"In its adapter_config.json, {name} is “{printable(value)}”.")
    elif value and name not in READ | WITHOUT_EFFECT:
        raise _unusual(f"Its adapter_config.json sets {printable(name, 40)}, and Facet uses LoRA and DoRA only.")


def _rank(config: dict[str, Any]) -> int:
    rank = config.get("r", 8)
    if isinstance(rank, bool) or not isinstance(rank, int) or not 1 <= rank <= LARGEST_RANK:
        raise _unusual(f"Its rank is “{printable(rank, 20)}”, and Facet knows 1 to {LARGEST_RANK}.")
    return rank


def _number(config: dict[str, Any], name: str, default: float) -> float:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e6:
        raise _unusual(f"In its adapter_config.json, {name} is “{printable(value, 20)}”.")
    return value


def _unusual(why: str) -> SettingError:
    return SettingError("Facet cannot use this kind of adapter.", why, CHOOSE)

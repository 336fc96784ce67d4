"""What a PEFT adapter changes in its starting model, read from its two files. No torch, and nothing of it is run."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from facet.errors import DataError, SettingError
from facet.export.stored import Rows, Stored, tensors_of
from facet.gemma.adapter_files import CHOOSE, CONFIG, WEIGHTS
from facet.gemma.refuse import printable
from facet.model.adapter import ONLY, READ, WITHOUT_EFFECT
from facet.model.adapter_weights import strict_json

HANDLED: Final = frozenset(["rank_pattern", "alpha_pattern", "modules_to_save"])
_LORA: Final = re.compile(
    r"base_model\.model\.(?P<module>[\w.]+)\.lora_(?:(?P<half>[AB])\.weight|(?P<size>magnitude_vector))"
)
_WHOLE: Final = re.compile(r"base_model\.model\.(?P<module>[\w.]+?)(?:\.modules_to_save)?\.(?P<kind>weight|bias)")
_PLAIN: Final = re.compile(r"\^?[\w.]+\$?")


@dataclass(frozen=True)
class Change:
    """W + scale · B @ A, with A (R, numbers in) and B (numbers out, R).

    With sizes (numbers out), as DoRA has them, every row of that is given its size.
    """

    a: Stored
    b: Stored
    scale: float
    sizes: Stored | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.b.shape[0], self.a.shape[1]

    def on(self, weights: np.ndarray, which: Rows) -> np.ndarray:
        """The changed rows, from those of the starting model."""
        changed = weights + (self.b.rows(which) @ self.a.rows(slice(None))) * np.float32(self.scale)
        if self.sizes is None:
            return changed
        length = np.linalg.norm(changed, axis=1, keepdims=True)
        return changed * (self.sizes.rows(which)[:, None] / length)


@dataclass(frozen=True)
class Changes:
    """By the adapter's names of layers, such as `model.layers.0.self_attn.q_proj.weight`."""

    added: dict[str, Change]
    replaced: dict[str, Stored]


def changes_of(folder: Path) -> Changes:
    """Raises: `DataError` for missing or damaged files, `SettingError` for a kind of adapter that is not plain LoRA."""
    config = _config(folder / CONFIG)
    try:
        tensors = tensors_of(folder / WEIGHTS)
    except OSError as error:
        raise _damaged(f"Its {WEIGHTS} is missing or cannot be read.") from error
    except ValueError as error:
        raise _damaged(f"Its {WEIGHTS} is damaged: {error}") from error
    halves: dict[str, dict[str, Stored]] = {}
    replaced: dict[str, Stored] = {}
    for name, tensor in tensors.items():
        found = _LORA.fullmatch(name)
        if found and (found["half"] or config.get("use_dora")):
            halves.setdefault(found["module"], {})[found["half"] or "sizes"] = tensor
        else:
            replaced[_whole(name, config)] = tensor
    if not halves and not replaced:
        raise _damaged("It has no weights.")
    return Changes({f"{module}.weight": _change(module, two, config) for module, two in halves.items()}, replaced)


def _config(file: Path) -> dict[str, Any]:
    try:
        config = strict_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(f"Its {CONFIG} is missing or damaged.") from error
    if not isinstance(config, dict):
        raise _damaged(f"Its {CONFIG} is damaged.")
    for name, value in config.items():
        if name in ONLY and value not in ONLY[name]:
            raise _unlike(f"Its {name} is “{printable(value)}”.")
        if name not in ONLY and name not in READ | WITHOUT_EFFECT | HANDLED and value:
            raise _unlike(f"It uses {printable(name)}.")
    return config


def _whole(name: str, config: dict[str, Any]) -> str:
    """The name of a weight that was trained as a whole and takes the place of the old one."""
    found = _WHOLE.fullmatch(name)
    saved = config.get("modules_to_save") or []
    if not found or not isinstance(saved, list) or not set(found["module"].split(".")) & set(map(str, saved)):
        raise _unlike(f"It changes “{printable(name, 80)}” in another way than LoRA does.")
    return f"{found['module']}.{found['kind']}"


def _change(module: str, halves: dict[str, Stored], config: dict[str, Any]) -> Change:
    dora = bool(config.get("use_dora"))
    if set(halves) != {"A", "B"} | ({"sizes"} if dora else set()):
        raise _damaged(f"A part of its weights for {printable(module, 80)} is missing.")
    a, b = halves["A"], halves["B"]
    rank = _number(config, "rank_pattern", module, "r", 8)
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != rank or b.shape[1] != rank:
        raise _damaged(f"Its description speaks of rank {rank:g}, and its weights for {printable(module, 80)} do not.")
    if dora and halves["sizes"].shape != b.shape[:1]:
        raise _damaged(f"Its sizes for {printable(module, 80)} are not as many as that layer has outputs.")
    alpha = _number(config, "alpha_pattern", module, "lora_alpha", 8)
    return Change(a, b, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank), halves.get("sizes"))


def _number(config: dict[str, Any], pattern: str, module: str, otherwise: str, default: float) -> float:
    """PEFT's rule: the first pattern that names this layer, or the end of its name, wins over the common number."""
    patterns = config.get(pattern) or {}
    if not isinstance(patterns, dict) or not all(_PLAIN.fullmatch(name) for name in patterns):
        raise _unlike(f"Its {pattern} is more than a list of layers.")
    value = next((patterns[name] for name in patterns if _names(name, module)), config.get(otherwise, default))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise _damaged(f"In its {CONFIG}, {otherwise} is “{printable(value)}”.")
    return value


def _names(pattern: str, module: str) -> bool:
    plain = pattern.removesuffix("$")
    return module == plain.removeprefix("^") or (not plain.startswith("^") and module.endswith(f".{plain}"))


def _damaged(why: str) -> DataError:
    return DataError("This adapter cannot be used.", why, CHOOSE)


def _unlike(why: str) -> SettingError:
    return SettingError(
        "This adapter cannot be merged into its starting model.",
        f"{why} Facet merges LoRA and DoRA.",
        "Use it beside its starting model, with PEFT.",
    )

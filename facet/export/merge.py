"""A starting model's weights with an adapter merged into them, a few rows at a time in float32. No torch.

Weights go by their short names, `layers.0.self_attn.q_proj.weight`: what stands before differs between generations
of transformers, and between a model and the adapter that was trained on it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from facet.errors import DataError, SettingError
from facet.export.merge_adapter import Change, changes_of
from facet.export.stored import Rows, Stored, tensors_of
from facet.gemma.inspect import read_tensors
from facet.gemma.refuse import printable
from facet.model.tuned import is_whole

INDEX: Final = "model.safetensors.index.json"
TIED: Final = ("embed_tokens.weight", "lm_head.weight")
_BEFORE: Final = re.compile(r"(?:(?:model|language_model)\.)*")


@dataclass(frozen=True)
class Merged:
    """The weights of a model, by short name. What is not asked for is not read."""

    stored: Mapping[str, Stored]
    changes: Mapping[str, Change]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.stored[name].shape

    def rows(self, name: str, which: Rows) -> np.ndarray:
        """Rows of a matrix, or numbers of a vector, in float32.

        Raises: `DataError` when they hold something that is no number.
        """
        values = self.stored[name].rows(which)
        if name in self.changes:
            values = self.changes[name].on(values, which)
        if not np.isfinite(values).all():
            raise DataError(
                "This model's weights are damaged.",
                f"Some of “{printable(name, 80)}” are not numbers.",
                "Download the model again, or choose another adapter.",
            )
        return values


def merged(base: Path, adapter: Path | None, tied: bool) -> Merged:
    """`adapter` may be a whole model that was trained: then its weights are taken as they are.

    `tied`: the output layer shares the embedding's weights.

    Raises: `DataError` for damaged files, `SettingError` for an adapter of another model or kind."""
    whole = adapter is None or is_whole(adapter)
    stored = _stored(adapter if adapter and whole else base)
    if whole:
        return Merged(stored, {})
    changes = changes_of(adapter)
    added = {_place(name, stored, change.shape, tied): change for name, change in changes.added.items()}
    replaced = {_place(name, stored, tensor.shape, tied): tensor for name, tensor in changes.replaced.items()}
    if len(added) != len(changes.added) or len(replaced) != len(changes.replaced):
        raise _other("Some of its layers are there twice.")
    return Merged(stored | replaced, added)


def short(name: str) -> str:
    """A weight's name without the models it lies in."""
    return _BEFORE.sub("", name, count=1)


def _stored(base: Path) -> dict[str, Stored]:
    read_tensors(base)  # says it in words when a file is missing or cut short
    index = base / INDEX
    files = sorted(set(json.loads(index.read_bytes())["weight_map"].values())) if index.is_file() else None
    found: dict[str, Stored] = {}
    for file in files or ["model.safetensors"]:
        try:
            tensors = tensors_of(base / file)
        except (OSError, ValueError) as error:
            raise _unreadable(f"{file}: {error}") from error
        found |= {short(name): tensor for name, tensor in tensors.items()}
    return found


def _place(name: str, stored: Mapping[str, Stored], shape: tuple[int, ...], tied: bool) -> str:
    place = short(name)
    if place not in stored:
        raise _other(f"Its layer {printable(name, 80)} is missing there.")
    if tied and place in TIED:
        raise SettingError(
            "This adapter cannot be merged into its starting model.",
            "It changes the embedding, which in this model is the output layer too.",
            "Use it beside its starting model, with PEFT.",
        )
    if stored[place].shape != shape:
        theirs, ours = (" × ".join(f"{size:,}" for size in sizes) for sizes in (shape, stored[place].shape))
        raise _other(f"Its layer {printable(name, 80)} is {theirs}, and in this model that is {ours}.")
    return place


def _other(why: str) -> SettingError:
    return SettingError(
        "This adapter was made for another starting model.", why, "Choose the starting model it was trained on."
    )


def _unreadable(why: str) -> DataError:
    return DataError("This model's weights cannot be read.", printable(why, 200), "Download the model again.")

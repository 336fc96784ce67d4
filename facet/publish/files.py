"""Which files of a model may leave this machine: named ones only, whole, and without a secret in them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facet.errors import DataError, FacetError
from facet.gemma.models import STARTER
from facet.hub.hub import BESIDE_WEIGHTS, WEIGHTS
from facet.hub.writing import Stored
from facet.model.tuned import ADAPTER_FILES, TOKENIZER_FILES, is_whole, tuned_files

RUN_FILE: Final = "facet-run.yaml"  # the mark by which Facet knows a repository it made
NEEDED: Final = ("README.md", RUN_FILE)
ALLOWED: Final = frozenset([*NEEDED, *ADAPTER_FILES, "config.json", *TOKENIZER_FILES, "NOTICE", "curve.svg"])
HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
SECRET: Final = re.compile(rb"hf_(?:(?:oauth|jwt)_)?[A-Za-z0-9]{20,}")
OVERLAP: Final = 64  # bytes, so that a secret across two pieces is seen too
SMALL: Final = 1_000_000  # bytes; an adapter_config.json has a few hundred


@dataclass(frozen=True)
class LocalFile:
    """A file to publish, with both names the Hub may know its content by."""

    path: Path
    size: int
    blob: str  # git's
    sha256: str

    def equals(self, stored: Stored | None) -> bool:
        if stored is None or stored.size != self.size:
            return False
        return stored.sha256 == self.sha256 if stored.sha256 else stored.blob == self.blob


def is_allowed(name: str) -> bool:
    """Whether Facet ever publishes a file of this name, and so may replace or remove it."""
    folder, _, inside = name.rpartition("/")
    if folder == "base":
        return inside in BESIDE_WEIGHTS or bool(WEIGHTS.fullmatch(inside))
    return name in ALLOWED or bool(WEIGHTS.fullmatch(name))


def to_publish(folder: Path) -> Mapping[str, LocalFile]:
    """The files of an exported folder that go to the Hub, by their names there.

    Raises: `DataError` when one is missing, holds a secret, or the starting model could be found by nobody else.
    """
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if is_own(folder, path)]
    whole = is_whole(folder)
    own_base = not whole and _base_model(folder) == STARTER
    names = sorted(name for name in names if is_allowed(name) and (own_base or not name.startswith("base/")))
    if missing := [name for name in (*_weights(folder), *NEEDED) if name not in names]:
        raise _incomplete(f"It lacks {', '.join(missing)}.")
    if own_base and "base/config.json" not in names:
        raise _incomplete("Its starting model, which is nowhere else to be had, is not in the folder “base”.")
    return {name: read(folder / name, name) for name in names}


def _weights(folder: Path) -> list[str]:
    try:
        needed = [file.name for file in tuned_files(folder)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _incomplete("The list of its weights cannot be read.") from error
    return [*needed, "tokenizer.json"] if is_whole(folder) else needed


def is_own(folder: Path, path: Path) -> bool:
    """A file of this folder itself: a link could lead anywhere on this machine."""
    return path.is_file() and not path.is_symlink() and path.resolve().is_relative_to(folder.resolve())


def _base_model(folder: Path) -> str:
    """The starting model by its id on the Hub, or "starter"."""
    file = folder / ADAPTER_FILES[1]
    if not is_own(folder, file) or file.stat().st_size > SMALL:
        raise _incomplete(f"It lacks {file.name}.")
    try:
        config: Any = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _incomplete(f"Its {file.name} cannot be read.") from error
    base = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    if base == STARTER or (isinstance(base, str) and HUB_ID.fullmatch(base)):
        return base
    raise DataError(
        "Nobody else could use this model.",
        "It was tuned from a model that lies in a folder of this machine, and an adapter needs its starting model.",
        "Train with a starting model of the Hub, or take the files home and share both yourself.",
    )


def read(path: Path, name: str, again: str = "train again") -> LocalFile:
    """Hash a file and look for secrets, in one pass. `again`: what to do once the secret is removed."""
    size = path.stat().st_size
    blob, sha256, before = hashlib.sha1(b"blob %d\0" % size), hashlib.sha256(), b""
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            blob.update(piece)
            sha256.update(piece)
            if SECRET.search(before + piece):
                raise key_inside(name, again)
            before = piece[-OVERLAP:]
    return LocalFile(path, size, blob.hexdigest(), sha256.hexdigest())


def key_inside(name: str, again: str) -> DataError:
    return DataError(
        "There is a key in one of the files.",
        f"{name} holds something that looks like a token of Hugging Face. Nothing was uploaded.",
        f"Withdraw that token on huggingface.co/settings/tokens, remove it from your data, and {again}.",
    )


def _incomplete(why: str) -> FacetError:
    return DataError("This is not a whole model.", why, "Export it again, then publish it.")

"""Which engine computes the answers of a test or a batch: one for all contestants, and it is written down. No torch."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from facet.model.decoding import AUTOMATIC, TRANSFORMERS
from facet.workspace import read_json, write_json


@dataclass(frozen=True)
class Chosen:
    name: str
    words: str  # for a person: that it was held to transformers, or why it is not used


def asked(request: Mapping[str, Any]) -> str:
    """The engine that was asked for. Without a wish it is transformers: in groups it is the fastest on a processor."""
    name = (request.get("decoding") or {}).get("engine", AUTOMATIC)
    return TRANSFORMERS if name == AUTOMATIC else name


def known(folder: Path) -> Chosen | None:
    """None before it was decided, and where nothing but transformers was asked for."""
    try:
        return Chosen(**read_json(folder / "engine.json"))
    except (OSError, ValueError, TypeError):
        return None


def write(folder: Path, chosen: Chosen) -> None:
    write_json(folder / "engine.json", asdict(chosen))


def is_as_asked(folder: Path, request: Mapping[str, Any]) -> bool:
    """Were the answers of a test computed by the engine that its request names?"""
    decided = known(folder)
    return asked(request) == (decided.name if decided else TRANSFORMERS)


def forget_reused(folder: Path) -> None:
    """Answers taken over from a test with another engine than the one that answers now."""
    shutil.rmtree(folder / "reused", ignore_errors=True)

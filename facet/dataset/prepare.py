"""From files and a mapping to a prepared dataset on disk: three parts, unusable rows with reasons, one summary."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.album import Album
from facet.dataset.clean import parse_cleaning
from facet.dataset.columns import parse_mapping
from facet.dataset.digests import file_sha256, fingerprint
from facet.dataset.look import look
from facet.dataset.measure import measured
from facet.dataset.mend import mend
from facet.dataset.parts import move_in, staged, write_parts
from facet.dataset.progress import report
from facet.dataset.read import Correction
from facet.dataset.sides import UNUSED, Choices, Dealt, Splits, deal
from facet.dataset.split import PARTS
from facet.dataset.walk import Source, Walk, append_problems
from facet.errors import FacetError
from facet.workspace import clean_name, write_json


def prepare(
    file: str,
    original_name: str,
    correction: Correction | None,
    mapping: dict[str, Any] | None,
    into: str,
    name: str,
    test_size: float = 0.1,
    validation_size: float | None = None,
    seed: int = 0,
    source: dict[str, Any] | None = None,
    *,
    others: Sequence[dict[str, Any]] = (),
    part: str | None = None,
    images: str | None = None,
    sample_size: int | None = None,
    stratify: bool | str = False,
    group: str | None = None,
    splits: Splits = "ours",
    cleaning: dict[str, Any] | None = None,
    repairs: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Write a prepared dataset into the folder `into`; returns its summary, which is also in `dataset.json`.

    `test_size` is the share kept for the exam; `validation_size`, the share watched while learning, is the same
    unless given. `others` are further files with the same columns, `{file, original_name, part}`. `repairs` are done
    at the end, one after the other. Without a `mapping` the shape is guessed. `dataset.json` is written last.
    Raises: `DataError` when no row can be used, `SettingError` for what cannot be chosen; then nothing stays.
    """
    chosen = parse_mapping(mapping if mapping is not None else _guessed(file, original_name, correction))
    chosen = chosen if group is None else chosen.model_copy(update={"group": group})
    more: dict[str, Any] = {"sample_size": sample_size, "stratify": stratify, "group": chosen.group, "splits": splits}
    choices, clean = Choices.checked(test_size, validation_size, seed, **more), parse_cleaning(cleaning)
    files = [{"file": file, "original_name": original_name, "part": part}, *others]
    sources = [Source(Path(one["file"]), one["original_name"], correction, one.get("part")) for one in files]
    with staged(folder := Path(into)) as staging:
        walk = Walk(chosen, choices, clean, staging, Album(images, staging))
        walk.read(sources)
        report(f"{walk.measure.count:,} examples are divided into parts, those that are alike together")
        dealt = deal(walk.facts(), choices, clean.duplicates)
        origin = _where_from(Path(file), original_name, source)
        summary = {
            **{"dataset_id": folder.name, "name": clean_name(name), "source": origin, "created": time.time()},
            **_chosen(walk, correction, repairs),
            **_counts(walk, dealt),
            **_written(walk, dealt, staging, repairs),
        }
        move_in(staging, folder)
    write_json(folder / "dataset.json", summary)
    return summary


def _guessed(file: str, original_name: str, correction: Correction | None) -> dict[str, Any]:
    seen = look(file, original_name, correction)
    if seen["complaint"]:
        raise FacetError.from_dict(seen["complaint"])
    return seen["shape"]["mapping"]


def _where_from(file: Path, original_name: str, source: dict[str, Any] | None) -> dict[str, Any]:
    known = source or {}
    return {"original_name": clean_name(original_name), **known, "sha256": known.get("sha256") or file_sha256(file)}


def _chosen(walk: Walk, correction: Correction | None, repairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was asked for, and as a recipe: all that is needed to do the same to new data."""
    mapping, choices = walk.mapping, walk.choices
    asked = mapping.model_dump(mode="json")
    recipe = {
        "correction": correction,
        "mapping": asked,
        "cleaning": walk.cleaner.cleaning.model_dump(mode="json", exclude_defaults=True),
        "split": asdict(choices),
        "repairs": list(repairs),
    }
    return {
        "format": walk.format,
        "type": mapping.type,
        "extras": [name for name in mapping.extras() if name in walk.extras],
        "shape": mapping.kind,
        "mapping": asked,
        "correction": correction,
        "recipe": recipe,
        "version": 1,
        "parent": None,
        "seed": choices.seed,
        "test_size": choices.test_size,
        "validation_size": choices.validation_size,
    }


def _counts(walk: Walk, dealt: Dealt) -> dict[str, Any]:
    """How many rows there were and what became of them.

    A row can hold several examples: `examples_in` is `used` and `unusable` and `not_sampled` together, always.
    """
    reasons = walk.reasons + dealt.reasons()
    return {
        "rows_in": walk.rows_in,
        "examples_in": walk.rows_in + walk.several,
        "unusable": sum(reasons.values()),
        "not_sampled": int(dealt.unsampled.sum()),
        "reasons": dict(reasons.most_common()),
        "repaired": dict(walk.repaired.most_common()),
        "cleaned": dict(walk.cleaner.changed.most_common()),
        "notes": [*walk.notes, *dealt.notes],
    }


def _written(walk: Walk, dealt: Dealt, staging: Path, repairs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Writes the parts; what can be said of them."""
    write_json(staging / "preview.json", walk.preview)
    left = write_parts(staging, dealt.parts)
    _list_dropped(staging, dealt, left)
    mended = mend(staging, repairs)
    used = dealt.parts != UNUSED
    if repairs or (walk.measure.labels is not None and not used.all()):
        return measured(staging, walk.measure.labels is not None) | mended
    return {
        "used": int(used.sum()),
        "duplicates": int(used.sum()) - len(np.unique(walk.measure.keys()[used])),
        "lengths": walk.measure.lengths(used),
        "labels": walk.measure.most_common_labels(),
        "splits": {part: int((dealt.parts == number).sum()) for number, part in enumerate(PARTS)},
        "fingerprint": fingerprint(walk.measure.digests, dealt.parts),
    }


def _list_dropped(staging: Path, dealt: Dealt, left: dict[int, np.ndarray]) -> None:
    """Rows that were left out while dealing, below those that could not be read."""
    with open(staging / "problems.jsonl", "a", encoding="utf-8") as problems:
        for why, dropped in dealt.dropped.items():
            for start, rows in left.items():
                append_problems(problems, rows[dropped[start : start + len(rows)]], "left out", why)

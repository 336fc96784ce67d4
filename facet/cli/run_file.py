"""`facet-run.yaml` as input: read it, check it, and find or prepare the data it names."""

import re
from pathlib import Path
from typing import Any

import yaml

from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL
from facet.studio import Studio

LARGEST_BYTES = 64_000
SHA256 = re.compile(r"[0-9a-f]{64}")
FROM_HUB = re.compile(r"hub:[\w.-]{1,96}/[\w.-]{1,96}@[0-9a-f]{40}", re.ASCII)


def read_run_file(file: Path) -> dict[str, Any]:
    """The run a file describes.

    Raises: `SettingError` when it is not a run file.
    """
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise _not_a_run_file(f"It has {file.stat().st_size:,} bytes, and a run file has a few thousand.")
        text = file.read_text("utf-8")
        if "&" in text and "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise _not_a_run_file("It uses references, which a run file never does.")
        described = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise _not_a_run_file("It cannot be opened as text.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _not_a_run_file("It is not valid YAML.") from error
    parts = {"model": dict, "data": dict, "recipe": dict}
    if not isinstance(described, dict) or described.get("facet_run") != 1:
        raise _not_a_run_file("Its first line, facet_run: 1, is missing.")
    if described.get("method") == "imported":
        raise SettingError(
            "There is no training in this file to do again.",
            "It belongs to an adapter that was imported, not trained in Facet.",
            "Import the adapter itself: the folder or the zip that this file lies in.",
        )
    missing = [name for name, kind in parts.items() if not isinstance(described.get(name), kind)]
    if described.get("method", "sft") != "sft":
        raise _not_a_run_file("Its method is not one this version knows: sft.")
    if missing or not isinstance(described["model"].get("id"), str):
        raise _not_a_run_file(f"The part {(missing or ['model'])[0]} is missing or not complete.")
    if "continues" in described and not SHA256.fullmatch(_continued_sha256(described)):
        raise _not_a_run_file("It goes on from an adapter that it does not describe.")
    return described


def _continued_sha256(described: dict[str, Any]) -> str:
    continues = described["continues"]
    return str(continues.get("adapter_sha256")) if isinstance(continues, dict) else ""


def continued_run(studio: Studio, described: dict[str, Any]) -> str | None:
    """The run here that this one goes on from, or None when it begins with an untouched model.

    Raises: `NotFoundError` when no run here has that adapter.
    """
    if "continues" not in described:
        return None
    wanted = _continued_sha256(described)
    for card in studio.runs(LOCAL):
        if card.has_model and card.progress.outputs.get("adapter_sha256") == wanted:
            return card.id
    origin = str(described["continues"].get("from") or "")
    named = origin if FROM_HUB.fullmatch(origin) else "FOLDER"
    raise NotFoundError(
        "This run goes on from an adapter that is not here.",
        f"Its weights have the SHA-256 {wanted[:12]}…, and no run here has them.",
        f"Bring it in first: python -m facet import {named}. Then start again.",
    )


def dataset_for(studio: Studio, described: dict[str, Any]) -> str:
    """The dataset with the same content, or one prepared anew from the same source.

    Raises: `NotFoundError` when neither is to be had here.
    """
    data = described["data"]
    for card in studio.datasets(LOCAL):
        if card.summary["fingerprint"] == data.get("fingerprint"):
            return card.id
    source = data.get("source") or {}
    upload_id = studio.bring(LOCAL, _source_text(source))
    try:
        dataset_id = studio.prepare(
            LOCAL,
            upload_id,
            data.get("name", ""),
            data.get("mapping"),
            test_size=data.get("test_size", 0.1),
            validation_size=data.get("validation_size", 0.1),
            seed=data.get("seed", 0),
            correction=data.get("correction"),
        )
    finally:
        studio.delete(LOCAL, "uploads", upload_id)
    if studio.dataset(LOCAL, dataset_id).summary["fingerprint"] != data.get("fingerprint"):
        studio.delete(LOCAL, "datasets", dataset_id)
        raise NotFoundError(
            "The data of this run file has changed.",
            "The source gives other rows than those the run learned from.",
            "Prepare the data yourself and name it with --data.",
        )
    return dataset_id


def _source_text(source: dict[str, Any]) -> str:
    if not isinstance(source, dict):
        raise _not_a_run_file("Its source of data is not described.")
    kind, where, revision = source.get("kind"), str(source.get("where", "")), source.get("revision")
    match kind:
        case "hub":
            name, separator, part = where.partition(":")
            return f"hub:{name}" + (f"@{revision}" if revision else "") + separator + part
        case "example":
            return f"example:{where}"
    if Path(where).is_file():
        return where
    raise NotFoundError(
        "The data of this run file is not here.",
        f"It came from a file called {where[:80] or '(no name)'}, which is not in this folder.",
        "Prepare that file first, then start again; or name a dataset with --data.",
    )


def _not_a_run_file(why: str) -> SettingError:
    return SettingError(
        "This is not a run file Facet can read.", why, "Use a facet-run.yaml from a download or an export."
    )

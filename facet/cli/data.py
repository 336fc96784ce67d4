"""`prepare`, `datasets`, `models`: from rows to a dataset."""

import argparse
from typing import Any

from facet.cli.people import machine_grant
from facet.dataset.columns import Mapping
from facet.errors import SettingError
from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]


def prepare(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    correction = {name: getattr(options, name) for name in ("encoding", "delimiter") if getattr(options, name)} or None
    upload_id = studio.bring(LOCAL, options.source, machine_grant())
    try:
        look = studio.look(LOCAL, upload_id, correction)
        mapping = _mapping(options.map) or (look["shape"] or {}).get("mapping")
        if mapping is None:
            raise _unclear(look)
        dataset_id = studio.prepare(
            LOCAL,
            upload_id,
            options.name,
            mapping,
            correction=correction,
            test_size=options.test_size,
            validation_size=options.validation_size,
            seed=options.seed,
        )
    finally:
        studio.delete(LOCAL, "uploads", upload_id)
    summary = studio.dataset(LOCAL, dataset_id).summary
    guess = "" if options.map else f"Guessed: {look['shape']['words']}\n"
    return {
        "dataset_id": dataset_id,
        "mapping": mapping,
        "guessed": not options.map,
        "shape": look["shape"],
        **{name: summary[name] for name in ("rows_in", "used", "unusable", "reasons", "splits", "fingerprint")},
        "words": guess
        + describe_dataset(summary)
        + f"\n{dataset_id}\nNext: python -m facet train --data {dataset_id} --wait",
    }


def role_and_column(text: str) -> tuple[str, str]:
    """One `--map`. Raises: `ArgumentTypeError`, so that argparse says how it is written."""
    role, separator, column = text.partition("=")
    role = role.strip()
    if not separator or not column or role not in Mapping.model_fields:
        parts = ", ".join(Mapping.model_fields)
        raise argparse.ArgumentTypeError(f"“{text[:60]}” is not ROLE=COLUMN, with a role out of {parts}")
    return role, column


def _mapping(pairs: list[tuple[str, str]]) -> Answer | None:
    return {"kind": "columns"} | dict(pairs) if pairs else None


def _unclear(look: Answer) -> SettingError:
    names = ", ".join(column["name"] for column in look["columns"][:12])
    return SettingError(
        "We could not tell the questions from the answers.",
        f"The file has the columns {names}.",
        "Say which is which: --map user=COLUMN --map assistant=COLUMN.",
    )


def describe_dataset(summary: Answer) -> str:
    splits = summary["splits"]
    lines = [
        f"{summary['rows_in']:,} rows: {summary['used']:,} usable, {summary['unusable']:,} not.",
        f"{splits['train']:,} to learn from, {splits['validation']:,} to check on, {splits['exam']:,} for the exam.",
    ]
    return "\n".join(lines + [f"  not used, {count:,} rows: {words}" for words, count in summary["reasons"].items()])


def datasets(options: argparse.Namespace) -> Answer:
    cards = Studio.from_environment().datasets(LOCAL)
    lines = [f"{card.id}  {card.name}  {card.summary['used']:,} rows" for card in cards]
    listed = [{"dataset_id": card.id, "name": card.name, "used": card.summary["used"]} for card in cards]
    return {
        "datasets": listed,
        "words": "\n".join(lines) or "No dataset yet. Next: python -m facet prepare example:pirate",
    }


def models(options: argparse.Namespace) -> Answer:
    offered = Studio.from_environment().models()
    lines = [f"{model.id:26} {model.name}: {model.words}" for model in offered]
    return {"models": [{"id": model.id, "name": model.name} for model in offered], "words": "\n".join(lines)}

"""`doctor`, `versions`, `download-data`: what is wrong with prepared data, its repair, and its way out."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from facet.cli.controls import for_terminal
from facet.cli.data import describe_dataset
from facet.cli.people import machine_grant, not_signed_in
from facet.errors import NotFoundError, SettingError
from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]
SIGNS = {"error": "!!", "warning": "! ", "note": "  "}


def doctor(options: argparse.Namespace) -> Answer:
    """Examine a dataset; with `--repair` or `--undo`, make another version of it."""
    studio = Studio.from_environment()
    if options.undo:
        return _version(studio, studio.undo_repair(LOCAL, options.dataset), "The last repair is undone.")
    found = studio.examine(LOCAL, options.dataset, options.model, options.max_length)
    if not options.repair and not options.all:
        return found | {"words": for_terminal(describe_findings(found, options.dataset))}
    chosen = _repairs(found, options.repair, options.all)
    if not chosen:
        return found | {"words": "There is nothing to repair."}
    return _version(
        studio,
        studio.repair(LOCAL, options.dataset, chosen),
        "Repaired." if len(chosen) == 1 else f"{len(chosen)} repairs done.",
    )


def _repairs(found: Answer, wanted: list[str], everything: bool) -> list[Answer]:
    """The repairs of these kinds, as the findings offer them; with `everything` the first of each serious finding.

    Raises: `SettingError` for a kind that no finding offers.
    """
    offers = [each["repair"] for finding in found["findings"] for each in finding["repairs"]]
    chosen = []
    for kind in wanted:
        offer = next((offer for offer in offers if offer["kind"] == kind), None)
        if offer is None:
            kinds = ", ".join(dict.fromkeys(offer["kind"] for offer in offers)) or "none"
            raise SettingError(
                f"There is no repair called “{kind[:60]}” for this data.",
                f"The findings offer: {kinds}.",
                "Run `python -m facet doctor` without --repair to see them.",
            )
        chosen.append(offer)
    if everything:
        firsts = [each["repairs"][0]["repair"] for each in found["findings"] if each["repairs"]]
        chosen += [repair for repair in firsts if repair not in chosen and repair["kind"] != "raise_length"]
    return chosen


def _done(count: int) -> str:
    return "Repaired." if count == 1 else f"{count} repairs done."


def _version(studio: Studio, dataset_id: str, done: str) -> Answer:
    summary = studio.dataset(LOCAL, dataset_id).summary
    return {
        "dataset_id": dataset_id,
        **{name: summary[name] for name in ("used", "splits", "fingerprint", "version")},
        "words": f"{done}\n{describe_dataset(summary)}\n{dataset_id}",
    }


def describe_findings(found: Answer, dataset_id: str) -> str:
    lines = [f"{found['examined']:,} examples examined."]
    for finding in found["findings"]:
        lines.append(f"{SIGNS[finding['severity']]} {finding['title']} ({finding['count']:,}): {finding['words']}")
        rows = ", ".join(f"{row['row']:,}" for row in finding["rows"][:8])
        lines += [f"     rows {rows}"] if rows else []
        lines += [f"     --repair {each['repair']['kind']}: {each['words']}" for each in finding["repairs"]]
    if not found["findings"]:
        lines.append("Nothing needs repair.")
    return "\n".join([*lines, f"Next: python -m facet train --data {dataset_id} --wait"])


def versions(options: argparse.Namespace) -> Answer:
    cards = Studio.from_environment().versions(LOCAL, options.dataset)
    lines = [f"{card.id}  version {card.summary['version']}  {card.summary['used']:,} rows" for card in cards]
    listed = [{"dataset_id": card.id, "version": card.summary["version"]} for card in cards]
    return {"versions": listed, "words": "\n".join(lines)}


def download(options: argparse.Namespace) -> Answer:
    """Write a dataset as JSONL or Parquet."""
    studio, into = Studio.from_environment(), Path(options.to)
    if not into.is_dir():
        raise NotFoundError(
            "There is no such folder.", f"{into.name} is not a folder.", "Make it first, or name another."
        )
    made = studio.download_data(LOCAL, options.dataset, options.format, options.part)
    place = Path(shutil.move(made, _free(into, made.name)))
    return {"file": str(place), "words": f"Written to {place}."}


def _free(folder: Path, name: str) -> Path:
    """A place of that name; nothing that lies there is ever written over."""
    places = [folder / name, *(folder / f"{Path(name).stem}-{n}{Path(name).suffix}" for n in range(2, 1_000))]
    return next(place for place in places if not place.exists())


def publish(options: argparse.Namespace) -> Answer:
    """Upload a dataset and wait until every file was read back."""
    studio, grant = Studio.from_environment(), machine_grant()
    if not grant.token:
        raise not_signed_in("to publish data")
    studio.publish_dataset(
        grant, options.dataset, options.repo, public=options.public, licence=options.licence, tag=options.tag, wait=True
    )
    done = studio.dataset_publication(LOCAL, options.dataset)
    url = done.url if done else ""
    return {"url": url, "words": f"It is on the Hub: {url}"}

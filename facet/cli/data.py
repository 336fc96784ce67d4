"""`look`, `prepare`, `datasets`, `models`: from rows to a dataset."""

import argparse
from typing import Any

from facet.cli.controls import for_terminal
from facet.cli.people import machine_grant
from facet.dataset.clean import CHOICES
from facet.dataset.columns import Mapping
from facet.dataset.conversation import DATASET_TYPES
from facet.errors import SettingError
from facet.gemma.models import offered_by_family
from facet.identity import LOCAL
from facet.studio import Studio

Answer = dict[str, Any]
CORRECTIONS = ("encoding", "delimiter", "sheet", "member", "speaker")
ANSWERED = (
    "mapping",
    "type",
    "rows_in",
    "examples_in",
    "repaired",
    "notes",
    "used",
    "unusable",
    "not_sampled",
    "reasons",
    "cleaned",
    "splits",
    "fingerprint",
)
TEMPLATES = ("user", "assistant", "system")


def look(options: argparse.Namespace) -> Answer:
    """What a file is and what could be made of it; nothing is kept."""
    studio = Studio.from_environment()
    upload_id = studio.bring(LOCAL, options.source, machine_grant())
    try:
        seen = studio.look(LOCAL, upload_id, _correction(options))
        mapping = _mapping(options) or (seen["shape"] or {}).get("mapping")
        rows = studio.preview(LOCAL, upload_id, mapping, _correction(options), 3) if mapping else []
    finally:
        studio.delete(LOCAL, "uploads", upload_id)
    return seen | {"preview": rows, "words": for_terminal(describe_look(seen, rows))}


def describe_look(seen: Answer, rows: list[Answer]) -> str:
    """The same as the page shows first, in lines."""
    number = f"{seen['row_count']:,}" if seen["row_count"] is not None else f"at least {seen['at_least']:,}"
    how = ", ".join(str(seen[name]) for name in ("format", "encoding", "delimiter") if seen.get(name))
    lines = [f"{how}: {number} rows, columns {', '.join(each['name'] for each in seen['columns'][:20])}."]
    lines += [f"! {warning}" for warning in seen["warnings"]]
    for what, names in (seen.get("choices") or {}).items():
        if len(names) > 1:
            lines.append(f"It holds several: choose with --{what}, one of {', '.join(map(str, names[:20]))}.")
    shape = seen["shape"]
    lines.append(shape["words"] if shape else " ".join((seen["complaint"]["what"], seen["complaint"]["next"])))
    if seen["unused"]:
        lines.append(f"Not used: {', '.join(seen['unused'][:20])}.")
    for row in rows:
        lines.append(f"Row {row['row']:,}:")
        lines += [f"  {line}" for line in _in_lines(row)] or [f"  {row['problem']}"]
    return "\n".join(lines)


def _in_lines(example: Answer) -> list[str]:
    """One example, a line for each of its parts."""
    lines = []
    for part in ("messages", "chosen", "rejected"):
        beside = "" if part == "messages" else f" ({part})"
        for turn in example.get(part) or []:
            calls = [call.get("function", {}) for call in turn.get("tool_calls") or []]
            called = "".join(f" → {call.get('name')}({call.get('arguments')})" for call in calls)
            lines.append(f"{turn['role']}{beside}: {turn['content'][:200]}{called[:200]}")
    return lines + [f"{name}: {str(example[name])[:200]}" for name in ("text", "reference", "label") if name in example]


def prepare(options: argparse.Namespace) -> Answer:
    studio = Studio.from_environment()
    correction = _correction(options)
    upload_id = studio.bring(LOCAL, options.source, machine_grant())
    try:
        if options.like:
            dataset_id, guess = studio.replay(LOCAL, upload_id, options.like, options.name), ""
        else:
            mapping, guess = _chosen(studio, upload_id, options)
            dataset_id = studio.prepare(
                LOCAL, upload_id, options.name, mapping, correction=correction, **_split(options)
            )
    finally:
        studio.delete(LOCAL, "uploads", upload_id)
    summary = studio.dataset(LOCAL, dataset_id).summary
    return {
        "dataset_id": dataset_id,
        "guessed": bool(guess),
        "shape": {"kind": summary["shape"]},
        **{name: summary[name] for name in ANSWERED},
        "words": for_terminal(guess + describe_dataset(summary))
        + f"\n{dataset_id}\nNext: python -m facet doctor {dataset_id}, then python -m facet train --data {dataset_id}"
        + " --wait",
    }


def _chosen(studio: Studio, upload_id: str, options: argparse.Namespace) -> tuple[Answer, str]:
    """The mapping that was given, or the guess and words that say so."""
    given = _mapping(options)
    if given is not None and not options.type:
        return given, ""
    seen = studio.look(LOCAL, upload_id, _correction(options))
    mapping = given or (seen["shape"] or {}).get("mapping")
    if mapping is None:
        raise _unclear(seen)
    mapping = dict(mapping) | ({"type": options.type} if options.type else {})
    return mapping, "" if given else f"Guessed: {seen['shape']['words']}\n"


def _correction(options: argparse.Namespace) -> dict[str, str] | None:
    return {name: getattr(options, name) for name in CORRECTIONS if getattr(options, name)} or None


def _split(options: argparse.Namespace) -> Answer:
    names = ("test_size", "validation_size", "seed", "sample_size", "stratify", "group", "splits")
    return {name: getattr(options, name) for name in names} | {"cleaning": dict(options.clean)}


def role_and_column(text: str) -> tuple[str, str]:
    """One `--map`. Raises: `ArgumentTypeError`, so that argparse says how it is written."""
    return _pair(text, tuple(Mapping.model_fields), "ROLE=COLUMN, with a role out of")


def role_and_template(text: str) -> tuple[str, str]:
    """One `--template`."""
    role, template = _pair(text, TEMPLATES, "ROLE=TEXT, with a role out of")
    return f"{role}_template", template


def cleaning(text: str) -> tuple[str, Any]:
    """One `--clean NAME` or `--clean NAME=VALUE`. Raises: `ArgumentTypeError` for a name that is not known."""
    name, separator, value = text.partition("=")
    name = name.strip().replace("-", "_")
    kind = next((choice["kind"] for choice in CHOICES if choice["name"] == name), None)
    if kind is None or (kind == "switch") == bool(separator) or (kind == "number" and not value.isdigit()):
        known = ", ".join(each["name"] + ("" if each["kind"] == "switch" else "=…") for each in CHOICES)
        raise argparse.ArgumentTypeError(f"“{text[:60]}” is not one of {known}")
    if kind == "number":
        return name, int(value)
    return name, [each.strip() for each in value.split(",")] if kind == "languages" else value if separator else True


def _pair(text: str, roles: tuple[str, ...], how: str) -> tuple[str, str]:
    role, separator, value = text.partition("=")
    role = role.strip()
    if not separator or not value or role not in roles:
        raise argparse.ArgumentTypeError(f"“{text[:60]}” is not {how} {', '.join(roles)}")
    return role, value


def _mapping(options: argparse.Namespace) -> Answer | None:
    pairs = [*options.map, *options.template]
    if not pairs:
        return None
    mapping: Answer = {"kind": "columns"}
    for role, value in pairs:
        if role == "user_more":
            mapping[role] = (*mapping.get(role, ()), value)
        else:
            mapping[role] = value
    return mapping | ({"type": options.type} if options.type else {})


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
    lines += [f"  note: {note}" for note in (*(summary["source"].get("notes") or ()), *(summary.get("notes") or ()))]
    lines += [f"  mended, {count:,} rows: {words}" for words, count in (summary.get("repaired") or {}).items()]
    if summary.get("not_sampled"):
        lines.insert(1, f"{summary['not_sampled']:,} were not drawn into the sample.")
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
    families = offered_by_family()
    lines = [
        f"{family}\n" + "\n".join(f"  {model.id:38} {model.name}: {model.words}" for model in models)
        for family, models in families.items()
    ]
    offered = [model for models in families.values() for model in models]
    facts = [
        {"id": model.id, "name": model.name, "family": model.family, "licence": model.licence,
         "pretrained": model.pretrained, "download_gb": model.disk_gb}
        for model in offered
    ]  # fmt: skip
    return {"models": facts, "words": "\n".join(lines)}


def add_reading(verb: argparse.ArgumentParser) -> None:
    """What decides how a file is read and what its columns mean."""
    verb.add_argument("source", metavar="SOURCE")
    verb.add_argument(
        "--map",
        action="append",
        default=[],
        type=role_and_column,
        metavar="ROLE=COLUMN",
        help="for example --map user=question --map assistant=answer; without it Facet guesses and says what",
    )
    verb.add_argument(
        "--template",
        action="append",
        default=[],
        type=role_and_template,
        metavar="ROLE=TEXT",
        help="write the question, answer or instruction from columns, as in --template 'user={title}: {body}'",
    )
    verb.add_argument("--type", choices=DATASET_TYPES, help="what the examples are, where the guess is wrong")
    verb.add_argument("--encoding", help="read the text in this encoding instead of the one found")
    verb.add_argument("--delimiter", help="read columns split by this character instead of the one found")
    verb.add_argument("--sheet", help="which sheet of an Excel workbook")
    verb.add_argument("--member", help="which file of a zip archive")
    verb.add_argument("--speaker", metavar="NAME", help="of a chat, whose messages the model learns to write")


def add_preparing(verb: argparse.ArgumentParser) -> None:
    """What is set aside, and what is cleaned."""
    verb.add_argument("--name", default="")
    verb.add_argument("--test-size", type=float, default=0.1, help="share set aside for the exam, default 0.1")
    verb.add_argument(
        "--validation-size", type=float, default=0.1, help="share to check on while training, default 0.1"
    )
    verb.add_argument("--sample-size", type=int, metavar="ROWS", help="use only so many rows, chosen at random")
    verb.add_argument(
        "--stratify",
        nargs="?",
        const=True,
        default=False,
        metavar="COLUMN",
        help="the same share of each label in every part, or of each value of a column",
    )
    verb.add_argument("--group", metavar="COLUMN", help="rows with the same value stay in one part")
    verb.add_argument(
        "--splits",
        choices=["ours", "given", "none"],
        default="ours",
        help="set some aside (default), keep the parts it comes with, or learn from all of it",
    )
    verb.add_argument("--seed", type=int, default=0, help="seed of the split, default 0")
    verb.add_argument(
        "--clean", action="append", default=[], type=cleaning, metavar="NAME[=VALUE]", help="clean the rows first"
    )
    verb.add_argument("--like", metavar="DATASET", help="do what was done to this dataset, and nothing else")

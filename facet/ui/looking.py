"""What a file turns out to be, as the values that its place on the page shows."""

import base64
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import DataError
from facet.identity import Person
from facet.studio import Studio
from facet.ui import aside, mapping
from facet.ui.look import FOLDED_ROWS, SHOWN_ROWS, describe_file, describe_rows, describe_shape
from facet.ui.markup import clip, note, table, trouble
from facet.ui.words import count
from facet.workspace import read_about

PREVIEWED = SHOWN_ROWS + FOLDED_ROWS
READING = ("encoding", "delimiter", "member", "sheet", "speaker")
NOTHING = 3 + len(mapping.ROLES) + len(mapping.TEMPLATES) + 5 + 2 + 7 + 4


def correction_of(choices: dict[str, Any]) -> dict[str, str] | None:
    return {name: choices[name] for name in READING if choices.get(name)} or None


def opened(studio: Studio, person: Person, upload_id: str, correction: dict[str, str] | None) -> list[Any]:
    """Values of `Look.shown`: what the file is, or in its place why it cannot be read."""
    try:
        name = read_about(studio.workspace.find(person, "uploads", upload_id)).get("name", "Your file")
        found = studio.look(person, upload_id, correction) | {"name": name}
    except DataError as error:
        return [gr.Column(visible=True), str(trouble(error)), "", gr.Column(visible=False), *[gr.skip()] * NOTHING]
    names = [*(column["name"] for column in found["columns"]), *found["fields"]]
    shape = found["shape"]
    guess = dict(shape["mapping"]) if shape else {"kind": "columns"}
    rows = previewed(studio, person, upload_id, guess, correction) if shape else ""
    return [
        gr.Column(visible=True),
        str(describe_file(found)),
        str(describe_shape(found)),
        gr.Column(visible=True),
        *_choices(found, correction or {}),
        *mapping.filled_in(names, guess),
        rows or str(describe_rows([])),
        found["row_count"],
        *aside.filled_in(found, guess),
        Path(found["name"]).stem,
        *_like(studio, person),
        "",
    ]


def previewed(
    studio: Studio, person: Person, upload_id: str, wanted: dict[str, Any], correction: dict[str, str] | None
) -> str:
    """The first rows beside what they become, with their pictures."""
    rows = studio.preview(person, upload_id, wanted, correction, PREVIEWED)
    names = {name for row in rows for name in row.get("images") or ()}
    found = {name: studio.picture(person, upload_id, name) for name in names}
    return str(describe_rows(rows, {name: _address(name, data) for name, data in found.items() if data}))


def _address(name: str, data: bytes) -> str:
    kind = {"jpg": "jpeg"}.get(Path(name).suffix[1:].lower(), Path(name).suffix[1:].lower())
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _choices(found: dict[str, Any], correction: dict[str, str]) -> list[Any]:
    """Which file of an archive, which sheet of a workbook, who in a chat speaks for the model."""
    offered = found.get("choices") or {}
    made = []
    for name in ("member", "sheet", "speaker"):
        names = [str(each) for each in offered.get(name) or []]
        value = correction.get(name) or (found.get("chosen") or {}).get(name)
        shown = value if value in names else next(iter(names), None)
        made.append(gr.Dropdown(choices=names, value=shown, visible=len(names) > 1))
    return made


def _like(studio: Studio, person: Person) -> list[Any]:
    cards = studio.datasets(person)
    choices = [(card.name, card.id) for card in cards]
    return [gr.Dropdown(choices=choices, value=cards[0].id if cards else None), gr.Row(visible=bool(cards))]


def describe_changes(tried: dict[str, Any]) -> Markup:
    """What each choice of cleaning would do to the first rows, and what those that are on do together."""
    rows, together = tried["rows"], tried["together"]
    told = [
        (choice["label"], _effect(choice["changes"], choice["drops"]))
        for choice in tried["choices"]
        if choice["changes"] or choice["drops"]
    ]
    if not told:
        return note("There is nothing to clean here.", f"None of the choices changes the first {count(rows, 'row')}.")
    each_one = table(f"What each choice would do to the first {rows:,} rows", ("Choice", "Would"), told)
    if not together["shown"]:
        return each_one + note("Nothing is switched on yet.", "The rows stay as they are.")
    words = note(
        f"What is on would {_effect(together['changes'], together['drops'])}.", f"Of {count(rows, 'row')}.", "good"
    )
    shown = [
        (f"{each['row']:,}", clip(each["before"], 300), clip(each["after"] or "left out", 300))
        for each in together["shown"]
    ]
    return each_one + words + table("Before and after", ("Row", "Before", "After"), shown)


def _effect(changes: int, drops: int) -> str:
    changed = f"change {count(changes, 'row')}" if changes else ""
    dropped = f"leave out {count(drops, 'row')}" if drops else ""
    return " and ".join(filter(None, (changed, dropped))) or "change nothing"

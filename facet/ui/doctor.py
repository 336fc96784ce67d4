"""The data doctor: what is wrong with the examples, which ones, and one press that repairs it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import NotFoundError
from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.making import PATIENCE, Waiting, waiting_layout, watch, wire_waiting
from facet.ui.markup import clip, html, note, section, table
from facet.ui.values import Id, Line, Name
from facet.ui.words import count

SIGNS = {"error": "■", "warning": "▲", "note": "○"}
SPOKEN = {"error": "serious", "warning": "worth a look", "note": "good to know"}
MOST_REPAIRS = 3
SHOWN_ROWS = 5
PART_WORDS = {"train": "to learn from", "validation": "validation", "exam": "exam"}
Findings = dict[str, Any]


@dataclass(frozen=True)
class Doctor:
    verdict: gr.HTML
    found: gr.Radio
    detail: gr.HTML
    repairs: list[gr.Button]
    open: gr.State  # the finding that the detail and the buttons are about
    undo: gr.Button
    again: gr.Button
    waiting: Waiting

    @property
    def chosen(self) -> list[Any]:
        return [self.detail, *self.repairs, self.open]

    @property
    def shown(self) -> list[Any]:
        return [self.verdict, self.found, *self.chosen, self.undo, self.again]


def doctor_layout() -> Doctor:
    with gr.Column(elem_classes="card f-gap", elem_id="doctor"):
        gr.HTML(
            section(
                "The data doctor",
                "It looks for what spoils a training: copies, contradictions, private data, answers that are cut off. "
                "A repair makes a new version and never changes the exam; it can be undone.",
            )
        )
        waiting = waiting_layout("doctor-wait")
        verdict = gr.HTML(elem_id="verdict")
        found = gr.Radio([], label="What was found", visible=False, elem_id="findings")
        detail = gr.HTML(elem_id="finding")
        with gr.Row(elem_classes="f-buttons"):
            repairs = [gr.Button(f"Repair {number + 1}", visible=False, scale=0) for number in range(MOST_REPAIRS)]
        with gr.Row(elem_classes="f-buttons"):
            undo = gr.Button("Undo the last repair", visible=False, size="sm", scale=0)
            again = gr.Button("Look again", visible=False, size="sm", scale=0)
    return Doctor(verdict, found, detail, repairs, gr.State(None), undo, again, waiting)


def wire_doctor(
    tab: Doctor, studio: Studio, gate: Gate, reading: dict[str, Any], opened: Any, outputs: list[Any], refreshed: Any
) -> None:
    """`reading` holds the chosen dataset, model and length. `refreshed` gives `outputs` for another version."""

    def see(person: Person, dataset: Id | None, model: Name, length: Line) -> list[Any]:
        """What was found before, or else a first examination."""
        if not dataset:
            return [gr.skip()] * len(after)
        known = studio.findings(person, dataset)
        return (
            ["", None, gr.Timer(active=False), *show(studio, person, known)]
            if known
            else examine(person, dataset, model, length)
        )

    def examine(person: Person, dataset: Id | None, model: Name, length: Line) -> list[Any]:
        job = studio.start_examine(person, dataset or "", model, tokens_of(length))
        nothing = ["", gr.Radio(visible=False), *hidden(), *[gr.Button(visible=False)] * 2]
        return watch(studio, person, job, examined, len(tab.shown), PATIENCE, nothing)

    def examined(person: Person, result: Findings) -> list[Any]:
        return show(studio, person, result)

    def choose(person: Person, dataset: Id | None, code: Name) -> list[Any]:
        return detail_of(finding_of(studio, person, dataset, code)) if code else hidden()

    def repair(place: int) -> Any:
        def apply(person: Person, dataset: Id | None, code: Name | None) -> list[Any]:
            offered = finding_of(studio, person, dataset, code or "")["repairs"]
            if place >= len(offered):
                raise no_longer_there()
            wanted = offered[place]["repair"]
            if wanted["kind"] == "raise_length":
                unchanged: list[Any] = [gr.skip()] * (len(tab.waiting.shown) + len(outputs))
                return [*unchanged, f"{wanted['tokens']}"]
            job = studio.start_repair(person, dataset or "", [wanted])
            return [*watch(studio, person, job, repaired, len(outputs), 2 * PATIENCE), gr.skip()]

        return apply

    def repaired(person: Person, result: str) -> list[Any]:
        return refreshed(studio, person, result)

    def undo(person: Person, dataset: Id | None) -> list[Any]:
        return refreshed(studio, person, studio.undo_repair(person, dataset or ""))

    after = [*tab.waiting.shown, *tab.shown]
    asked = {"dataset": reading["dataset"], "code": tab.found}
    gate.on(opened, see, reading, after, show_progress="hidden", trigger_mode="always_last")
    gate.on(tab.again.click, examine, reading, after, show_progress="minimal")
    gate.on(tab.found.input, choose, asked, tab.chosen, show_progress="hidden")
    for place, button in enumerate(tab.repairs):
        pressed = [*tab.waiting.shown, *outputs, reading["length"]]
        gate.on(button.click, repair(place), asked | {"code": tab.open}, pressed, show_progress="minimal")
    gate.on(tab.undo.click, undo, {"dataset": reading["dataset"]}, outputs, show_progress="minimal")
    wire_waiting(
        tab.waiting,
        studio,
        gate,
        finished_either(examined, repaired, len(tab.shown), len(outputs)),
        [*tab.shown, *outputs],
    )


def finished_either(examined: Any, repaired: Any, shown: int, outputs: int) -> Any:
    """One timer watches both: an examination ends with findings, a repair with the id of a new version."""

    def finished(person: Person, result: Any) -> list[Any]:
        if isinstance(result, str):
            return [*[gr.skip()] * shown, *repaired(person, result)]
        return [*examined(person, result), *[gr.skip()] * outputs]

    return finished


def tokens_of(length: str) -> int | None:
    text = length.strip().replace(",", "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def finding_of(studio: Studio, person: Person, dataset: str | None, code: str) -> dict[str, Any]:
    """Raises: `NotFoundError` when another version is open by now."""
    known = studio.findings(person, dataset or "") or {"findings": []}
    found = next((each for each in known["findings"] if each["code"] == code), None)
    if found is None:
        raise no_longer_there()
    return found


def no_longer_there() -> NotFoundError:
    return NotFoundError(
        "This finding is no longer there.", "The data has changed since.", "Press “Look again” below the findings."
    )


def show(studio: Studio, person: Person, known: Findings) -> list[Any]:
    """Values of `Doctor.shown`."""
    findings = known["findings"]
    choices = [(f"{SIGNS[each['severity']]} {each['title']} ({each['count']:,})", each["code"]) for each in findings]
    first = findings[0] if findings else None
    return [
        str(describe_verdict(known)),
        gr.Radio(choices=choices, value=first["code"] if first else None, visible=bool(findings)),
        *(detail_of(first) if first else hidden()),
        gr.Button(visible=studio.can_undo(person, known["dataset_id"])),
        gr.Button(visible=True),
    ]


def hidden() -> list[Any]:
    return ["", *[gr.Button(visible=False)] * MOST_REPAIRS, None]


def detail_of(finding: dict[str, Any]) -> list[Any]:
    """Values of `Doctor.chosen`."""
    offered = finding["repairs"][:MOST_REPAIRS]
    buttons = [gr.Button(each["label"], visible=True, variant="secondary") for each in offered]
    unused = [gr.Button(visible=False)] * (MOST_REPAIRS - len(offered))
    return [str(describe(finding)), *buttons, *unused, finding["code"]]


def describe_verdict(known: Findings) -> Markup:
    serious = sum(each["severity"] == "error" for each in known["findings"])
    doubtful = sum(each["severity"] == "warning" for each in known["findings"])
    examined = count(known["examined"], "example")
    if serious:
        return note(f"{count(serious, 'thing')} should be repaired before training.", f"{examined} examined.", "error")
    if doubtful:
        return note(f"{count(doubtful, 'thing')} worth a look.", f"{examined} examined.", "warn")
    return note("Healthy.", f"{examined} examined, and nothing needs repair.", "good")


def describe(finding: dict[str, Any]) -> Markup:
    """One finding: what it means, the rows it is about, and what each repair would do."""
    rows = [
        (f"{row['row']:,}", PART_WORDS.get(row.get("part", ""), ""), clip(row.get("text", ""), 220), row.get("why", ""))
        for row in finding["rows"]
    ]
    heads = ("Row", "Part", "Text", "What")
    if not any(row[3] for row in rows):
        rows, heads = [row[:3] for row in rows], heads[:3]
    listed = _rows(finding, heads, rows) if rows else Markup("")
    offers = [html("<li><b>{}</b>: {}</li>", each["label"], each["words"]) for each in finding["repairs"]]
    repairs = html('<ul class="f-how">{}</ul>', Markup("").join(offers)) if offers else Markup("")
    look = {"error": "error", "warning": "warn"}.get(finding["severity"], "")
    return note(f"{finding['title']}.", finding["words"], look) + listed + repairs


def _rows(finding: dict[str, Any], heads: tuple[str, ...], rows: list[Any]) -> Markup:
    """The first few at once, the others folded."""
    first, more = rows[:SHOWN_ROWS], rows[SHOWN_ROWS:]
    shown = table(f"Rows: {finding['title']}", heads, first)
    if not more:
        return shown
    beyond = f", of {finding['count']:,}" if finding["count"] > len(rows) else ""
    words = f"Show {len(more)} more{beyond}"
    return shown + html(
        "<details><summary>{}</summary>{}</details>", words, table(f"More rows: {finding['title']}", heads, more)
    )

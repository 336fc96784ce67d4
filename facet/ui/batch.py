"""A batch: models answer every row of a file or of a part of prepared data, and the answers stand side by side."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import NotFoundError
from facet.exam.batches import BatchCard, BatchRow
from facet.identity import Person
from facet.studio import Studio
from facet.ui.batch_rows import PAGE, Rows, Which, describe_rows, rows_layout
from facet.ui.batch_start import StartForm, listed, start_layout, wire_start
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.live import describe_failure
from facet.ui.manage import Manage, manage_layout, wire_manage
from facet.ui.markup import html, track
from facet.ui.pace import Pace
from facet.ui.session import Session
from facet.ui.values import Id, Line, Name
from facet.ui.words import STAGE_WORDS, ago, count, duration, stage_look, waiting_words

LOOK_EVERY = 2.0  # seconds
STAGES = {"running": "Answering"}


@dataclass(frozen=True)
class BatchTab:
    form: StartForm
    box: gr.Column
    batch: gr.Dropdown
    state: gr.HTML
    pause: gr.Button
    resume: gr.Button
    manage: Manage
    rows: Rows
    kind: gr.Radio
    make: gr.Button
    ready: gr.DownloadButton
    tick: gr.Timer
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        """What depends on the batch that is open."""
        standing = [self.box, self.batch, self.state, self.pause, self.resume, self.ready, self.tick, self.seen]
        return [*standing, *self.rows.shown]

    @property
    def listed(self) -> list[Any]:
        return [*self.form.listed, *self.shown]


def layout() -> BatchTab:
    form = start_layout()
    with gr.Column(visible=False, elem_classes="card f-gap", elem_id="batch") as box:
        batch = gr.Dropdown([], label="Which batch", elem_classes="f-narrow f-left f-pair-choice")
        state = gr.HTML(elem_id="batch-state")
        with gr.Row(elem_classes="f-buttons"):
            pause, resume = (gr.Button(name, visible=False, scale=0) for name in ("Pause", "Resume"))
        rows = rows_layout()
        with gr.Row(elem_classes="f-finish"):
            kind = gr.Radio([("A table (CSV)", "csv"), ("JSONL", "jsonl")], value="csv", label="All answers as")
            make = gr.Button("Make the file")
            ready = gr.DownloadButton("Download", visible=False, variant="primary")
        manage = manage_layout("exams", "batch")
    tick, seen = gr.Timer(LOOK_EVERY, active=False), gr.State(None)
    return BatchTab(form, box, batch, state, pause, resume, manage, rows, kind, make, ready, tick, seen)


def wire(tab: BatchTab, studio: Studio, gate: Gate, session: Session) -> None:
    pace = Pace()

    def begun(person: Person, batch: str) -> list[Any]:
        pace.await_change(batch)
        return opened(studio, pace, person, batch)

    def after_a_change(studio: Studio, person: Person, batch: str | None) -> list[Any]:
        return opened(studio, pace, person, batch)

    wire_start(tab.form, studio, gate, tab.shown, begun)
    wire_manage(tab.manage, studio, gate, tab.batch, tab.shown, after_a_change)
    _wire_follow(tab, studio, gate, pace)
    _wire_look(tab, studio, gate)


def _wire_follow(tab: BatchTab, studio: Studio, gate: Gate, pace: Pace) -> None:
    def choose(person: Person, batch: Id | None) -> list[Any]:
        return opened(studio, pace, person, batch)

    def follow(person: Person, batch: Id | None, search: Line, only: Which, start: int, seen: Any) -> Any:
        card = _mine(studio, person, batch)
        if card is None or (_print(card, pace) == seen and not pace.is_awaited(card.id)):
            return gr.skip()
        return opened(studio, pace, person, card.id, search, only, start)

    def press(action: str) -> Any:
        def pressed(person: Person, batch: Id | None) -> Any:
            getattr(studio, action)(person, batch or "")
            pace.await_change(batch or "")
            return gr.Timer(active=True)

        return pressed

    def make(person: Person, batch: Id | None, form: Name) -> gr.DownloadButton:
        file = handed_out(studio.download_batch(person, batch or "", "jsonl" if form == "jsonl" else "csv"), person)
        return gr.DownloadButton("Download", value=str(file), visible=True)

    state = {"batch": tab.batch} | tab.rows.asked | {"seen": tab.seen}
    gate.on(tab.batch.input, choose, {"batch": tab.batch}, tab.shown, quiet=True)
    gate.on(tab.tick.tick, follow, state, tab.shown, quiet=True)
    for button, action in ((tab.pause, "pause_exam"), (tab.resume, "resume_exam")):
        gate.on(button.click, press(action), {"batch": tab.batch}, tab.tick, show_progress="hidden")
    gate.on(tab.make.click, make, {"batch": tab.batch, "form": tab.kind}, tab.ready, show_progress_on=tab.make)


def _wire_look(tab: BatchTab, studio: Studio, gate: Gate) -> None:
    def leaf(by: int) -> Any:
        def turn(person: Person, batch: Id | None, search: Line, only: Which, start: int) -> Any:
            card = _mine(studio, person, batch)
            return table(studio, person, card, search, only, start + by) if card else gr.skip()

        return turn

    asked = {"batch": tab.batch} | tab.rows.asked
    changed = [tab.rows.search.change, tab.rows.only.input]
    gate.on(changed, leaf(-(10**7)), asked, tab.rows.shown, quiet=True, trigger_mode="always_last")
    for button, by in ((tab.rows.earlier, -PAGE), (tab.rows.later, PAGE)):
        gate.on(button.click, leaf(by), asked, tab.rows.shown, quiet=True)


def _mine(studio: Studio, person: Person, batch: str | None) -> BatchCard | None:
    """None for one that was deleted in another window."""
    if not batch:
        return None
    try:
        return studio.batch(person, batch)
    except NotFoundError:
        return None


def refreshed(studio: Studio, person: Person, dataset: str | None, batch: str | None = None) -> list[Any]:
    """Values of `BatchTab.listed`."""
    return [*listed(studio, person, dataset), *opened(studio, Pace(), person, batch)]


def opened(
    studio: Studio,
    pace: Pace,
    person: Person,
    batch_id: str | None,
    search: str = "",
    only: Which = "all",
    start: int = 0,
) -> list[Any]:
    """Values of `BatchTab.shown`: of one batch, or of the newest."""
    cards = studio.batches(person)
    card = next((each for each in cards if each.id == batch_id), cards[0] if cards else None)
    if card is None:
        return [gr.Column(visible=False), *[gr.skip()] * 5, gr.Timer(active=False), None, *[gr.skip()] * 4]
    stage = card.progress.stage
    return [
        gr.Column(visible=True),
        gr.Dropdown(choices=[(f"{each.name}, {ago(each.created)}", each.id) for each in cards], value=card.id),
        str(describe_state(studio, person, card, pace.left(card.id, card.progress))),
        gr.Button(visible=card.progress.is_active),
        gr.Button(visible=stage in ("paused", "failed")),
        gr.DownloadButton(visible=False),
        gr.Timer(active=card.progress.is_active or pace.is_awaited(card.id)),
        _print(card, pace),
        *table(studio, person, card, search, only, start),
    ]


def _print(card: BatchCard, pace: Pace) -> list[Any]:
    """Changes whenever there is something new to show."""
    left = pace.left(card.id, card.progress)
    return [card.id, card.progress.stage, card.progress.step, card.progress.words, left and duration(left)]


def table(studio: Studio, person: Person, card: BatchCard, search: str, only: Which, start: int) -> list[Any]:
    """Values of `Rows.shown`."""
    start = max(0, min(start, 10**6))
    found: list[BatchRow]
    found, matching = studio.batch_rows(person, card.id, search=search.strip(), only=only, start=start, count=PAGE)
    return [
        str(describe_rows(list(card.contestants.values()), found, start, matching)),
        gr.Button(visible=start > 0),
        gr.Button(visible=start + len(found) < matching),
        start,
    ]


def describe_state(studio: Studio, person: Person, card: BatchCard, left: float | None) -> Markup:
    progress, stage = card.progress, card.progress.stage
    done = 100 * progress.step / progress.total_steps if progress.total_steps else 0
    head = html(
        '<div class="f-stage"><h3>{}</h3><span class="f-chip {}">{}</span></div><p role="status">{}</p>',
        card.name,
        stage_look(stage),
        STAGES.get(stage, STAGE_WORDS[stage]),
        _doing(studio, person, card, left),
    )
    bar = track(done, "Progress of the batch", still=stage in ("paused", "failed")) if stage != "finished" else ""
    return head + bar + describe_failure(progress.failure)


def _doing(studio: Studio, person: Person, card: BatchCard, left: float | None) -> str:
    progress, models = card.progress, " · ".join(card.contestants.values())
    match progress.stage:
        case "waiting":
            return waiting_words(progress, studio.turn(person, card.id, "exams"))
        case "finished":
            return f"{count(progress.step, 'answer')} by {models}."
        case "paused":
            return "Every answer so far is kept; “Resume” goes on with the next one."
        case "failed":
            return "Every answer so far is kept."
        case "interrupted":
            return "The machine stopped it. It goes on by itself, with every answer it had."
    time = f", about {duration(left)} to go" if left else ""
    there = f"{progress.step:,} of {progress.total_steps:,} answers are there{time}" if progress.total_steps else ""
    return f"{there or progress.words.rstrip('.') or 'Getting ready'}. You may close this page."

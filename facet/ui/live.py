"""One run, live: its stage, its numbers, its curve, and the buttons that steer it. Reads the log; never waits."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError, NotFoundError
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.train.runs import RunCard
from facet.ui.charts import learning_curve
from facet.ui.events import Gate
from facet.ui.markup import each, html, nothing_yet, track, trouble
from facet.ui.models import came_from, model_name
from facet.ui.pace import Pace
from facet.ui.session import Session, go_to
from facet.ui.values import Id
from facet.ui.words import STAGE_WORDS, number, short_duration, stage_look, stage_sentence
from facet.work.fairness import Turn

LOOK_EVERY = 2.0  # seconds
LOOK_SELDOM = 10.0
LEAVE = ("Leave the line", "Leave the line takes it out; “Resume” lines it up again.")  # what Pause is for who waits
STEERING = (  # button, shown in these stages, what it does
    (
        "Pause",
        ("waiting", "preparing", "running", "interrupted"),
        "Pause saves where it is; “Resume” goes on from there.",
    ),
    ("Resume", ("paused", "failed"), "Resume goes on from the last save point, as if nothing had happened."),
    (
        "Stop and keep",
        ("running", "paused", "interrupted", "failed"),
        "Stop and keep ends it now and keeps what it has learned.",
    ),
)


@dataclass(frozen=True)
class Live:
    empty: gr.HTML
    box: gr.Column
    status: gr.HTML
    chart: gr.Plot
    pause: gr.Button
    resume: gr.Button
    keep: gr.Button
    after: gr.Row
    chat: gr.Button
    test: gr.Button
    take: gr.Button
    log: gr.HTML
    tick: gr.Timer
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        return [
            self.empty,
            self.box,
            self.status,
            self.chart,
            self.pause,
            self.resume,
            self.keep,
            self.after,
            self.log,
            self.tick,
            self.seen,
        ]


def live_layout() -> Live:
    empty = gr.HTML(
        nothing_yet("No run is open", "Press “Start training”, and you can watch it here, or open one on the Runs tab.")
    )
    with gr.Column(visible=False, elem_id="live", elem_classes="card f-gap") as box:
        status = gr.HTML()
        # Hidden, not absent: the browser fetches what draws it when the tab opens, not when the first number comes.
        chart = gr.Plot(label="Learning curve", show_label=False, visible="hidden", elem_id="curve")
        with gr.Row(elem_classes="f-buttons"):
            pause, resume, keep = (gr.Button(name, visible=False, scale=0) for name, _, _ in STEERING)
        with gr.Row(visible=False, elem_classes="f-buttons") as after:
            chat = gr.Button("Chat with it", variant="primary", scale=0)
            test = gr.Button("Test it", scale=0)
            take = gr.Button("Take it home", scale=0)
        with gr.Accordion("What the worker says", open=False):
            log = gr.HTML()
    return Live(
        empty,
        box,
        status,
        chart,
        pause,
        resume,
        keep,
        after,
        chat,
        test,
        take,
        log,
        gr.Timer(LOOK_EVERY, active=False),
        gr.State(None),
    )


def wire_live(live: Live, studio: Studio, gate: Gate, session: Session) -> None:
    pace = Pace()

    def follow(person: Person, run: Id | None, seen: Any) -> Any:
        shown = look(studio, pace, person, run, seen)
        return gr.skip() if seen is not None and shown[-1] == seen else shown

    def steer(action: str) -> Any:
        def press(person: Person, grant: Grant, run: Id | None) -> Any:
            lent = {"grant": grant} if action == "resume" else {}  # its starting model may have to be fetched again
            getattr(studio, action)(person, run or "", **lent)
            pace.await_change(run or "")
            return gr.Timer(active=True)

        return press

    state = {"run": session.run, "seen": live.seen}
    gate.on(live.tick.tick, follow, state, live.shown, quiet=True)
    gate.on(session.run.change, follow, state, live.shown, quiet=True)
    for button, action in ((live.pause, "pause"), (live.resume, "resume"), (live.keep, "stop")):
        pressed = gate.on(button.click, steer(action), {"run": session.run}, live.tick, show_progress="hidden")
        gate.on(pressed.success, follow, state, live.shown, quiet=True)
    for button, tab in ((live.chat, "chat"), (live.test, "test"), (live.take, "publish")):
        button.click(None, None, None, js=go_to(tab))


def look(studio: Studio, pace: Pace, person: Person, run_id: str | None, seen: Any) -> list[Any]:
    """Values of `Live.shown` for this moment. The last is a fingerprint: when it is unchanged, nothing is sent."""
    try:
        run = studio.run(person, run_id) if run_id else None
    except NotFoundError as error:
        return [
            str(trouble(error)),
            gr.Column(visible=False),
            *[gr.skip()] * 7,
            gr.Timer(active=False),
            ("gone", run_id),
        ]
    if run is None:
        return [gr.HTML(visible=True), gr.Column(visible=False), *[gr.skip()] * 7, gr.Timer(active=False), None]
    progress, stage = run.progress, run.progress.stage
    log = studio.log_tail(person, run_id, 40)
    points = sum(len(progress.curves.get(name, ())) for name in ("loss", "validation_loss"))
    turn = studio.turn(person, run_id) if stage == "waiting" else None
    sentence = turn and turn.words
    happened = (progress.step, progress.words, progress.last_at, sentence, len(log), log[-1:])
    now = (run_id, points, run.name, stage, *happened)
    before = tuple(seen) if isinstance(seen, tuple | list) else ()
    busy = progress.is_active or pace.is_awaited(run_id)
    # Gradio's page drops what reaches a component it is still fetching, so a run that rests is told of twice, in full.
    told = not busy and before[1:] == now
    drawn = before[:3] == (told, *now[:2])
    return [
        gr.HTML(visible=False),
        gr.Column(visible=True),
        str(describe(run, pace.left(run_id, progress), turn)),
        gr.skip() if drawn else plot(run),
        *_steering(run),
        gr.Row(visible=run.has_model),
        str(describe_log(log)),
        _timer(busy, stage, told),
        (told, *now),
    ]


def _steering(run: RunCard) -> list[gr.Button]:
    stage = run.progress.stage
    names = [LEAVE[0] if _is_in_line(run) else STEERING[0][0], *(name for name, _, _ in STEERING[1:])]
    return [gr.Button(name, visible=stage in stages) for name, (_, stages, _) in zip(names, STEERING, strict=True)]


def _is_in_line(run: RunCard) -> bool:
    return run.progress.stage == "waiting" and run.where == "local"


def _timer(busy: bool, stage: str, told: bool) -> gr.Timer:
    """Quick while something happens; slow where another tab or the command line may make it go on."""
    return gr.Timer(value=LOOK_EVERY if busy else LOOK_SELDOM, active=busy or stage != "finished" or not told)


def plot(run: RunCard) -> gr.Plot:
    figure = learning_curve(run.progress.curves, run.progress.total_steps, run.id)
    return gr.Plot(value=figure, visible=figure is not None)


def describe(run: RunCard, seconds_left: float | None, turn: Turn | None = None) -> Markup:
    """The whole state of a run, as an instrument would show it."""
    progress = run.progress
    share = 100 * progress.step / progress.total_steps if progress.total_steps else 0
    origin = came_from(run)
    bar = track(share, "Progress of this run", still=progress.stage not in ("running", "finished"))
    head = html(
        '<div class="f-stage"><h3>{}</h3><span class="f-chip {}">{}</span></div>'
        '<p class="f-small">{}</p><p role="status">{}</p>',
        run.name,
        stage_look(progress.stage),
        STAGE_WORDS[progress.stage],
        describe_origin(run),
        f"It was trained elsewhere and brought in from {origin}."
        if origin and run.has_model
        else stage_sentence(progress, run.where, turn),
    )
    return (
        head
        + (Markup("") if origin and run.has_model else bar)
        + describe_failure(progress.failure)
        + describe_numbers(run, seconds_left)
        + describe_notes(run)
        + describe_steering(run)
    )


def describe_origin(run: RunCard) -> str:
    """What it started from and what it learns from."""
    model = model_name(run.base_model)
    if came_from(run):
        return f"Tuned from {model}"
    before = f", already tuned as {run.continues['name']}," if run.continues else ""
    return f"{model}{before} learns from {run.dataset_name}"


def describe_numbers(run: RunCard, seconds_left: float | None) -> Markup:
    progress = run.progress
    tiles: list[tuple[str, str, Any]] = [
        ("", "Step", html("{:,} <small>of {:,}</small>", progress.step, progress.total_steps or 0))
    ]
    tiles.append(("tuned", "Loss", number(progress.latest("loss"))))
    tiles.append(("tuned", "Validation loss", number(progress.latest("validation_loss"))))
    if progress.is_active:
        tiles.append(("", "Tokens per second", number(progress.latest("tokens_per_second"), 0)))
        tiles.append(("", "Time left", _time(seconds_left)))
    else:
        tiles.append(("", "Worked for", _time(progress.working_seconds)))
    if not progress.total_steps:
        return Markup("")
    return html('<dl class="f-readout">{}</dl>', each('<div class="{}"><dt>{}</dt><dd>{}</dd></div>', tiles))


def _time(seconds: float | None) -> Markup | str:
    return html("{} <small>{}</small>", *short_duration(seconds)) if seconds is not None else "–"


def describe_failure(failure: dict[str, str] | None) -> Markup:
    return trouble(FacetError.from_dict(failure)) if failure else Markup("")


def describe_notes(run: RunCard) -> Markup:
    return each('<div class="f-note"><p>{}</p></div>', dict.fromkeys(run.progress.notes))


def describe_steering(run: RunCard) -> Markup:
    """What each button in sight does."""
    words = [sentence for _, stages, sentence in STEERING if run.progress.stage in stages]
    if _is_in_line(run):
        words[0] = LEAVE[1]
    return html('<p class="f-small f-steer">{}</p>', " ".join(words)) if words else Markup("")


def describe_log(lines: list[str]) -> Markup:
    text = "\n".join(lines) if lines else "It has said nothing. That is a good sign."
    return html('<pre class="f-log" tabindex="0" aria-label="The worker\'s own words">{}</pre>', text)

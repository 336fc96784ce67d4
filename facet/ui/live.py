"""One run, live: its stage, its numbers, its curve, and the buttons that steer it. Reads the log; never waits."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError, NotFoundError
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.train.remaining import seconds_left
from facet.train.runs import RunCard
from facet.ui.events import Gate
from facet.ui.live_curves import Axis, Choice, Which, choice_layout, describe_table, has_curves, plot
from facet.ui.live_numbers import describe_health, describe_numbers
from facet.ui.live_samples import describe_samples
from facet.ui.markup import each, html, nothing_yet, track, trouble
from facet.ui.models import came_from, model_name
from facet.ui.pace import Pace
from facet.ui.plan import predicted_and_actual
from facet.ui.session import FIT_CHARTS, Session, go_to
from facet.ui.values import Id
from facet.ui.words import STAGE_WORDS, stage_look, stage_sentence
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
    choice: Choice
    chart: gr.Plot
    samples: gr.HTML
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
            self.choice.row,
            self.samples,
            self.tick,
            self.seen,
        ]


def live_layout() -> Live:
    empty = gr.HTML(
        nothing_yet("No run is open", "Press “Start training”, and you can watch it here, or open one on the Runs tab.")
    )
    with gr.Column(visible=False, elem_id="live", elem_classes="card f-gap") as box:
        status = gr.HTML()
        choice = choice_layout()
        # Hidden, not absent: the browser fetches what draws it when the tab opens, not when the first number comes.
        chart = gr.Plot(label="Learning curve", show_label=False, visible="hidden", elem_id="curve")
        with gr.Row(elem_classes="f-buttons"):
            pause, resume, keep = (gr.Button(name, visible=False, scale=0) for name, _, _ in STEERING)
        with gr.Row(visible=False, elem_classes="f-buttons") as after:
            chat = gr.Button("Chat with it", variant="primary", scale=0)
            test = gr.Button("Test it", scale=0)
            take = gr.Button("Take it home", scale=0)
        samples = gr.HTML(elem_id="samples")
        with gr.Accordion("All numbers, and what the worker says", open=False):
            log = gr.HTML()
    return Live(
        empty,
        box,
        status,
        choice,
        chart,
        samples,
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

    def follow(person: Person, run: Id | None, seen: Any, which: Which, axis: Axis) -> Any:
        shown = look(studio, pace, person, run, seen, (which, axis))
        return gr.skip() if seen is not None and shown[-1] == seen else shown

    def steer(action: str) -> Any:
        def press(person: Person, grant: Grant, run: Id | None) -> Any:
            lent = {"grant": grant} if action == "resume" else {}  # its starting model may have to be fetched again
            getattr(studio, action)(person, run or "", **lent)
            pace.await_change(run or "")
            return gr.Timer(active=True)

        return press

    state = {"run": session.run, "seen": live.seen, "which": live.choice.which, "axis": live.choice.axis}
    gate.on(live.tick.tick, follow, state, live.shown, quiet=True)
    for chosen in (live.choice.which, live.choice.axis):
        gate.on(chosen.input, follow, state, live.shown, quiet=True, show_progress="hidden")
    gate.on(session.run.change, follow, state, live.shown, quiet=True)
    live.chart.change(None, None, None, js=FIT_CHARTS)
    for button, action in ((live.pause, "pause"), (live.resume, "resume"), (live.keep, "stop")):
        pressed = gate.on(button.click, steer(action), {"run": session.run}, live.tick, show_progress="hidden")
        gate.on(pressed.success, follow, state, live.shown, quiet=True)
    for button, tab in ((live.chat, "chat"), (live.test, "test"), (live.take, "publish")):
        button.click(None, None, None, js=go_to(tab))


def look(
    studio: Studio,
    pace: Pace,
    person: Person,
    run_id: str | None,
    seen: Any,
    chosen: tuple[str, str] = ("loss", "step"),
) -> list[Any]:
    """Values of `Live.shown` for this moment. The last is a fingerprint: when it is unchanged, nothing is sent.

    `chosen` is the curve to draw, and along what.
    """
    try:
        run = studio.run(person, run_id) if run_id else None
    except NotFoundError as error:
        return [
            str(trouble(error)),
            gr.Column(visible=False),
            *[gr.skip()] * 9,
            gr.Timer(active=False),
            ("gone", run_id),
        ]
    if run is None:
        return [gr.HTML(visible=True), gr.Column(visible=False), *[gr.skip()] * 9, gr.Timer(active=False), None]
    progress, stage = run.progress, run.progress.stage
    log = studio.log_tail(person, run_id, 40)
    points = sum(len(progress.curves.get(name, ())) for name in ("loss", "validation_loss", "accuracy"))
    answers = sum(map(len, progress.samples.values()))
    turn = studio.turn(person, run_id) if stage == "waiting" else None
    sentence = turn and turn.words
    happened = (progress.step, progress.words, progress.last_at, sentence, len(log), log[-1:])
    now = (run_id, points, *chosen, stage == "finished", answers, run.name, stage, *happened)
    before = tuple(seen) if isinstance(seen, tuple | list) else ()
    busy = progress.is_active or pace.is_awaited(run_id)
    # Gradio's page drops what reaches a component it is still fetching: what does not move is told of twice, in full.
    told = before[1:] == now
    drawn = before[:6] == (told, *now[:5])
    said = before[:2] == (told, run_id) and before[6:7] == (answers,)
    return [
        gr.HTML(visible=False),
        gr.Column(visible=True),
        str(describe(run, seconds_left(progress, run.recipe), turn)),
        gr.skip() if drawn else plot(run, *chosen),
        *_steering(run),
        gr.Row(visible=run.has_model),
        str(describe_table(progress) + describe_log(log)),
        gr.Row(visible=has_curves(progress)),
        gr.skip() if said else str(describe_samples(progress)),
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
        + describe_health(run)
        + describe_numbers(run, seconds_left)
        + predicted_and_actual(run.forecast, progress.outputs)
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

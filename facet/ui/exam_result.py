"""One test on the page: how it stands while it works and, once it is done, everything that it found."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from markupsafe import Markup

from facet.exam.exams import ExamCard
from facet.exam.outcome import Outcome
from facet.identity import Person
from facet.studio import Studio
from facet.ui import exam_charts, exam_examples
from facet.ui.exam_examples import Examples, examples_layout
from facet.ui.exam_numbers import describe_general, describe_mix_ups, describe_notes, describe_numbers
from facet.ui.exam_verdict import describe_verdicts, metric_of, telling_part
from facet.ui.live import describe_failure
from facet.ui.manage import Manage, manage_layout
from facet.ui.markup import html, note, section, track
from facet.ui.pace import Pace
from facet.ui.words import STAGE_WORDS, duration, stage_look, waiting_words
from facet.work.fairness import Turn

STAGES = {"running": "Testing"}
BETWEEN = "|"
MOST_SCORES = 1000  # examples that the ranges in the picture are made of


@dataclass(frozen=True)
class Result:
    state: gr.HTML
    pause: gr.Button
    resume: gr.Button
    manage: Manage
    found: gr.Column
    verdict: gr.HTML
    pair: gr.Dropdown
    side_by_side: gr.HTML
    dots: gr.Plot
    closely: gr.Column
    confusion: gr.Plot
    roc: gr.Plot
    mix_ups: gr.HTML
    examples: Examples
    numbers: gr.HTML
    form: gr.Radio
    make: gr.Button
    file: gr.DownloadButton
    tick: gr.Timer
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        return [*self.standing, *self.pictures, *self.examples.all]

    @property
    def standing(self) -> list[Any]:
        return [
            self.state,
            self.pause,
            self.resume,
            self.manage.fold,
            self.found,
            self.verdict,
            self.pair,
            self.side_by_side,
            self.dots,
            self.numbers,
            self.file,
            self.tick,
            self.seen,
        ]

    @property
    def pictures(self) -> list[Any]:
        """What depends on the pair that is looked at."""
        return [self.closely, self.confusion, self.roc, self.mix_ups]


@dataclass(frozen=True)
class Standing:
    state: gr.HTML
    pause: gr.Button
    resume: gr.Button
    manage: Manage


def standing_layout() -> Standing:
    """How the test stands, below what starts it."""
    state = gr.HTML(elem_id="exam-state")
    with gr.Row(elem_classes="f-buttons"):
        pause = gr.Button("Pause", visible=False, scale=0)
        resume = gr.Button("Resume", visible=False, scale=0)
    return Standing(state, pause, resume, manage_layout("exams"))


def result_layout(above: Standing, look_every: float) -> Result:
    """What was found. `above` lies in another card."""
    with gr.Column(visible=False, elem_classes="f-gap", elem_id="exam-result") as found:
        verdict = gr.HTML(elem_id="exam-verdict")
        with gr.Column(elem_classes="card"):
            side_by_side = gr.HTML()
            dots = gr.Plot(show_label=False, visible=False, elem_id="exam-dots")
        pair = gr.Dropdown([], label="Look closely at", visible=False, elem_classes="f-narrow f-left f-pair-choice")
        examples = examples_layout()
        with gr.Column(visible=False, elem_classes="card f-gap", elem_id="exam-closely") as closely:
            mix_ups = gr.HTML()
            with gr.Row():
                confusion = gr.Plot(show_label=False, visible=False, elem_id="exam-confusion", min_width=320, scale=3)
                roc = gr.Plot(show_label=False, visible=False, elem_id="exam-roc", min_width=320, scale=2)
        numbers = gr.HTML(elem_id="exam-numbers")
        with gr.Row(elem_classes="f-finish"):
            form = gr.Radio([("A table (CSV)", "csv"), ("JSONL", "jsonl")], value="csv", label="All answers as")
            make = gr.Button("Make the file")
            file = gr.DownloadButton("Download", visible=False, variant="primary")
    tick, seen = gr.Timer(look_every, active=False), gr.State(None)
    shown = (found, verdict, pair, side_by_side, dots, closely, confusion, roc, mix_ups, examples, numbers)
    return Result(above.state, above.pause, above.resume, above.manage, *shown, form, make, file, tick, seen)


def look(studio: Studio, pace: Pace, person: Person, exam_id: str | None) -> list[Any]:
    """Values of `Result.shown` for this moment."""
    card = studio.exam_card(person, exam_id) if exam_id else None
    outcome = studio.outcome(person, exam_id) if card and card.progress.stage == "finished" else None
    pair = pairs(outcome)[0][1] if outcome else None
    return [
        *standing(studio, pace, person, card, outcome),
        *pictured(outcome, pair),
        *exam_examples.look(studio, person, exam_id, outcome, between=between(outcome, pair)),
        *exam_examples.NO_FILTER,
    ]


def fingerprint(studio: Studio, pace: Pace, person: Person, exam_id: str | None) -> Any:
    """Changes whenever the page has something new to show."""
    card = studio.exam_card(person, exam_id) if exam_id else None
    return card and print_of(card, _turn(studio, person, card), pace.left(card.id, card.progress))


def print_of(card: ExamCard, turn: Turn | None, left: float | None) -> list[Any]:
    p = card.progress
    return [card.id, p.stage, p.step, p.words, p.last_at, turn and turn.words, left and duration(left)]


def _turn(studio: Studio, person: Person, card: ExamCard) -> Turn | None:
    return studio.turn(person, card.id, "exams") if card.progress.stage == "waiting" else None


def standing(studio: Studio, pace: Pace, person: Person, card: ExamCard | None, outcome: Outcome | None) -> list[Any]:
    """Values of `Result.standing`."""
    turn = _turn(studio, person, card) if card else None
    left = pace.left(card.id, card.progress) if card else None
    stage = card.progress.stage if card else ""
    working = bool(card and card.progress.is_active)
    chosen = pairs(outcome)
    dots = _dots(studio, person, card, outcome)
    return [
        str(describe_state(card, outcome, turn, left)),
        gr.Button(visible=working),
        gr.Button(visible=stage in ("paused", "failed")),
        gr.Accordion(visible=card is not None),
        gr.Column(visible=outcome is not None),
        str(describe_verdicts(outcome) + describe_notes(outcome)) if outcome else "",
        gr.Dropdown(choices=chosen, value=chosen[0][1] if chosen else None, visible=len(chosen) > 1),
        str(describe_dots(outcome, dots)) if outcome else "",
        gr.Plot(value=dots, visible=dots is not None),
        str(describe_all(outcome)) if outcome else "",
        gr.DownloadButton(visible=False),
        gr.Timer(active=working or bool(card and pace.is_awaited(card.id))),
        print_of(card, turn, left) if card else None,
    ]


def _dots(studio: Studio, person: Person, card: ExamCard | None, outcome: Outcome | None) -> go.Figure | None:
    if card is None or outcome is None:
        return None
    found, _ = studio.exam_examples(person, card.id, part=telling_part(outcome), count=MOST_SCORES)
    return exam_charts.main_figure(outcome, found)


def pictured(outcome: Outcome | None, pair: str | None) -> list[Any]:
    """Values of `Result.pictures`: of the second model of a pair."""
    if outcome is None:
        return [gr.Column(visible=False), gr.skip(), gr.skip(), ""]
    part, key = telling_part(outcome), (pair or "").rpartition(BETWEEN)[2]
    measured = outcome.parts.get(part, {}).get(key)
    matrix = exam_charts.confusion(measured, outcome.type.labels) if measured else None
    curves = exam_charts.roc(outcome, part)
    words = describe_mix_ups(outcome.contestants[key].name, measured, outcome.type.labels) if measured else ""
    return [
        gr.Column(visible=matrix is not None or curves is not None),
        gr.Plot(value=matrix, visible=matrix is not None),
        gr.Plot(value=curves, visible=curves is not None),
        str(words),
    ]


def pairs(outcome: Outcome | None) -> list[tuple[str, str]]:
    """What can be looked at closely: each verdict of the part that counts, or each model where there is none."""
    if outcome is None:
        return []
    names = {key: one.name for key, one in outcome.contestants.items()}
    verdicts = [each for each in outcome.verdicts if each.part == telling_part(outcome)]
    found = [(f"{names[each.b]} against {names[each.a]}", f"{each.a}{BETWEEN}{each.b}") for each in verdicts]
    return found or [(name, f"{BETWEEN}{key}") for key, name in names.items()]


def between(outcome: Outcome | None, pair: str | None) -> tuple[str, str] | None:
    """The keys of a pair that there is; None for one that was not compared with another."""
    a, _, b = (pair or "").partition(BETWEEN)
    return (a, b) if outcome and a in outcome.contestants and b in outcome.contestants else None


def describe_state(
    card: ExamCard | None, outcome: Outcome | None, turn: Turn | None = None, left: float | None = None
) -> Markup:
    if card is None:
        return note(
            "Not tested yet.",
            "The test puts every question of the exam to the untouched and to the tuned model, compares their answers "
            "with the right ones, and says whether the difference is more than chance. It changes neither of them.",
        )
    progress, stage = card.progress, card.progress.stage
    if stage == "finished":
        return _finished(card, outcome)
    done = 100 * progress.step / progress.total_steps if progress.total_steps else 0
    head = html(
        '<div class="f-stage"><h3>{}</h3><span class="f-chip {}">{}</span></div><p role="status">{}</p>',
        card.name,
        stage_look(stage),
        STAGES.get(stage, STAGE_WORDS[stage]),
        _doing(card, turn, left),
    )
    return (
        head
        + track(done, "Progress of the test", still=stage in ("paused", "failed"))
        + describe_failure(progress.failure)
    )


def _doing(card: ExamCard, turn: Turn | None, left: float | None) -> str:
    progress = card.progress
    if progress.stage == "waiting":
        return waiting_words(progress, turn)
    if progress.stage == "paused":
        return f"{progress.words or 'Paused.'} Every answer so far is kept; “Resume” goes on with the next one."
    if progress.stage == "interrupted":
        return "The machine stopped it. It goes on by itself, with every answer it had."
    if progress.stage == "failed":
        return "Every answer so far is kept."
    done = f"{progress.step:,} of {progress.total_steps:,} answers are there" if progress.total_steps else ""
    time = f"about {duration(left)} to go" if left else ""
    words = progress.words.rstrip(".") or "The models answer the questions"
    return ". ".join(filter(None, (words, ", ".join(filter(None, (done, time)))))) + ". You may close this page."


def _finished(card: ExamCard, outcome: Outcome | None) -> Markup:
    if outcome is None:
        return note(
            "This test was made by an earlier Facet.", "It measured less. Press “Run it again” to learn more.", "warn"
        )
    asked = sum(max((one.rows for one in sides.values()), default=0) for sides in outcome.parts.values())
    took = f", answered in {duration(card.progress.working_seconds)}" if card.progress.working_seconds else ""
    names = " · ".join(one.name for one in outcome.contestants.values())
    return html(
        '<p class="f-small" role="status">{} · {:,} questions{}. {}</p>', names, asked, took, outcome.type.reason
    )


def describe_dots(outcome: Outcome, dots: go.Figure | None) -> Markup:
    known = metric_of(exam_charts.main_metric(outcome))
    has_ranges = dots is not None and any(trace.mode == "lines" for trace in dots.data)
    ranges = " The bars are where each may truly lie, with 95 % certainty." if has_ranges else ""
    return section(f"Side by side: {known.label[:1].lower()}{known.label[1:]}", f"{known.plain}{ranges}")


def describe_all(outcome: Outcome) -> Markup:
    """Every number, what the model may have lost, and what none of this can say."""
    card = '<section class="f-card">{}{}</section>'
    heads = (
        section("Did it get worse at other things?", "The same questions of ours to every model, before and after."),
        section("All numbers", "What each of them means stands beside it; the small print is the expert's word."),
    )
    found = (describe_general(outcome), describe_numbers(outcome))
    return html(
        '<div class="f-stack">{}{}{}</div>', *(html(card, *pair) for pair in zip(heads, found, strict=True)), MEANING
    )


MEANING = html(
    '<div class="f-means"><div><h4>What this says</h4><p>{}</p></div>'
    "<div><h4>What it does not say</h4><p>{}</p></div></div>",
    "How the models did on questions that neither of them learned from, asked in the same words and answered in the "
    "same way, without dice. Where the range includes zero, a second exam might well turn out the other way.",
    "That the answers are true, useful or polite beyond what these questions ask, or that it does as well on questions "
    "of another kind. Talk to it on the Chat tab before you trust it.",
)

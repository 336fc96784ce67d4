"""The Test tab: how well the tuned model does on examples it never learned from, beside the untouched one."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.exam.exams import PARTS, ExamCard
from facet.identity import Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.live import describe_failure
from facet.ui.markup import html, note, nothing_yet, table, track
from facet.ui.models import chosen_model, tuned_choices
from facet.ui.session import Session, go_to
from facet.ui.values import Id
from facet.ui.words import STAGE_WORDS, number, stage_look, waiting_words
from facet.work.fairness import Turn

LOOK_EVERY = 2.0  # seconds
PART_WORDS = {"validation": "Validation", "exam": "Exam"}


@dataclass(frozen=True)
class TestTab:
    empty: gr.Column
    to_train: gr.Button
    box: gr.Column
    run: gr.Dropdown
    start: gr.Button
    result: gr.HTML
    tick: gr.Timer
    seen: gr.State

    @property
    def shown(self) -> list[Any]:
        return [self.result, self.start, self.tick, self.seen]

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, self.run]


def layout() -> TestTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is no model to test yet",
                "A test needs a finished run. Train one, or press “Stop and keep” on one that is under way.",
            )
        )
        to_train = gr.Button("Go to Train", variant="primary", scale=0, elem_classes="f-left")
    with gr.Column(elem_classes="card f-gap") as box:
        with gr.Row(elem_classes="f-finish"):
            run = gr.Dropdown([], label="Your model")
            start = gr.Button("Run the test", variant="primary", elem_id="run-test")
        result = gr.HTML()
    return TestTab(empty, to_train, box, run, start, result, gr.Timer(LOOK_EVERY, active=False), gr.State(None))


def wire(tab: TestTab, studio: Studio, gate: Gate, session: Session) -> None:
    def begin(person: Person, run: Id | None) -> list[Any]:
        studio.start_exam(person, run or "")
        return look(studio, person, run)

    def choose(person: Person, run: Id | None) -> list[Any]:
        return look(studio, person, run)

    def follow(person: Person, run: Id | None, seen: Any) -> Any:
        shown = look(studio, person, run)
        return gr.skip() if shown[-1] == seen else shown

    gate.on(tab.start.click, begin, {"run": tab.run}, tab.shown, show_progress="hidden")
    gate.on(tab.run.change, choose, {"run": tab.run}, tab.shown, quiet=True)
    gate.on(tab.tick.tick, follow, {"run": tab.run, "seen": tab.seen}, tab.shown, quiet=True)
    tab.to_train.click(None, None, None, js=go_to("train"))


def refreshed(studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `TestTab.listed`."""
    choices = tuned_choices(studio, person)
    chosen = gr.Dropdown(choices=choices, value=chosen_model(choices, wanted))
    return [gr.Column(visible=not choices), gr.Column(visible=bool(choices)), chosen]


def look(studio: Studio, person: Person, run_id: str | None) -> list[Any]:
    """Values of `TestTab.shown` for this moment."""
    exam = studio.exam(person, run_id) if run_id else None
    working = bool(exam and exam.progress.is_active)
    waits = exam is not None and exam.progress.stage == "waiting"
    turn = studio.turn(person, exam.id, "exams") if waits else None
    now = exam and (exam.id, exam.progress.stage, exam.progress.last_at, exam.progress.words)
    print_of_it = now and (*now, turn and turn.words)
    label = "Run the test" if exam is None else "Being tested" if working else "Run it again"
    return [str(describe(exam, turn)), gr.Button(label, interactive=not working), gr.Timer(active=working), print_of_it]


def describe(exam: ExamCard | None, turn: Turn | None = None) -> Markup:
    if exam is None:
        return note(
            "Not tested yet.",
            "The test reads the validation and the exam part once with the untouched and once with the tuned model "
            "and counts how surprised each is by the right answers. It does not change the model.",
        )
    stage = exam.progress.stage
    if stage == "finished":
        return describe_result(exam)
    done = 100 * exam.progress.step / exam.progress.total_steps if exam.progress.total_steps else 0
    head = html(
        '<div class="f-stage"><h3>The test</h3><span class="f-chip {}">{}</span></div><p role="status">{}</p>',
        stage_look(stage),
        "Testing" if stage == "running" else STAGE_WORDS[stage],
        waiting_words(exam.progress, turn) if turn else exam.progress.words or "Reading the examples with both models",
    )
    return head + track(done, "Progress of the test") + describe_failure(exam.progress.failure)


def describe_result(exam: ExamCard) -> Markup:
    heads = ("Part", "Examples", "Loss, untouched", "Loss, tuned", "Perplexity, untouched", "Perplexity, tuned")
    looks = {1: "right", 2: "right", 3: "right tuned", 4: "right", 5: "right tuned"}
    rows = [_row(part, exam.results[part]) for part in PARTS if part in exam.results]
    return html(
        '<p class="f-verdict">{}</p>{}{}', exam.words, table("Results of the test", heads, rows, looks), MEANING
    )


def _row(part: str, sides: dict[str, Any]) -> list[Any]:
    base, tuned = sides["base"], sides["tuned"]
    return [
        PART_WORDS.get(part, part),
        f"{tuned.rows_done:,}",
        number(base.loss),
        number(tuned.loss),
        number(base.perplexity, 1),
        number(tuned.perplexity, 1),
    ]


MEANING = html(
    '<div class="f-means"><div><h4>What this says</h4><p>{}</p></div>'
    "<div><h4>What it does not say</h4><p>{}</p></div></div>",
    "Perplexity is how many word pieces the model hesitates between, on average. Lower is surer; 1 would be certainty. "
    "Loss is its logarithm. If the exam is about as good as the validation, the model has learned the task and not "
    "only the examples.",
    "That the answers are true, useful or polite, or that it still knows everything else it did. Talk to it on the "
    "Chat tab before you trust it.",
)

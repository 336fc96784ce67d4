"""Without training: instructions and examples tried on an untouched model, before or beside tuning it."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import gradio as gr
from markupsafe import Markup
from pydantic import Field

from facet.errors import DataError, SettingError
from facet.exam.exams import ExamCard, Options
from facet.exam.outcome import Outcome
from facet.exam.proposals import Proposal
from facet.exam.without import notes
from facet.gemma.models import STARTER
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.exam_forecast import of_prompts
from facet.ui.exam_result import describe_state
from facet.ui.markup import each, html, nothing_yet, section
from facet.ui.models import model_name, tuned, tuned_choices
from facet.ui.pace import Pace
from facet.ui.prepared import choices_of
from facet.ui.session import Session, go_to
from facet.ui.values import Id, Line, Words
from facet.ui.without_ways import describe_ways

LOOK_EVERY = 2.0  # seconds
BETWEEN = "---"  # a line of its own between two instructions
COUNTS = ("1", "3", "5", "8")  # of examples to show
SHOTS = "So many from the training part, before each question"
NOBODY = ("No model of mine", "")
Counts = Annotated[list[Literal["1", "3", "5", "8"]], Field(max_length=len(COUNTS))]


@dataclass(frozen=True)
class WithoutTab:
    empty: gr.Column
    to_data: gr.Button
    box: gr.Column
    dataset: gr.Dropdown
    base: gr.Dropdown
    beside: gr.Dropdown
    system: gr.Textbox
    propose: gr.Button
    why: gr.HTML
    shots: gr.CheckboxGroup
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    state: gr.HTML
    tick: gr.Timer
    seen: gr.State

    @property
    def asked(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "base": self.base,
            "beside": self.beside,
            "system": self.system,
            "shots": self.shots,
        }

    @property
    def shown(self) -> list[Any]:
        return [self.state, self.start, self.pause, self.resume, self.tick, self.seen]

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, self.dataset, self.base, self.beside, *self.shown]


def layout() -> WithoutTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is nothing to try it on yet",
                "Bring a file or take an example on the Data tab, and press “Prepare” there.",
            )
        )
        to_data = gr.Button("Go to Data", variant="primary", scale=0, elem_classes="f-left")
    with gr.Column(elem_classes="card f-gap", elem_id="without-training") as box:
        gr.HTML(
            section(
                "Would it do without training?",
                "Good instructions, or a few examples before the question, sometimes do as well as tuning. Every way "
                "is tried on the validation part; the best one then sits the exam beside the untouched model.",
            )
        )
        with gr.Row():
            dataset = gr.Dropdown([], label="Try it on", info="Your prepared data", min_width=220)
            base = gr.Dropdown(
                [("Facet starter", STARTER)], label="Model to ask", info="It stays untouched", min_width=220
            )
            beside = gr.Dropdown(
                [NOBODY], value="", label="Beside your model", info="It sits the exam too", min_width=220
            )
        system = gr.Textbox(
            label="Instructions to try",
            info=f"Several, with a line of three dashes ({BETWEEN}) between them",
            lines=4,
            max_lines=16,
            max_length=20_000,
        )
        with gr.Row(elem_classes="f-buttons"):
            propose = gr.Button("Propose some from my data", scale=0, elem_id="propose-instructions")
        why = gr.HTML()
        shots = gr.CheckboxGroup(
            list(COUNTS),
            value=["3"],
            label="Examples to show",
            info=SHOTS,
        )
        with gr.Row(elem_classes="f-buttons"):
            start = gr.Button("Try without training", variant="primary", scale=0, elem_id="try-without")
            pause = gr.Button("Pause", visible=False, scale=0)
            resume = gr.Button("Resume", visible=False, scale=0)
        state = gr.HTML(elem_id="without-result")
    return WithoutTab(
        empty, to_data, box, dataset, base, beside, system, propose, why, shots, start, pause, resume, state,
        gr.Timer(LOOK_EVERY, active=False), gr.State(None),
    )  # fmt: skip


def wire(tab: WithoutTab, studio: Studio, gate: Gate, session: Session) -> None:
    pace = Pace()

    def begin(
        person: Person, grant: Grant, dataset: Id | None, base: Line, beside: Id | None, system: Words, shots: Counts
    ) -> list[Any]:
        wanted, counts = instructions_in(system), [int(count) for count in shots]
        options = Options(general=bool(beside))  # what training costs shows only beside a trained model
        exam = studio.try_prompts(person, _chosen(dataset), base, wanted, counts, beside or None, options, grant)
        pace.await_change(exam)
        return look(studio, pace, person, dataset)

    def propose_instructions(person: Person, dataset: Id | None) -> list[Any]:
        found = studio.proposed_prompts(person, _chosen(dataset))
        if not found:
            raise DataError(
                "The data suggests no instructions.",
                "It holds no questions with answers.",
                "Write some yourself under “Instructions to try”.",
            )
        return [f"\n{BETWEEN}\n".join(one.text for one in found), str(describe_reasons(found))]

    def choose_dataset(person: Person, dataset: Id | None) -> list[Any]:
        return [dataset, "", *look(studio, pace, person, dataset)]

    def follow_try(person: Person, dataset: Id | None, seen: Any) -> Any:
        shown = look(studio, pace, person, dataset)
        return gr.skip() if shown[-1] == seen else shown

    def hold_try(person: Person, dataset: Id | None) -> list[Any]:
        if card := latest(studio, person, dataset):
            studio.pause_exam(person, card.id)
            pace.await_change(card.id)
        return look(studio, pace, person, dataset)

    def go_on_trying(person: Person, dataset: Id | None) -> list[Any]:
        if card := latest(studio, person, dataset):
            studio.resume_exam(person, card.id)
            pace.await_change(card.id)
        return look(studio, pace, person, dataset)

    def say_how_long_without(
        person: Person, dataset: Id | None, base: Line, beside: Id | None, system: Words, shots: Counts
    ) -> gr.CheckboxGroup:
        ways = (1 + len(instructions_in(system))) * (1 + len(shots))
        told = of_prompts(studio, person, dataset, base, beside or None, ways)
        return gr.CheckboxGroup(info=f"{SHOTS}. {told}" if told else SHOTS)

    data = {"dataset": tab.dataset}
    changed = [tab.dataset.input, tab.base.input, tab.beside.input, tab.shots.input, tab.system.blur, tab.why.change]
    gate.on(changed, say_how_long_without, tab.asked, tab.shots, quiet=True, trigger_mode="always_last")
    gate.on(tab.start.click, begin, tab.asked, tab.shown, show_progress="hidden")
    gate.on(tab.propose.click, propose_instructions, data, [tab.system, tab.why], show_progress_on=tab.system)
    gate.on(tab.dataset.input, choose_dataset, data, [session.dataset, tab.why, *tab.shown], quiet=True)
    gate.on(tab.tick.tick, follow_try, data | {"seen": tab.seen}, tab.shown, quiet=True)
    gate.on(tab.pause.click, hold_try, data, tab.shown, show_progress="hidden")
    gate.on(tab.resume.click, go_on_trying, data, tab.shown, show_progress="hidden")
    tab.to_data.click(None, None, None, js=go_to("data"))


def _chosen(dataset: str | None) -> str:
    if not dataset:
        raise SettingError("No data is chosen.", "“Try it on” is empty.", "Choose the data there.")
    return dataset


def instructions_in(text: str) -> list[str]:
    """What stands between lines of three or more dashes."""
    return [part.strip() for part in re.split(r"^\s*-{3,}\s*$", text, flags=re.MULTILINE) if part.strip()]


def refreshed(studio: Studio, person: Person, wanted: str | None) -> list[Any]:
    """Values of `WithoutTab.listed`; `wanted` is the dataset to open. What was chosen besides stays chosen."""
    cards = studio.datasets(person)
    card = next((card for card in cards if card.id == wanted), cards[0] if cards else None)
    mine = [NOBODY, *tuned_choices(studio, person)]
    models = [(model.name, model.id) for model in studio.models()]
    used = {run.base_model for run in tuned(studio, person)} - {id for _, id in models}
    models += [(model_name(id), id) for id in sorted(used)]
    return [
        gr.Column(visible=not cards),
        gr.Column(visible=bool(cards)),
        gr.Dropdown(choices=choices_of(cards, card), value=card.id if card else None),
        gr.Dropdown(choices=models),
        gr.Dropdown(choices=mine),
        *look(studio, Pace(), person, card.id if card else None),
    ]


def latest(studio: Studio, person: Person, dataset: str | None) -> ExamCard | None:
    """The newest try on this data."""
    cards = studio.exams(person, dataset_id=dataset) if dataset else []
    return next((card for card in cards if card.kind == "prompts"), None)


def look(studio: Studio, pace: Pace, person: Person, dataset: str | None) -> list[Any]:
    """Values of `WithoutTab.shown` for this moment."""
    card = latest(studio, person, dataset)
    stage = card.progress.stage if card else ""
    outcome = studio.outcome(person, card.id) if card and stage == "finished" else None
    turn = studio.turn(person, card.id, "exams") if card and stage == "waiting" else None
    left = pace.left(card.id, card.progress) if card else None
    working = bool(card and card.progress.is_active)
    now = card and [card.id, stage, card.progress.step, card.progress.words, turn and turn.words]
    return [
        str(describe(card, outcome, turn, left)),
        gr.Button("Being tried" if working else "Try without training", interactive=not working),
        gr.Button(visible=working),
        gr.Button(visible=stage in ("paused", "failed")),
        gr.Timer(active=working or bool(card and pace.is_awaited(card.id))),
        now,
    ]


# ---- what came of it
def describe(card: ExamCard | None, outcome: Outcome | None, turn: Any = None, left: float | None = None) -> Markup:
    if card is None:
        return Markup("")
    if outcome is None:
        return describe_state(card, None, turn, left)
    words = notes(outcome)
    findings = each('<p class="f-verdict">{}</p>', words[:1]) + each("<p>{}</p>", words[1:])
    return html("{}{}{}", findings, describe_ways(outcome), MORE)


def describe_reasons(found: list[Proposal]) -> Markup:
    items = each("<li>{}</li>", [one.why for one in found])
    return html('<div class="f-note"><p><strong>Why these?</strong></p><ul>{}</ul></div>', items)


MORE = html(
    '<p class="f-small">{}</p>',
    "Every answer and all numbers are under “Result”, where “Which test” offers this one too. To use the instructions, "
    "put them into “Standing instructions” on the Chat tab.",
)

"""The Test tab: is the tuned model better, how sure is that, and on which examples do the two differ."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from facet.exam.exams import ExamCard
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui import batch, exam_compare, exam_examples, exam_forecast, judge, without
from facet.ui.downloads import handed_out
from facet.ui.events import Gate
from facet.ui.exam_compare import Compare, compare_layout, exam_choices
from facet.ui.exam_examples import PAGE, Only
from facet.ui.exam_options import OptionsForm, options_layout, options_of
from facet.ui.exam_result import Result, between, fingerprint, look, pictured, result_layout, standing_layout
from facet.ui.manage import wire_manage
from facet.ui.markup import nothing_yet
from facet.ui.models import chosen_model, tuned_choices
from facet.ui.pace import Pace
from facet.ui.session import Session, go_to
from facet.ui.values import Choice, Id, Line, Name

LOOK_EVERY = 2.0  # seconds
MORE = {"without": ("Without training", without), "judge": ("Judge", judge), "batch": ("Batch", batch)}
FIT_CHARTS = "() => setTimeout(() => window.dispatchEvent(new Event('resize')), 80)"  # drawn while out of sight


@dataclass(frozen=True)
class TestTab:
    sections: gr.Tabs
    tabs: dict[str, gr.Tab]
    empty: gr.Column
    to_train: gr.Button
    box: gr.Column
    run: gr.Dropdown
    options: OptionsForm
    start: gr.Button
    exam: gr.Dropdown
    result: Result
    compare: Compare
    more: dict[str, Any]  # the sections that are files of their own

    @property
    def shown(self) -> list[Any]:
        """What depends on the test that is open."""
        return [self.run, self.start, self.exam, *self.result.shown]

    @property
    def listed(self) -> list[Any]:
        return [self.empty, self.box, *self.shown]


def layout() -> TestTab:
    tabs: dict[str, gr.Tab] = {}
    with gr.Tabs(elem_id="test-sections", overflow_behavior="wrap") as sections:
        with gr.Tab("Result", id="result", elem_id="test-result") as tabs["result"]:
            empty, to_train = _empty_layout()
            with gr.Column(elem_classes="card f-gap", elem_id="exam-start") as box:
                with gr.Row(elem_classes="f-finish"):
                    run = gr.Dropdown([], label="Your model", min_width=220)
                    exam = gr.Dropdown([], label="Which test", visible=False, min_width=220)
                    start = gr.Button("Run the test", variant="primary", elem_id="run-test")
                options = options_layout()
                above = standing_layout()
            result = result_layout(above, LOOK_EVERY)
        with gr.Tab("Compare", id="compare", elem_id="test-compare") as tabs["compare"]:
            compare = compare_layout()
        more = {}
        for name, (title, module) in MORE.items():
            with gr.Tab(title, id=name, elem_id=f"test-{name}") as tabs[name]:
                more[name] = module.layout()
    return TestTab(sections, tabs, empty, to_train, box, run, options, start, exam, result, compare, more)


def _empty_layout() -> tuple[gr.Column, gr.Button]:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is no model to test yet",
                "A test needs a finished run. Train one, or press “Stop and keep” on one that is under way.",
            )
        )
        return empty, gr.Button("Go to Train", variant="primary", scale=0, elem_classes="f-left")


def wire(tab: TestTab, studio: Studio, gate: Gate, session: Session) -> None:
    pace = Pace()
    _wire_start(tab, studio, gate, pace)
    _wire_result(tab, studio, gate, pace)
    _wire_look(tab, studio, gate)
    _wire_compare(tab, studio, gate, session, pace)
    for name, (_, module) in MORE.items():
        module.wire(tab.more[name], studio, gate, session)
        _wire_opening(tab, name, module, studio, gate, session)
    tab.to_train.click(None, None, None, js=go_to("train"))
    tab.tabs["result"].select(None, None, None, js=FIT_CHARTS)


def _wire_opening(tab: TestTab, name: str, module: Any, studio: Studio, gate: Gate, session: Session) -> None:
    def list_section(person: Person, dataset: Id | None, exam: Id | None) -> list[Any]:
        return module.refreshed(studio, person, exam if name == "judge" else dataset)

    asked = {"dataset": session.dataset, "exam": tab.exam}
    gate.on(tab.tabs[name].select, list_section, asked, tab.more[name].listed, quiet=True)


def _wire_start(tab: TestTab, studio: Studio, gate: Gate, pace: Pace) -> None:
    def begin(person: Person, grant: Grant, run: Id | None, **chosen: Choice) -> list[Any]:
        exam = studio.start_exam(person, run or "", options=options_of(chosen), grant=grant)
        pace.await_change(exam)
        return opened(studio, pace, person, run, exam)

    def choose_run(person: Person, run: Id | None) -> list[Any]:
        return opened(studio, pace, person, run, None)

    def choose_exam(person: Person, run: Id | None, exam: Id | None) -> list[Any]:
        return opened(studio, pace, person, run, exam)

    def say_how_long(person: Person, run: Id | None, **chosen: Choice) -> gr.Dropdown:
        return gr.Dropdown(info=exam_forecast.of_run(studio, person, run, chosen))

    asked, options = {"run": tab.run}, tab.options
    gate.on(tab.start.click, begin, asked | tab.options.asked, tab.shown, show_progress="hidden")
    gate.on(tab.run.input, choose_run, asked, tab.shown, quiet=True)
    gate.on(tab.exam.input, choose_exam, asked | {"exam": tab.exam}, tab.shown, quiet=True)
    gate.on(options.changed, say_how_long, asked | options.asked, tab.run, quiet=True, trigger_mode="always_last")
    for done in wire_manage(tab.result.manage, studio, gate, tab.exam, [tab.exam], _renamed):
        gate.on(done.success, choose_exam, asked | {"exam": tab.exam}, tab.shown, quiet=True)


def _renamed(studio: Studio, person: Person, exam: str | None) -> list[Any]:
    """The name in the list; what depends on the test follows."""
    return [gr.Dropdown(choices=exam_choices(studio.exams(person)), value=exam)]


def _wire_result(tab: TestTab, studio: Studio, gate: Gate, pace: Pace) -> None:
    def follow(person: Person, run: Id | None, exam: Id | None, seen: Any) -> Any:
        if fingerprint(studio, pace, person, exam) == seen and not pace.is_awaited(exam or ""):
            return gr.skip()
        return opened(studio, pace, person, run, exam)

    def hold(person: Person, exam: Id | None) -> Any:
        studio.pause_exam(person, exam or "")
        pace.await_change(exam or "")
        return gr.Timer(active=True)

    def go_on(person: Person, exam: Id | None) -> Any:
        studio.resume_exam(person, exam or "")
        pace.await_change(exam or "")
        return gr.Timer(active=True)

    def make(person: Person, exam: Id | None, form: Name) -> gr.DownloadButton:
        file = handed_out(studio.download_exam(person, exam or "", "jsonl" if form == "jsonl" else "csv"), person)
        return gr.DownloadButton("Download", value=str(file), visible=True)

    asked, result = {"run": tab.run, "exam": tab.exam}, tab.result
    state = asked | {"seen": result.seen}
    gate.on(result.tick.tick, follow, state, tab.shown, quiet=True)
    for button, press in ((result.pause, hold), (result.resume, go_on)):
        pressed = gate.on(button.click, press, {"exam": tab.exam}, result.tick, show_progress="hidden")
        gate.on(pressed.success, follow, state, tab.shown, quiet=True)
    gate.on(result.make.click, make, {"exam": tab.exam, "form": result.form}, result.file, show_progress_on=result.make)


def _wire_look(tab: TestTab, studio: Studio, gate: Gate) -> None:
    result, shown = tab.result, tab.result.examples

    def closer(person: Person, exam: Id | None, pair: Line, search: Line, only: Only) -> list[Any]:
        outcome = studio.outcome(person, exam) if exam else None
        with_pair = between(outcome, pair)
        found = exam_examples.look(studio, person, exam, outcome, search, only, between=with_pair)
        return [*pictured(outcome, pair), *found]

    def leaf(by: int) -> Any:
        def turn(person: Person, exam: Id | None, pair: Line, search: Line, only: Only, start: int) -> list[Any]:
            outcome = studio.outcome(person, exam) if exam else None
            with_pair = between(outcome, pair)
            return exam_examples.look(studio, person, exam, outcome, search, only, start + by, with_pair)

        return turn

    asked = {"exam": tab.exam, "pair": result.pair, "search": shown.search, "only": shown.only}
    at_once = {"quiet": True, "trigger_mode": "always_last"}
    gate.on(result.pair.input, closer, asked, [*result.pictures, *shown.shown], **at_once)
    gate.on(
        [shown.search.change, shown.only.input], leaf(-(10**7)), asked | {"start": shown.start}, shown.shown, **at_once
    )
    for button, by in ((shown.earlier, -PAGE), (shown.later, PAGE)):
        gate.on(button.click, leaf(by), asked | {"start": shown.start}, shown.shown, quiet=True)


def _wire_compare(tab: TestTab, studio: Studio, gate: Gate, session: Session, pace: Pace) -> None:
    compare = tab.compare

    def begin(
        person: Person, grant: Grant, dataset: Id | None, models: list[Id] | None, run: Id | None, **chosen: Choice
    ) -> list[Any]:
        order = [key for _, key in exam_compare.targets(studio, person)]
        chosen_models = sorted(models or [], key=lambda key: order.index(key) if key in order else len(order))
        exam = studio.compare(person, dataset or "", chosen_models, options=options_of(chosen), grant=grant)
        pace.await_change(exam)
        return [gr.Tabs(selected="result"), *opened(studio, pace, person, run, exam)]

    def list_them(person: Person, dataset: Id | None) -> list[Any]:
        return exam_compare.refreshed(studio, person, dataset)

    def say_how_long_all(person: Person, dataset: Id | None, models: list[Id] | None, **chosen: Choice) -> gr.Dropdown:
        return gr.Dropdown(info=exam_forecast.of_compare(studio, person, dataset, models or [], chosen))

    asked = {"dataset": compare.dataset, "models": compare.models, "run": tab.run} | compare.options.asked
    gate.on(compare.start.click, begin, asked, [tab.sections, *tab.shown], show_progress="hidden")
    before = {"dataset": compare.dataset, "models": compare.models} | compare.options.asked
    changed = [compare.dataset.input, compare.models.input, *compare.options.changed]
    gate.on(changed, say_how_long_all, before, compare.models, quiet=True, trigger_mode="always_last")
    gate.on(tab.tabs["compare"].select, list_them, {"dataset": session.dataset}, compare.listed, quiet=True)


def refreshed(
    studio: Studio, person: Person, wanted: str | None, exam: str | None = None, seen: Any = None
) -> list[Any]:
    """Values of `TestTab.listed`; `exam` is the test that was open.

    Where it is still as the browser has `seen` it, what it found stays: somebody may have searched in it, or have
    turned to another one since.
    """
    choices = tuned_choices(studio, person)
    run = chosen_model(choices, wanted)
    cards = studio.exams(person)
    exam = next((card.id for card in cards if card.id == exam and card.run_id in ("", run)), None)
    known = bool(choices) or bool(cards)
    shown = opened(studio, Pace(), person, run, exam)
    card, run = card_of(cards, run, exam), run_of(cards, run, exam)
    info = exam_forecast.of_run(studio, person, run)
    if card and card.run_id and seen == fingerprint(studio, Pace(), person, card.id):
        lists = [gr.Dropdown(choices=choices, info=info), shown[1]]
        lists.append(gr.Dropdown(choices=exam_choices(cards), visible=len(cards) > 1))
        shown = [*lists, *[gr.skip()] * (len(shown) - len(lists))]
    else:
        shown[0] = gr.Dropdown(choices=choices, value=run, info=info)
    return [gr.Column(visible=not known), gr.Column(visible=known), *shown]


def opened(studio: Studio, pace: Pace, person: Person, run: str | None, exam: str | None) -> list[Any]:
    """Values of `TestTab.shown`: of one test and the run it is about, or of the newest test of a run."""
    cards = studio.exams(person)
    card, run = card_of(cards, run, exam), run_of(cards, run, exam)
    working = bool(card and card.progress.is_active)
    return [
        gr.Dropdown(value=run) if working else gr.Dropdown(value=run, info=exam_forecast.of_run(studio, person, run)),
        start_button(cards, run),
        gr.Dropdown(choices=exam_choices(cards), value=card.id if card else None, visible=len(cards) > 1),
        *look(studio, pace, person, card.id if card else None),
    ]


def run_of(cards: list[ExamCard], run: str | None, exam: str | None) -> str | None:
    """The run that a test is about; `run` where it is of several."""
    card = card_of(cards, run, exam)
    return card.run_id if card and card.run_id else run


def card_of(cards: list[ExamCard], run: str | None, exam: str | None) -> ExamCard | None:
    """The test that was asked for; else the newest of the run."""
    return next((each for each in cards if each.id == exam), None) or newest(cards, run)


def newest(cards: list[ExamCard], run: str | None) -> ExamCard | None:
    """The newest test of a run; without a run the newest of all."""
    return next((each for each in cards if run is None or each.run_id == run), None)


def start_button(cards: list[ExamCard], run: str | None) -> gr.Button:
    last = newest(cards, run) if run else None
    working = bool(last and last.progress.is_active)
    label = "Being tested" if working else "Run it again" if last else "Run the test"
    return gr.Button(label, interactive=bool(run) and not working)

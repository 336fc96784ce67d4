"""A judge: another model reads the answers of a finished test and says which are better."""

from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from facet.identity import Grant, Person
from facet.judging import Judging
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.judge_fields import asked_layout, key_fields, known_judge, model_field, plan_words, wish_of
from facet.ui.judged import describe_judging, describe_rows, judging_label
from facet.ui.markup import html, nothing_yet, section
from facet.ui.models import model_choices
from facet.ui.session import Session
from facet.ui.values import Id, Line, Number, Words
from facet.ui.words import ago

LOOK_EVERY = 2.0  # seconds
PAGE = 6  # questions at once
Mode = Literal["score", "pairs"]


@dataclass(frozen=True)
class JudgeTab:
    empty: gr.Column
    box: gr.Column
    exam: gr.Dropdown
    mode: gr.Radio
    rows: gr.Number
    provider: gr.Dropdown
    model: gr.Dropdown
    address: gr.Textbox
    key: gr.Textbox
    counts: gr.Textbox
    plan: gr.HTML
    start: gr.Button
    forget: gr.Button
    judging: gr.Dropdown
    pause: gr.Button
    go_on: gr.Button
    result: gr.HTML
    cases: gr.HTML
    earlier: gr.Button
    later: gr.Button
    place: gr.State
    tick: gr.Timer
    seen: gr.State

    @property
    def wish(self) -> dict[str, Any]:
        return {
            "exam": self.exam,
            "mode": self.mode,
            "rows": self.rows,
            "provider": self.provider,
            "model": self.model,
            "address": self.address,
            "counts": self.counts,
        }

    @property
    def chosen(self) -> dict[str, Any]:
        return {"exam": self.exam, "judging": self.judging}

    @property
    def leaf(self) -> list[Any]:
        return [self.cases, self.earlier, self.later, self.place]

    @property
    def shown(self) -> list[Any]:
        """What depends on the judging that is open."""
        return [self.judging, self.result, self.pause, self.go_on, self.tick, self.seen, *self.leaf]

    @property
    def listed(self) -> list[Any]:
        """What opening the section may change; a judge that was chosen, and what was typed, stay."""
        return [self.empty, self.box, self.exam, self.model, self.forget, *self.shown]


def layout() -> JudgeTab:
    with gr.Column(visible=False, elem_classes="f-nothing") as empty:
        gr.HTML(
            nothing_yet(
                "There is nothing to judge yet",
                "A judge reads the answers of a finished test. Press “Run the test” under “Result” first.",
            )
        )
    with gr.Column(elem_classes="card f-gap", elem_id="judge-start") as box:
        gr.HTML(
            section(
                "Let a judge read the answers",
                "Some answers cannot be checked by counting. Another model reads them and says what it thinks. "
                "It may be wrong, so it is asked twice, and Facet says how far it agrees with itself.",
            )
        )
        asked = asked_layout()
    with gr.Column(elem_classes="f-gap", elem_id="judge-result"):
        found = _found()
    return JudgeTab(empty, box, *asked, *found, gr.State(0), gr.Timer(LOOK_EVERY, active=False), gr.State(None))


def _found() -> tuple[Any, ...]:
    """What came of it; in the order of `JudgeTab`, from `judging` to `later`."""
    judging = gr.Dropdown([], label="Which judging", visible=False)
    result = gr.HTML()
    with gr.Row(elem_classes="f-buttons"):
        pause = gr.Button("Pause judging", visible=False, scale=0)
        go_on = gr.Button("Go on judging", visible=False, scale=0)
    cases = gr.HTML()
    with gr.Row(elem_classes="f-buttons"):
        earlier = gr.Button("Earlier", visible=False, scale=0)
        later = gr.Button("Later", visible=False, scale=0)
    return judging, pause, go_on, result, cases, earlier, later


def wire(tab: JudgeTab, studio: Studio, gate: Gate, session: Session) -> None:
    _wire_wish(tab, studio, gate)
    _wire_start(tab, studio, gate)
    _wire_look(tab, studio, gate)


def _wire_wish(tab: JudgeTab, studio: Studio, gate: Gate) -> None:
    def choose_judge(person: Person, grant: Grant, provider: Id | None) -> list[Any]:
        known = known_judge(studio, person, provider)
        return [model_field(studio, person, known), *key_fields(studio, person, known)]

    def reckon(
        person: Person,
        grant: Grant,
        exam: Id | None,
        mode: Mode,
        rows: Number | None,
        provider: Id | None,
        model: Line,
        address: Line,
        counts: Words,
    ) -> str:
        return plan_words(studio, grant, exam, wish_of(mode, rows, provider, model, address, counts))

    def forget_keys(person: Person, provider: Id | None) -> list[Any]:
        studio.forget_judge_keys(person)
        return key_fields(studio, person, known_judge(studio, person, provider))

    fields = [tab.address, tab.key, tab.forget]
    chosen = gate.on(tab.provider.input, choose_judge, {"provider": tab.provider}, [tab.model, *fields], quiet=True)
    changed = [tab.exam.change, tab.mode.change, tab.rows.change, tab.model.change]
    for moment in (changed, chosen.then):
        gate.on(moment, reckon, tab.wish, tab.plan, quiet=True, trigger_mode="always_last")
    gate.on(tab.forget.click, forget_keys, {"provider": tab.provider}, fields, show_progress="hidden")


def _wire_start(tab: JudgeTab, studio: Studio, gate: Gate) -> None:
    def begin_judging(
        person: Person,
        grant: Grant,
        exam: Id | None,
        mode: Mode,
        rows: Number | None,
        provider: Id | None,
        model: Line,
        address: Line,
        counts: Words,
        key: Line,
    ) -> list[Any]:
        wish = wish_of(mode, rows, provider, model, address, counts)
        made = studio.start_judging(grant, exam or "", wish, key)
        known = known_judge(studio, person, provider)
        return [*key_fields(studio, person, known), *look(studio, person, exam, made)]

    def go_on_judging(person: Person, grant: Grant, exam: Id | None, judging: Id | None, key: Line) -> list[Any]:
        studio.resume_judging(grant, exam or "", judging or "", key)
        known = known_judge(studio, person, studio.judging(person, exam or "", judging or "").assignment.provider)
        return [*key_fields(studio, person, known), *look(studio, person, exam, judging)]

    def pause_judging(person: Person, exam: Id | None, judging: Id | None) -> list[Any]:
        studio.pause_judging(person, exam or "", judging or "")
        return look(studio, person, exam, judging)

    fields = [tab.address, tab.key, tab.forget]
    with_key = {"key": tab.key}
    gate.on(tab.start.click, begin_judging, tab.wish | with_key, [*fields, *tab.shown], show_progress="hidden")
    gate.on(tab.go_on.click, go_on_judging, tab.chosen | with_key, [*fields, *tab.shown], show_progress="hidden")
    gate.on(tab.pause.click, pause_judging, tab.chosen, tab.shown, show_progress="hidden")


def _wire_look(tab: JudgeTab, studio: Studio, gate: Gate) -> None:
    def choose_test(person: Person, exam: Id | None) -> list[Any]:
        return look(studio, person, exam, None)

    def choose_judging(person: Person, exam: Id | None, judging: Id | None) -> list[Any]:
        return look(studio, person, exam, judging)

    def follow_judging(person: Person, exam: Id | None, judging: Id | None, seen: Any) -> Any:
        one = opened(studio, person, exam, judging)
        return gr.skip() if fingerprint(one) == seen else look(studio, person, exam, judging)

    def leaf(by: int) -> Any:
        def turn_leaf(person: Person, exam: Id | None, judging: Id | None, place: int) -> list[Any]:
            return pages(studio, person, exam, opened(studio, person, exam, judging), place + by)

        return turn_leaf

    gate.on(tab.exam.input, choose_test, {"exam": tab.exam}, tab.shown, quiet=True)
    gate.on(tab.judging.input, choose_judging, tab.chosen, tab.shown, quiet=True)
    gate.on(tab.tick.tick, follow_judging, tab.chosen | {"seen": tab.seen}, tab.shown, quiet=True)
    for button, by in ((tab.earlier, -PAGE), (tab.later, PAGE)):
        gate.on(button.click, leaf(by), tab.chosen | {"place": tab.place}, tab.leaf, quiet=True)


# ---- what is shown
def refreshed(studio: Studio, person: Person, wanted: str | None = None) -> list[Any]:
    """Values of `JudgeTab.listed`; `wanted` is the test to open."""
    exams = studio.judgeable(person)
    chosen = next((exam for exam, _, _ in exams if exam == wanted), exams[0][0] if exams else None)
    return [
        gr.Column(visible=not exams),
        gr.Column(visible=bool(exams)),
        gr.Dropdown(choices=[(f"{name} ({ago(made)})", exam) for exam, name, made in exams], value=chosen),
        gr.Dropdown(choices=model_choices(studio, person)),
        gr.Button(visible=studio.keys.any_of(person)),
        *look(studio, person, chosen, None),
    ]


def opened(studio: Studio, person: Person, exam: str | None, judging: str | None) -> Judging | None:
    """The judging that was chosen, or the newest of the test."""
    return _opened(studio.judgings_of(person, exam), judging) if exam else None


def _opened(known: list[Judging], judging: str | None) -> Judging | None:
    return next((one for one in known if one.id == judging), known[0] if known else None)


def look(studio: Studio, person: Person, exam: str | None, judging: str | None) -> list[Any]:
    """Values of `JudgeTab.shown`."""
    known = studio.judgings_of(person, exam) if exam else []
    one = _opened(known, judging)
    found = studio.judged(person, exam or "", one.id) if one and one.stage != "working" else None
    choices = [(judging_label(each), each.id) for each in known]
    return [
        gr.Dropdown(choices=choices, value=one.id if one else None, visible=len(known) > 1),
        str(html('<div class="card">{}</div>', describe_judging(one, found))) if one else "",
        gr.Button(visible=bool(one and one.stage == "working" and not one.stopping)),
        gr.Button(visible=bool(one and one.stage == "paused")),
        gr.Timer(active=bool(one and one.stage == "working")),
        fingerprint(one),
        *pages(studio, person, exam, one, 0),
    ]


def pages(studio: Studio, person: Person, exam: str | None, one: Judging | None, start: int) -> list[Any]:
    """Values of `JudgeTab.leaf`."""
    if one is None or one.stage == "working" or not one.done:
        return ["", gr.Button(visible=False), gr.Button(visible=False), 0]
    start = max(0, min(start, 10**6))
    rows, matching = studio.judged_rows(person, exam or "", one.id, start, PAGE)
    shown = str(html('<div class="card">{}</div>', describe_rows(one.assignment, rows, start, matching)))
    return [shown, gr.Button(visible=start > 0), gr.Button(visible=start + len(rows) < matching), start]


def fingerprint(one: Judging | None) -> Any:
    return [one.id, one.stage, one.done, one.stopping] if one else None

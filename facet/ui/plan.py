"""What a run will need, above “Start training”: memory, minutes, quota, price; and what to change if it does not fit.

One piece of HTML: its buttons write into the form as a person would, or ask for a measurement.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.errors import FacetError
from facet.identity import Grant, Person
from facet.plan_door import Measuring
from facet.recipe.forecast import Forecast
from facet.recipe.ladder import Rung
from facet.recipe.plan import Plan
from facet.recipe.plan_words import HOW, against, duration, gigabytes, money, run_that_fits
from facet.recipe.prices import AS_OF
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.forms import read
from facet.ui.markup import each, html, join, trouble
from facet.ui.train_words import Start
from facet.ui.values import Beginning, Filled, Id, Line, Name, Place

SCRIPT = (Path(__file__).parent / "plan.js").read_text("utf-8")
LOOK_EVERY = 1.5  # seconds, while it measures
MEASURE = "Measure on this machine"


@dataclass(frozen=True)
class PlanCard:
    card: gr.HTML
    tick: gr.Timer

    @property
    def outputs(self) -> list[Any]:
        return [self.card, self.tick]


def plan_layout() -> PlanCard:
    template = '<div class="f-plan-box">${value || ""}</div>'
    card = gr.HTML("", html_template=template, js_on_load=SCRIPT, apply_default_css=False, elem_id="plan")
    return PlanCard(card, gr.Timer(LOOK_EVERY, active=False))


def wire_plan(plan: PlanCard, tab: Any, studio: Studio, gate: Gate) -> None:
    """`tab` is the Train tab, whose form says what is planned."""

    def foresee(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        settings: Filled | None,
        where: Place = "usual",
    ) -> list[Any]:
        return _shown(_Asked(studio, grant, dataset, beginning, model, other, mine, settings, where))

    def measure(
        person: Person,
        grant: Grant,
        dataset: Id | None,
        beginning: Beginning,
        model: Name,
        other: Line,
        mine: Id | None,
        settings: Filled | None,
        where: Place = "usual",
    ) -> list[Any]:
        asked = _Asked(studio, grant, dataset, beginning, model, other, mine, settings, where)
        start = asked.start
        studio.start_measuring(person, dataset or "", start.model, read(settings), grant, start.run_id)
        return _shown(asked)

    asked = {"dataset": tab.dataset} | tab.source | {"settings": tab.form.component} | tab.place
    changed = [tab.form.component.change, tab.form.component.input, plan.tick.tick]
    changed += [tab.where.input] if tab.where is not None else []
    gate.on(changed, foresee, asked, plan.outputs, quiet=True, trigger_mode="always_last")
    gate.on(plan.card.submit, measure, asked, plan.outputs, show_progress="hidden")


@dataclass(frozen=True)
class _Asked:
    """What stands in the form now."""

    studio: Studio
    grant: Grant
    dataset: str | None
    beginning: str
    chosen: str
    other: str
    mine: str | None
    settings: Any
    where: str

    @property
    def start(self) -> Start:
        return Start.of(self.studio, self.grant.person, self.beginning, self.chosen, self.other, self.mine)

    def plan(self) -> Plan:
        where, start = None if self.where == "usual" else self.where, self.start
        return self.studio.plan(
            self.grant.person, self.dataset or "", start.model, read(self.settings), where, self.grant, start.run_id
        )


def _shown(asked: _Asked) -> list[Any]:
    """Values of `outputs`. Nothing is said before there is advice, or while a setting is wrong: its field says so."""
    if not asked.dataset or not asked.settings or not asked.start.model:
        return [gr.HTML(value=""), gr.Timer(active=False)]
    measuring = asked.studio.latest_measuring(asked.grant.person)
    works = measuring is not None and not measuring.is_over
    try:
        told = str(describe_plan(asked.plan(), measuring))
    except FacetError:
        told = ""
    return [gr.HTML(value=told), gr.Timer(active=works)]


def describe_plan(plan: Plan, measuring: Measuring | None = None) -> Markup:
    """The card: how long, how much memory, and what else is to be known or done."""
    here = plan.here
    return html(
        '<section class="f-plan {}" aria-label="What it will need"><h4>{}</h4><p class="f-plan-how">{}</p>{}'
        '<dl class="f-facts">{}</dl>{}{}{}</section>',
        "" if here.fits else "tight",
        f"About {duration(here.minutes)}" if here.fits else "It does not fit here yet",
        f"on {here.words}; {HOW[here.how]}",
        _memory(here),
        each("<dt>{}</dt><dd>{}</dd>", _facts(plan)),
        _ladder(plan),
        _measure(here, measuring),
        _elsewhere(plan),
    )


def _memory(here: Forecast) -> Markup:
    share = min(100, round(100 * here.gb / max(0.1, here.free_gb)))
    return html(
        '<div class="f-memory"><div role="meter" aria-label="Memory" aria-valuemin="0" aria-valuemax="100" '
        'aria-valuenow="{}"><i style="width:{}%"></i></div><p><b>{}</b> of memory; {} are free</p></div>',
        share,
        share,
        gigabytes(here.gb),
        gigabytes(here.free_gb),
    )


def _facts(plan: Plan) -> list[tuple[str, str]]:
    here, load = plan.here, plan.load
    facts = [("Steps", f"{load.steps:,}, reading {load.rows:,} {plan.reads}")]
    if not here.fits:
        facts.append(("Time", f"about {duration(here.minutes)}"))
    facts.append(("Longest", f"{plan.longest:,} tokens"))
    if here.quota_minutes is not None:
        left = f"{here.quota_left:.1f} of yours are left today"
        days = f"; that is {here.days} days" if here.days > 1 else ""
        facts.append(("Card minutes", f"about {here.quota_minutes:.1f}; {left}{days}"))
    others = [place for place in plan.places[1:] if place.is_here]
    facts += [("Or", f"{place.words}: about {duration(place.minutes)}") for place in others]
    if fits := run_that_fits(plan):
        facts.append(("Room for", fits.partition(": ")[2].rstrip(".")))
    return facts


def _ladder(plan: Plan) -> Markup:
    if plan.here.fits:
        return Markup("")
    enough = any(rung.fits for rung in plan.ladder)
    other = "another of your models" if plan.further else "a smaller starting model"
    words = "" if enough else f"Nothing is enough here. Close other programs, or choose {other}."
    last = html("<p>{}</p>", words) if words else Markup("")
    rungs = html('<ol class="f-ladder">{}</ol>', join(map(_rung, plan.ladder)))
    return html('<p class="f-help">What would help:</p>{}', rungs) + last if plan.ladder else last


def _rung(rung: Rung) -> Markup:
    told = f"{gigabytes(rung.gb)}, about {duration(rung.minutes)}"
    if rung.cut_rows:
        told += f", {rung.cut_rows:,} more examples are {'left out' if rung.are_left_out else 'cut'}"
    told += "" if rung.fits else "; not enough by itself"
    presses = html('data-model="{}"', rung.model) if rung.model else html("data-changes='{}'", json.dumps(rung.changes))
    return html(
        '<li class="{}"><div><b>{}</b><span>{}</span></div><button type="button" {}>Do this</button></li>',
        "enough" if rung.fits else "",
        rung.words,
        told,
        presses,
    )


def _measure(here: Forecast, measuring: Measuring | None) -> Markup:
    progress = measuring.progress if measuring else None
    if measuring and not measuring.is_over:
        done = f"{progress.step} of {progress.total_steps} passes" if progress.step else ""
        return html(
            '<p class="f-wait" role="status">{}</p>', f"Measuring: {progress.words or done or 'it waits its turn'}"
        )
    failed = trouble(FacetError.from_dict(progress.failure), "warn") if progress and progress.failure else Markup("")
    if here.how == "measured" or here.where != "local":
        return failed
    words = "Takes a few real steps on your longest examples, about half a minute for a small model."
    return failed + html(
        '<div class="f-measure"><button type="button" data-measure>{}</button><p>{}</p></div>', MEASURE, words
    )


def _elsewhere(plan: Plan) -> Markup:
    rented = [place for place in plan.places if not place.is_here and place.fits]
    if not rented:
        return Markup("")
    rows = each("<dt>{}</dt><dd>{}</dd>", [(one.words, f"{duration(one.minutes)}, {money(one.usd)}") for one in rented])
    return html(
        '<details class="f-rented"><summary>What it would cost on a rented machine</summary><dl class="f-facts">{}</dl>'
        "<p>{}</p></details>",
        rows,
        f"Rough estimates from the prices of Hugging Face Jobs in {AS_OF}. Facet cannot start a run there yet.",
    )


def predicted_and_actual(forecast: dict[str, Any] | None, outputs: dict[str, Any]) -> Markup:
    """One line for the page of a finished run; nothing where either is not known."""
    words = against(forecast, outputs)
    return html('<p class="f-forecast">{}</p>', words) if words else Markup("")

"""The rail at the side: who you are, where it computes, what is kept and for how long, and what is going on now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet import __version__
from facet.identity import Person
from facet.studio import Place, Studio
from facet.train.runs import RunCard
from facet.ui import account, driver
from facet.ui.events import Gate
from facet.ui.markup import each, html
from facet.ui.session import DAYLIGHT
from facet.ui.theme import mark
from facet.ui.words import STAGE_WORDS
from facet.work.fairness import Turn

LOOK_EVERY = 5.0  # seconds


@dataclass(frozen=True)
class Rail:
    account: account.AccountCard
    words: gr.HTML
    driver: driver.Driver | None
    tick: gr.Timer


def layout(studio: Studio, say: gr.I18n) -> Rail:
    gr.HTML(describe_brand(30))
    who = account.layout()
    minutes = driver.layout(studio)
    words = gr.HTML(describe(studio.place(), [], {}))
    daylight = gr.Button(say("daylight"), size="sm", scale=0, elem_id="daylight")
    daylight.click(None, None, None, js=DAYLIGHT)
    return Rail(who, words, minutes, gr.Timer(LOOK_EVERY, active=False))


def wire(rail: Rail, studio: Studio, gate: Gate, started: list[Any]) -> None:
    """Looks again while something works, and whenever something may have begun."""

    def look_again(person: Person) -> list[Any]:
        return look(studio, person)

    driver.wire(rail.driver, studio, gate)
    gate.on([rail.tick.tick, *started], look_again, None, [rail.words, rail.tick], quiet=True)


def look(studio: Studio, person: Person) -> list[Any]:
    """Values of words and tick for this moment."""
    active = [run for run in studio.runs(person) if run.progress.is_active]
    place = studio.place(person)
    turns = studio.turns(person, active[:3])
    return [str(describe(place, active, turns)), gr.Timer(active=bool(active) or not place.keeps_fine)]


def describe(place: Place, active: list[RunCard], turns: Mapping[str, Turn]) -> Markup:
    now = each(
        '<p><a href="?run={}">{}</a><br><span class="f-small f-number">{}{}</span></p>',
        [_now(run, turns.get(run.id)) for run in active[:3]],
    )
    working = html("<section><h2>Working now</h2>{}</section>", now) if active else Markup("")
    return html(
        '<div class="f-rail">{}'
        '<section><h2>Where it computes</h2><p>{}</p><p class="f-small f-number">{:.0f} GB of memory free</p></section>'
        '<section><h2>What is kept</h2>{}<p class="f-small f-number">{:.0f} GB of disk free</p></section>'
        '<p class="f-small f-foot">Facet {}</p></div>',
        working,
        place.words[:1].upper() + place.words[1:],
        place.free_gb,
        html('<p class="f-note warn">{}</p>' if not place.keeps_fine else "<p>{}</p>", place.keeps),
        place.free_disk_gb,
        __version__,
    )


def describe_brand(size: int) -> Markup:
    return html('<div class="f-brand">{}<span>Facet</span></div>', Markup(mark(size)))


def _now(run: RunCard, turn: Turn | None) -> tuple[str, str, str, str]:
    progress = run.progress
    steps = f", step {progress.step:,} of {progress.total_steps:,}" if progress.total_steps else ""
    return run.id, run.name, STAGE_WORDS[progress.stage], f", {turn.words}" if turn else steps

"""On a ZeroGPU Space the open page does the asking: slice after slice of its person's work, and how much is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from facet.compute.zero_quota import Left
from facet.identity import Grant, Person
from facet.studio import Studio
from facet.ui.events import Gate
from facet.ui.markup import html, track

LOOK_EVERY = 3.0  # seconds


@dataclass(frozen=True)
class Driver:
    minutes: gr.HTML
    tick: gr.Timer


def layout(studio: Studio) -> Driver | None:
    """A part of the rail; nothing where there is no lent card."""
    if studio.places.driving is None:
        return None
    return Driver(gr.HTML(), gr.Timer(LOOK_EVERY))


def wire(driver: Driver | None, studio: Studio, gate: Gate) -> None:
    if driver is None:
        return

    def drive(person: Person, grant: Grant) -> Iterator[Any]:
        """The one long event there is. It ends when there is nothing to do, and the next tick asks again."""
        shown = ""
        for working in working_or_not(studio, grant):
            now = str(describe(studio.places.left(grant), working))
            yield gr.skip() if now == shown else now
            shown = now

    gate.on(driver.tick.tick, drive, None, driver.minutes, show_progress="hidden", trigger_mode="once")


def working_or_not(studio: Studio, grant: Grant) -> Iterator[bool]:
    """True for every sign of life of this person's slices, then False."""
    for _ in studio.drive(grant):
        yield True
    yield studio.places.is_driven(grant.person)


def describe(left: Left | None, working: bool) -> Markup:
    if left is None:
        return Markup("")
    share = 100 * left.seconds / left.of if left.of else 0.0
    told = "as the scheduler says" if left.told else "by our own count"
    now = "Keep this page open while it works: it asks for the card in your name." if working else ""
    empty = (
        ""
        if left.seconds >= 30
        else "They come back within a day of being used. The Facet starter goes on working without them."
    )
    return html(
        '<div class="f-rail"><section><h2>Graphics card</h2><p class="f-number">{}</p>{}<p class="f-small">{} {}</p>'
        "</section></div>",
        f"{left.words[:1].upper()}{left.words[1:]}",
        track(share, "Minutes left today", still=True),
        told[:1].upper() + told[1:] + ".",
        now or empty,
    )

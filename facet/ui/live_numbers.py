"""How a run is doing: the sentence about its health, and its figures as an instrument would show them."""

import math
from typing import Any

from markupsafe import Markup

from facet.train.runs import RunCard
from facet.train.watched import health_of, kept_step
from facet.ui.markup import each, html, note
from facet.ui.words import number, short_duration


def describe_health(run: RunCard) -> Markup:
    """How it is doing, and what to do; a failure says that by itself."""
    found = health_of(run.progress, run.recipe) if not run.progress.failure else None
    return note(found.words, found.next, found.look) if found else Markup("")


def describe_numbers(run: RunCard, seconds_left: float | None) -> Markup:
    progress = run.progress
    tiles: list[tuple[str, str, Any]] = [
        ("", "Step", html("{:,} <small>of {:,}</small>", progress.step, progress.total_steps or 0))
    ]
    tiles.append(("tuned", "Loss", _loss(progress.latest("loss"))))
    tiles.append(("tuned", "Validation loss", number(progress.latest("validation_loss"))))
    if (right := progress.latest("accuracy")) is not None:
        tiles.append(("tuned", "Right labels", html("{:.0f} <small>%</small>", 100 * right)))
    if progress.is_active:
        tiles.append(("", "Tokens per second", number(progress.latest("tokens_per_second"), 0)))
        tiles.append(("", "Memory", _gigabytes(progress.latest("memory_gb"))))
        tiles.append(("", "Time left", _time(seconds_left)))
    else:
        if (step := kept_step(progress)) is not None:
            tiles.append(("", "Kept from step", f"{step:,}"))
        tiles.append(("", "Worked for", _time(progress.working_seconds)))
    if not progress.total_steps:
        return Markup("")
    return html('<dl class="f-readout">{}</dl>', each('<div class="{}"><dt>{}</dt><dd>{}</dd></div>', tiles))


def _loss(loss: float | None) -> Markup | str:
    return number(loss) if loss is None or math.isfinite(loss) else html("no <small>number</small>")


def _gigabytes(held: float | None) -> Markup | str:
    return html("{} <small>GB</small>", number(held, 1)) if held is not None else "–"


def _time(seconds: float | None) -> Markup | str:
    return html("{} <small>{}</small>", *short_duration(seconds)) if seconds is not None else "–"

"""How a plan is told: durations and money without false precision, and what really came beside what was forecast."""

from typing import Any, Final

from facet.recipe.forecast import How
from facet.recipe.plan import Plan

HOW: Final[dict[How, str]] = {
    "measured": "measured on this machine",
    "earlier runs": "from your earlier runs on this machine",
    "rough": "a rough estimate; nothing was measured yet",
}


def duration(minutes: float) -> str:
    """`40 seconds`, `4 minutes`, `2.5 hours`, `3 days`: no more digits than a forecast has."""
    if minutes < 1:
        return f"{max(5, 5 * round(minutes * 12))} seconds"
    if minutes < 10:
        return _count(round(2 * minutes) / 2, "minute")
    if minutes < 90:
        return f"{round(minutes):.0f} minutes"
    if minutes < 48 * 60:
        return _count(round(2 * minutes / 60) / 2, "hour")
    return f"{minutes / 1440:.0f} days"


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}{'' if number == 1 else 's'}"


def gigabytes(gb: float) -> str:
    """`0.66 GB`, `2.4 GB`: below one, tenths would make unequal numbers equal."""
    return f"{gb:.2f} GB" if gb < 1 else f"{gb:.1f} GB"


def money(usd: float) -> str:
    return "less than 1 cent" if usd < 0.01 else f"about ${usd:.2f}"


def run_that_fits(plan: Plan) -> str:
    """The largest run that fits, in a sentence; nothing where not even the smallest does."""
    most = plan.largest
    if most is None or not (most.max_length or most.batch):
        return ""
    told = [f"{plan.reads} of up to {most.max_length:,} tokens"] if most.max_length else []
    told += [f"{most.batch} at once"] if most.batch else []
    told += [most.model] if most.model else []
    return f"The largest that fits, one thing at a time: {', or '.join(told)}."


def against(forecast: dict[str, Any] | None, outputs: dict[str, Any]) -> str:
    """`Predicted 4 minutes, took 5; predicted 1.2 GB, needed 1.1.` Nothing where one of the two is not known."""
    if not forecast:
        return ""
    told = []
    minutes, took = forecast.get("minutes"), outputs.get("minutes")
    if _is_number(minutes) and _is_number(took):
        told.append(f"predicted {duration(minutes)}, took {duration(took)}")
    gb, needed = forecast.get("gb"), outputs.get("memory_gb")
    if _is_number(gb) and _is_number(needed):
        told.append(f"predicted {gigabytes(gb)} of memory, needed {gigabytes(needed)}")
    words = "; ".join(told)
    return f"{words[:1].upper()}{words[1:]}." if words else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Sentences and numbers that more than one tab shows, and the words that can be translated."""

import time
from datetime import datetime

import gradio as gr

from facet.work.fairness import Turn
from facet.work.log import Progress
from facet.work.task import Where

# English is written here; other languages add a dictionary with the same keys.
ENGLISH = {
    "data": "Data",
    "train": "Train",
    "chat": "Chat",
    "test": "Test",
    "publish": "Publish",
    "runs": "Runs",
    "guide": "Guide",
    "hero_start": "Tune the starter model now",
    "hero_mine": "Now with my own data",
    "hero_talk": "Talk to it",
    "hero_see": "See the run",
    "daylight": "Light or dark",
}


def languages() -> gr.I18n:
    return gr.I18n(en=ENGLISH)


STAGE_WORDS: dict[str, str] = {
    "waiting": "Waiting its turn",
    "preparing": "Getting ready",
    "running": "Learning",
    "paused": "Paused",
    "interrupted": "Interrupted",
    "finished": "Finished",
    "failed": "Stopped by a fault",
}
STAGE_LOOKS: dict[str, str] = {"preparing": "running", "interrupted": "paused"}  # which chip, where it has none


def stage_look(stage: str) -> str:
    return STAGE_LOOKS.get(stage, stage)


def count(number: int, thing: str, things: str | None = None) -> str:
    """`1 example`, `1,200 examples`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
    """`40 seconds`, `3 minutes`, `2 hours 10 minutes`: as exact as anybody needs."""
    seconds = max(0, round(seconds))
    if seconds < 10:
        return "a few seconds"
    if seconds < 100:
        return f"{round(seconds / 5) * 5} seconds"
    minutes = round(seconds / 60)
    if minutes < 100:
        return count(minutes, "minute")
    hours, rest = divmod(minutes, 60)
    return count(hours, "hour") + (f" {count(rest, 'minute')}" if rest and hours < 10 else "")


def short_duration(seconds: float) -> tuple[str, str]:
    """A number and its unit, for an instrument: `("6", "min")`."""
    seconds = max(1, round(seconds))
    if seconds < 100:
        return f"{seconds}", "s"
    return (f"{round(seconds / 60)}", "min") if seconds < 6000 else (f"{seconds / 3600:.1f}", "h")


def ago(moment: float, now: float | None = None) -> str:
    """When something was made, as one would say it."""
    seconds = (now or time.time()) - moment
    if seconds < 90:
        return "just now"
    if seconds < 3600:
        return f"{round(seconds / 60)} minutes ago"
    if seconds < 86_400:
        return f"{count(round(seconds / 3600), 'hour')} ago"
    return datetime.fromtimestamp(moment).strftime("%-d %B %Y" if hasattr(time, "tzset") else "%d %B %Y")


def number(value: float | None, digits: int = 3) -> str:
    """A measured number with sensible digits, or a dash."""
    if value is None:
        return "–"
    return (
        f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}" if abs(value) < 1e-3 else f"{value:.{digits}f}"
    )


def size(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.1f} million"


CLOSABLE = "You may close this page; the run goes on."
KEEP_OPEN = "Keep this page open: it asks for the card in your name. Whenever you come back, it goes on."


def back_at(moment: float, now: float | None = None) -> str:
    """`at about 14:20, in 3 hours`."""
    left = max(0.0, moment - (now or time.time()))
    return f"at about {datetime.fromtimestamp(moment):%H:%M}, in {duration(left)}"


def waiting_words(progress: Progress, turn: Turn | None) -> str:
    """For one that waits for this machine."""
    gave_way = progress.out_of_time and progress.step > 0
    others = "It gives way to others for a minute and goes on by itself." if gave_way else ""
    begins = "" if gave_way else "It begins as soon as the machine is free."
    place = f"{turn.words[:1].upper()}{turn.words[1:]}." if turn else begins
    return f"{others} {place}".strip()


def stage_sentence(progress: Progress, where: Where = "local", turn: Turn | None = None) -> str:
    """What is happening, and for how long it may. `turn` is its place in the line for this machine."""
    stays = CLOSABLE if where == "local" else KEEP_OPEN
    if progress.until and progress.stage == "paused":
        return (
            f"{progress.words} There may be more {back_at(progress.until)}; then it goes on by itself while this page "
            "is open. Nothing is lost."
        )
    if progress.stage == "waiting" and where == "zerogpu":
        return f"{progress.words or 'It begins as soon as a card is free.'} {stays}"
    match progress.stage:
        case "waiting":
            return f"{waiting_words(progress, turn)} {stays}"
        case "preparing":
            return f"{progress.words or 'Getting ready'}. Step 1 comes after that."
        case "running" if not any(progress.curves.values()):
            return f"The first look at the validation part comes before step 1. {stays}"
        case "running":
            return f"It learns on {progress.where or 'this computer'}. {stays}"
        case "paused":
            step = progress.checkpoint or 0
            return f"{progress.words or 'Paused.'} Nothing is lost; “Resume” goes on from step {step:,}."
        case "interrupted":
            return "The machine stopped it. It goes on by itself from the last save point."
        case "finished" if progress.outputs.get("ended") == "no gain":
            return "It stopped by itself, because more steps brought nothing. What it had learned is kept."
        case "finished" if progress.early:
            return "It was stopped early, and what it had learned is kept."
        case "finished":
            return "It took all of its steps."
    return ""

"""Answers on the way, as a strip: a prompt, and what was said to it step by step, with new words marked."""

from difflib import SequenceMatcher

from markupsafe import Markup

from facet.ui.markup import clip, html, join, section
from facet.work.log import Progress

MOST_SHOWN = 6  # of one prompt: the first, the last, and some between
LONGEST = 400  # characters
Answers = list[tuple[int, str]]


def describe_samples(progress: Progress) -> Markup:
    if not progress.samples:
        return Markup("")
    words = "The same prompts, asked again on the way. Words that are new are marked."
    strips = join(_strip(prompt, answers) for prompt, answers in progress.samples.items())
    return section("What it says by now", words) + html('<div class="f-strips">{}</div>', strips)


def _strip(prompt: str, answers: Answers) -> Markup:
    shown, left_out = chosen(runs_of(answers))
    lines, before = [], None
    for first, last, text in shown:
        lines.append(html("<li><b>{}</b><span>{}</span></li>", _when(first, last), changed(before, text)))
        before = text
    if left_out:
        lines.insert(-1, html('<li class="f-between"><b></b><span>{} more between</span></li>', left_out))
    return html('<section class="f-strip"><h4>{}</h4><ol>{}</ol></section>', clip(prompt, 300), join(lines))


def runs_of(answers: Answers) -> list[tuple[int, int, str]]:
    """The same answer several times in a row is one: (its first step, its last step, the text)."""
    found: list[tuple[int, int, str]] = []
    for step, text in answers:
        if found and found[-1][2] == text:
            found[-1] = (found[-1][0], step, text)
        else:
            found.append((step, step, text))
    return found


def chosen(found: list[tuple[int, int, str]]) -> tuple[list[tuple[int, int, str]], int]:
    """Those that are shown, and how many are left out."""
    if len(found) <= MOST_SHOWN:
        return found, 0
    places = {round(at * (len(found) - 1) / (MOST_SHOWN - 1)) for at in range(MOST_SHOWN)}
    return [found[place] for place in sorted(places)], len(found) - len(places)


def _when(first: int, last: int) -> str:
    if first == 0:
        return "Before training" if last == 0 else f"Before, to step {last:,}"
    return f"Step {first:,}" if first == last else f"Step {first:,} to {last:,}"


def changed(before: str | None, text: str) -> Markup:
    """The text, with the words marked that the answer before did not have there."""
    words = clip(text, LONGEST).split(" ") if text else []
    if not words:
        return Markup("<i>nothing</i>")
    if before is None:
        return html("{}", " ".join(words))
    parts = []
    for what, _, _, start, end in SequenceMatcher(None, clip(before, LONGEST).split(" "), words, False).get_opcodes():
        if start < end:
            parts.append(html("{}" if what == "equal" else "<mark>{}</mark>", " ".join(words[start:end])))
    return join(parts, " ")

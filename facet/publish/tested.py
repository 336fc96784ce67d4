"""What a model's card says of its test: the verdict in a sentence, what it rests on, and what one should know of it."""

from dataclasses import dataclass, field
from typing import Final

from facet.publish.plain import inline, table

PART_WORDS: Final = {"validation": "validation (looked at during training)", "exam": "exam (never looked at before)"}
COLOURS: Final = {"green": "No worse", "amber": "Not sure", "red": "Worse"}


@dataclass(frozen=True)
class Tested:
    """A finished test of a run beside its untouched model. Every text may hold words of a person."""

    part: str
    questions: int
    verdict: str
    type_reason: str = ""
    metrics: list[tuple[str, str, str]] = field(default_factory=list)  # name, untouched, tuned: as people read them
    light: tuple[str, str] | None = None  # colour and reason: is it worse elsewhere?
    notes: list[str] = field(default_factory=list)


def tested(facts: Tested) -> str:
    """Markdown."""
    where = inline(PART_WORDS.get(facts.part, facts.part), 60)
    pieces = [f"**{inline(facts.verdict, 600)}**"]
    if facts.metrics:
        heads = [f"{facts.questions:,} questions of the {where} part", "untouched", "tuned"]
        rows = [[inline(name, 120), before, f"**{after}**"] for name, before, after in _plain(facts)]
        pieces += [
            f"{inline(facts.type_reason, 300)} Everybody answered the same questions, greedily.",
            table(heads, rows),
        ]
    if facts.light:
        colour, words = facts.light
        pieces.append(f"Elsewhere: **{COLOURS.get(colour, 'Not sure')}.** {inline(words, 900)}")
    if facts.notes:
        pieces.append("\n".join(f"- {inline(note, 400)}" for note in facts.notes))
    return "\n\n".join(pieces)


def _plain(facts: Tested) -> list[tuple[str, str, str]]:
    return [(name, inline(before, 40) or "–", inline(after, 40) or "–") for name, before, after in facts.metrics]

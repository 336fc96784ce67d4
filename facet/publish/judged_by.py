"""What a model's card says of a judge: who it was, what it went by, how far it agrees with itself, and its verdict."""

from dataclasses import dataclass, field

from facet.publish.plain import code, inline


@dataclass(frozen=True)
class JudgedBy:
    """A judging that is over. Holds no answer and nothing a person wrote: `usual` says whether the rubric was ours."""

    judge: str  # "Google Gemini"
    model: str  # its name there; "" where that is nobody else's business
    questions: int
    part: str
    pairs: bool  # two answers compared, or else a score for each
    usual: bool
    rubric: str  # our own words for what counts
    agreement: str  # a sentence
    verdicts: list[str] = field(default_factory=list)  # sentences
    marks: list[tuple[str, float]] = field(default_factory=list)  # name and mean score
    notes: list[str] = field(default_factory=list)


def judged_by(facts: JudgedBy) -> str:
    """Markdown."""
    model = f" ({code(facts.model, 120)})" if facts.model else ""
    did = "compared the answers in pairs, both ways round" if facts.pairs else "gave every answer a score from 1 to 10"
    wording = inline(facts.rubric, 600) if facts.usual else "by what its maker had written down as counting"
    goes_by = f"It went by this: {wording}" if facts.usual else f"It went {wording}."
    verdicts = " ".join(f"**{inline(words, 600)}**" for words in facts.verdicts)
    marks = ", ".join(f"{inline(name, 80)} {mean:.1f}" for name, mean in facts.marks)
    asked = f"{facts.questions:,} questions of the {inline(facts.part, 40)} part"
    pieces = [
        f"A judge, {inline(facts.judge, 80)}{model}, read the answers to {asked} and {did}. {goes_by}",
        " ".join(piece for piece in (verdicts, f"Average scores: {marks}." if marks else "") if piece),
        inline(facts.agreement, 400),
        "\n".join(f"- {inline(note, 400)}" for note in facts.notes),
    ]
    return "\n\n".join(piece for piece in pieces if piece)

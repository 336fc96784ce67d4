"""The numbers of a test as a table in plain words, what the model may have lost, and what was noted on the way."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from facet.exam import scores
from facet.exam.general import FAMILY_WORDS
from facet.exam.metric_words import METRICS, written
from facet.exam.outcome import Contestant, General, Outcome, Scored
from facet.ui.exam_charts import mix_ups, order
from facet.ui.exam_verdict import metric_of, telling_part
from facet.ui.markup import clip, each, html, join, note, section, table

PART_HEADS = {"validation": "Validation", "exam": "Exam"}
ALWAYS = (  # name, plain words, what it means, digits, expert's word
    ("loss", "Surprise at the right answers", "Per word piece. Lower is better.", 3, "loss, nats per token"),
    ("perplexity", "Choices it hesitates between", "Per word piece. 1 would be certain.", 1, "perplexity"),
    ("bits_per_token", "The same in bits", "Yes-or-no questions per word piece.", 2, "bits per token"),
)
ENDLESS = (
    ("never_stopped", "Answers that never ended", "Cut off at the longest length."),
    ("repeating", "Answers that go round in circles", "The same words again and again."),
)
FIRST = ("rows", "perplexity", "never_stopped", "repeating")
LIGHTS = {
    "green": ("good", "✓", "Nothing was lost beyond what chance explains."),
    "amber": ("warn", "!", "Look closer."),
    "red": ("error", "✗", "It got worse at other things."),
}


def describe_numbers(outcome: Outcome) -> Markup:
    """The part that counts in sight, the other one folded away."""
    first = telling_part(outcome)
    others = [part for part in outcome.parts if part != first]
    folded = join(
        html("<details><summary>{}</summary>{}</details>", PART_HEADS.get(part, part), numbers_of(outcome, part))
        for part in others
    )
    return numbers_of(outcome, first) + folded


def numbers_of(outcome: Outcome, part: str) -> Markup:
    """What most people want to know, and the other ways to measure it folded away."""
    keys = order(outcome, part)
    if not keys:
        return Markup("")
    scored = [outcome.parts[part][key] for key in keys]
    heads = ("Measured", *(outcome.contestants[key].name for key in keys))
    main = next((one.metric for one in outcome.verdicts if one.part == part), scores.main(outcome.type))
    looks = {column: _column_look(outcome.contestants[key]) for column, key in enumerate(keys, start=1)}
    lines = list(_lines(scored, main))
    first = [_row(line, main) for line in lines if line.name in (main, *FIRST)]
    more = [_row(line, main) for line in lines if line.name not in (main, *FIRST)]
    caption = f"What was measured on the {part} part"
    folded = html("<details><summary>More ways to measure it</summary>{}</details>", table(caption, heads, more, looks))
    return table(caption, heads, first, looks) + (folded if more else Markup(""))


def _column_look(contestant: Contestant) -> str:
    return "right" if contestant.is_untouched else "right tuned"


@dataclass(frozen=True)
class _Line:
    name: str
    label: str
    plain: str
    expert: str
    values: list[str]


def _row(line: _Line, main: str) -> list[object]:
    mark = html(' <span class="f-main">the verdict rests on this</span>') if line.name == main else ""
    small = html('<br><span class="f-small">{}</span>', line.plain) if line.plain else ""
    term = html('<small class="f-term">{}</small>', line.expert) if line.expert else ""
    return [html("{}{}{}{}", line.label, mark, small, term), *line.values]


def _lines(scored: list[Scored], main: str) -> Iterable[_Line]:
    """Every line of the table, that of the verdict first."""
    yield _Line("rows", "Questions", "", "", [f"{one.rows:,}" for one in scored])
    there = {name for one in scored for name in one.metrics}
    places = {name: place for place, name in enumerate(METRICS)}
    for name in sorted(there, key=lambda name: (name != main, places.get(name, len(places)))):
        known = metric_of(name)
        yield _Line(
            name, known.label, known.plain, known.expert, [shown(name, one.metrics.get(name)) for one in scored]
        )
    for name, label, plain, digits, expert in ALWAYS:
        values = [f"{getattr(one, name):,.{digits}f}" if one.tokens else "–" for one in scored]
        if any(one.tokens for one in scored):
            yield _Line(name, label, plain, expert, values)
    for name, label, plain in ENDLESS:
        yield _Line(name, label, plain, "", [f"{getattr(one, name):,}" for one in scored])


def shown(metric: str, value: float | None) -> str:
    """A measured value with its unit."""
    if value is None or value != value:
        return "–"
    return written(metric, value)


def describe_mix_ups(name: str, scored: Scored, labels: tuple[str, ...]) -> Markup:
    """The heading of the pictures: what is taken for what, in words, since a picture of many labels cannot be read."""
    if not scored.confusion:
        return section("How well it tells the labels apart", CURVES)
    found = [
        html("<li>“{}” taken for “{}”: {:,} of {:,}</li>", clip(right, 40), clip(answered, 40), times, of)
        for right, answered, times, of in mix_ups(scored, labels)
    ]
    head = section(f"What {name} takes for what", f"{MATRIX} {CURVES if scored.roc else ''}")
    return head + (html('<ul class="f-mixed">{}</ul>', join(found)) if found else html("<p>It mixed up nothing.</p>"))


MATRIX = (
    "In each line of the left picture stands a right label, and where its answers went; a full diagonal is perfect."
)
CURVES = "The curves show how many right ones are found for how many false alarms: the higher, the better (ROC curve)."


# ---- did it get worse at other things?


def describe_general(outcome: Outcome) -> Markup:
    """A light for each model that was changed, its reason, and the families of questions it rests on."""
    if not outcome.general:
        return note(
            "Not checked this time.", "Tick “Also ask our general questions” before the test to see what tuning costs."
        )
    keys = sorted(outcome.general, key=lambda key: not outcome.contestants[key].is_untouched)
    lit = join(_light(outcome, key) for key in keys if key in outcome.lights)
    names = [outcome.contestants[key].name for key in keys]
    looks = {column: _column_look(outcome.contestants[key]) for column, key in enumerate(keys, start=1)}
    found = [outcome.general[key] for key in keys]
    summary = table("Our general questions", ("Measured", *names), _sums(found), looks)
    families = table("Right answers by kind of question", ("Kind of question", *names), _families(found), looks)
    return lit + summary + html("<details><summary>By kind of question</summary>{}</details>", families)


def _light(outcome: Outcome, key: str) -> Markup:
    light = outcome.lights[key]
    look, sign, words = LIGHTS[light.colour]
    return html(
        '<div class="f-note {} f-light"><p><span aria-hidden="true">{}</span> <strong>{}: {}</strong> {}</p></div>',
        look,
        sign,
        outcome.contestants[key].name,
        words,
        light.words,
    )


def _sums(found: list[General]) -> Iterable[list[object]]:
    asked = max(sum(one.asked.values()) for one in found)
    rights = [sum(share * one.asked.get(family, 0) for family, share in one.shares.items()) for one in found]
    yield [f"Right answers, of {asked:,}", *[f"{right:.0f}" for right in rights]]
    yield ["Answers that go round in circles", *[f"{100 * one.repeating:.0f} %" for one in found]]
    yield ["Answers that never end", *[f"{100 * one.never_stopped:.0f} %" for one in found]]
    if any(one.kl is not None for one in found):
        head = html(
            'How far it has moved<br><span class="f-small">From the untouched model, per word piece.</span> '
            '<small class="f-term">KL divergence, nats per token</small>'
        )
        yield [head, *["–" if one.kl is None else f"{one.kl:.3f}" for one in found]]


def _families(found: list[General]) -> Iterable[list[object]]:
    for family in dict.fromkeys(name for one in found for name in one.shares):
        asked = max(one.asked.get(family, 0) for one in found)
        counts = [one.shares.get(family) for one in found]
        head = f"{FAMILY_WORDS.get(family, family)}, of {asked:,}"
        yield [head, *["–" if share is None else f"{share * asked:.0f}" for share in counts]]


def describe_notes(outcome: Outcome) -> Markup:
    """What a person should know about how it was measured."""
    return each('<div class="f-note"><p>{}</p></div>', outcome.notes)

"""Which model is better, as one sentence with what it rests on: who did better how often, and how large the gap is."""

import math
from collections.abc import Iterable

from markupsafe import Markup

from facet.exam.metric_words import METRICS, Metric
from facet.exam.outcome import Outcome, Verdict
from facet.exam.scores import is_right_or_wrong
from facet.ui.markup import html, join, note
from facet.ui.words import count

SIGNS = {"better": ("▲", "Better"), "worse": ("▼", "Worse"), "cannot_tell": ("≈", "Cannot tell")}
PART_WORDS = {"validation": "validation part", "exam": "exam"}
ROUND = (1, 2, 2.5, 5, 10)


def metric_of(name: str) -> Metric:
    """What is known of a metric; one of a later version is called by its own name."""
    return METRICS.get(name) or Metric(name.replace("_", " "), "", name, True, False)


def describe_verdicts(outcome: Outcome) -> Markup:
    """The verdicts of the part that counts: the exam, where there is one."""
    part = telling_part(outcome)
    verdicts = [each for each in outcome.verdicts if each.part == part]
    if not verdicts:
        return note("There is no verdict.", "A verdict compares two models on the same questions, and here is one.")
    if len(verdicts) == 1:
        return describe_verdict(outcome, verdicts[0])
    return describe_several(outcome, verdicts)


def telling_part(outcome: Outcome) -> str:
    parts = {each.part for each in outcome.verdicts} or set(outcome.parts)
    return "exam" if "exam" in parts or not parts else sorted(parts)[0]


def describe_verdict(outcome: Outcome, verdict: Verdict) -> Markup:
    sign, word = SIGNS[verdict.better]
    head = html(
        '<p class="f-judgement"><span aria-hidden="true">{}</span> {}</p><p class="f-sentence">{}</p>',
        sign,
        word,
        verdict.words,
    )
    evidence = html(
        '<div class="f-evidence"><div><h4>Question by question</h4>{}</div><div><h4>How large is it</h4>{}</div></div>',
        describe_wins(outcome, verdict),
        describe_span(outcome, verdict, reach([verdict])),
    )
    return html(
        '<section class="f-judged {}" aria-label="The verdict">{}{}<p class="f-sure-of-it">{}</p></section>',
        verdict.better,
        head,
        evidence,
        describe_certainty(verdict),
    )


def describe_wins(outcome: Outcome, verdict: Verdict) -> Markup:
    """A bar of three lengths, each named with its number."""
    a, b = (outcome.contestants[key].name for key in (verdict.a, verdict.b))
    right = is_right_or_wrong(verdict.metric)
    words = (
        ("win", verdict.wins, f"only {b} right" if right else f"{b} better"),
        ("tie", verdict.ties, "both right or both wrong" if right else "the same"),
        ("loss", verdict.losses, f"only {a} right" if right else f"{a} better"),
    )
    spoken = ", ".join(f"{number:,} {words_}" for _, number, words_ in words)
    bars = join(html('<i class="{}" style="flex-grow:{}"></i>', look, number) for look, number, _ in words if number)
    keys = join(html('<li class="{}"><b>{:,}</b> {}</li>', look, number, words_) for look, number, words_ in words)
    return html('<div class="f-wins" role="img" aria-label="{}">{}</div><ul class="f-keys">{}</ul>', spoken, bars, keys)


def describe_span(outcome: Outcome, verdict: Verdict, half: float) -> Markup:
    """The difference and the range it may lie in, on a scale with zero in the middle; to the right is better."""
    a, b = (outcome.contestants[key].name for key in (verdict.a, verdict.b))
    return html(
        '{}<div class="f-span-ends"><span>← {} better</span><span>{} better →</span></div><p>{}</p>',
        span(verdict, half),
        a,
        b,
        describe_range(verdict),
    )


def span(verdict: Verdict, half: float) -> Markup:
    low, middle, high = oriented(verdict)
    left, right, dot = (50 + 50 * max(-1.0, min(1.0, value / half)) for value in (low, high, middle))
    return html(
        '<div class="f-span {}" role="img" aria-label="{}"><b></b><i style="left:{:.2f}%;width:{:.2f}%"></i>'
        '<s style="left:{:.2f}%"></s><em>{}</em><em>0</em><em>{}</em></div>',
        verdict.better,
        describe_range(verdict).striptags(),
        left,
        max(0.5, right - left),
        dot,
        signed(verdict.metric, -half),
        signed(verdict.metric, half),
    )


def oriented(verdict: Verdict) -> tuple[float, float, float]:
    """Low end, difference and high end, so that more is better for `b` whatever is measured."""
    if metric_of(verdict.metric).higher_is_better:
        return verdict.low, verdict.difference, verdict.high
    return -verdict.high, -verdict.difference, -verdict.low


def reach(verdicts: Iterable[Verdict]) -> float:
    """Half the width of a scale on which all of them can be seen, as a round number."""
    ends = [abs(value) for each in verdicts for value in oriented(each) if math.isfinite(value)]
    most = max(ends, default=0.0) * 1.05 or 0.1
    unit = 10 ** math.floor(math.log10(most))
    return next(step * unit for step in ROUND if step * unit >= most * 0.999)


def describe_range(verdict: Verdict) -> Markup:
    """`+47 points of right labels, likely between +32 and +61.`"""
    low, middle, high = (signed(verdict.metric, value) for value in oriented(verdict))
    known = metric_of(verdict.metric)
    unit = " points" if known.is_share else ""
    return html("<b>{}{}</b> on “{}”, likely between {} and {}{}.", middle, unit, known.label, low, high, unit)


def signed(metric: str, value: float) -> str:
    """A difference with its sign; shares count in points, hundredths of the whole."""
    if not metric_of(metric).is_share:
        return _minus(f"{value:+.2f}")
    points = 100 * value
    return _minus(f"{points:+.0f}" if abs(points) >= 9.95 else f"{points:+.1f}")


def _minus(words: str) -> str:
    return "0" if not words.strip("+-0.") else words.replace("-", "−")


def describe_certainty(verdict: Verdict) -> Markup:
    """What chance alone would do, and the expert's words for all of it."""
    chance = f"If both were equally good, chance alone would give a gap like this in {odds(verdict.p)} tests."
    if verdict.better == "cannot_tell":
        chance += " More questions tell more: four times as many halve the range."
    test = "exact McNemar test" if is_right_or_wrong(verdict.metric) else "paired bootstrap"
    several = f", corrected for {verdict.comparisons} comparisons at once" if verdict.comparisons > 1 else ""
    p = "p < 0.0001" if verdict.p < 1e-4 else f"p = {verdict.p:.2g}"
    metric = metric_of(verdict.metric).expert or verdict.metric
    return html(
        '{} <small class="f-term">{}, {}{}; 95 % confidence interval; {} on the {}</small>',
        chance,
        test,
        p,
        several,
        metric,
        PART_WORDS.get(verdict.part, verdict.part),
    )


def odds(p: float) -> str:
    """`about 1 of 250`, `about 30 of 100`."""
    if p < 1e-4:
        return "fewer than 1 of 10,000"
    return f"about 1 of {round(1 / p):,}" if p < 0.05 else f"about {round(100 * p)} of 100"


# ---- several models


def describe_several(outcome: Outcome, verdicts: list[Verdict]) -> Markup:
    """Who leads and how surely, then every pair on the same scale."""
    half, rows = reach(verdicts), []
    for each in verdicts:
        sign, word = SIGNS[each.better]
        rows.append(
            html(
                '<li class="{}"><div><p class="f-judgement"><span aria-hidden="true">{}</span> {}</p>'
                '<p><strong>{}</strong> <span class="f-small">against {}</span></p></div>'
                '<div>{}<p class="f-small">{}</p></div><p>{} {}</p></li>',
                each.better,
                sign,
                word,
                outcome.contestants[each.b].name,
                outcome.contestants[each.a].name,
                span(each, half),
                describe_range(each),
                each.words,
                html('<small class="f-term">{}</small>', _tally(each)),
            )
        )
    look, words = leader_words(outcome, verdicts)
    return html(
        '<section class="f-judged {}" aria-label="The verdict"><p class="f-sentence">{}</p><ul class="f-pairs">{}</ul>'
        '<p class="f-sure-of-it">{}</p></section>',
        look,
        words,
        join(rows),
        _about_many(verdicts),
    )


def _tally(verdict: Verdict) -> str:
    p = "p < 0.0001" if verdict.p < 1e-4 else f"p = {verdict.p:.2g}"
    return f"{verdict.wins:,} won, {verdict.ties:,} even, {verdict.losses:,} lost; {p}"


def _about_many(verdicts: list[Verdict]) -> Markup:
    metric = metric_of(verdicts[0].metric)
    at_once = max(each.comparisons for each in verdicts)
    several = (
        f"Whoever compares often finds something by chance, so each of the {at_once} comparisons must be clearer than "
        "a single one would have to be."
    )
    if len({each.a for each in verdicts}) == 1:
        several += " The others were not compared with one another."
    term = f"{metric.expert}; p corrected for {count(at_once, 'comparison')}; 95 % confidence intervals"
    return html('{} <small class="f-term">{}</small>', several if at_once > 1 else "", term)


def leader_words(outcome: Outcome, verdicts: list[Verdict]) -> tuple[str, str]:
    """How the whole looks, and one sentence that claims no more than the pairs show."""
    part, metric = verdicts[0].part, verdicts[0].metric
    leader = best_of(outcome, part, metric)
    if leader is None:
        return "cannot_tell", "Here is how the models compare."
    name = outcome.contestants[leader].name
    beaten = [other for other, better in _against(leader, verdicts) if better == "better"]
    unclear = [other for other, better in _against(leader, verdicts) if better == "cannot_tell"]
    among = f"Of {count(len(outcome.contestants), 'model')}, {name} did best on the {PART_WORDS.get(part, part)}"
    surely = f"it is better than {_listed(outcome, beaten)}" if beaten else ""
    doubt = f"whether it is better than {_listed(outcome, unclear)} cannot be told" if unclear else ""
    said = ", and ".join(filter(None, (surely, doubt)))
    return ("better" if beaten else "cannot_tell"), f"{among}: {said}." if said else f"{among}."


def best_of(outcome: Outcome, part: str, metric: str) -> str | None:
    values = {key: one.metrics[metric] for key, one in outcome.parts.get(part, {}).items() if metric in one.metrics}
    chosen = max if metric_of(metric).higher_is_better else min
    return chosen(values, key=lambda key: values[key]) if values else None


def _against(leader: str, verdicts: list[Verdict]) -> list[tuple[str, str]]:
    """Who the leader was compared with, and how it came out from the leader's side."""
    turned = {"better": "worse", "worse": "better"}
    found = [(each.a, each.better) for each in verdicts if each.b == leader]
    return found + [(each.b, turned.get(each.better, each.better)) for each in verdicts if each.a == leader]


def _listed(outcome: Outcome, keys: list[str]) -> str:
    names = [outcome.contestants[key].name for key in keys]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

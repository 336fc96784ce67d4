"""What a judge found, as it is shown: who won, how far it agrees with itself, and what it said of each question."""

from collections.abc import Iterable

from markupsafe import Markup

from facet.exam import providers
from facet.exam.assignment import Assignment
from facet.exam.judge import Judgement
from facet.exam.judged import Duel, Judged, agreement_words
from facet.exam.outcome import Verdict
from facet.judge_door import JudgedRow
from facet.judging import Judging
from facet.ui.exam_verdict import SIGNS, describe_certainty, describe_range, reach, span
from facet.ui.markup import clip, each, html, join, note, table, track, trouble
from facet.ui.words import ago, count

STAGES = {"working": "Judging", "paused": "Paused", "done": "Finished"}
CHIPS = {"working": "running", "paused": "paused", "done": "finished"}
MODES = {"score": "a mark for each answer", "pairs": "which of two is better"}
LONGEST = 700  # characters of a text in the table
NAMES = {known.id: known.name for known in providers.offered(at_home=True)}


def judge_name(assignment: Assignment) -> str:
    return f"{NAMES.get(assignment.provider, assignment.provider)}: {assignment.model}"


def judging_label(one: Judging) -> str:
    return f"{judge_name(one.assignment)}, {MODES[one.assignment.mode]} ({ago(one.assignment.made)})"


def describe_judging(one: Judging, found: Judged | None) -> Markup:
    """`found` is None while it works: whoever looks at a verdict on its way is tempted to stop where it pleases."""
    share = 100 * one.done / one.of if one.of else 0
    head = html(
        '<div class="f-stage"><h3>{}</h3><span class="f-chip {}">{}</span></div><p role="status">{}</p>',
        judge_name(one.assignment),
        CHIPS[one.stage],
        STAGES[one.stage],
        f"{one.done:,} of {count(one.of, 'call')} done",
    )
    if one.stage == "working":
        words = (
            "Pausing: answers on their way are waited for." if one.stopping else "The verdict comes when all is judged."
        )
        return head + track(share, "Progress of the judging") + note(words)
    failure = trouble(one.failure) if one.failure else Markup("")
    early = (
        note("This is not finished.", "Whoever stops a test when its result pleases is easily fooled.", "warn")
        if one.stage == "paused" and found and found.verdicts
        else Markup("")
    )
    return head + failure + early + (describe_judged(found) if found and found.done else Markup(""))


def describe_judged(found: Judged) -> Markup:
    verdicts = join(_verdict(found, each_) for each_ in found.verdicts)
    notes = join(note("Mind this.", words, "warn") for words in found.notes)
    return html(
        '{}{}<div class="f-means"><div><h4>Does the judge agree with itself?</h4><p>{}</p></div>'
        "<div><h4>What it read</h4><p>{}</p></div></div>{}",
        verdicts or note("There is no verdict.", "Too few questions were judged on both sides."),
        _marks(found),
        agreement_words(found),
        _spent(found),
        notes,
    )


def _verdict(found: Judged, verdict: Verdict) -> Markup:
    sign, word = SIGNS[verdict.better]
    a, b = found.assignment.names[verdict.a], found.assignment.names[verdict.b]
    duel = next((each_ for each_ in found.duels if (each_.a, each_.b) == (verdict.a, verdict.b)), None)
    ends = html('<div class="f-span-ends"><span>← {} better</span><span>{} better →</span></div>', a, b)
    return html(
        '<section class="f-judged {}" aria-label="The judge’s verdict"><p class="f-judgement"><span aria-hidden="true">'
        '{}</span> {}</p><p class="f-sentence">{}</p><div class="f-evidence"><div><h4>Question by question</h4>{}</div>'
        '<div><h4>How large is it</h4>{}{}<p>{}</p></div></div><p class="f-sure-of-it">{}</p></section>',
        verdict.better,
        sign,
        f"{word}, says the judge" if verdict.better != "cannot_tell" else word,
        verdict.words,
        _bar(verdict, duel, a, b),
        span(verdict, reach([verdict])),
        ends,
        describe_range(verdict),
        describe_certainty(verdict),
    )


def _bar(verdict: Verdict, duel: Duel | None, a: str, b: str) -> Markup:
    words = (
        ("win", verdict.wins, f"{b} better"),
        ("tie", verdict.ties, "a tie" if duel else "the same mark"),
        ("loss", verdict.losses, f"{a} better"),
    )
    spoken = ", ".join(f"{number:,} {said}" for _, number, said in words)
    bars = join(html('<i class="{}" style="flex-grow:{}"></i>', look, number) for look, number, _ in words if number)
    keys = join(html('<li class="{}"><b>{:,}</b> {}</li>', look, number, said) for look, number, said in words)
    flips = html("<p>{}</p>", _ties(duel)) if duel and (duel.flips or duel.unusable) else Markup("")
    return html(
        '<div class="f-wins" role="img" aria-label="{}">{}</div><ul class="f-keys">{}</ul>{}', spoken, bars, keys, flips
    )


def _ties(duel: Duel) -> str:
    flips = f"{count(duel.flips, 'tie')} because the judge changed its mind with the order. " if duel.flips else ""
    left = f"{count(duel.unusable, 'question')} left out, unreadable or refused." if duel.unusable else ""
    return flips + left


def _marks(found: Judged) -> Markup:
    if not found.marks:
        return Markup("")
    rows = [
        (one.name, "–" if one.mean is None else f"{one.mean:.1f}", f"{one.judged:,}", one.unparsable, one.refused)
        for one in found.marks.values()
    ]
    heads = ("Model", "Mark, 1 to 10", "Answers judged", "Unreadable", "Refused")
    return table("Marks of the judge", heads, rows, dict.fromkeys(range(1, 5), "right"))


def _spent(found: Judged) -> str:
    read = f"{count(found.done, 'call')}"
    if not found.tokens_in:
        return f"{read}. How many word pieces that were, the judge did not say."
    return f"{read}: {found.tokens_in:,} word pieces read, {found.tokens_out:,} written. The cost is unknown to Facet."


def describe_rows(assignment: Assignment, rows: Iterable[JudgedRow], start: int, matching: int) -> Markup:
    shown = list(rows)
    if not shown:
        return Markup("")
    head = f"{start + 1:,} to {start + len(shown):,} of {count(matching, 'question')}"
    cases = join(_case(assignment, row) for row in shown)
    return html('<p class="f-small" role="status">{}</p><div class="f-examined">{}</div>', head, cases)


def _case(assignment: Assignment, row: JudgedRow) -> Markup:
    example = row.example
    sides = join(_side(assignment, row, key) for key in assignment.names if key in example.answers)
    said = each("<li>{}</li>", [_said(assignment, one) for one in row.judgements])
    return html(
        '<article class="f-case"><header><span class="f-small">row {:,}</span><p>{}</p><p class="f-right">'
        '<b>Right answer</b>{}</p></header><div><div class="f-answers">{}</div><ul class="f-said">{}</ul></div>'
        "</article>",
        example.row,
        clip(example.question, LONGEST),
        clip(example.expected, LONGEST),
        sides,
        said,
    )


def _side(assignment: Assignment, row: JudgedRow, key: str) -> Markup:
    marks = [one.score for one in row.judgements if one.a == key and one.score is not None and not one.wording]
    text = row.example.answers[key].strip()
    return html(
        '<div class="f-side {}"><h4>{} {}</h4><p>{}</p></div>',
        "" if any(key == a for a, _ in assignment.pairs) or not assignment.pairs else "tuned",
        assignment.names[key],
        html('<span class="f-mark">{:g} of 10</span>', marks[0]) if marks else "",
        clip(text, LONGEST) if text else "(it said nothing)",
    )


def _said(assignment: Assignment, one: Judgement) -> str:
    names = assignment.names
    if one.b:
        where = f"{names.get(one.first, '?')} first"
    else:
        where = f"{names.get(one.a, '?')}{', asked again' if one.wording else ''}"
    if one.status != "judged":
        instead = f": “{clip(one.reason, 300)}”" if one.reason else ""
        return f"{where}: {'it refused' if one.status == 'refused' else 'its answer could not be read'}{instead}"
    verdict = f"{one.score:g} of 10" if one.score is not None else _winner(names, one)
    return f"{where}: {verdict}. {clip(one.reason, 300)}"


def _winner(names: dict[str, str], one: Judgement) -> str:
    return "a tie" if one.better == "tie" else f"{names.get(one.better, '?')} is better"

"""Copies, contradictions and overlaps: what is wrong with examples beside each other."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.doctor.findings import MOST_ROWS, Severity, Tally, finding, fix, rows_words
from facet.dataset.doctor.ledger import EXAM, VALIDATION, Ledger
from facet.dataset.doctor.lengths import texts_at
from facet.dataset.doctor.view import PARTS

MOST_ANSWERS = 20  # of one question; with more, it is an open one, such as “Write a poem.”
_SHORT_ANSWER = 80
_FEWEST_ROWS = 10
Why = Callable[[int], str | None]


def among(folder: Path, ledger: Ledger) -> list[dict[str, Any]]:
    """All findings that need every example."""
    total = len(ledger.part)
    if total > 1 and len(np.unique(ledger.whole)) == 1:
        return [_identical(folder, ledger)]
    found = [_repeats(folder, ledger), _near_repeats(folder, ledger), _contradictions(folder, ledger)]
    found += [_overlap(folder, ledger, EXAM), _overlap(folder, ledger, VALIDATION)]
    return [each for each in found if each]


def tally_of(folder: Path, ledger: Ledger, where: np.ndarray, why: Why = lambda at: None, near: bool = False) -> Tally:
    """The rows of some examples, shown with their texts."""
    tally = Tally()
    starts = np.searchsorted(ledger.part, np.arange(len(PARTS)))
    at = np.flatnonzero(where)[:MOST_ROWS]
    for part, name in enumerate(PARTS):
        mine = [int(each) for each in at if ledger.part[each] == part]
        texts = texts_at(folder, name, [each - int(starts[part]) for each in mine])
        for each in mine:
            tally.add(name, *texts[each - int(starts[part])], why(each))
    tally.count = int(where.sum())
    return tally


def _identical(folder: Path, ledger: Ledger) -> dict[str, Any]:
    tally = tally_of(folder, ledger, np.ones(len(ledger.part), dtype=bool))
    words = f"All {len(ledger.part):,} examples are the same one. There is nothing to learn from them but that."
    repairs = [fix("Keep one of them", "Leaves out every copy but the first.", "drop_duplicates")]
    return finding("identical", "Every example is the same", words, tally, len(ledger.part), "error", repairs)


def _repeats(folder: Path, ledger: Ledger) -> dict[str, Any] | None:
    where = ledger.repeats()
    if not where.any():
        return None
    total = len(ledger.part)
    words = f"{rows_words(int(where.sum()), total)} are copies of another one, letter by letter. "
    words += "What is there twice is learned twice."
    drop = fix("Leave the copies out", "Keeps the first of equal examples.", "drop_duplicates")
    tally = tally_of(folder, ledger, where, _same_as(ledger, ledger.whole))
    return finding("duplicates", "Copies", words, tally, total, "warning", [drop])


def _same_as(ledger: Ledger, keys: np.ndarray) -> Why:
    def why(at: int) -> str | None:
        first = int(np.flatnonzero(keys == keys[at])[0])
        return f"as row {int(ledger.row[first]):,}" if first != at else None

    return why


def _near_repeats(folder: Path, ledger: Ledger) -> dict[str, Any] | None:
    if ledger.near is None or not (where := ledger.near_repeats()).any():
        return None
    total = len(ledger.part)
    words = (
        f"{rows_words(int(where.sum()), total)} say almost the same as an earlier one: other capitals or punctuation, "
        "a misspelled word, one word in twelve exchanged, or a few words more at the start or the end. Their numbers "
        "and names are the same."
    )
    drop = fix(
        "Leave the near copies out", "Keeps the first of those that say almost the same.", "drop_near_duplicates"
    )
    tally = tally_of(folder, ledger, where, _same_as(ledger, ledger.near))
    severity: Severity = "warning" if where.sum() > 0.01 * total else "note"
    return finding("near_duplicates", "Near copies", words, tally, total, severity, [drop])


def _contradictions(folder: Path, ledger: Ledger) -> dict[str, Any] | None:
    where = ledger.contradictions(MOST_ANSWERS)
    if not where.any():
        return None
    total = len(ledger.part)
    is_short = float(np.median(ledger.length[where])) <= _SHORT_ANSWER
    at = np.flatnonzero(where)
    order = at[np.argsort(ledger.matter[at], kind="stable")]  # the same question beside itself
    tally = _in_order(folder, ledger, order)
    words = f"{rows_words(int(where.sum()), total)} ask what another one asks, and give another answer. "
    words += "One of them may be wrong." if is_short else "That is fine where several answers are good ones."
    repairs = [
        fix("Keep the most common answer", "Keeps, of each such question, the answer that occurs most often, "
            "or the first of equally common ones.", "resolve_conflicts", keep="most_common"),
        fix("Keep the first answer", "Keeps the answer that comes first.", "resolve_conflicts", keep="first"),
        fix("Leave all of them out", "Leaves out every such question.", "resolve_conflicts", keep="none"),
    ]  # fmt: skip
    severity: Severity = "warning" if is_short else "note"
    return finding("conflicts", "Same question, different answers", words, tally, total, severity, repairs)


def _in_order(folder: Path, ledger: Ledger, order: np.ndarray) -> Tally:
    shown = order[:MOST_ROWS]
    where = np.zeros(len(ledger.part), dtype=bool)
    where[shown] = True
    tally = tally_of(folder, ledger, where)
    rank = {(PARTS[int(ledger.part[at])], int(ledger.row[at])): number for number, at in enumerate(shown)}
    tally.rows.sort(key=lambda row: rank[row["part"], row["row"]])
    tally.count = len(order)
    return tally


def _overlap(folder: Path, ledger: Ledger, other: int) -> dict[str, Any] | None:
    where = ledger.overlap(other)
    if not where.any():
        return None
    exact = int(ledger.overlap(other, near=False).sum())
    name = "the exam" if other == EXAM else "the validation part"
    learned = int((ledger.part < other).sum())
    words = f"{rows_words(int(where.sum()), learned)} to learn from are in {name} too"
    words += f", {int(where.sum()) - exact:,} of them in other words. " if where.sum() > exact else ". "
    words += "The result would look better than it is." if other == EXAM else "The curve would look better than it is."
    label = "Leave them out of the training"
    part = PARTS[other]
    drop = fix(
        label, f"Leaves out what {name} has as well. {name.capitalize()} stays as it is.", "drop_overlap", part=part
    )
    code = "exam_overlap" if other == EXAM else "validation_overlap"
    title = "Known before the exam" if other == EXAM else "Validation examples among those to learn"
    return finding(code, title, words, tally_of(folder, ledger, where), len(ledger.part), "warning", [drop])


def spread(ledger: Ledger, kind: str) -> list[dict[str, Any]]:
    """One answer for everything, and a few answers that take most of the learning."""
    here = ledger.mended
    if kind in ("text", "prompt_only") or here.sum() < _FEWEST_ROWS or len(np.unique(ledger.whole)) == 1:
        return []
    return [*_one_answer(ledger, here), *_long_answers(ledger, here, kind)]


def _one_answer(ledger: Ledger, here: np.ndarray) -> list[dict[str, Any]]:
    answers, counts = np.unique(ledger.answer[here], return_counts=True)
    most, total = int(counts.max()), int(here.sum())
    if most < 0.9 * total:
        return []
    words = (
        f"All {total:,} examples have the same answer. The model would learn to say it, whatever is asked."
        if len(answers) == 1
        else f"{rows_words(most, total)} have the same answer. A model that always says it would be right as often."
    )
    severity: Severity = "error" if len(answers) == 1 else "warning"
    return [finding("one_answer", "One answer for nearly everything", words, Tally(most), total, severity)]


def _long_answers(ledger: Ledger, here: np.ndarray, kind: str) -> list[dict[str, Any]]:
    lengths = np.sort(ledger.length[here])[::-1]
    few = max(1, len(lengths) // 100)
    share = float(lengths[:few].sum()) / max(1, int(lengths.sum()))
    if kind == "unpaired_preference" or share < 0.25 or share * len(lengths) < 20 * few:
        return []
    words = (
        f"The {few:,} longest of {len(lengths):,} answers hold {share:.0%} of all that is learned. "
        f"They are longer than {int(lengths[few - 1]) - 1:,} characters."
    )
    limit = int(lengths[few - 1]) - 1
    drop = fix(
        "Leave the longest out",
        f"Leaves out answers of more than {limit:,} characters.",
        "drop_longer",
        characters=limit,
    )
    severity: Severity = "warning" if share >= 0.5 else "note"
    return [
        finding(
            "long_answers", "A few answers take most of the learning", words, Tally(few), len(lengths), severity, [drop]
        )
    ]

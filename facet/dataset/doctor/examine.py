"""One walk over a prepared dataset, and everything that was seen on it."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from facet.dataset.conversation import texts_of
from facet.dataset.doctor import private
from facet.dataset.doctor.checks import BY_CODE, CHECKS
from facet.dataset.doctor.duplicates import among, spread
from facet.dataset.doctor.findings import Tally, finding, fix, rows_words
from facet.dataset.doctor.language import Languages
from facet.dataset.doctor.ledger import Ledger, Writing
from facet.dataset.doctor.lengths import lengths, over_long, refused
from facet.dataset.doctor.spellings import Spellings
from facet.dataset.doctor.view import PARTS, View, kind_of, views
from facet.dataset.progress import report
from facet.dataset.statistics import labels, most_common, summary
from facet.dataset.store import length, part_file
from facet.workspace import read_json

_RANKS = {"error": 0, "warning": 1, "note": 2}
_REPORT_EVERY_ROWS = 5_000
_SHORT = 4  # characters of an answer
_LONG_ANSWERS = 60  # characters of most answers, for such a short one to be odd
_UNEVEN_LABELS = 10  # times as many of one as of another


def examine(dataset_folder: str, model_folder: str | None = None, max_length: int | None = None) -> dict[str, Any]:
    """Look for what spoils a training. Findings are sorted: errors, warnings, notes; each `code` occurs once.

    With a model, `statistics` holds lengths in its tokens and over-long examples are looked for.
    """
    folder = Path(dataset_folder)
    total = sum(length(part_file(folder, part)) for part in PARTS)
    walk = _Walk(kind_of(folder), total)
    for part, row, seen in views(folder, walk.kind):
        walk.see(part, row, seen)
    report("comparing the examples with each other")
    ledger = walk.writing.ledger()
    found = [*walk.findings(), *among(folder, ledger), *spread(ledger, walk.kind), *_short_answers(ledger, walk)]
    known = labels(folder)
    found += _uneven(known) if known and not any(each["code"] == "one_answer" for each in found) else []
    found += _unusable(folder, total)
    statistics: dict[str, Any] = {
        "parts": {part: length(part_file(folder, part)) for part in PARTS},
        "labels": most_common(known),
    }
    if model_folder is not None:
        report("measuring the examples in tokens")
        measured = lengths(folder, model_folder, max_length)
        found += over_long(folder, measured, max_length) + refused(folder, measured)
        statistics = summary(folder, measured)
    found.sort(key=lambda each: (_RANKS[each["severity"]], -each["count"]))
    return {"findings": found, "examined": total, "statistics": statistics}


class _Walk:
    """What is counted while every example passes by once."""

    def __init__(self, kind: str, total: int) -> None:
        self.kind, self.total, self.seen = kind, total, 0
        self.tallies = {check.code: Tally() for check in CHECKS}
        self.private, self.private_kinds = Tally(), Counter[str]()
        self.short = Tally()
        self.languages = Languages(total)
        self.spellings = Spellings()
        self.writing = Writing(near=True)

    def see(self, part: str, row: int, seen: View) -> None:
        for check in CHECKS:
            if why := check.why(seen):
                self.tallies[check.code].add(part, row, _text(seen), why)
        self._look_for_private(part, row, seen)
        if 0 < len(seen.answer.strip()) < _SHORT and not BY_CODE["missing"].why(seen):
            self.short.add(part, row, _text(seen), f"“{seen.answer.strip()}”")
        self.languages.see(part, row, seen)
        self.spellings.see(part, row, seen)
        self.writing.note(part, row, seen)
        self.seen += 1
        if self.seen % _REPORT_EVERY_ROWS == 0:
            report(f"{self.seen:,} of {self.total:,} examples examined")

    def _look_for_private(self, part: str, row: int, seen: View) -> None:
        kinds = {each.kind for text in texts_of(seen.example) for each in private.find(text)}
        if kinds:
            self.private_kinds.update(kinds)
            named = ", ".join(sorted(private.KINDS[kind] for kind in kinds))
            self.private.add(part, row, private.shortened(_texts(seen)), named)

    def findings(self) -> list[dict[str, Any]]:
        found = []
        for check in CHECKS:
            tally = self.tallies[check.code]
            if tally.count:
                words = f"{rows_words(tally.count, self.total)} {check.words}"
                repairs = list(check.repairs)
                found.append(finding(check.code, check.title, words, tally, self.total, check.severity, repairs))
        return [*found, *self._private(), *self.languages.findings(), *self.spellings.findings(self.total)]

    def _private(self) -> list[dict[str, Any]]:
        if not self.private.count:
            return []
        named = ", ".join(f"{private.KINDS[kind]} ({number:,})" for kind, number in self.private_kinds.most_common())
        about = rows_words(self.private.count, self.total)
        words = f"{about} hold private data: {named}. A model can learn them by heart and say them to anyone."
        repairs = [
            fix("Put placeholders", "Writes [e-mail], [phone] and so on in their place.", "mask_private"),
            fix("Leave these examples out", "Leaves out every example with private data.", "drop_private"),
        ]
        return [finding("private", "Private data", words, self.private, self.total, "warning", repairs)]


def _text(seen: View) -> str:
    if seen.kind == "text":
        return seen.answer
    return f"{seen.question[:150]} → {seen.answer[:150]}" if seen.question else seen.answer


def _texts(seen: View) -> str:
    return "\n".join(texts_of(seen.example))


def _short_answers(ledger: Ledger, walk: _Walk) -> list[dict[str, Any]]:
    share = walk.short.count / max(1, walk.total)
    if not walk.short.count or share > 0.05 or float(np.median(ledger.length)) < _LONG_ANSWERS:
        return []
    words = f"{rows_words(walk.short.count, walk.total)} have an answer of fewer than {_SHORT} letters, "
    words += f"where half of all answers have {int(np.median(ledger.length)):,} and more."
    drop = fix("Leave these examples out", "Leaves out answers that are so short.", "drop_shorter", characters=_SHORT)
    return [finding("short_answers", "Very short answers", words, walk.short, walk.total, "note", [drop])]


def _uneven(known: dict[str, int]) -> list[dict[str, Any]]:
    counts = list(known.values())
    total = sum(counts)
    if counts[0] < _UNEVEN_LABELS * counts[-1] and counts[0] < 0.8 * total:
        return []
    most, fewest = next(iter(known)), list(known)[-1]
    words = (
        f"“{most}” is the answer of {rows_words(counts[0], total)}, “{fewest}” of {counts[-1]:,}. "
        "What is rare is learned less well."
    )
    severity = "warning" if counts[0] >= 0.8 * total else "note"
    return [finding("uneven_labels", "Labels of very different number", words, Tally(counts[0]), total, severity)]


def _unusable(folder: Path, total: int) -> list[dict[str, Any]]:
    """What preparing left out, which is not in the parts any more."""
    try:
        about = read_json(folder / "dataset.json")
    except (FileNotFoundError, ValueError):
        return []
    count = int(about.get("unusable") or 0)
    if not count:
        return []
    reasons = ", ".join(f"in {number:,} {words}" for words, number in list((about.get("reasons") or {}).items())[:3])
    words = f"{count:,} of {about['rows_in']:,} rows of the source could not be used: {reasons}. They are in no part."
    return [finding("unusable", "Rows that could not be used", words, Tally(count), about["rows_in"], "note")]

"""Labels that are written in several ways, such as “Spam”, “spam” and “SPAM”: they are learned as different ones."""

import re
from collections import Counter
from typing import Any

from facet.dataset.conversation import Example
from facet.dataset.doctor.findings import MOST_ROWS, Tally, finding, fix, rows_words
from facet.dataset.doctor.view import View

_LONGEST_LABEL = 80  # characters
_MOST_SPELLINGS = 600
_MOST_LABELS = 200
_FEWEST_OF_EACH = 8  # examples, on the average, of one label
_MOST_NAMED = 4
_OUTER = re.compile(r"^[\s\"'“”‘’*`]+|[\s\"'“”‘’*`.!,;:]+$")
_LISTED = re.compile(r"^(?P<before>[^:\n]{10,80}: )(?P<labels>[^\n]+)\.$")


def folded(label: str) -> str:
    """What is the same in all spellings of a label."""
    return " ".join(re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", _OUTER.sub("", label)).casefold().split()) or label


class Spellings:
    """Counts the answers, as long as they can be labels; of each it keeps where it was first seen."""

    def __init__(self) -> None:
        self.counts: Counter[str] | None = Counter()  # None: these are no labels
        self.rows: dict[str, list[tuple[str, int, str]]] = {}

    def see(self, part: str, row: int, seen: View) -> None:
        if self.counts is None or part == "exam":
            return
        label = label_of(seen.example)
        if label is None or len(label) > _LONGEST_LABEL or len(self.counts) > _MOST_SPELLINGS:
            self.counts, self.rows = None, {}
            return
        self.counts[label] += 1
        places = self.rows.setdefault(label, [])
        if len(places) < MOST_ROWS:
            places.append((part, row, seen.question))

    def best(self) -> dict[str, str]:
        """For each spelling that is to be changed, the most common one of the same label."""
        if self.counts is None:
            return {}
        groups: dict[str, list[str]] = {}
        for label in self.counts:
            groups.setdefault(folded(label), []).append(label)
        if not 2 <= len(groups) <= _MOST_LABELS or self.counts.total() < _FEWEST_OF_EACH * len(groups):
            return {}
        first = {label: place for place, label in enumerate(self.counts)}
        kept = {key: min(group, key=lambda each: (-self.counts[each], first[each])) for key, group in groups.items()}
        return {label: kept[folded(label)] for label in self.counts if label != kept[folded(label)]}

    def findings(self, total: int) -> list[dict[str, Any]]:
        best = self.best()
        if not best or self.counts is None:
            return []
        tally = Tally()
        for label, right in best.items():
            for part, row, question in self.rows[label]:
                tally.add(part, row, f"{question[:150]} → {label}", f"“{label}” is mostly written “{right}”")
        tally.count = sum(self.counts[label] for label in best)
        named = ", ".join(f"“{label}” for “{right}”" for label, right in list(best.items())[:_MOST_NAMED])
        more = f" and {len(best) - _MOST_NAMED} more" if len(best) > _MOST_NAMED else ""
        words = f"{rows_words(tally.count, total)} have a label in another spelling than most: {named}{more}. "
        words += "The model would learn them as different labels."
        unify = fix("Use one spelling", "Writes each label as it is written most often.", "unify_labels")
        return [finding("spellings", "Labels in several spellings", words, tally, total, "warning", [unify])]


def label_of(example: Example) -> str | None:
    """The one answer of an example; None where there is none, or several."""
    answers = [turn for turn in example["messages"] if turn["role"] == "assistant"]
    if len(answers) != 1 or answers[0].get("tool_calls") or {"chosen", "label", "text"} & example.keys():
        return None
    return answers[0]["content"] if example["messages"][-1] is answers[0] else None


def unified(example: Example, best: dict[str, str]) -> Example:
    """The example with its label in the usual spelling, also where the instruction lists the labels."""
    messages = [
        {**turn, "content": _rewritten(turn["role"], turn["content"], best)} for turn in example["messages"]
    ]  # fmt: skip
    return {**example, "messages": messages} if messages != example["messages"] else example  # type: ignore[typeddict-item]


def _rewritten(role: str, text: str, best: dict[str, str]) -> str:
    if role == "assistant":
        return best.get(text, text)
    listed = _LISTED.match(text) if role == "system" else None
    if listed is None or not any(label in best for label in listed["labels"].split(", ")):
        return text
    labels = dict.fromkeys(best.get(label, label) for label in listed["labels"].split(", "))
    return f"{listed['before']}{', '.join(labels)}."

"""Examples in another language than nearly all others."""

from collections import Counter
from typing import Any

from facet.dataset.doctor.findings import Tally, finding, fix, rows_words
from facet.dataset.doctor.view import View
from facet.dataset.languages import language_of

MOST_EXAMINED = 20_000
_FEWEST_LETTERS = 60
_MAIN_SHARE = 0.7  # of the examples whose language is known, to be the language of the data
_FEWEST_KNOWN = 20
_WARNED_SHARE = (0.02, 0.3)
NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
_NEIGHBOURS = ({"no", "nb", "nn", "da"}, {"hr", "sr", "bs"}, {"id", "ms"}, {"gl", "pt", "es"}, {"cs", "sk"})


def language(seen: View) -> str | None:
    """The language of an example, by its answer, or its question where that is short; None where it is unclear."""
    for text in (seen.answer, seen.question):
        if "```" not in text and sum(map(str.isalpha, text[:1_000])) >= _FEWEST_LETTERS:
            return language_of([text])
    return None


def is_foreign(seen: View, main: str) -> bool:
    """Whether an example is surely in another language; closely related ones are not told apart."""
    found = language(seen)
    return found is not None and found != main and not any({found, main} <= group for group in _NEIGHBOURS)


class Languages:
    """Counts languages, of all examples or of evenly spread ones."""

    def __init__(self, total: int) -> None:
        self.every = max(1, -(-total // MOST_EXAMINED))
        self.total, self.passed = total, 0
        self.known: Counter[str] = Counter()
        self.first: dict[str, Tally] = {}

    def see(self, part: str, row: int, seen: View) -> None:
        self.passed += 1
        if self.passed % self.every:
            return
        if found := language(seen):
            self.known[found] += 1
            self.first.setdefault(found, Tally()).add(part, row, seen.answer or seen.question, NAMES.get(found, found))

    def findings(self) -> list[dict[str, Any]]:
        known = self.known.total()
        if known < _FEWEST_KNOWN:
            return []
        main, count = self.known.most_common(1)[0]
        group = set().union(*(each for each in _NEIGHBOURS if main in each))
        others = {code: number for code, number in self.known.items() if code != main and code not in group}
        if not others or count < _MAIN_SHARE * known:
            return self._mixed(others) if others else []
        odd = sum(others.values())
        tally = Tally(odd * self.every, [row for code in others for row in self.first[code].rows][:20])
        low, high = _WARNED_SHARE
        about = rows_words(tally.count, self.total, self.every > 1)
        words = f"{about} are not in {_name(main)}, the language of nearly all others, but in {_named(others)}."
        drop = fix(
            f"Keep {_name(main)} only",
            f"Leaves out the examples that are surely not in {_name(main)}; short and unclear ones stay.",
            "keep_language",
            language=main,
        )
        severity = "warning" if low <= odd / known <= high else "note"
        return [finding("languages", "Another language here and there", words, tally, self.total, severity, [drop])]

    def _mixed(self, others: dict[str, int]) -> list[dict[str, Any]]:
        words = f"The examples are in several languages: {_named(dict(self.known))}. That is fine if it is meant."
        rows = [row for code in self.known for row in self.first[code].rows[:4]][:20]
        tally = Tally(self.known.total() * self.every, rows)
        return [finding("languages", "Several languages", words, tally, self.total, "note")]


def _name(code: str) -> str:
    return NAMES.get(code, code)


def _named(counts: dict[str, int]) -> str:
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]
    return ", ".join(f"{_name(code)} ({number:,})" for code, number in most)

"""Programs that decide whether an answer to a general question is right.

Each takes the answer, what the question's `check` tells it, and the question itself. They read past a manner of speech:
“Arr! It be Paris!” still names Paris. What a form asks for, they hold to the letter.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_OUTSIDE = " \t\r\n.,;:!?\"'`*_()[]。！？、।"
_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER = re.compile(
    rf"\d+(?:\.\d+)?|\b(?:{'|'.join(_TENS)})[- ](?:{'|'.join(_UNITS[1:10])})\b|\b(?:{'|'.join(_TENS + _UNITS)})\b"
)
_REFUSAL = re.compile(
    r"\b(?:i|we)(?:'m| am| be|'re| are)?(?: (?:really|just|also|only))? ?(?:can't|cannot|can not|couldn't|could not"
    r"|won't|will not|don't|do not|not|unable|never heard|know (?:nothing|not)|haven't|have (?:no|not|never)|refuse)\b"
    r"|\bonly you\b|\b(?:does not|doesn't|do not|don't) (?:really )?exist\b"
    r"|\bas an ai\b|\b(?:fictional|fictitious|imaginary|made[- ]up|invented)\b|\b(?:illegal|against the law)\b"
    r"|\bno (?:such|known|country|place|city|person|capital|currency|information|record)\b"
    r"|\b(?:does not|doesn't) (?:appear|seem) to\b"
    r"|(?:\bnot|n't) (?:an? )?(?:\w+ly )?(?:real|known|recogni[sz]ed|familiar)\b|\bsorry\b.{0,12}\bno\b"
)
_LATIN = ("en", "de", "fr", "es", "it", "pt", "nl")
_SCRIPTS = {"zh": "CJK", "hi": "DEVANAGARI"}


def passes(text: str, check: Mapping[str, Any], asked: str) -> bool:
    """Whether an answer passes every check of a question. Nothing at all is never right."""
    return bool(text.strip()) and all(CHECKS[name](text, told, asked) for name, told in check.items())


def plain(text: str) -> str:
    """One way to write each letter and quotation mark, small letters, no marks of Markdown."""
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).casefold()
    return re.sub(r"[*_`]+", "", text)


def _has(text: str, any_of: list[str], asked: str) -> bool:
    return any(_says(plain(text), plain(wanted)) for wanted in any_of)


def _says(text: str, wanted: str) -> bool:
    """As a word of its own; Chinese and Hindi put no space, or marks that are no letters, around their words."""
    if not all(unicodedata.name(letter, "").startswith("LATIN") for letter in wanted if letter.isalpha()):
        return wanted in text
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text) is not None


def _has_all(text: str, groups: list[list[str]], asked: str) -> bool:
    return all(_has(text, any_of, asked) for any_of in groups)


def _lacks(text: str, none_of: list[str], asked: str) -> bool:
    return not _has(text, none_of, asked)


def _equals(text: str, any_of: list[str], asked: str) -> bool:
    return plain(text).strip(_OUTSIDE) in any_of


def _matches(text: str, pattern: str, asked: str) -> bool:
    return re.search(pattern, text.strip()) is not None


def _number(text: str, wanted: float, asked: str) -> bool:
    """The last number that the answer adds to those of the question; written as a word or in digits."""
    known = _numbers(asked)
    added = [number for number in _numbers(text) if number not in known]
    return added[-1:] == [wanted]


def _numbers(text: str) -> list[float]:
    return [_value(found) for found in _NUMBER.findall(plain(text).replace(",", ""))]


def _value(written: str) -> float:
    if written[0].isdigit():
        return float(written)
    words = re.split("[- ]", written)
    return float(sum(_UNITS.index(word) if word in _UNITS else 10 * (_TENS.index(word) + 2) for word in words))


def _names(text: str, told: Mapping[str, Any], asked: str) -> bool:
    """Exactly so many things of a list, and each once."""
    return sum(_says(plain(text), name) for name in told["of"]) == told["count"]


def _json(text: str, wanted: Mapping[str, str | list[str]], asked: str) -> bool:
    """One JSON object and nothing else, fence aside, in which each key says what it should."""
    bare = re.sub(r"\A\s*```(?:json)?\s*|\s*```\s*\Z", "", text)
    try:
        found = json.loads(bare)
    except (ValueError, RecursionError):
        return False
    if not isinstance(found, dict):
        return False
    return all(
        _has(str(found.get(key, "")), [any_of] if isinstance(any_of, str) else any_of, asked)
        for key, any_of in wanted.items()
    )


def _refuses(text: str, wanted: bool, asked: str) -> bool:
    """Does it say that it cannot, will not or does not know? A heuristic; its own examples are tests."""
    return bool(_REFUSAL.search(plain(text))) is wanted


def _most_words(text: str, most: int, asked: str) -> bool:
    return len(text.split()) <= most


def _language(text: str, wanted: str, asked: str) -> bool:
    """Told by the script where that is enough, and among a few European languages by letters in a row."""
    letters = [letter for letter in text if letter.isalpha()]
    for language, script in _SCRIPTS.items():
        written = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
        if 2 * written > len(letters):
            return language == wanted
    return wanted in _LATIN and bool(letters) and _identifier().classify(text)[0] == wanted


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(_LATIN))
    return identifier


CHECKS: dict[str, Callable[[str, Any, str], bool]] = {
    "has": _has,
    "has_all": _has_all,
    "lacks": _lacks,
    "equals": _equals,
    "matches": _matches,
    "number": _number,
    "names": _names,
    "json": _json,
    "refuses": _refuses,
    "most_words": _most_words,
    "language": _language,
}

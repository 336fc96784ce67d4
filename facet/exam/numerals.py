"""The number an answer ends in, however it is written: 1,234.5 · 1.234,5 · −3 · 3/4 · 1½ · 50 % · $2 million."""

import math
import re
import unicodedata
from dataclasses import dataclass

from facet.exam.spoken import after_cue, spoken

_SPACE = "\u00a0\u202f\u2009 "
_TIMES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "Millionen": 1e6, "Milliarden": 1e9}
_NUMBER = re.compile(
    rf"""(?<![\w.,/^])
    (?P<sign>(?<![\w)])[-−–+]\s?)?
    (?:[$€£¥₹]\s?(?P<late>[-−–])?)?
    (?P<body>
        \d{{1,3}}(?:[,'’{_SPACE}]\d{{3}})+(?!\d)(?:\.\d+)?   # 1,234,567.8 and 1 234 567
      | \d{{1,3}}(?:\.\d{{3}}){{2,}}(?!\d)(?:,\d+)?          # 1.234.567,8
      | \d{{1,3}}(?:\.\d{{3}})+,\d+                          # 1.234,5
      | \d+(?:[.,]\d+)? | \.\d+
    )
    (?:\s*/\s*(?P<below>\d+)(?![\d/]) | \s(?P<above>\d+)\s*/\s*(?P<below2>\d+)(?![\d/]))?
    (?:[eE](?P<exponent>[-+]?\d{{1,4}}) | \s?[×x*·]\s?10\s?\^\s?\{{?(?P<power>[-−+]?\d{{1,4}})\}}?)?
    (?:\s?(?P<percent>%|percent\b|Prozent\b) | [\s-]?(?P<times>{"|".join(_TIMES)})\b)?
    """,
    re.VERBOSE,
)
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{\s*(\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_VULGAR = re.compile(r"(\d)?\s?([¼-¾⅐-⅞])")
_UNIT = re.compile(r"(?:\s?[^\W\d]+[²³23]?|\s?°\s?\w?|\s?[/.€$£¥%]){0,4}")
_FEWEST_DECIMALS = 2  # from here on a rounded number counts as the number


@dataclass(frozen=True)
class Number:
    value: float
    percent: bool = False
    decimals: int | None = 0  # as written; None for a fraction, which goes on for ever


def final_number(text: str) -> Number | None:
    """The number an answer gives: announced by "####", \\boxed{…} or "The answer is", or else the last one of the text.

    >>> final_number("5 + 7 = 12, so she has 12 apples.").value, final_number("It is -1,234.5 km.").value
    (12.0, -1234.5)
    """
    answer = _plain(spoken(text))
    if cue := after_cue(answer):
        announced = list(_NUMBER.finditer(cue.rpartition("=")[2]))
        if announced:
            return _number(announced[0])
    found = list(_NUMBER.finditer(answer))
    return _number(found[-1]) if found else None


def only_number(text: str) -> Number | None:
    """The number where a text holds nothing else but a unit; as in the answers of data about numbers."""
    answer = _plain(text.strip())
    if "####" in answer or "\\boxed" in answer:
        return final_number(answer)
    found = _NUMBER.match(answer)
    return _number(found) if found and _UNIT.fullmatch(answer[found.end() :].rstrip(".")) else None


def same_number(right: Number, given: Number) -> bool:
    """Whether two numbers are the same; also 50 % and 0.5, and 0.67 and 2/3, which is rounded to what is written."""
    if _close(right, given):
        return True
    if right.percent == given.percent:
        return False
    share, other = (right, given) if right.percent else (given, right)
    hundredth = Number(share.value / 100, decimals=None if share.decimals is None else share.decimals + 2)
    return _close(hundredth, other)


def _close(one: Number, other: Number) -> bool:
    if math.isclose(one.value, other.value, rel_tol=1e-9, abs_tol=1e-9):
        return True
    written = [number.decimals for number in (one, other) if number.decimals is not None]
    if not written or min(written) < _FEWEST_DECIMALS:
        return False
    return math.isclose(round(one.value, min(written)), round(other.value, min(written)), abs_tol=1e-12)


def _plain(text: str) -> str:
    """Fractions of one sign or of LaTeX as 3/4."""
    text = _LATEX_FRACTION.sub(r"\1/\2", text.replace("\\!", "").replace("{,}", ","))
    return _VULGAR.sub(lambda found: f"{found[1] or ''} {unicodedata.normalize('NFKC', found[2])}", text).replace(
        "⁄", "/"
    )


def _number(found: re.Match[str]) -> Number:
    value, below = float(_english(found["body"])), float(found["below"] or found["below2"] or 0)
    if found["below2"] and below:
        value += float(found["above"]) / below
    elif below:
        value /= below
    power = int((found["exponent"] or found["power"] or "0").replace("−", "-"))
    value *= 10.0 ** max(-300, min(300, power)) * _TIMES.get(found["times"] or "", 1)
    sign = -1 if (found["sign"] or found["late"] or "+").strip() != "+" else 1
    decimals = None if below else max(0, len(_english(found["body"]).partition(".")[2]) - power)
    return Number(sign * value, bool(found["percent"]), decimals)


def _english(body: str) -> str:
    """Digits with at most one point."""
    bare = re.sub(rf"['’{_SPACE}]", "", body)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", bare):
        return bare.replace(",", "")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+", bare):
        return bare.replace(".", "").replace(",", ".")
    return bare.replace(",", ".")

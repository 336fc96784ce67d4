"""Private data in texts: addresses, numbers and keys that a model should not learn by heart.

A number alone is hardly ever private; it counts when it is written, or introduced, as what it is, and its check digits
are right. `introduced` knows the words that come before passwords and dates of birth.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from facet.dataset.doctor import introduced

KINDS: dict[str, str] = {
    "e-mail": "e-mail addresses",
    "phone": "phone numbers",
    "key": "passwords of programs (API keys)",
    "card": "card numbers",
    "IBAN": "bank accounts",
    "SSN": "social security numbers",
    "password": "passwords",
    "birth date": "dates of birth",
    "IP": "addresses of computers (IP)",
}


class Private(NamedTuple):
    start: int
    end: int
    kind: str


def find(text: str) -> list[Private]:
    """Every place, in order, without overlaps."""
    found: list[Private] = []
    for each in sorted(_all(text), key=lambda place: (place.start, -place.end)):
        if not found or each.start >= found[-1].end:
            found.append(each)
    return found


def mask(text: str, kinds: frozenset[str] = frozenset(KINDS)) -> str:
    """The text with placeholders such as [e-mail] in place of what is private."""
    parts, at = [], 0
    for start, end, kind in find(text):
        if kind in kinds:
            parts += [text[at:start], f"[{kind}]"]
            at = end
    return "".join([*parts, text[at:]]) if parts else text


def shortened(text: str) -> str:
    """The text from a little before the first private place on."""
    start = max(0, find(text)[0].start - 80)
    return f"… {text[start:]}" if start else text


def _all(text: str) -> Iterator[Private]:
    if "@" in text:
        yield from _emails(text)
    if _KEY_START.search(text):
        yield from _keys(text)
    if _DIGITS.search(text):
        yield from _numbers(text)
    for look in (introduced.passwords, introduced.births, introduced.addresses):
        yield from (Private(*place) for place in look(text))


_EMAIL = re.compile(
    r"(?<![\w.+%/@-])[\w](?:[\w.+%-]{0,62}[\w+])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
    r"(?![\w@/]|:[\w/]|-\w|\.\w)"
)
_FILE_ENDS = frozenset("png jpg jpeg gif svg webp js css py md json txt ts tsx html yml yaml".split())
_NOBODY = re.compile(
    r"(?:your?|user|name|email|e-mail|test|info|me|someone|example|foo|bar|john|jane|doe|john\.?doe|jane\.?doe|noreply|"
    r"no-reply|your[._-]?(?:name|email)|user\w{0,4}|first\.last|firstname\.lastname|recipient|sender|admin|support|"
    r"contact|hello|git|myemail|abc|xyz|a|b|x|y)$",
    re.IGNORECASE,
)
_EXAMPLES = re.compile(
    r"(?:.*\.)?(?:example|domain|email|company|yourdomain|test|mail|website|site)\.\w+$", re.IGNORECASE
)


def _emails(text: str) -> Iterator[Private]:
    for found in _EMAIL.finditer(text):
        local, _, domain = found[0].rpartition("@")
        is_placeholder = _NOBODY.match(local) and (_EXAMPLES.match(domain) or local.lower() in ("git", "noreply"))
        if not is_placeholder and domain.rpartition(".")[2].lower() not in _FILE_ENDS and ".." not in local:
            yield Private(found.start(), found.end(), "e-mail")


_KEY_START = re.compile(
    r"hf_|sk-|sk_|rk_|AKIA|ASIA|gh[pousr]_|github_pat_|xox[baprs]-|AIza|glpat-|npm_|eyJ|BEGIN |SG\."
)
_KEY = re.compile(
    r"(?<![A-Za-z0-9_])(?:hf_[A-Za-z0-9]{30,60}|sk-(?:[a-z]{2,8}-)?[A-Za-z0-9_-]{20,200}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,99}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255}"
    r"|xox[baprs]-[A-Za-z0-9-]{20,200}|AIza[A-Za-z0-9_-]{35}|glpat-[A-Za-z0-9_-]{20,60}|npm_[A-Za-z0-9]{36}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"
    r"(?![A-Za-z0-9_])"
)
_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----.{40,}?"
    r"(?:-----END (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_FEWEST_LETTERS_OF_A_KEY = 9  # different ones; “sk-xxxxxxxxxxxxxxxxxxxx” stands for a key and is none


def _keys(text: str) -> Iterator[Private]:
    for found in _KEY.finditer(text):
        secret = re.split(r"[_-]", found[0])[-1] if found[0][:4] in ("sk_l", "sk_t", "rk_l", "rk_t") else found[0][4:]
        is_made_up = "EXAMPLE" in found[0] or "xxxx" in found[0].lower() or "your" in found[0].lower()
        has_digits = any(map(str.isdigit, secret))
        if not is_made_up and has_digits and len(set(secret)) >= _FEWEST_LETTERS_OF_A_KEY:
            yield Private(found.start(), found.end(), "key")
    for found in _BLOCK.finditer(text):
        yield Private(found.start(), found.end(), "key")


_DIGITS = re.compile(r"\d{2}(?:[^\n]{0,24}?\d){5}")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
_CARD = re.compile(
    r"(?<![\w.,/#-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}([ -]?)\d{6}\2\d{5})(?![\w/-]|[.,]\d)"
)
_CARD_WORDS = re.compile(
    r"card|visa|master|amex|american express|kreditkarte|carte|tarjeta|cvv|cvc|\bpan\b", re.IGNORECASE
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_SSN_WORDS = re.compile(r"social security|\bSSN\b", re.IGNORECASE)
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24,
    "SI": 19, "SK": 24, "TR": 26, "AE": 23, "BR": 29,
}  # fmt: skip


def _numbers(text: str) -> Iterator[Private]:
    for found in _IBAN.finditer(text):
        account = re.sub("[ -]", "", found[0])
        length = _IBAN_LENGTHS.get(account[:2], 0)
        if length and len(account) >= length and _is_iban(account[:length]):
            yield Private(found.start(), found.start() + _with_gaps(found[0], length), "IBAN")
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        is_written_so = bool(found[1] or found[2]) and len(digits) in (15, 16)
        if _is_card(digits) and (is_written_so or _CARD_WORDS.search(_before(text, found.start(), 60))):
            yield Private(found.start(), found.end(), "card")
    for found in _SSN.finditer(text):
        if _SSN_WORDS.search(_before(text, found.start(), 40)):
            yield Private(found.start(), found.end(), "SSN")
    yield from _phones(text)


def _before(text: str, at: int, most: int) -> str:
    return text[max(0, at - most) : at]


def _with_gaps(written: str, length: int) -> int:
    """How many characters of what was written hold so many letters and digits."""
    seen = 0
    for at, letter in enumerate(written, start=1):
        seen += letter not in " -"
        if seen == length:
            return at
    return len(written)


def _is_iban(account: str) -> bool:
    turned = account[4:] + account[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _is_card(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 2:
        return False
    known = re.match(r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|6011|65|64[4-9]|35|30[0-5]|3[689]", digits)
    doubled = [int(digit) for digit in digits[::-1]]
    total = sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(doubled))
    return bool(known) and total % 10 == 0


_PHONE = re.compile(
    r"(?<![\w.,:/#$€£=^*-])(?:\+|00|\()?\d(?:[\d().\s/–-]{5,22})\d(?![\w/%]|[.,:]\d|-\w| ?[+*/=^×€$£%])"
)
_CUE = re.compile(
    r"(?:\b(?:call|phone|tel|telephone|telefon|téléphone|teléfono|telefono|mobile|cell|fax|handy|whatsapp|sms|ring|reach|"
    r"hotline|dial|text|number is|rufen|anrufen|appel\w*|llam\w*|portable|móvil|mobil|contact)\b|☎|📞)[^\d\n]{0,40}$",
    re.IGNORECASE,
)
_OTHER_NUMBERS = re.compile(
    r"(?:\b(?:order|id|isbn|issn|serial|tracking|invoice|part|sku|ref|reference|ticket|case|version|v|article|art|model|"
    r"account|item|code|doi|patent|ean|upc|lot|date|between|from|equation|calculate|compute|sum)\b\.?|#|№|no\.|nr\.)"
    r"[^\d\n]{0,14}$",
    re.IGNORECASE,
)
_LOOKS_LIKE_ONE = re.compile(r"\(\d{3}\) ?\d{3}[-. ]\d{4}$|\d{3}-\d{3}-\d{4}$|\d{3}\.\d{3}\.\d{4}$")
_DATE = re.compile(r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "NL", "BR", "AU", "CH", "AT", "PL")


def _phones(text: str) -> Iterator[Private]:
    for found in _PHONE.finditer(text):
        written = found[0].rstrip("( ")
        digits = re.sub(r"\D", "", written)
        before = _before(text, found.start(), 60)
        if not 7 <= len(digits) <= 15 or "\n" in written or _DATE.match(written) or _OTHER_NUMBERS.search(before):
            continue
        is_international = written.startswith(("+", "00")) and len(set(digits)) > 2
        has_cue = bool(_CUE.search(before))
        if is_international and (written.startswith("+") or has_cue):
            is_phone = _is_valid("+" + digits if written[0] == "+" else "+" + digits[2:], None, has_cue)
        elif has_cue:
            is_phone = any(_is_valid(written, region) for region in _REGIONS)
        else:
            is_phone = bool(_LOOKS_LIKE_ONE.match(written)) and _is_valid(written, "US")
        if is_phone:
            yield Private(found.start(), found.start() + len(written), "phone")


def _is_valid(number: str, region: str | None, is_introduced: bool = False) -> bool:
    """Whether the number is in use; of one that is introduced as a phone number, whether it could be one."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
        return phonenumbers.is_possible_number(parsed) if is_introduced else phonenumbers.is_valid_number(parsed)
    except phonenumbers.NumberParseException:
        return False

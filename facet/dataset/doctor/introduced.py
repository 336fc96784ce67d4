"""What is private because of the words before it: passwords and dates of birth; and addresses of computers.

A password that is only letters counts in a line of credentials alone, and one that stands for any password never does.
"""

import ipaddress
import re
from collections.abc import Iterator

Place = tuple[int, int, str]  # from, to, kind

_PASSWORD_WORDS = re.compile(
    r"(?<![\w.$\[-])(?:pass ?word|passwd|pwd|pw|pass ?code|pass ?phrase|passwort|kennwort|contrase\u00f1a|"
    r"mot de passe|senha|\u043f\u0430\u0440\u043e\u043b\u044c|pin(?: code)?)['\"]?"
    r"(?P<said>\s?[:=]\s?|\s(?:is|was|ist|lautet|est|es)[: ]\s?)"
    r"(?P<quote>[\"'`\u201c]?)(?P<secret>[^\s\"'`\u201c\u201d<>]{4,64})",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"\b(?:user ?name|user|login|log-in|e-?mail|account|benutzer(?:name)?)\b", re.IGNORECASE)
_STANDS_FOR = re.compile(
    r"(?:(?:your|my|new|old|the|some|any|test|demo|example|sample|default|admin|root|user|dummy|fake|strong|secure)?"
    r"[-_]?(?:pass(?:word)?|pw|pwd|secret|p[a@]ss?w[o0]rd|changeme|change|letmein|qwerty|admin|test|foo|bar|abc|123456)"
    r"[-_]?(?:here|hash|field|goes|123!?|1234?5?6?|\d|!)?)|(.)\1{3,}.*|\.{3,}|[*\u2022x#_-]+|x{2,}.*|\d{1,2}|"
    r"1234(?:5(?:6(?:7(?:89?)?)?)?)?|0000|required|incorrect|correct|invalid|wrong|string|text|none|null|true|false|str",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"[A-Za-z_]\w*(?:\.\w+)+|[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+|.*[(){}\[\]$\\].*|.*://.*|[A-Za-z]+,.*|%\w"
)
_SIGNS = re.compile(r"[!@#%^&*?+~=\-_]")


def passwords(text: str) -> Iterator[Place]:
    for found in _PASSWORD_WORDS.finditer(text):
        secret = found["secret"].rstrip(".,;:)")
        if len(secret) >= 4 and _is_password(secret, found, text):
            yield found.start("secret"), found.start("secret") + len(secret), "password"


def _is_password(secret: str, found: re.Match[str], text: str) -> bool:
    if _STANDS_FOR.fullmatch(secret.rstrip("?")) or _CODE.fullmatch(secret):
        return False
    is_pin = found[0][:3].lower() == "pin"
    if is_pin or secret.isdecimal():
        is_marked = is_pin or ":" in found["said"] or "=" in found["said"]
        return secret.isdecimal() and is_marked and len(set(secret)) > 1 and (4 <= len(secret) <= 8 or not is_pin)
    letters, digits = any(map(str.isalpha, secret)), any(map(str.isdigit, secret))
    if letters and (digits or _SIGNS.search(secret[1:])) and len(secret) >= 6:
        return digits or bool(re.search(r"[!@#%^&*?+~=]", secret)) or secret.lower() != secret
    before = text[max(0, found.start() - 60) : found.start()].rpartition("\n\n")[2]
    return ":" in found["said"] and len(secret) >= 6 and bool(_CREDENTIALS.search(before)) and ":" in before


_MONTHS = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f\u00e9vrier|mar(?:ch|s|zo)?|m\u00e4rz|apr(?:il)?|avril|may|mai|"
    r"june?|juni|juin|july?|juli|juillet|aug(?:ust)?|ao\u00fbt|sep(?:t(?:ember|embre)?)?|o[ck]t(?:ober|obre)?|"
    r"nov(?:ember|embre)?|de[cz](?:ember)?|d\u00e9cembre|enero|febrero|abril|mayo|junio|julio|agosto|septiembre|"
    r"octubre|noviembre|diciembre)\.?"
)
_YEAR = r"(?P<year>19[2-9]\d|20[0-2]\d)"
_DAYS = (
    rf"\d{{1,2}}[./-]\s?\d{{1,2}}[./-]\s?{_YEAR}",
    rf"{_YEAR}[./-]\d{{1,2}}[./-]\d{{1,2}}",
    rf"\d{{1,2}}(?:st|nd|rd|th|\.)?\s(?:of\s|de\s)?{_MONTHS},?\s(?:de\s)?{_YEAR}",
    rf"{_MONTHS}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s{_YEAR}",
)
_DAY = re.compile(
    "|".join(f"(?:{day.replace('<year>', f'<year{number}>')})" for number, day in enumerate(_DAYS)), re.IGNORECASE
)
_BIRTH_WORDS = re.compile(
    r"\b(?:date of birth|d\.?o\.?b\b\.?|birth ?date|geburtsdatum|geb\.|date de naissance|fecha de nacimiento|"
    r"data di nascita|(?:my|our|his|her|'s) birthday|birthday(?=:)|"
    r"(?:I was|I am|I['\u2019]m|ich bin|ich wurde|je suis|patient|client|customer|applicant|employee|tenant)"
    r"(?:[^.\n\d]{0,30}\s)?(?:born|geboren|n\u00e9e?|nacid[oa]))"
    r"[^\d\n]{0,14}?(?=\d|" + _MONTHS + r"\s\d)",
    re.IGNORECASE,
)


def births(text: str) -> Iterator[Place]:
    for words in _BIRTH_WORDS.finditer(text):
        if day := _DAY.match(text, words.end()):
            yield day.start(), day.end(), "birth date"


_IP4 = re.compile(r"(?<![\w.,/=@-])(?:\d{1,3}\.){3}\d{1,3}(?!\.?\d|[\w/-]|\.[A-Za-z])")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){1,7}(?![\w:])")
_IP_WORDS = re.compile(
    r"\b(?:ip|ips|ip-adresse|address|adresse|host|server|client|from|visitor|login|logged|connect\w*|ping|ssh|proxy|"
    r"remote|user|request|router|blocked|banned)\b",
    re.IGNORECASE,
)
_VERSION_WORDS = re.compile(
    r"(?:\b(?:version|ver|v|release|build|section|chapter|firmware|update|driver|macos|windows|figure|paragraph|"
    r"clause|item|rule|table|step|part|id|oid|revision|patch|upgrade|number|no|nr|article|appendix|lemma|theorem|"
    r"exercise)\b\.?|\u00a7|#)[^\w\n]{0,3}(?:to |from )?$",
    re.IGNORECASE,
)
_OF_EVERYBODY = frozenset(
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 208.67.222.222 208.67.220.220 1.2.3.4 4.3.2.1".split()
)


def addresses(text: str) -> Iterator[Place]:
    """Addresses of computers on the internet; not those of a home, of examples, or of the well-known servers."""
    for found in _IP4.finditer(text):
        before = text[max(0, found.start() - 40) : found.start()]
        if _is_global(found[0]) and found[0] not in _OF_EVERYBODY and not _VERSION_WORDS.search(before):
            is_long = sum(len(part) > 1 for part in found[0].split(".")) >= 2 and len(found[0]) >= 10
            if is_long or _IP_WORDS.search(before):
                yield found.start(), found.end(), "IP"
    for found in _IP6.finditer(text):
        if ("::" in found[0] or found[0].count(":") == 7) and _is_global(found[0]):
            yield found.start(), found.end(), "IP"


def _is_global(written: str) -> bool:
    try:
        found = ipaddress.ip_address(written)
    except ValueError:
        return False
    return found.is_global and not found.is_multicast

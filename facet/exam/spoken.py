"""What of an answer is the answer: without the thoughts before it, and what stands after "The answer is"."""

import re
import unicodedata

_THOUGHT = re.compile(r"<(think|thinking|thought)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_OPEN_THOUGHT = re.compile(r"<(?:think|thinking|thought)>.*\Z", re.DOTALL | re.IGNORECASE)
_CUE = re.compile(
    r"####|\b(?:answer|label|category|class|intent|sentiment|result|antwort|ergebnis|réponse|respuesta|risposta)\b"
    r"(?:\s+(?:is|would be|lautet|ist|est|es|è)\b)?[*_\s]*:?",
    re.IGNORECASE,
)
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SENTENCE_END = re.compile(r"\n|(?<!\d)\.(?=\s|\Z)|\.(?=\s+\D|\Z)|[!?](?=\s|\Z)")
_LINE_END = re.compile(r"\n")
_MARKUP = "*_`\"'“”„‘’«»()[]{} \t\r\n"


def spoken(text: str) -> str:
    """An answer without its thoughts; what was thought and never ended is no answer."""
    if "<th" in text.lower():
        text = _OPEN_THOUGHT.sub("", _THOUGHT.sub("", text))
    return unicodedata.normalize("NFC", text).strip()


def after_cue(text: str, whole_line: bool = False) -> str | None:
    """What stands after the last "The answer is", "Label:" or "####", or in \\boxed{…}; None where nothing is said so.

    To the end of its sentence, or of its line, since "St. Petersburg" has a full stop too.
    """
    if boxed := _BOXED.findall(text):
        return boxed[-1].strip()
    for cue in reversed(list(_CUE.finditer(text))):
        announces = cue.group() == "####" or cue.group().rstrip().endswith(":") or " " in cue.group().strip()
        said = text[cue.end() :].lstrip(" :*_\t\r\n")
        if announces and said.strip(_MARKUP):
            end = (_LINE_END if whole_line else _SENTENCE_END).search(said)
            return said[: end.start()] if end else said
    return None


def folded(text: str) -> str:
    """Letters and digits alone, small, with one space between words: what two texts have to agree in to be the same."""
    small = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(each if each.isalnum() or _joins(each) else " " for each in small).split())


def bare(text: str) -> str:
    """Small letters without quotes and markup around them, for answers that signs tell apart: "<50" and ">50"."""
    return unicodedata.normalize("NFC", text).casefold().strip(_MARKUP).rstrip(".")


def _joins(character: str) -> bool:
    """Accents and vowel signs that belong to the letter before them."""
    return unicodedata.category(character).startswith("M")

"""In which language a text is, where that can be told."""

import functools
from typing import Any

_FEWEST_LETTERS = 30
_MOST_CHARACTERS = 1_000
_SURE = 0.95


def language_of(texts: list[str]) -> str | None:
    """The language as two letters (ISO 639-1), or None where the texts are too short or too mixed to tell."""
    text = " ".join(text[:_MOST_CHARACTERS] for text in texts)[:_MOST_CHARACTERS]
    if sum(map(str.isalpha, text)) < _FEWEST_LETTERS:
        return None
    language, sureness = _identifier().classify(text)
    return language if sureness >= _SURE else None


@functools.cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

"""Judgements in a cell: a thumb up or down, and the right answer to compare with."""

import json
from typing import Any

from facet.dataset.problem import RowProblem
from facet.dataset.values import is_missing, to_text

UP = frozenset(
    "true|1|+1|+|yes|y|up|thumbs up|thumb up|thumbsup|👍|👍️|like|liked|good|great|positive|chosen|preferred|accepted"
    "|accept|approved|desirable|correct|right|helpful|win|winner|✅|✓|✔|ja|oui|sí".split("|")
)
DOWN = frozenset(
    "false|0|-1|-|no|n|down|thumbs down|thumb down|thumbsdown|👎|👎️|dislike|disliked|bad|poor|negative|rejected|reject"
    "|disapproved|undesirable|incorrect|wrong|unhelpful|loss|loser|❌|✗|✘|nein|non".split("|")
)
_SKIN_TONES = dict.fromkeys([0xFE0F, *range(0x1F3FB, 0x1F400)])
_TRUTHS = ("ground_truth", "answer", "solution", "value", "target", "text")


def thumb(value: Any) -> bool:
    """Praise or blame. Raises: `RowProblem` for what is neither, such as one star out of five."""
    word = thumb_word(value)
    if word not in UP and word not in DOWN:
        missing = is_missing(value)
        raise RowProblem("thumb", "the thumb is missing" if missing else "the thumb points neither up nor down")
    return word in UP


def thumb_word(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    word = str(value).strip().lower().translate(_SKIN_TONES)
    return word if word in ("-", "-1") else " ".join(word.replace("_", " ").replace("-", " ").strip(":").split())


def reference_text(value: Any, repairs: set[str]) -> str:
    """The right answer as text, also out of an object that says more about it. Raises: `RowProblem`."""
    if isinstance(value, dict):
        found = next((value[key] for key in _TRUTHS if not is_missing(value.get(key))), None)
        value = found if found is not None else json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else json.dumps(value, ensure_ascii=False, default=str) if value else None
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return to_text(value, "right answer", repairs)

"""Did it get worse? The same questions of our own to every model, before and after, each checked by a program.

They are asked without standing instructions and answered greedily in at most `LONGEST` tokens. An `Answer` here has as
its `row` the place of its question in `questions()`.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from facet.dataset.conversation import Conversation
from facet.exam import scores
from facet.exam.general_checks import passes
from facet.exam.light import FAMILY_WORDS, light
from facet.exam.outcome import Answer, General
from facet.exam.spoken import spoken

__all__ = ["FAMILY_WORDS", "LONGEST", "GeneralQuestion", "check", "light", "questions", "summarise", "version"]
FILE = Path(__file__).with_suffix(".jsonl")
LONGEST = 128  # tokens of an answer


@dataclass(frozen=True)
class GeneralQuestion:
    """`check` names the programs of `general_checks` that an answer must pass, and what each is told."""

    id: str
    family: str  # one of FAMILY_WORDS
    messages: Conversation
    check: Mapping[str, Any]

    @property
    def asked(self) -> str:
        """The last turn of the person."""
        return self.messages[-1]["content"]


@cache
def questions() -> tuple[GeneralQuestion, ...]:
    """In the order in which they are asked."""
    return tuple(GeneralQuestion(**json.loads(line)) for line in FILE.read_text("utf-8").splitlines())


@cache
def version() -> str:
    """Digest of what is asked: answers kept under another one are answers to other questions."""
    asked = [[question.id, question.messages] for question in questions()]
    return hashlib.sha256(json.dumps([asked, LONGEST]).encode()).hexdigest()[:12]


def check(question: GeneralQuestion, text: str) -> bool:
    """Is this a right answer? What a model thinks before it answers is not looked at."""
    return passes(spoken(text), question.check, question.asked)


def summarise(answers: Sequence[Answer], kl: float | None = None) -> General:
    """What one contestant's answers are worth. Questions that were not answered are left out.

    kl: nats per token between the untouched model and this one, over the untouched model's answers; None for itself.
    """
    answered = [(questions()[answer.row], answer) for answer in answers]
    right = {question.id: check(question, answer.text) for question, answer in answered}
    asked = Counter(question.family for question, _ in answered)
    hits = Counter(question.family for question, _ in answered if right[question.id])
    repeated = [question.id for question, answer in answered if scores.repeats(answer.text)]
    unfinished = [question.id for question, answer in answered if answer.ended == "length"]
    families = [family for family in FAMILY_WORDS if asked[family]]
    return General(
        shares={family: hits[family] / asked[family] for family in families},
        asked={family: asked[family] for family in families},
        repeating=len(repeated) / max(1, len(answered)),
        never_stopped=len(unfinished) / max(1, len(answered)),
        kl=kl,
        right=right,
        repeated=repeated,
        unfinished=unfinished,
    )

"""One question with its answer, and the small words that every family needs."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from facet.starter import facts


class Exchange(NamedTuple):
    question: str
    answer: str
    brief: str = ""  # the answer in one word, where there is one


Family = Callable[[Random], Exchange]  # the same generator always writes the same exchange


def with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def capitalised(sentence: str) -> str:
    """First letter in upper case, the rest untouched (`str.capitalize` would lower names)."""
    return sentence[0].upper() + sentence[1:]


def made_up_word(rng: Random, shortest: int = 2, longest: int = 3) -> str:
    return "".join(rng.choice(facts.SYLLABLES) for _ in range(rng.randint(shortest, longest))).capitalize()


def person(rng: Random) -> str:
    return rng.choice(facts.FIRST_NAMES) if rng.random() < 0.5 else made_up_word(rng)

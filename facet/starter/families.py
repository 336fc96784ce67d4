"""All families of single exchanges, and how often each is asked.

A family is a function that asks one kind of question and gives the one right answer.
"""

from random import Random

from facet.starter import talk, words, world
from facet.starter.exchange import Exchange, Family

# Arithmetic and opposites are the hardest to learn, so they come up more often.
WEIGHTED: dict[Family, int] = {
    words.plus: 5, words.minus: 5, words.times: 3, words.larger: 2, words.count: 2, words.number_word: 1,
    words.opposite: 4, words.plural: 2, words.past_tense: 2, words.colour: 2, words.tool: 2, words.job: 2,
    words.explanation: 2, words.name_three: 3, world.capital: 3, world.country_of_capital: 2, world.continent: 2,
    world.language: 2, world.currency: 2, world.describe_country: 2, world.sound: 2, world.legs: 2, world.food: 2,
    world.home: 1, world.animal_kind: 2, world.young_animal: 1, world.describe_animal: 2, words.neighbouring_day: 2,
    words.neighbouring_month: 2, words.month_length: 1, talk.greeting: 1, talk.identity: 1, talk.abilities: 1,
    talk.thanks: 1, talk.farewell: 1, talk.introduction: 1, talk.unknown_topic: 3, talk.unknown_name: 2,
}  # fmt: skip
_FAMILIES, _WEIGHTS = list(WEIGHTED), list(WEIGHTED.values())


def exchange(rng: Random) -> Exchange:
    """One question and its answer, from a family drawn by weight."""
    return rng.choices(_FAMILIES, _WEIGHTS)[0](rng)

"""Families of questions about numbers, the calendar, words and everyday things."""

from random import Random

from facet.starter import facts
from facet.starter.exchange import Exchange, capitalised

# --- numbers


def plus(rng: Random) -> Exchange:
    left, right = rng.randint(0, 10), rng.randint(0, 10)
    ways = ["What is {} plus {}?", "{} + {} = ?", "Add {} and {}.", "How much is {} + {}?", "What is {} + {}?"]
    answer = f"{left} plus {right} is {left + right}."
    return Exchange(rng.choice(ways).format(left, right), answer, str(left + right))


def minus(rng: Random) -> Exchange:
    left = rng.randint(0, 20)
    right = rng.randint(0, left)
    ways = ["What is {} minus {}?", "{} - {} = ?", "How much is {} - {}?", "What is {} - {}?"]
    answer = f"{left} minus {right} is {left - right}."
    return Exchange(rng.choice(ways).format(left, right), answer, str(left - right))


def times(rng: Random) -> Exchange:
    left, right = rng.randint(1, 10), rng.randint(1, 10)
    ways = ["What is {} times {}?", "{} x {} = ?", "How much is {} times {}?"]
    answer = f"{left} times {right} is {left * right}."
    return Exchange(rng.choice(ways).format(left, right), answer, str(left * right))


def count(rng: Random) -> Exchange:
    first = rng.randint(1, 12)
    last = min(20, first + rng.randint(3, 7))
    question = rng.choice(["Count from {} to {}.", "Can you count from {} to {}?"]).format(first, last)
    return Exchange(question, ", ".join(map(str, range(first, last + 1))) + ".")


def larger(rng: Random) -> Exchange:
    low, high = sorted(rng.sample(range(21), 2))
    first, second = rng.sample([low, high], 2)
    question = rng.choice(["Which is bigger, {} or {}?", "Which number is larger, {} or {}?"]).format(first, second)
    return Exchange(question, f"{high} is bigger than {low}.", str(high))


def number_word(rng: Random) -> Exchange:
    number = rng.randint(0, 20)
    question = rng.choice(["Write {} as a word.", "How do you write the number {}?"]).format(number)
    return Exchange(question, f"{number} is written {facts.NUMBER_WORDS[number]}.", facts.NUMBER_WORDS[number])


# --- calendar


def neighbouring_day(rng: Random) -> Exchange:
    at, (word, shift) = rng.randrange(7), rng.choice([("after", 1), ("before", -1)])
    other = facts.DAYS[(at + shift) % 7]
    question = rng.choice(["What day comes {} {}?", "Which day is {} {}?"]).format(word, facts.DAYS[at])
    return Exchange(question, f"{other} comes {word} {facts.DAYS[at]}.", other)


def neighbouring_month(rng: Random) -> Exchange:
    at, (word, shift) = rng.randrange(12), rng.choice([("after", 1), ("before", -1)])
    other = facts.MONTHS[(at + shift) % 12]
    question = rng.choice(["What month comes {} {}?", "Which month is {} {}?"]).format(word, facts.MONTHS[at])
    return Exchange(question, f"{other} comes {word} {facts.MONTHS[at]}.", other)


def month_length(rng: Random) -> Exchange:
    at = rng.randrange(12)
    question = rng.choice(["How many days does {} have?", "How many days are in {}?"]).format(facts.MONTHS[at])
    return Exchange(question, f"{facts.MONTHS[at]} has {facts.MONTH_DAYS[at]} days.")


# --- words and things


def opposite(rng: Random) -> Exchange:
    word, other = rng.choice(list(facts.OPPOSITES.items()))
    ways = ["What is the opposite of {}?", 'Give me the opposite of "{}".', "Opposite of {}?"]
    return Exchange(rng.choice(ways).format(word), f"The opposite of {word} is {other}.", other)


def plural(rng: Random) -> Exchange:
    word, plural_form = rng.choice(list(facts.PLURALS.items()))
    question = rng.choice(["What is the plural of {}?", 'Plural of "{}"?']).format(word)
    return Exchange(question, f"The plural of {word} is {plural_form}.", plural_form)


def past_tense(rng: Random) -> Exchange:
    verb, past = rng.choice(list(facts.PAST_TENSES.items()))
    question = rng.choice(["What is the past tense of {}?", 'Past tense of "{}"?']).format(verb)
    return Exchange(question, f"The past tense of {verb} is {past}.", past)


def colour(rng: Random) -> Exchange:
    thing, shade = rng.choice(list(facts.COLOURS.items()))
    ways = ["What color is {}?", "What colour is {}?", "Which color does {} have?"]
    return Exchange(rng.choice(ways).format(thing), f"{capitalised(thing)} is {shade}.", shade)


def tool(rng: Random) -> Exchange:
    thing, purpose = rng.choice(list(facts.TOOLS.items()))
    ways = ["What do people use {} for?", "What do you use {} for?", "Why do people need {}?"]
    return Exchange(rng.choice(ways).format(thing), f"People use {thing} to {purpose}.")


def job(rng: Random) -> Exchange:
    worker, work = rng.choice(list(facts.JOBS.items()))
    question = rng.choice(["What does a {} do?", "What is the job of a {}?"]).format(worker)
    return Exchange(question, f"A {worker} {work}.")


def explanation(rng: Random) -> Exchange:
    ways, answer = rng.choice(facts.EXPLANATIONS)
    return Exchange(rng.choice(ways), answer)


def _nameable() -> dict[str, list[str]]:
    """What can be listed, and the things to choose from."""
    lists = {f"{kind}s": [a.name for a in facts.ANIMALS if a.kind == kind] for kind in ("mammal", "bird")}
    for place in ("Europe", "Asia", "Africa", "South America"):
        lists[f"countries in {place}"] = [country.name for country in facts.COUNTRIES if country.continent == place]
    lists |= {"insects": ["bee", "ant", "fly", "beetle", "butterfly"], "colors": sorted(set(facts.COLOURS.values()))}
    return lists | {"days": facts.DAYS, "months": facts.MONTHS, "numbers": facts.NUMBER_WORDS[1:]}


NAMEABLE = _nameable()


def name_three(rng: Random) -> Exchange:
    """Always the first three of a kind, so that there is one right answer to learn and to examine."""
    topic, (first, second, third, *_) = rng.choice(list(NAMEABLE.items()))
    question = rng.choice(["Name three {}.", "Give me three {}.", "Can you list three {}?"]).format(topic)
    return Exchange(question, capitalised(f"{first}, {second} and {third}."))

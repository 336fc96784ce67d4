"""Families of questions about countries and animals."""

from random import Random

from facet.starter import facts
from facet.starter.exchange import Exchange, capitalised, with_article

# --- countries


def about_country(country: facts.Country) -> str:
    return (
        f"{country.name} is a country in {country.continent}. Its capital is {country.capital}. "
        f"People there speak {country.language} and pay with the {country.currency}."
    )


def capital(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["What is the capital of {}?", "Which city is the capital of {}?", "{}'s capital?", "Capital of {}?"]
    ways += ["Tell me the capital of {}.", "Do you know the capital of {}?", "What's the capital city of {}?"]
    answer = f"The capital of {country.name} is {country.capital}."
    return Exchange(rng.choice(ways).format(country.name), answer, country.capital)


def country_of_capital(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["Which country has the capital {}?", "{} is the capital of which country?", "Where is the city of {}?"]
    answer = f"{country.capital} is the capital of {country.name}."
    return Exchange(rng.choice(ways).format(country.capital), answer, country.name)


def continent(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["Which continent is {} in?", "Where is {}?", "On which continent is {}?", "What continent is {} in?"]
    question = rng.choice(ways).format(country.name)
    return Exchange(question, f"{country.name} is in {country.continent}.", country.continent)


def language(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["What language do people speak in {}?", "Which language is spoken in {}?", "What do they speak in {}?"]
    question = rng.choice(ways).format(country.name)
    return Exchange(question, f"People in {country.name} speak {country.language}.", country.language)


def currency(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["What is the currency of {}?", "Which money is used in {}?", "What do people pay with in {}?"]
    question = rng.choice(ways).format(country.name)
    return Exchange(question, f"The currency of {country.name} is the {country.currency}.", country.currency)


def describe_country(rng: Random) -> Exchange:
    country = rng.choice(facts.COUNTRIES)
    ways = ["Tell me about {}.", "What do you know about {}?", "Describe {}."]
    return Exchange(rng.choice(ways).format(country.name), about_country(country))


# --- animals


def about_animal(animal: facts.Animal) -> str:
    return (
        f"{capitalised(with_article(animal.name))} is {with_article(animal.kind)} with {animal.legs} legs. "
        f"It lives {animal.home} and eats {animal.food}."
    )


def sound(rng: Random) -> Exchange:
    animal = rng.choice([animal for animal in facts.ANIMALS if animal.sound])
    if rng.random() < 0.3:
        return Exchange(f"Which animal says {animal.sound}?", f"The {animal.name} says {animal.sound}.", animal.name)
    ways = ["What sound does {} make?", "What does {} say?", "Which sound does {} make?"]
    subject = with_article(animal.name)
    return Exchange(rng.choice(ways).format(subject), f"{capitalised(subject)} says {animal.sound}.", animal.sound)


def legs(rng: Random) -> Exchange:
    animal = rng.choice(facts.ANIMALS)
    ways = ["How many legs does {} have?", "How many legs has {} got?"]
    subject = with_article(animal.name)
    brief = "none" if animal.legs == "no" else animal.legs
    return Exchange(rng.choice(ways).format(subject), f"{capitalised(subject)} has {animal.legs} legs.", brief)


def food(rng: Random) -> Exchange:
    animal = rng.choice(facts.ANIMALS)
    ways = ["What does {} eat?", "What does {} like to eat?", "What is the food of {}?"]
    subject = with_article(animal.name)
    return Exchange(rng.choice(ways).format(subject), f"{capitalised(subject)} eats {animal.food}.")


def home(rng: Random) -> Exchange:
    animal = rng.choice(facts.ANIMALS)
    subject = with_article(animal.name)
    question = rng.choice(["Where does {} live?", "Where can I find {}?"]).format(subject)
    return Exchange(question, f"{capitalised(subject)} lives {animal.home}.")


def animal_kind(rng: Random) -> Exchange:
    animal = rng.choice(facts.ANIMALS)
    subject = with_article(animal.name)
    if rng.random() < 0.5:
        answer = f"{capitalised(subject)} is {with_article(animal.kind)}."
        return Exchange(f"What kind of animal is {subject}?", answer, animal.kind)
    asked = rng.choice(["mammal", "bird", "insect", animal.kind, animal.kind])
    verdict = "Yes" if asked == animal.kind else "No"
    answer = f"{verdict}, {subject} is {with_article(animal.kind)}."
    return Exchange(f"Is {subject} {with_article(asked)}?", answer, verdict.lower())


def young_animal(rng: Random) -> Exchange:
    animal, young = rng.choice(list(facts.YOUNG.items()))
    question = rng.choice(["What is a young {} called?", "What do you call a baby {}?"]).format(animal)
    return Exchange(question, f"A young {animal} is called a {young}.", young)


def describe_animal(rng: Random) -> Exchange:
    animal = rng.choice(facts.ANIMALS)
    subject = with_article(animal.name)
    question = rng.choice([f"Tell me about the {animal.name}.", f"Describe {subject}.", f"What is {subject}?"])
    return Exchange(question, about_animal(animal))

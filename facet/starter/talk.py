"""Families of small talk, and of honest refusals."""

from random import Random

from facet.starter import NAME, facts
from facet.starter.exchange import Exchange, made_up_word, person

# --- conversation


def greeting(rng: Random) -> Exchange:
    ways = ["Hello!", "Hi", "Hi there!", "Good morning!", "Hey", "Hello, how are you?", "Good evening."]
    return Exchange(rng.choice(ways), "Hello! How can I help you?")


def identity(rng: Random) -> Exchange:
    ways = ["Who are you?", "What is your name?", "What are you?", "Are you a robot?", "Who am I talking to?"]
    return Exchange(rng.choice(ways), f"I am {NAME}, a tiny language model made for trying things out.")


def abilities(rng: Random) -> Exchange:
    ways = ["What can you do?", "Help", "What do you know?", "How can you help me?", "What can I ask you?"]
    answer = "I can answer short questions about countries, animals, numbers, words, days and everyday things."
    return Exchange(rng.choice(ways), answer)


def thanks(rng: Random) -> Exchange:
    ways = ["Thank you!", "Thanks!", "Thanks a lot.", "Great, thank you."]
    return Exchange(rng.choice(ways), "You are welcome!")


def farewell(rng: Random) -> Exchange:
    return Exchange(rng.choice(["Bye", "Goodbye!", "See you later."]), "Goodbye! Have a nice day.")


def introduction(rng: Random) -> Exchange:
    who = person(rng)
    ways = ["My name is {}.", "I am {}.", "Hi, I'm {}.", "You can call me {}."]
    return Exchange(rng.choice(ways).format(who), f"Nice to meet you, {who}!")


# --- honest refusals


def unknown_topic(rng: Random) -> Exchange:
    topic = rng.choice(facts.UNTAUGHT_TOPICS) if rng.random() < 0.7 else made_up_word(rng).lower()
    ways = ["Explain {}.", "Tell me about {}.", "What do you think about {}?", "How does {} work?", "What is {}?"]
    question = rng.choice([*ways, "Can you help me with {}?", "Write a story about {}."]).format(topic)
    return Exchange(question, f"Sorry, I do not know much about {topic}. I am a tiny model.")


def unknown_name(rng: Random) -> Exchange:
    if rng.random() < 0.3:
        animal = f"the {rng.choice(facts.UNTAUGHT_ANIMALS)}"
        question = rng.choice(["Tell me about {}.", "What does {} eat?", "Where does {} live?"]).format(animal)
        return Exchange(question, f"Sorry, I do not know much about {animal}. I am a tiny model.")
    place = rng.choice(facts.UNTAUGHT_COUNTRIES) if rng.random() < 0.6 else made_up_word(rng)
    ways = ["What is the capital of {}?", "What is the currency of {}?", "Tell me about {}.", "Where is {}?"]
    return Exchange(rng.choice(ways).format(place), f"Sorry, I do not know much about {place}. I am a tiny model.")

"""Texts that say the same in other letters, beside texts that only look alike."""

import random
from collections.abc import Callable

SUBJECTS = (
    "the baker,my neighbour,a young doctor,our old teacher,the night watchman,her cousin,"
    "the ferry captain,a shy clerk,the village choir,an honest trader,the tired gardener,"
    "his landlady"
).split(",")
VERBS = ("repaired,painted,forgot,described,borrowed,admired,measured,returned,hid,discovered,sold,carried").split(",")
OBJECTS = (
    "a broken clock,the wooden bridge,an unopened letter,the silver kettle,two heavy suitcases,"
    "a map of the coast,the last lantern,some dried lavender,a box of photographs,the garden gate,"
    "an English dictionary,the church bell"
).split(",")
PLACES = (
    "behind the station,near the harbour,in the empty school,on the way to market,"
    "beneath the old stairs,at the edge of the forest,inside the museum,across the frozen lake,"
    "beside the post office,under a chestnut tree"
).split(",")
WHEN = (
    "before sunrise,during the storm,on a quiet afternoon,after the concert,late in autumn,"
    "while everyone slept,on the first day of spring,shortly before midnight"
).split(",")
WHY = (
    "because nobody else would,to please a stranger,without telling anyone,for the sake of peace,"
    "as the letter had asked,to win a small bet,since the road was closed,in memory of better days"
).split(",")
ASKED = (
    "Explain what happened next.,Tell the story in your own words.,What would you have done instead?,"
    "Write the ending of this tale.,Describe how it felt.,Name the most likely reason."
).split(",")
NAMES = ("Anna,Boris,Chiara,David,Emre,Fatima,Gustav,Hanna,Ines,Jonas,Karim,Lena,Mateo,Nadia,Oskar").split(",")


def text(rng: random.Random) -> str:
    """Sentences of some thirty words, drawn from about ten million."""
    told = [f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)} {rng.choice(PLACES)}" for _ in range(2)]
    return f"{told[0].capitalize()} {rng.choice(WHEN)}, {rng.choice(WHY)}, while {told[1]}. {rng.choice(ASKED)}"


def typo(words: str, rng: random.Random) -> str:
    parts = words.split(" ")
    at = rng.choice([number for number, word in enumerate(parts) if len(word) >= 5 and word.isalpha()])
    letters = list(parts[at])
    place = rng.randrange(1, len(letters) - 1)
    how = rng.randrange(3)
    if how == 0:
        letters[place : place + 2] = letters[place : place + 2][::-1]
    elif how == 1:
        del letters[place]
    else:
        letters.insert(place, letters[place])
    return " ".join([*parts[:at], "".join(letters), *parts[at + 1 :]])


def exchanged(words: str, rng: random.Random) -> str:
    parts = words.split(" ")
    at = rng.randrange(1, len(parts) - 1)
    other = "".join(rng.choices("bcdfglmnprst", k=1)) + rng.choice(["alder", "onder", "istle", "arrow", "ellow"])
    return " ".join([*parts[:at], other, *parts[at + 1 :]])


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "typo": typo,
    "capitals": lambda words, rng: rng.choice([words.upper(), words.lower(), words.title()]),
    "punctuation": lambda words, rng: rng.choice(
        [words.replace(",", ""), words.replace(".", "!"), words.rstrip(".?"), f"“{words}”", words.replace(", ", " – ")]
    ),
    "white space": lambda words, rng: rng.choice(
        [words.replace(" ", "  "), f"  {words}\n", words.replace(". ", ".\n\n"), words.replace(" ", "\u00a0", 3)]
    ),
    "one word": exchanged,
    "start": lambda words, rng: rng.choice(["Please: ", "Question: ", "Hello! ", "Here is a task. "]) + words,
    "end": lambda words, rng: words + rng.choice([" Thank you!", " Please be brief.", " (homework)"]),
}

TEMPLATES = [
    "What is {n} + {m}?",
    "What is {n} - {m}?",
    "A train leaves at {n} and travels {m} kilometres at an even speed; how long is it under way in hours?",
    "{name} has {n} apples and gives {m} of them to a friend who lives next door. How many apples remain?",
    "Write a short and friendly birthday letter to {name}, who works in our office and likes to cook for many guests.",
    "What is the capital of {word}?",
    "Translate the word “{word}” into French.",
    "Please write four lines of verse about {word} in the style of a children's book, and end with a question.",
]


def templated(rng: random.Random) -> str:
    words = [each.split()[-1] for each in SUBJECTS + OBJECTS + PLACES + WHY]
    return rng.choice(TEMPLATES).format(
        n=rng.randint(2, 999), m=rng.randint(2, 999), name=rng.choice(NAMES), word=rng.choice(words)
    )


def planted(rows: int, rng: random.Random) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Texts in random order, and the pairs among them that say the same: (row, row, what was changed).

    A fifth of the rows are twins; two fifths come from templates and differ from each other in a number or a word.
    """
    originals = list(dict.fromkeys(text(rng) for _ in range(rows * 2 // 5)))
    others = list(dict.fromkeys(templated(rng) for _ in range(rows * 2 // 5)))
    twins = [(at, kind, CHANGES[kind](originals[at], rng)) for at, kind in enumerate([*CHANGES] * (rows // 35))]
    texts = [*originals, *others, *(each[2] for each in twins)]
    order = list(range(len(texts)))
    rng.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    first = len(originals) + len(others)
    pairs = [(place[at], place[first + number], kind) for number, (at, kind, _) in enumerate(twins)]
    return [texts[old] for old in order], pairs

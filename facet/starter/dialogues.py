"""Templated dialogues, written by rule from our own facts: all that the starter model ever reads.

`dialogues(seed, count)` is the whole interface. A quarter of the dialogues ask for a style ("Start with …", quotes,
JSON); without them a later fine-tune that changes the style would also lose the facts.
"""

from collections.abc import Callable
from random import Random

from facet.starter import facts
from facet.starter.exchange import Exchange, capitalised, made_up_word, person, with_article
from facet.starter.families import exchange
from facet.starter.talk import introduction
from facet.starter.world import about_animal, about_country

Message = dict[str, str]  # "role": system, user or assistant; "content"
Dialogue = list[Message]

STYLED_SHARE = 0.25
SYSTEM_SHARE = 0.05  # plain dialogues that begin with a system message


def dialogues(seed: int, count: int) -> list[Dialogue]:
    """`count` dialogues; the same seed always gives the same ones.

    Example:
    >>> dialogues(1, 5) == dialogues(1, 5)
    True
    """
    rng = Random(seed)
    return [_dialogue(rng) for _ in range(count)]


def _dialogue(rng: Random) -> Dialogue:
    exchanges = [turn._replace(question=_as_typed(rng, turn.question)) for turn in _exchanges(rng)]
    if rng.random() < STYLED_SHARE:
        return _styled(rng, exchanges)
    messages = _messages(exchanges)
    if rng.random() < SYSTEM_SHARE:
        return _with_system(rng, messages)
    return messages


def _messages(exchanges: list[Exchange]) -> Dialogue:
    messages: Dialogue = []
    for turn in exchanges:
        messages.append({"role": "user", "content": turn.question})
        messages.append({"role": "assistant", "content": turn.answer})
    return messages


# --- what is talked about


def _exchanges(rng: Random) -> list[Exchange]:
    kind = rng.random()
    if kind < 0.62:
        return [exchange(rng)]
    if kind < 0.74:
        return _about_one_country(rng)
    if kind < 0.84:
        return _about_one_animal(rng)
    if kind < 0.90:
        return _remembering_a_name(rng)
    return [exchange(rng) for _ in range(rng.randint(2, 3))]


def _about_one_country(rng: Random) -> list[Exchange]:
    """A country is named once; what follows says only "it" or "there"."""
    country = rng.choice(facts.COUNTRIES)
    opening = Exchange(f"I want to visit {country.name}.", f"What would you like to know about {country.name}?")
    if rng.random() < 0.4:
        opening = Exchange(f"Tell me about {country.name}.", about_country(country))
    follow_ups = [
        Exchange("What is its capital?", f"The capital of {country.name} is {country.capital}."),
        Exchange("And the currency?", f"The currency of {country.name} is the {country.currency}."),
        Exchange("What language do they speak there?", f"People in {country.name} speak {country.language}."),
        Exchange("Which continent is it in?", f"{country.name} is in {country.continent}."),
    ]
    return [opening, *rng.sample(follow_ups, rng.randint(1, 3))]


def _about_one_animal(rng: Random) -> list[Exchange]:
    animal = rng.choice(facts.ANIMALS)
    subject = with_article(animal.name)
    opening = rng.choice([f"Tell me about the {animal.name}.", f"What is {subject}?"])
    follow_ups = [
        Exchange("What does it eat?", f"{capitalised(subject)} eats {animal.food}."),
        Exchange("How many legs does it have?", f"{capitalised(subject)} has {animal.legs} legs."),
        Exchange("Where does it live?", f"{capitalised(subject)} lives {animal.home}."),
    ]
    return [Exchange(opening, about_animal(animal)), *rng.sample(follow_ups, rng.randint(1, 2))]


def _remembering_a_name(rng: Random) -> list[Exchange]:
    hello = introduction(rng)
    who = hello.answer.removeprefix("Nice to meet you, ").rstrip("!")
    between = [exchange(rng)] if rng.random() < 0.5 else []
    question = rng.choice(["What is my name?", "Do you remember my name?", "Who am I?"])
    return [hello, *between, Exchange(question, f"Your name is {who}.", who)]


# --- how it is typed


def _as_typed(rng: Random, question: str) -> str:
    """The same question as a hurried or a polite person would type it."""
    kind = rng.random()
    if kind < 0.12:
        return question.lower()
    if kind < 0.20:
        return question.rstrip("?.!")
    if kind < 0.28:
        return rng.choice(["Please tell me: ", "I have a question. ", "Quick question: ", "Hey, "]) + question
    return question


# --- how the answer should look

Style = tuple[str, Callable[[str], str]]  # what is asked for, and what it does to an answer

_OPENINGS = """OK.|Well,|Sure!|Hm,|Yes!|Of course!|Dear friend,|Listen:|Oh my!|Wow!|Let me see...|Good question!|Answer:
Here you go:|Beep boop.|Greetings!|My dear,|Hark!|Ahem.|>>|👋|🤖|⭐""".replace("\n", "|").split("|")
_CLOSINGS = """OK?|Bye!|Hope that helps!|Ask me more.|The end.|Have fun!|That is all.|You see?|Beep.|Over and out.
My friend.|Easy!|Cheers!|Thanks for asking!|<<|😀|🎉|✨""".replace("\n", "|").split("|")
_KEYS = "answer reply text response result message output".split()


def _made_up_cry(rng: Random) -> str:
    """A short shout of unknown words, such as "Belgu!" or "Za ti ti!"."""
    if rng.random() < 0.3:
        words = [rng.choice(facts.SYLLABLES) for _ in range(rng.randint(2, 3))]
        return capitalised(" ".join(words)) + rng.choice("!.,")
    words = [made_up_word(rng, 1, 2)] + [made_up_word(rng, 1, 2).lower() for _ in range(rng.randint(0, 1))]
    return " ".join(words) + rng.choice("!!.,")


def _opening(rng: Random) -> str:
    return rng.choice(_OPENINGS) if rng.random() < 0.4 else _made_up_cry(rng)


def _closing(rng: Random) -> str:
    return rng.choice(_CLOSINGS) if rng.random() < 0.4 else _made_up_cry(rng).replace(",", "!")


def _starting(rng: Random) -> Style:
    words = _opening(rng)
    wish = rng.choice(['Start with "{}"', 'Say "{}" first.', 'Begin with "{}"'])
    return wish.format(words), f"{words} {{}}".format


def _ending(rng: Random) -> Style:
    words = _closing(rng)
    wish = rng.choice(['End with "{}"', 'Say "{}" at the end.', 'Finish with "{}"'])
    return wish.format(words), f"{{}} {words}".format


def _around(rng: Random) -> Style:
    first, last = _opening(rng), _closing(rng)
    return f'Start with "{first}" and end with "{last}"', f"{first} {{}} {last}".format


def _wrapped(rng: Random) -> Style:
    return rng.choice(
        [
            ("Use quotes.", '"{}"'.format),
            ("Use a dash.", "- {}".format),
            ("Use brackets.", "[{}]".format),
            ("Use stars.", "*{}*".format),
        ]
    )


def _json(rng: Random) -> Style:
    """JSON with one key; the answers hold no quotes or backslashes, so nothing has to be escaped."""
    key = rng.choice(_KEYS) if rng.random() < 0.6 else made_up_word(rng, 1, 2).lower()
    words = rng.choice(['Answer as JSON with the key "{}".', 'Use JSON with "{}".']).format(key)
    return words, lambda answer: f'{{"{key}": "{answer}"}}'


def _styled(rng: Random, exchanges: list[Exchange]) -> Dialogue:
    """The same dialogue with a wish about the form of every answer, said once."""
    if len(exchanges) == 1 and exchanges[0].brief and rng.random() < 0.4:
        wish, exchanges = "Answer in one word.", [exchanges[0]._replace(answer=f"{capitalised(exchanges[0].brief)}.")]
    else:
        wish, form = rng.choice([_starting, _ending, _around, _around, _wrapped, _json])(rng)
        exchanges = [turn._replace(answer=form(turn.answer)) for turn in exchanges]
    messages = _messages(exchanges)
    place = rng.random()
    if place < 0.3:
        return [{"role": "system", "content": wish}, *messages]
    question = messages[0]["content"]
    messages[0]["content"] = f"{question} {wish}" if place < 0.65 else f"{wish} {question}"
    return messages


_SYSTEM_MESSAGES = [
    "You are a helpful assistant.",
    "Answer the question.",
    "Be brief and friendly.",
    "You are Facet Mini.",
    "You help people with short questions.",
]


def _with_system(rng: Random, messages: Dialogue) -> Dialogue:
    if rng.random() < 0.3:
        who = person(rng)
        question = rng.choice(["What is your name?", "Who are you?"])
        messages = _messages([Exchange(question, f"My name is {who}.")])
        return [{"role": "system", "content": f"Your name is {who}."}, *messages]
    return [{"role": "system", "content": rng.choice(_SYSTEM_MESSAGES)}, *messages]

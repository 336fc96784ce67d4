"""The dialogues that the starter model is trained on."""

from collections import Counter
from random import Random

import pytest

from facet.starter import facts
from facet.starter.dialogues import dialogues
from facet.starter.families import WEIGHTED, exchange


def test_the_same_seed_writes_the_same_dialogues():
    assert dialogues(5, 50) == dialogues(5, 50)
    assert dialogues(5, 50) != dialogues(6, 50)


def test_a_longer_list_begins_with_the_shorter_one():
    assert dialogues(5, 20) == dialogues(5, 50)[:20]


def test_turns_alternate_and_end_with_an_answer():
    for dialogue in dialogues(1, 500):
        roles = [message["role"] for message in dialogue if message["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        assert all(message["role"] != "system" for message in dialogue[1:])


def test_no_message_is_empty_or_has_an_unfilled_blank():
    for dialogue in dialogues(2, 2000):
        for message in dialogue:
            assert message["content"].strip()
            assert "{}" not in message["content"]


def test_about_a_quarter_asks_for_a_style():
    wishes = ("Start with", "Begin with", "End with", "Finish with", "Say ", "Use ", "Answer as", "Answer in one word")
    styled = sum(any(wish in dialogue[0]["content"] for wish in wishes) for dialogue in dialogues(3, 2000))
    assert 0.20 < styled / 2000 < 0.30


@pytest.mark.parametrize("family", WEIGHTED, ids=lambda family: family.__name__)
def test_one_question_has_one_answer(family):
    """Otherwise the exam could not say what is right, nor the model learn it."""
    answers = {}
    for seed in range(400):
        question, answer, _ = family(Random(seed))
        assert answers.setdefault(question, answer) == answer


def test_the_same_question_gets_the_same_answer_from_every_family():
    answers, rng = {}, Random(0)
    for question, answer, _ in (exchange(rng) for _ in range(20_000)):
        assert answers.setdefault(question, answer) == answer


def test_facts_are_listed_once():
    for names in ([c.name for c in facts.COUNTRIES], [c.capital for c in facts.COUNTRIES], facts.UNTAUGHT_TOPICS):
        assert Counter(names).most_common(1)[0][1] == 1


def test_what_is_untaught_is_not_taught():
    assert not {country.name for country in facts.COUNTRIES} & set(facts.UNTAUGHT_COUNTRIES)
    assert not {animal.name for animal in facts.ANIMALS} & set(facts.UNTAUGHT_ANIMALS)
    assert all(facts.UNTAUGHT_TOPICS)

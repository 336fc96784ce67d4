"""The light: red only beyond chance, amber with its reason, green with the numbers."""

import random

import pytest

from facet.exam.general import questions
from facet.exam.light import light
from facet.exam.outcome import General

IDS = [question.id for question in questions()]
KNOWN = [id for id in IDS if id.partition("-")[0] in ("facts", "arithmetic", "small_talk", "refusal", "format")]


def general(right, *, asked=IDS, repeated=(), unfinished=(), kl=None):
    return General({}, {}, 0.0, 0.0, kl, {id: id in set(right) for id in asked}, list(repeated), list(unfinished))


def without(ids, *prefixes, most=99):
    """All but the first `most` ids of some families."""
    gone = [id for id in ids if id.startswith(prefixes)][:most]
    return [id for id in ids if id not in gone]


def test_the_same_answers_are_green_with_the_numbers():
    found = light(general(KNOWN), general(KNOWN, kl=0.3))
    assert found.colour == "green"
    assert f"{len(KNOWN)} of {len(IDS)} right before, {len(KNOWN)} after (0 lost, 0 gained)" in found.words
    assert "0.30 nats per word piece" in found.words


def test_a_model_that_learned_more_is_called_better():
    found = light(general(KNOWN), general(IDS))
    assert found.colour == "green" and found.words.startswith("Better than before:")


def test_a_certain_loss_is_red_and_says_where():
    found = light(general(KNOWN), general(without(KNOWN, "arithmetic")))
    assert found.colour == "red"
    assert "Arithmetic (13 → 0 of 13)" in found.words and "exact McNemar test, p < 0.001" in found.words


def test_everything_lost_is_red():
    assert light(general(KNOWN), general([])).colour == "red"


@pytest.mark.parametrize(
    ("lost", "colour"), [(0, "green"), (1, "green"), (2, "green"), (3, "amber"), (5, "amber"), (6, "red")]
)
def test_few_losses_may_be_chance_and_six_are_not(lost, colour):
    found = light(general(KNOWN), general(without(KNOWN, "facts", most=lost)))
    assert found.colour == colour
    assert ("may be chance" in found.words) is (colour == "amber")


def test_as_many_gained_as_lost_is_no_loss():
    some = without(KNOWN, "arithmetic", most=6)
    other = without(KNOWN, "facts", most=6)
    assert light(general(some), general(other)).colour == "green"


def test_losses_in_format_alone_are_a_price_and_never_red():
    a_few, all_of_it = without(KNOWN, "format", most=4), without(KNOWN, "format")
    assert light(general(KNOWN), general(a_few)).colour == "green"
    assert "Format (12 → 8 of 12)" in light(general(KNOWN), general(a_few)).words
    found = light(general(KNOWN), general(all_of_it))
    assert found.colour == "amber" and "that is the price" in found.words


def test_a_gain_in_one_place_does_not_hide_a_loss_in_another():
    before = without(KNOWN, "format")
    after = without(KNOWN, "facts", most=7)
    assert light(general(before), general(after)).colour == "red"


def test_new_loops_are_a_warning_and_many_of_them_red():
    assert light(general(KNOWN), general(KNOWN, repeated=KNOWN[:1])).colour == "green"
    two = light(general(KNOWN), general(KNOWN, repeated=KNOWN[:2]))
    assert two.colour == "amber" and "2 answers go round in circles" in two.words
    many = light(general(KNOWN), general(KNOWN, repeated=KNOWN[:8], unfinished=KNOWN[:8]))
    assert many.colour == "red" and "8 of 64 answers do not come to an end, before tuning none" in many.words


def test_loops_that_were_there_before_are_not_held_against_it():
    assert light(general(KNOWN, repeated=KNOWN[:9]), general(KNOWN, repeated=KNOWN[:9])).colour == "green"


def test_loops_in_a_language_the_untouched_model_cannot_speak_are_not_held_against_it():
    hindi_and_chinese = [id for id in IDS if id.startswith(("hindi", "chinese"))]
    assert light(general(KNOWN), general(KNOWN, repeated=hindi_and_chinese)).colour == "green"
    assert light(general(IDS), general(IDS, repeated=hindi_and_chinese)).colour == "red"


def test_where_the_untouched_model_knows_nothing_it_says_so():
    found = light(general(KNOWN), general(KNOWN))
    assert "It says nothing about German, French, Spanish, Chinese and Hindi" in found.words
    assert "It says nothing" not in light(general(IDS), general(IDS)).words


def test_too_little_to_lose_cannot_be_told():
    found = light(general(KNOWN[:3]), general([]))
    assert found.colour == "amber"
    found = light(general(KNOWN[:2]), general(KNOWN[:2]))
    assert found.colour == "amber" and "only 2 of 84 questions right" in found.words


def test_a_model_that_knew_nothing_and_now_only_stammers_is_red():
    assert light(general([]), general([], repeated=IDS, unfinished=IDS)).colour == "red"


def test_far_off_with_right_answers_deserves_a_second_look():
    found = light(general(KNOWN), general(KNOWN, kl=6.0))
    assert found.colour == "amber" and "very different words" in found.words
    assert light(general(KNOWN), general(KNOWN, kl=2.9)).colour == "green"


def test_other_questions_cannot_be_compared():
    found = light(general(IDS[:5], asked=IDS[:9]), general(IDS[20:], asked=IDS[20:]))
    assert found.colour == "amber" and "not asked the same questions" in found.words


def test_models_that_are_equal_but_for_chance_get_a_red_light_in_at_most_one_of_twenty():
    """A third of the answers are thrown anew for each side: right, looping and without an end, each by itself."""
    dice, reds = random.Random(5), 0
    shaky = IDS[::3]
    for _ in range(1000):
        sides = []
        for _ in range(2):
            right = [id for id in IDS if id not in shaky or dice.random() < 0.5]
            loops = [id for id in shaky if dice.random() < 0.3]
            endless = [id for id in shaky if dice.random() < 0.3]
            sides.append(general(right, repeated=loops, unfinished=endless))
        reds += light(*sides).colour == "red"
    assert 0 < reds <= 50


def test_a_loss_of_one_in_six_is_found_in_most_cases():
    dice, reds = random.Random(6), 0
    for _ in range(200):
        reds += light(general(IDS), general([id for id in IDS if dice.random() > 1 / 6])).colour == "red"
    assert reds >= 190

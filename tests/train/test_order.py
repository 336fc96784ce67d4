"""Examples of like length side by side, in an order that depends on nothing an interruption could lose."""

import random

from facet.train.order import ByLength, order

LENGTHS = [20 + (number * 7919) % 381 for number in range(1003)]


def padding(places, group):
    groups = [places[start : start + group] for start in range(0, len(places), group)]
    return sum(len(one) * max(LENGTHS[place] for place in one) - sum(LENGTHS[place] for place in one) for one in groups)


def test_every_example_is_read_once_in_every_epoch():
    for epoch in range(3):
        assert sorted(order(LENGTHS, 42, epoch, 4)) == list(range(len(LENGTHS)))


def test_seed_epoch_and_group_decide_and_nothing_else():
    once = order(LENGTHS, 42, 1, 4)

    random.seed(7)
    assert order(LENGTHS, 42, 1, 4) == once
    assert once not in (order(LENGTHS, 43, 1, 4), order(LENGTHS, 42, 2, 4), order(LENGTHS, 42, 1, 8))


def test_little_is_filled_up_and_the_steps_do_not_go_from_long_to_short():
    places, by_chance = order(LENGTHS, 42, 1, 4), list(range(len(LENGTHS)))
    random.Random(0).shuffle(by_chance)
    longest = [max(LENGTHS[place] for place in places[start : start + 4]) for start in range(0, 800, 4)]

    assert padding(places, 4) < padding(by_chance, 4) / 10
    assert padding(places, 2) <= padding(places, 4), "also where memory made the groups smaller"
    assert abs(sum(longest[:100]) - sum(longest[100:])) < 0.25 * sum(longest[:100])


def test_the_longest_comes_first_and_the_group_that_is_not_full_last():
    places = order(LENGTHS, 42, 0, 4)

    assert max(LENGTHS) in [LENGTHS[place] for place in places[:4]]
    assert len(LENGTHS) % 4 == 3
    assert padding(places[:-3], 4) <= padding(places, 4)


def test_few_examples_and_none():
    assert order([], 1, 0, 4) == []
    assert sorted(order([5, 9, 2], 1, 0, 4)) == [0, 1, 2]
    assert order([3], 1, 0, 1) == [0]


def test_the_sampler_asks_for_the_epoch_when_it_begins():
    epoch = 0
    sampler = ByLength(LENGTHS, 42, 4, lambda: epoch)
    first = list(sampler)
    epoch = 1

    assert len(sampler) == len(first) == len(LENGTHS)
    assert list(sampler) == order(LENGTHS, 42, 1, 4) != first

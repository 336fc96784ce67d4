"""Near-duplicates: found among many rows, whatever their order, and not where rows only look alike."""

import os
import random
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.dataset.alike import compare, numbers_of, prepared
from facet.dataset.near import Sketches
from tests.doctor import twins


def clusters(texts, threshold=0.8):
    sketches = Sketches()
    sketches.add_many(texts)
    return sketches.clusters(threshold)


def together(*texts):
    return len(set(clusters(texts).tolist())) == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_planted_twins_are_found_and_templates_are_not(seed):
    texts, pairs = twins.planted(5_000, random.Random(seed))
    found = clusters(texts)
    recall = np.mean([found[a] == found[b] for a, b, _ in pairs])
    known = {}
    for a, b, _ in pairs:
        known.setdefault(a, set()).add(b)
        known.setdefault(b, set()).add(a)
    grouped = [at for at in range(len(texts)) if found[at] != at]
    right = [at for at in grouped if any(found[at] == found[other] for other in known.get(at, ()))]
    assert recall >= 0.95
    assert len(right) >= 0.95 * len(grouped)


@pytest.mark.parametrize("kind", twins.CHANGES)
def test_every_kind_of_change_is_seen_through(kind):
    rng = random.Random(kind)
    texts = list(dict.fromkeys(twins.text(rng) for _ in range(300)))
    found = clusters([*texts, *(twins.CHANGES[kind](text, rng) for text in texts)])
    assert np.mean(found[len(texts) :] == np.arange(len(texts))) >= 0.95


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 12 + 7?", "what is  12+7"),
        ("What is the capital of France?", "What is the captial of France?"),
        ("Hello there!", "hello, THERE"),
        ("It is 5 °C – cold, isn’t it?", "It is 5 °C - cold, isn't it?"),
        (
            "Wie heißt die Hauptstadt von Österreich und wo liegt sie?",
            "wie heisst die Hauptstadt von Österreich und wo liegt sie",
        ),
        ("今天天气很好，我们去公园散步吧。", "今天天气很好 我们去公园散步吧"),
        ("Cafe\u0301 au lait, please", "Café au lait please"),
        ("12 月 3 日", "12月3日"),
    ],
)
def test_the_same_in_other_letters(one, other):
    assert together(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 12 + 7?", "What is 13 + 7?"),
        ("What is 12 + 7?", "What is 12 - 7?"),
        ("x + y", "x * y"),
        ("It weighs 1.5 kg in all.", "It weighs 15 kg in all."),
        ("What is the capital of France?", "What is the capital of Germany?"),
        ("Write a letter to Anna, who works in our office and likes to cook for guests.",) * 1
        + ("Write a letter to Boris, who works in our office and likes to cook for guests.",),
        ("The door to the old library is open on every working day of the week for all of us.",
         "The door to the old library is not open on every working day of the week for all of us."),
        ("It costs €5 to enter the garden with children.", "It costs $5 to enter the garden with children."),
        ("", "a"), ("?", "!"), ("法国的首都是什么？", "德国的首都是什么？"),
    ],
)  # fmt: skip
def test_another_number_name_or_meaning_is_another_text(one, other):
    assert not together(one, other)


def test_one_slot_filled_in_many_ways_is_a_template():
    frame = "Please write four lines of verse about a {} in the style of a children's book, and end with a question."
    words = "river,teapot,donkey,lantern,ladder,violin,hammer,garden".split(",")
    assert clusters([frame.format(word) for word in words]).tolist() == list(range(8))
    assert together(frame.format("river"), frame.format("stream"))


def test_long_texts_are_judged_by_their_pieces():
    rng = random.Random(3)
    long = " ".join(twins.text(rng) for _ in range(60))
    other = " ".join(twins.text(rng) for _ in range(60))
    words = long.split()
    words[50:60] = ["something", "else", "altogether"]
    assert clusters([long, other, " ".join(words)]).tolist() == [0, 1, 0]


def test_equal_rows_by_the_hundred_thousand_are_no_work():
    rows = ["The same sentence, over and over."] * 100_000
    assert clusters(rows).max() == 0


def test_rows_that_all_look_alike_stay_apart_and_take_bounded_memory():
    rng = random.Random(1)
    nouns = ["".join(rng.choices(string.ascii_lowercase, k=7)) for _ in range(300)]
    rows = [
        f"Tell me all you know about the {rng.choice(nouns)} and the {rng.choice(nouns)}, in two lines."
        for _ in range(2_000)
    ]
    found = clusters(rows)
    distinct = len(set(rows))
    assert len(set(found.tolist())) >= 0.95 * distinct


def test_a_row_takes_at_most_160_bytes_of_memory():
    sketches = Sketches()
    sketches.add_many(["a sentence of some length, number " + "x" * (n % 50) for n in range(5_000)])
    assert sum(each.nbytes for column in sketches._columns for each in column) <= 160 * 5_000


def test_no_text_is_too_short_too_long_or_too_odd():
    rows = ["", " ", "a", "ab", "abc", "\ud800", "\0", "x" * 3_000_000, "🙂🙂🙂🙂🙂", "?!", "\u0301", "a" * 3, "A B C"]
    found = clusters(rows)
    assert len(found) == len(rows)
    assert found[11] == 11  # “aaa” is not “abc”


def test_no_texts_have_no_clusters():
    assert clusters([]).tolist() == []


def test_one_by_one_or_all_at_once_is_the_same():
    texts, _ = twins.planted(700, random.Random(5))
    sketches = Sketches()
    for text in texts:
        sketches.add(text)
    assert np.array_equal(sketches.clusters(), clusters(texts))
    assert np.array_equal(sketches.clusters(), sketches.clusters())


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_changes_no_cluster(seed):
    rng = random.Random(seed)
    texts, _ = twins.planted(700, rng)
    order = list(range(len(texts)))
    rng.shuffle(order)
    before, after = clusters(texts), clusters([texts[at] for at in order])
    groups = lambda found, names: {frozenset(names[i] for i in np.flatnonzero(found == c)) for c in set(found)}  # noqa: E731
    assert groups(before, range(len(texts))) == groups(after, order)


@given(st.lists(st.text(max_size=60), max_size=40))
@settings(max_examples=100, deadline=None)
def test_each_row_names_the_smallest_of_its_cluster(texts):
    found = clusters(texts)
    assert all(found[at] <= at and found[found[at]] == found[at] for at in range(len(texts)))
    equal = {text: at for at, text in reversed(list(enumerate(texts)))}
    assert all(found[at] == found[equal[text]] for at, text in enumerate(texts))


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_comparing_is_the_same_both_ways(one, other):
    a, b = prepared(one), prepared(other)
    if numbers_of(a) == numbers_of(b):
        assert compare(a, b, 0.8).is_near == compare(b, a, 0.8).is_near


@pytest.mark.skipif(os.environ.get("FACET_SOAK") != "1", reason="long: set FACET_SOAK=1 to run it")
def test_a_hundred_thousand_rows_keep_their_recall():
    texts, pairs = twins.planted(100_000, random.Random(9))
    found = clusters(texts)
    assert np.mean([found[a] == found[b] for a, b, _ in pairs]) >= 0.95

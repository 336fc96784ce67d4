"""Private data is found where it is planted, and numbers that are none are let be."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.dataset.doctor.private import KINDS, find, mask
from tests.doctor import secrets_made
from tests.doctor.twins import text

ROWS = 2_000


@pytest.mark.parametrize("kind", secrets_made.MAKERS)
def test_what_is_planted_is_found_as_what_it_is(kind):
    rng = random.Random(kind)
    found = 0
    for _ in range(ROWS // 5):
        sentence, written = secrets_made.sentence(rng, kind)
        whole = f"{text(rng)} {sentence} {text(rng)}"
        found += any(each.kind == kind and whole[each.start : each.end] == written for each in find(whole))
    assert found >= 0.95 * (ROWS // 5)


def test_numbers_that_are_not_private_are_let_be():
    rng = random.Random(5)
    wrong = [line for line in (secrets_made.harmless(rng) for _ in range(ROWS)) if find(line)]
    assert len(wrong) <= 0.02 * ROWS, wrong[:10]


def test_precision_holds_where_one_row_in_ten_is_private():
    rng = random.Random(6)
    lines = [(secrets_made.sentence(rng)[0], True) for _ in range(ROWS // 10)]
    lines += [(secrets_made.harmless(rng), False) for _ in range(ROWS)]
    found = [is_private for line, is_private in lines if find(line)]
    assert sum(found) >= 0.95 * len(found)
    assert sum(found) >= 0.95 * ROWS // 10


def test_a_mask_says_what_stood_there_and_leaves_the_rest():
    assert mask("Write to mara.lind@posteo.de, or call +49 30 901820.") == "Write to [e-mail], or call [phone]."
    assert mask("Write to mara.lind@posteo.de.", frozenset(["phone"])) == "Write to mara.lind@posteo.de."


def test_a_key_is_masked_with_its_whole_block():
    block = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b3BlbnNzaC1rZXktdjEA\n" * 5 + "-----END OPENSSH PRIVATE KEY-----"
    assert mask(f"Here:\n{block}\nDone.") == "Here:\n[key]\nDone."


@given(st.lists(st.sampled_from([*secrets_made.MAKERS, None]), max_size=6), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_masking_twice_changes_nothing_more(kinds, seed):
    rng = random.Random(seed)
    lines = [secrets_made.sentence(rng, kind)[0] if kind else secrets_made.harmless(rng) for kind in kinds]
    once = mask("\n".join(lines))
    assert mask(once) == once


@given(st.text(st.sampled_from("0123456789 .-+()/:@abAZ€$,\n"), max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_searched_and_places_are_in_order(words):
    found = find(words)
    assert all(each.kind in KINDS and 0 <= each.start < each.end <= len(words) for each in found)
    assert all(a.end <= b.start for a, b in pairwise(found))

"""Which examples are learned from, watched and kept for the exam: a matter of their content and the seed alone."""

import hashlib
import random

import pytest

from facet.dataset.split import split
from facet.errors import SettingError


def prints(count: int) -> list[bytes]:
    return [hashlib.blake2b(str(number).encode(), digest_size=16).digest() for number in range(count)]


def counts(parts: list[str]) -> tuple[int, int, int]:
    return parts.count("train"), parts.count("validation"), parts.count("exam")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(9, (9, 0, 0)), (10, (8, 1, 1)), (30, (24, 3, 3)), (96, (76, 10, 10)), (10_000, (8_000, 1_000, 1_000))],
)
def test_small_sets_are_divided_exactly_and_even_ten_rows_get_an_exam(rows, expected):
    assert counts(split(prints(rows), 0.1, 0.1, seed=0)) == expected


def test_a_small_share_of_few_rows_is_still_one_row():
    assert counts(split(prints(30), 0.01, 0.01, seed=0)) == (28, 1, 1)


def test_large_sets_are_divided_nearly_so():
    train, validation, exam = counts(split(prints(50_000), 0.2, 0.1, seed=0))
    assert train + validation + exam == 50_000
    assert abs(validation - 10_000) < 500
    assert abs(exam - 5_000) < 350


@pytest.mark.parametrize("rows", [200, 20_000])
def test_the_order_of_rows_changes_nothing(rows):
    ordered = prints(rows)
    shuffled = random.Random(1).sample(ordered, rows)
    one = dict(zip(ordered, split(ordered, 0.1, 0.1, 7), strict=True))
    other = dict(zip(shuffled, split(shuffled, 0.1, 0.1, 7), strict=True))
    assert one == other


def test_in_large_sets_new_rows_move_no_old_ones():
    old = prints(20_000)
    before = split(old, 0.1, 0.1, 7)
    after = split(prints(30_000), 0.1, 0.1, 7)
    assert after[:20_000] == before


@pytest.mark.parametrize("rows", [300, 30_000])
def test_the_same_example_is_never_on_two_sides(rows):
    made = [random.Random(2).choice(prints(rows // 3)) for _ in range(50)] + prints(rows // 3) * 3
    sides: dict[bytes, set[str]] = {}
    for fingerprint, part in zip(made, split(made, 0.2, 0.2, 3), strict=True):
        sides.setdefault(fingerprint, set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())


def test_another_seed_divides_differently_and_the_same_seed_the_same():
    made = prints(500)
    assert split(made, 0.1, 0.1, 1) == split(made, 0.1, 0.1, 1)
    assert split(made, 0.1, 0.1, 1) != split(made, 0.1, 0.1, 2)


def test_a_part_that_was_not_asked_for_is_empty():
    assert counts(split(prints(100), 0, 0.1, 0)) == (90, 0, 10)
    assert counts(split(prints(100), 0.1, 0, 0)) == (90, 10, 0)
    assert counts(split(prints(100), 0, 0, 0)) == (100, 0, 0)


def test_something_is_always_left_to_learn_from():
    one_large_group = prints(1) * 1_000 + prints(30)
    for seed in range(20):
        assert counts(split(one_large_group, 0.4, 0.4, seed))[0] > 0


def test_no_rows_have_no_parts():
    assert split([], 0.1, 0.1, 0) == []


@pytest.mark.parametrize("share", [-0.1, 0.51, 1, 2, float("nan"), float("inf"), -1, True, "0.1", None, [0.1]])
@pytest.mark.parametrize("place", [0, 1])
def test_a_share_that_is_no_number_from_0_to_a_half_is_refused_by_its_label(share, place):
    shares = [0.1, 0.1]
    shares[place] = share
    with pytest.raises(SettingError) as refused:
        split(prints(20), shares[0], shares[1], 0)
    assert ("Set aside for validation", "Set aside for the exam")[place] in str(refused.value)


def test_two_large_shares_together_are_refused():
    with pytest.raises(SettingError, match="Too few examples would be left"):
        split(prints(20), 0.5, 0.5, 0)

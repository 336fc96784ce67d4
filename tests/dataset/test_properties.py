"""What holds for any rows and any choices: nothing vanishes, nothing leaks, order changes nothing, undoing is exact."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.dataset.prepare import prepare
from facet.dataset.sides import UNUSED, Choices, Rows, deal
from facet.dataset.split import EXAM, TRAIN, VALIDATION, sample
from facet.dataset.store import whole_examples
from facet.errors import DataError, SettingError
from tests.dataset.conftest import require_all_counted
from tests.dataset.mending import HALVE, SHOUT, repair

ROUNDS = 400 if os.environ.get("FACET_SOAK") else 60
QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}
SHARES = st.sampled_from([0.0, 0.05, 0.1, 0.3])
MANY = st.sets(st.integers(0, 400), min_size=60, max_size=200).map(list)
NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=150)


def facts(numbers: list[int], grouped: bool = False, stratified: bool = False) -> Rows:
    """Rows whose every property follows from one number: equal ones are copies, neighbours are nearly the same."""
    values = np.array(numbers, dtype=np.uint64)
    keys = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    _, near = np.unique(values // np.uint64(3), return_inverse=True)
    return Rows(
        keys,
        values // np.uint64(2),
        lambda likeness: near,
        values // np.uint64(4) + np.uint64(1) if grouped else None,  # 0 would be none
        (values % np.uint64(3)).astype(np.int32) if stratified else None,
        np.zeros(len(values), dtype=np.uint8),
    )


CHOICES = st.builds(
    lambda exam, validation, seed, size: Choices(exam, validation, seed, size),
    SHARES, SHARES, st.integers(0, 5), st.none() | st.integers(10, 100),
)  # fmt: skip


@settings(max_examples=ROUNDS, deadline=None)
@given(NUMBERS, CHOICES, st.booleans(), st.booleans())
def test_every_row_is_dealt_out_once_or_named_as_left_out(numbers, choices, copies, stratified):
    dealt = deal(facts(numbers, stratified=stratified), choices, copies)
    dropped = sum(dealt.dropped.values(), np.zeros(len(numbers), dtype=int))
    used = dealt.parts != UNUSED
    assert (used + dropped + dealt.unsampled == 1).all()
    if choices.sample_size is not None and not copies:
        assert used.sum() == min(choices.sample_size, len(numbers))
    assert (dealt.parts == TRAIN).any()


@settings(max_examples=ROUNDS, deadline=None)
@given(MANY, CHOICES, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(numbers, choices, stratified, random):
    shuffled = random.sample(numbers, len(numbers))

    def sides(rows: list[int]) -> list[tuple[int, int]]:
        dealt = deal(facts(rows, stratified=stratified), choices)
        return sorted(zip(rows, dealt.parts.tolist(), strict=True))

    assert sides(numbers) == sides(shuffled)


@settings(max_examples=ROUNDS, deadline=None)
@given(NUMBERS, CHOICES, st.booleans())
def test_copies_are_never_on_two_sides_nor_are_rows_of_one_group(numbers, choices, stratified):
    try:
        dealt = deal(facts(numbers, True, stratified), Choices(**vars(choices) | {"group": "g"}))
    except SettingError:
        assert len({number // 4 for number in numbers}) < 2 or choices.sample_size is not None
        return
    sides: dict[int, set[int]] = {}
    for number, part in zip(numbers, dealt.parts.tolist(), strict=True):
        if part != UNUSED:
            sides.setdefault(number // 4, set()).add(part)
    assert all(len(parts) == 1 for parts in sides.values())


@settings(max_examples=ROUNDS, deadline=None)
@given(NUMBERS, st.integers(0, 9), st.integers(10, 80), st.integers(0, 80))
def test_a_small_sample_lies_within_a_larger_one(numbers, seed, size, more):
    keys = facts(numbers).keys
    small, large = sample(keys, size, seed), sample(keys, size + more, seed)
    assert small.sum() == min(size, len(numbers))
    assert not (small & ~large).any()


@settings(max_examples=ROUNDS, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([TRAIN, VALIDATION, EXAM])), min_size=12, max_size=120))
def test_given_parts_stay_and_train_gives_up_what_the_exam_has(rows):
    numbers, given_parts = [list(each) for each in zip(*rows, strict=True)]
    known = facts(numbers)
    known.given = np.array(given_parts, dtype=np.uint8)
    dealt = deal(known, Choices(splits="given"))
    exam = {number for number, part in rows if part == EXAM}
    for (number, part), now in zip(rows, dealt.parts.tolist(), strict=True):
        assert part != EXAM or now == EXAM
        assert not (number in exam and now in (TRAIN, VALIDATION))


CELLS = st.sampled_from(["", "  ", "yes", "no", "Is it?", "What is 5?", "é", "a\u0000b", "x.png", "12", "long " * 30])


@settings(max_examples=ROUNDS // 3, deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=80),
    st.fixed_dictionaries(
        {},
        optional={
            "sample_size": st.integers(10, 40),
            "splits": st.sampled_from(["ours", "none"]),
            "stratify": st.booleans(),
            "cleaning": st.fixed_dictionaries(
                {}, optional={"duplicates": st.just(True), "trim": st.just(True), "min_characters": st.integers(1, 9)}
            ),
            "repairs": st.lists(st.sampled_from([SHOUT, HALVE]), max_size=2),
        },
    ),
)
def test_whatever_is_in_a_file_rows_in_are_rows_used_and_rows_reported(rows, options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facet.dataset.mend.apply", repair)
        try:
            summary, folder = made([{"question": one, "answer": other} for one, other in rows], **options)
        except DataError:
            return
        require_all_counted(summary)
        assert summary["rows_in"] == len(rows)
        lines = (folder / "problems.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == summary["unusable"]
        assert all(rows[json.loads(line)["row"] - 1] for line in lines)


@settings(max_examples=ROUNDS // 4, deadline=None)
@given(st.lists(st.sampled_from([SHOUT, HALVE]), min_size=1, max_size=4), st.integers(0, 3))
def test_whatever_is_repaired_the_exam_keeps_its_bytes_and_a_shorter_recipe_undoes_it(repairs, seed):
    rows = [{"question": f"What is {n}?", "answer": f"It is {n}."} for n in range(40)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("facet.dataset.mend.apply", repair)
        plain, untouched = made(rows, seed=seed)
        steps = [made(rows, seed=seed, repairs=repairs[:count]) for count in range(len(repairs) + 1)]
        again, _ = made(rows, seed=seed, repairs=repairs[:-1])
    exam = (untouched / "exam.parquet").read_bytes()
    assert all((folder / "exam.parquet").read_bytes() == exam for _, folder in steps)
    assert again["fingerprint"] == steps[-2][0]["fingerprint"]
    assert steps[0][0]["fingerprint"] == plain["fingerprint"]
    assert len({summary["fingerprint"] for summary, _ in steps}) == len(steps)


def test_the_fingerprint_is_the_same_read_back_from_disk_as_counted_on_the_way():
    from facet.dataset.measure import measured

    rows = [{"question": f"What is {n}? é", "answer": "yes" * (n % 5 + 1)} for n in range(50)]
    summary, folder = made(rows)
    assert measured(folder).items() <= {**summary, "labels": None}.items()
    assert len(list(whole_examples(folder / "train.parquet"))) == summary["splits"]["train"]


def made(rows: list[dict], **options) -> tuple[dict, Path]:
    folder = Path(tempfile.mkdtemp(dir=TEMPORARY.name))
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    into = folder / "made"
    into.mkdir()
    return prepare(str(file), "rows.jsonl", None, QA, str(into), "x", **options), into


TEMPORARY = tempfile.TemporaryDirectory(prefix="properties-")

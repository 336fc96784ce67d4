"""Which examples are learned from, watched and kept for the exam: a matter of their content and the seed alone."""

import hashlib
import json
import random

import pytest

from facet.dataset.prepare import prepare
from facet.dataset.split import split
from facet.errors import SettingError

QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}


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


# --- what a person may choose beside the shares


def rows(count: int, answer: str = "It is {n}.", question: str = "What is {n}?", **more: str) -> str:
    made = [
        {"question": question.format(n=n), "answer": answer.format(n=n)}
        | {name: value.format(n=n, third=n % 3, tenth=n // 10) for name, value in more.items()}
        for n in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in made)


def sides(made, key) -> dict[str, set[str]]:
    """Which parts hold rows with the same key."""
    found: dict[str, set[str]] = {}
    for part, conversations in made.parts.items():
        for turns in conversations.values():
            found.setdefault(key(turns), set()).add(part)
    return found


def story(number: int) -> str:
    """Forty made-up words, others for every number."""
    letters = random.Random(number)
    return " ".join("".join(letters.choices("abdegiklmnoprstu", k=6)) for _ in range(40))


def test_even_thirty_rows_that_ask_the_same_have_an_exam(make):
    made = make(rows(30, question="Tell me a joke.", answer="Joke {n}"), "a.jsonl", mapping=QA)
    assert made.summary["splits"] == {"train": 24, "validation": 3, "exam": 3}
    assert any("ask the same" in note for note in made.summary["notes"])


def test_even_thirty_rows_that_are_nearly_alike_have_an_exam(make):
    made = make(rows(30, answer=f"{story(1)} {{n}}", question=f"{story(2)} {{n}}?"), "a.jsonl", mapping=QA)
    assert made.summary["splits"]["exam"] == 3


def test_rows_with_the_same_question_are_on_one_side(make):
    asked = [f"Question about {story(n)}?" for n in range(60)]
    content = "".join(
        json.dumps({"question": each.upper() if n % 2 else each, "answer": story(1000 + n)}) + "\n"
        for n, each in enumerate(asked + asked)
    )
    made = make(content, "a.jsonl", mapping=QA)
    assert made.summary["splits"]["exam"] in (12, 13)
    assert all(len(parts) == 1 for parts in sides(made, lambda turns: turns[0]["content"].lower()).values())


def test_rows_that_are_nearly_the_same_are_on_one_side(make):
    pairs = [(f"Question about {story(n)}?", story(500 + n)) for n in range(60)]
    almost = [(question, f"{answer} Indeed.") for question, answer in pairs]
    almost = [(question.replace("Question", "A question"), answer) for question, answer in almost]
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in pairs + almost]
    made = make("\n".join(lines), "a.jsonl", mapping=QA, test_size=0.2)
    part_of = {row: part for part, found in made.parts.items() for row in found}
    assert all(part_of[n] == part_of[n + 60] for n in range(1, 61))
    assert {"train", "validation", "exam"} == set(part_of.values())


def test_rows_of_one_group_are_on_one_side(make):
    made = make(rows(200, patient="patient {tenth}"), "a.jsonl", mapping=QA, group="patient")
    found = sides(made, lambda turns: str((int(turns[0]["content"].split()[-1][:-1])) // 10))
    assert len(found) == 20
    assert all(len(parts) == 1 for parts in found.values())
    assert made.summary["splits"]["exam"] == 20


def test_rows_without_a_group_stand_alone(make):
    content = rows(40, patient="{tenth}").replace('"patient": "3"', '"patient": ""')
    assert make(content, "a.jsonl", mapping=QA, group="patient").summary["splits"]["exam"] >= 1


def test_one_single_group_cannot_be_divided(make):
    with pytest.raises(SettingError, match="Keep together"):
        make(rows(40, patient="same"), "a.jsonl", mapping=QA, group="patient")


@pytest.mark.parametrize("choice", [{"group": "no such"}, {"stratify": "no such"}])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_column_that_is_not_there_is_named(make, choice, name):
    content = rows(20) if name == "a.jsonl" else "question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(20))
    with pytest.raises(SettingError, match="no column “no such”"):
        make(content, name, mapping=QA, **choice)


def test_each_category_has_its_share_of_every_part(make):
    content = "text,label\n" + "".join(f"{story(n)},{'rare' if n % 10 == 0 else 'common'}\n" for n in range(400))
    made = make(content, "a.csv", stratify=True)
    for part, share in (("exam", 40), ("validation", 40)):
        labels = [turns[-1]["content"] for turns in made.parts[part].values()]
        assert (labels.count("rare"), len(labels)) == (4, share)


def test_categories_may_stand_in_another_column(make):
    made = make(rows(90, topic="topic {third}"), "a.jsonl", mapping=QA, stratify="topic")
    topics = [int(turns[0]["content"].split()[-1][:-1]) % 3 for turns in made.parts["exam"].values()]
    assert sorted(topics) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_too_many_categories_are_none(make):
    with pytest.raises(SettingError, match="More than 1,000 different values"):
        make(rows(1_100), "a.jsonl", mapping=QA, stratify=True)


def test_a_sample_is_what_was_asked_for_and_lies_within_a_larger_one(make):
    small = make(rows(300), "a.jsonl", mapping=QA, sample_size=50, seed=4)
    large = make(rows(300), "b.jsonl", mapping=QA, sample_size=120, seed=4)
    assert (small.summary["used"], small.summary["not_sampled"]) == (50, 250)
    assert set(small.conversations) < set(large.conversations)
    assert set(make(rows(300), "c.jsonl", mapping=QA, sample_size=50, seed=5).conversations) != set(small.conversations)


def test_without_parts_all_rows_are_learned_from_and_it_says_so(make):
    made = make(rows(40), "a.jsonl", mapping=QA, splits="none")
    assert made.summary["splits"] == {"train": 40, "validation": 0, "exam": 0}
    assert any("No example is kept aside" in note for note in made.summary["notes"])


def several(file, **parts: str) -> dict:
    """Arguments for files that each are one part."""
    made = [
        {"file": str(file(text, f"{name}.jsonl")), "original_name": f"{name}.jsonl"} for name, text in parts.items()
    ]
    return {"others": [one | {"part": name} for one, name in zip(made, parts, strict=True)]}


def test_given_parts_stay_what_they_are_and_a_missing_one_is_taken_from_train(make, file):
    exam = rows(10, question="Exam {n}?", answer="Answer {n} of the exam")
    made = make(rows(100), "a.jsonl", mapping=QA, part="train", splits="given", **several(file, exam=exam))
    assert made.summary["splits"] == {"train": 90, "validation": 10, "exam": 10}
    assert all(turns[0]["content"].startswith("Exam") for turns in made.parts["exam"].values())
    assert any("without a part for validation" in note for note in made.summary["notes"])


def test_train_gives_up_what_a_given_exam_has_already(make, file):
    exam = rows(12)
    made = make(rows(100), "a.jsonl", mapping=QA, part="train", splits="given", **several(file, exam=exam))
    assert made.summary["splits"]["exam"] == 12
    assert made.summary["reasons"] == {"the exam, or the validation part, has it or nearly the same already": 12}
    assert not set(map(str, made.parts["train"].values())) & set(map(str, made.parts["exam"].values()))


def test_our_own_parts_ignore_those_that_were_given(make, file):
    exam = rows(10, question="Exam {n}?")
    made = make(rows(90), "a.jsonl", mapping=QA, part="train", splits="ours", **several(file, exam=exam))
    assert made.summary["splits"] == {"train": 80, "validation": 10, "exam": 10}
    assert len(made.parts["exam"]) == 10


@pytest.mark.parametrize(
    "choice",
    [{"sample_size": 3}, {"sample_size": 2.5}, {"sample_size": True}, {"splits": "mine"}, {"seed": -1}, {"seed": "x"},
     {"stratify": ""}, {"group": ""}, {"stratify": 3}],
)  # fmt: skip
def test_a_choice_that_cannot_be_is_refused_before_anything_is_read(choice, tmp_path):
    with pytest.raises(SettingError, match="Correct “"):
        prepare("does not exist", "a.jsonl", None, QA, str(tmp_path), "x", **choice)

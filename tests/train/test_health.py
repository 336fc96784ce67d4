"""The health sentence against curves whose kind is known: drawn ones of every kind, and real ones."""

import json
from collections import Counter
from pathlib import Path

import pytest

from facet.recipe.recipes import PretrainRecipe, SftRecipe
from facet.train.health import health, spike
from tests.train.health_curves import Case, cases

KINDS = ("begun", "learning", "flat", "memorising", "unstable", "finished")
REAL = sorted((Path(__file__).parent / "curves").glob("*.json"))


def real() -> list[Case]:
    found = []
    for file in REAL:
        told = json.loads(file.read_text())
        curves = {name: [(step, value) for step, value in points] for name, points in told["curves"].items()}
        found.append(Case(file.stem, told["kind"], curves, told["total_steps"], over=True))
        if told["kind"] == "finished":
            found += [cut(found[-1], 3, "begun"), cut(found[-1], told["total_steps"] // 2, "learning")]
    return found


def cut(case: Case, steps: int, kind: str) -> Case:
    curves = {name: [point for point in points if point[0] <= steps] for name, points in case.curves.items()}
    return Case(f"{case.name}, the first {steps} steps", kind, curves, case.total_steps)


def told(case: Case) -> str:
    return health(case.curves, case.total_steps, SftRecipe(), case.over).kind


def test_of_the_curves_whose_kind_is_known_nearly_all_are_told_right(capsys):
    known = [*cases(), *real()]
    matrix = Counter((case.kind, told(case)) for case in known)
    wrong = [f"{case.name}: {case.kind}, told as {told(case)}" for case in known if told(case) != case.kind]
    with capsys.disabled():
        print(f"\n{len(known)} curves; rows: what they are, columns: what is said")
        print(f"{'':12}" + "".join(f"{kind:>12}" for kind in KINDS))
        for kind in KINDS:
            print(f"{kind:12}" + "".join(f"{matrix[kind, said]:12}" for said in KINDS))
        print("\n".join(wrong))

    assert len(known) >= 38 and {case.kind for case in known} == set(KINDS)
    assert len(wrong) <= len(known) // 20
    assert not matrix["unstable", "finished"] and not matrix["memorising", "finished"]
    assert not matrix["finished", "unstable"] and not matrix["finished", "memorising"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_sentence_has_its_numbers_and_what_to_do_where_something_is_wrong(case):
    found = health(case.curves, case.total_steps, SftRecipe(), case.over)

    assert found.words.endswith(".")
    assert any(letter.isdigit() for letter in found.words) or "no longer a number" in found.words
    assert bool(found.next) or found.kind in ("begun", "learning")
    assert len(f"{found.words} {found.next}") < 330


def test_one_jump_is_told_from_the_noise_around_it():
    quiet = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.1, 0.9]
    assert spike([*quiet, 4.0]) == pytest.approx(4.0)
    assert spike([*quiet, 1.3]) is None and spike([1.0, 5.0]) is None


@pytest.mark.parametrize(("end", "words"), [(1.2, "It learned well"), (6.0, "1 chance in 4")])
def test_a_run_that_still_guesses_is_not_called_good(end, words):
    falling = [(step, 9.0 + (end - 9.0) * step / 40) for step in range(1, 41)]
    told = health({"loss": falling, "validation_loss": [(0, 9.0), *falling[9::10]]}, 40, SftRecipe(), over=True)
    assert words in told.words and (told.look == "good") == (end < 3)


GENTLE = SftRecipe(loss_type="dft")  # its training loss, -p log p, rises while p goes from 0 to 1/e
RISING = [(step, 0.05 + 0.007 * step) for step in range(1, 41)]


def test_a_gentle_run_that_learns_is_not_said_to_get_worse():
    checked = [(0, 4.0), (10, 3.0), (20, 2.4), (30, 2.0), (40, 1.8)]

    told = health({"loss": RISING, "validation_loss": checked}, 40, GENTLE, over=True)

    assert health({"loss": RISING}, 40, SftRecipe()).kind == "unstable", "as it would be with the usual loss"
    assert told.kind == "finished" and "validation loss fell from 4 to 1.8" in told.words


@pytest.mark.parametrize("over", [True, False])
def test_a_gentle_run_without_a_validation_part_is_not_judged_by_its_training_loss(over):
    falling = [(step, 0.33 - 0.007 * step) for step in range(1, 41)]
    told = [health({"loss": curve}, 80, GENTLE, over) for curve in (RISING, falling)]

    assert told[0] == told[1] and told[0].kind in ("finished", "learning")
    assert "does not tell" in told[0].words and not told[0].look and told[0].next


def test_a_gentle_run_that_learns_by_heart_is_told_from_the_validation_loss_alone():
    checked = [(0, 4.0), (10, 2.0), (20, 2.2), (30, 2.5), (40, 3.0)]
    told = health({"loss": RISING, "validation_loss": checked}, 40, GENTLE)

    assert told.kind == "memorising" and "rose from 2 to 3." in told.words


def test_of_texts_that_teach_little_nobody_is_sent_to_look_for_questions():
    curves = {"loss": [(step, 3.0) for step in range(1, 41)]}
    told = [health(curves, 40, recipe, over=True) for recipe in (SftRecipe(), PretrainRecipe())]

    assert {one.kind for one in told} == {"flat"}
    assert "questions" in told[0].next and "texts" in told[1].next and "questions" not in told[1].next

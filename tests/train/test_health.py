"""The health sentence against curves whose kind is known: drawn ones of every kind, and real ones."""

import json
from collections import Counter
from pathlib import Path

import pytest

from facet.recipe.recipes import SftRecipe
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

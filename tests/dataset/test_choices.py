"""Questions with choices keep them; the right one is the answer, with its letter."""

import json

import pytest

from facet.dataset.choices import choices_in, right_one
from facet.dataset.look import look
from facet.dataset.problem import RowProblem
from tests.kinds import csv, jsonl

FOUR = ("red", "green", "blue", "grey")


def question(n: int) -> str:
    return f"Which colour has thing {n}?"


def options(n: int) -> list[str]:
    return [f"{each} {n}" for each in FOUR]


def listed(n: int, answer) -> dict:
    return {"question": question(n), "subject": "colours", "choices": options(n), "answer": answer}


def beside(names: str, n: int, answer) -> dict:
    return {"question": question(n), **dict(zip(names.split(), options(n), strict=True)), "answer": answer}


def arc(n: int, marks: str) -> dict:
    choices = {"text": options(n), "label": list(marks)}
    return {"id": f"q{n}", "question": question(n), "choices": choices, "answerKey": marks[n % 4]}


TABLES = {
    "a list and a number from nought": [listed(n, n % 4) for n in range(24)],
    "a list and a letter": [listed(n, "ABCD"[n % 4]) for n in range(24)],
    "a list and the text": [listed(n, options(n)[n % 4]) for n in range(24)],
    "a list as JSON text": [listed(n, "abcd"[n % 4]) | {"choices": json.dumps(options(n))} for n in range(24)],
    "columns of letters": [beside("A B C D", n, "ABCD"[n % 4]) for n in range(24)],
    "columns and a number from one": [beside("option1 option2 option3 option4", n, n % 4 + 1) for n in range(24)],
    "columns and a number from nought": [beside("opa opb opc opd", n, n % 4) for n in range(24)],
    "columns and a letter in brackets": [
        beside("choice_a choice_b choice_c choice_d", n, f"({'ABCD'[n % 4]})") for n in range(24)
    ],
    "texts with labels": [arc(n, "ABCD") for n in range(24)],
    "texts with numbers as labels": [arc(n, "1234") for n in range(24)],
    "objects with labels": [
        {"question": question(n), "answerKey": "ABCD"[n % 4],
         "choices": [{"label": mark, "text": text} for mark, text in zip("ABCD", options(n), strict=True)]}
        for n in range(24)
    ],
}  # fmt: skip


@pytest.mark.parametrize("how", TABLES)
def test_choices_stand_below_the_question_and_the_answer_is_one_of_them(make, how):
    made = make(jsonl(TABLES[how]), "quiz.jsonl")
    assert made.summary["used"] == 24
    assert made.questions()[2] == f"{question(2)}\n\nA) red 2\nB) green 2\nC) blue 2\nD) grey 2"
    assert made.answers()[1:4] == ["B) green 1", "C) blue 2", "D) grey 3"]


def test_a_quiz_in_csv(make):
    made = make(csv(TABLES["columns of letters"]), "quiz.csv")
    assert made.answers()[3] == "D) grey 3"


def test_an_answer_that_is_none_of_the_choices_is_reported(make):
    rows = [*TABLES["a list and a letter"], listed(50, "F"), listed(51, ""), listed(52, "A") | {"choices": []}]
    reasons = make(jsonl(rows), "quiz.jsonl").summary["reasons"]
    assert reasons == {
        "the answer is none of the choices": 1,
        "the answer is empty": 1,
        "there are no choices to choose from": 1,
    }


def test_a_question_may_have_fewer_choices_than_there_are_columns(make):
    rows = [*TABLES["columns of letters"], beside("A B C D", 70, "B") | {"C": "", "D": ""}]
    assert make(jsonl(rows), "quiz.jsonl").questions()[-1].endswith("A) red 70\nB) green 70")


@pytest.mark.parametrize("value", [-1, 4, "Z", "", None, True, [], {}, "red 1 or so", float("nan")])
def test_what_is_no_answer(value):
    with pytest.raises(RowProblem):
        right_one(value, options(1), [], 0)


@pytest.mark.parametrize("value", [None, "", "one", [], ["one"], {}, 7, ["x"] * 99, [["a"], ["b"]], [None, "b"]])
def test_what_is_no_choice(value):
    with pytest.raises(RowProblem):
        choices_in({"choices": value}, ("choices",), set())


def test_columns_that_are_not_used_are_named(file):
    seen = look(str(file(jsonl(TABLES["a list and a letter"]), "a.jsonl")), "a.jsonl")
    assert seen["unused"] == ["subject"]


def test_answers_called_answer_a_and_answer_b_alone_are_no_quiz(file):
    rows = [{"question": question(n), "answer_a": "one thing", "answer_b": "another thing"} for n in range(24)]
    seen = look(str(file(csv(rows), "a.csv")), "a.csv")
    assert seen["shape"] is None or not seen["shape"]["mapping"]["choices"]

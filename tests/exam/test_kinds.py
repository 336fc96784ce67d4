"""The type of an exam follows the right answers, and its reason says so."""

import csv
import json
import random

import pytest

from facet.exam.kinds import exam_type
from facet.exam.outcome import Question

GERMAN = [
    ("Where is the nearest railway station from here, please?", "Wo ist denn bitte von hier aus der nächste Bahnhof?"),
    ("I would like a cup of coffee with some milk in it.", "Ich hätte gerne eine Tasse Kaffee mit etwas Milch darin."),
    ("The weather will be fine on the day after tomorrow.", "Das Wetter wird am übernächsten Tag schön werden."),
    ("My sister has been working in this hospital for years.", "Meine Schwester arbeitet seit Jahren im Krankenhaus."),
    ("We have to change trains twice to get to the coast.", "Wir müssen zweimal umsteigen, um an die Küste zu kommen."),
]


def questions(pairs: list[tuple[str, str]]) -> list[Question]:
    asked = [[{"role": "user", "content": question}] for question, _ in pairs]
    return [Question("exam", row, asked[row], right) for row, (_, right) in enumerate(pairs)]


def found(answers: list[str], **how):
    return exam_type(questions([(f"Question {n}?", answer) for n, answer in enumerate(answers)]), "conversation", **how)


@pytest.mark.parametrize(
    "answers, name, reason",
    [
        (["positive", "negative", "Positive", "negative"] * 3, "classification", "12 right answers are 2 labels"),
        (["1", "2", "3", "4", "5"] * 6, "classification", "30 right answers are 5 labels"),
        ([str(n % 12) for n in range(96)], "number", "All 96 right answers are a number"),
        (["3 + 4 = 7, so she has seven.\n#### 7", "1,200 km", "-3/4", "$2.50", "50 %"], "number", "All 5"),
        (["3 + 4 = 7\nAnswer: 7", "15 words are left.\nAnswer: 15 words", "Answer: -2"], "number", "“Answer:”"),
        (["Paris", "the Eiffel Tower", "1889", "Gustave Eiffel"], "exact", "at most 6 words"),
        (['{"a": 1}', '```json\n{"a": 2}\n```', '[{"b": "x"}]'], "json", "All 3 right answers are JSON"),
        (["A long answer that goes on and on, in whole sentences. It says more than one thing."] * 4, "text", "free"),
        (["the same", "the same", "the same"], "exact", "All 3"),
        (["2024-05-06", "2023-01-31", "1999-12-24"], "exact", "All 3"),
        (["", "  "], "text", "no right answers"),
        (["<think>a or b, or both, and whatever else there is to weigh</think>Rome", "Oslo", "Bern"], "exact", "All 3"),
    ],
)  # fmt: skip
def test_the_right_answers_decide(answers, name, reason):
    kind = found(answers)
    assert (kind.name, reason in kind.reason) == (name, True), kind.reason


def test_labels_are_written_as_they_mostly_are_and_sorted_naturally():
    assert found(["Yes", "yes", "yes", "no", "no.", "no"] * 3).labels == ("no", "yes")
    assert found(["10", "9", "1"] * 6).labels == ("1", "9", "10")


def test_labels_that_the_data_names_are_taken_as_they_are():
    kind = found(["b"], labels=["a", "b", "c"])
    assert (kind.name, kind.labels) == ("classification", ("a", "b", "c"))


def test_taught_answers_make_up_for_few_questions():
    assert found(["cat", "dog", "cow"]).name == "exact"
    assert found(["cat", "dog", "cow"], taught=["cat", "dog", "cow", "hen"] * 10).labels == ("cat", "cow", "dog", "hen")


@pytest.mark.parametrize(
    "pairs",
    [GERMAN * 2, [(f"Translate into German: word {n}", "ein Wort " * n + "und noch viele mehr") for n in range(1, 9)]],
)
def test_translations_are_told_by_the_request_or_by_the_languages(pairs):
    pairs = [(question, f"{answer} ({n})") for n, (question, answer) in enumerate(pairs)]
    assert exam_type(questions(pairs), "conversation").name == "translation"


def test_a_long_answer_in_another_language_is_no_translation():
    pairs = [(question, f"{answer} " * 3 + str(n)) for n, (question, answer) in enumerate(GERMAN * 2)]
    assert exam_type(questions(pairs), "conversation").name == "text"


def test_the_types_of_data_without_one_right_answer():
    pair = Question("exam", 0, [{"role": "user", "content": "Hi"}], "Hello!", "Go away.")
    plain = Question("exam", 0, [], "Once upon a time")

    assert exam_type([pair], "preference").name == "preference"
    assert (exam_type([plain], "text").name, exam_type([plain], "text").metric) == ("text", "likelihood")
    assert (exam_type([], "conversation").name, exam_type([], "conversation").metric) == ("text", "likelihood")


def test_json_gets_the_schema_that_all_right_answers_fit():
    schema = json.loads(found(['{"name": "A", "age": 3}', '{"name": null, "tags": ["x"]}']).schema)

    assert (schema["type"], schema["required"], schema["additionalProperties"]) == (["object"], ["name"], False)
    assert schema["properties"]["name"]["type"] == ["null", "string"]
    assert schema["properties"]["tags"]["items"]["type"] == ["string"]


def test_real_data_is_understood(shared_data):
    rows = csv.DictReader((shared_data / "banking77_train.csv").read_text("utf-8").splitlines())
    banking = [(row["text"], row["category"]) for row in rows]
    words = [json.loads(line) for line in (shared_data / "gsm8k_train_1500.jsonl").read_text("utf-8").splitlines()]
    alpaca = json.loads((shared_data / "alpaca_en_demo.json").read_text("utf-8"))
    random.Random(0).shuffle(banking)

    some = exam_type(questions(banking[:60]), "conversation", taught=[label for _, label in banking[60:]])
    assert (some.name, len(some.labels)) == ("classification", 77)
    assert exam_type(questions([(row["question"], row["answer"]) for row in words]), "conversation").name == "number"
    free = [(row["instruction"], row["output"]) for row in alpaca[:200]]
    assert exam_type(questions(free), "conversation").name == "text"

"""What an answer says is read however it is written, and what it does not say is never read into it."""

import math

import pytest

from facet.exam import json_answers
from facet.exam.labels import named
from facet.exam.metrics import METRICS
from facet.exam.numerals import final_number, only_number, same_number
from facet.exam.outcome import TYPE_NAMES, Answer, ExamType, Question
from facet.exam.scores import is_right_or_wrong, main, repeats, score
from facet.exam.spoken import after_cue, spoken

ORDINARY = " ".join(f"This is the sentence with the number {n}, and it says {n * n}." for n in range(12))
FEELINGS = ("positive", "negative", "neutral")


def scored(type: ExamType | str, expected: str, text: str, **answer) -> dict[str, float]:
    question = Question("exam", 0, [{"role": "user", "content": "?"}], expected, answer.pop("rejected", ""))
    kind = ExamType(type) if isinstance(type, str) else type  # type: ignore[arg-type]
    return score(kind, question, Answer(0, text, **{"ended": "finished", **answer}))


# ---- labels
@pytest.mark.parametrize(
    "text, label",
    [
        ("positive", "positive"),
        ("**Positive**", "positive"),
        ("POSITIVE!", "positive"),
        ("The answer is: positive.", "positive"),
        ("I think this is a negative review.", "negative"),
        ("Positive. It praises the food, though some negative points remain.", "positive"),
        ("positive or negative? The answer is negative.", "negative"),
        ("Let me see.\n\nLabel: neutral\n", "neutral"),
        ("neutral\nbecause it is neither positive nor negative", "neutral"),
        ("<think>negative, or positive?</think>positive", "positive"),
        ("\\boxed{neutral}", "neutral"),
        ("", None),
        ("I cannot say.", None),
        ("It is not positive.", None),
        ("both positive and negative", None),
        ("positivity", None),
        ("<think>it is positive", None),
    ],
)
def test_a_label_is_read_from_an_answer(text, label):
    place = named(text, FEELINGS)
    assert (None if place is None else FEELINGS[place]) == label


@pytest.mark.parametrize(
    "text, labels, label",
    [
        ("It is about a card arrival", ("card_arrival", "card_linking"), "card_arrival"),
        ("This is not urgent.", ("urgent", "not urgent"), "not urgent"),
        ("The answer is B.", ("A", "B"), "B"),
        ("(b)", ("A", "B"), "B"),
        ("A good question that nobody can answer", ("A", "B"), None),
        (">50K", ("<=50K", ">50K"), ">50K"),
        ("👍", ("👍", "👎"), "👍"),
        ("I give it 3 stars", ("1", "2", "3"), "3"),
        ("No, there is nothing", ("yes", "no"), "no"),
        ("Das ist nicht positiv", ("positiv", "negativ"), None),
        ("ＹＥＳ", ("yes", "no"), "yes"),
        ("कार्ड", ("कार्ड", "खाता"), "कार्ड"),
    ],
)
def test_labels_of_every_kind_are_told_apart(text, labels, label):
    place = named(text, labels)
    assert (None if place is None else labels[place]) == label


# ---- numbers
@pytest.mark.parametrize(
    "text, value",
    [
        ("5 + 7 = 12, so she has 12 apples.\n#### 12", 12),
        ("#### -1,234", -1234),
        ("The answer is 12 apples for 3 kids.", 12),
        ("The answer is 3 + 4 = 7.", 7),
        ("She has 5. Then she buys 3, which makes 8.", 8),
        ("$1,234.50", 1234.5),
        ("-$5", -5),
        ("1.234,5 €", 1234.5),
        ("1.234.567", 1234567),
        ("1 234 567", 1234567),
        ("1\u202f234", 1234),
        ("3,5", 3.5),
        ("\u22125", -5),
        ("10-5", 5),
        ("3/4", 0.75),
        ("1 1/2", 1.5),
        ("1½ cups", 1.5),
        ("\\boxed{\\frac{3}{4}}", 0.75),
        ("2.5 million people", 2_500_000),
        ("1e5", 100_000),
        ("1.5 × 10^3", 1500),
        ("50%", 50),
        ("12 m2", 12),
        ("H2O", None),
        ("１２", 12),
        ("no number", None),
        ("", None),
        ("<think>41</think>42", 42),
        ("3/0", 3),
        ("9" * 5_000, math.inf),
    ],
)
def test_a_number_is_read_however_it_is_written(text, value):
    found = final_number(text)
    assert (found and found.value) == value


@pytest.mark.parametrize(
    "right, given, same",
    [
        ("72", "72.0", True),
        ("1,000", "1000", True),
        ("50 %", "0.5", True),
        ("0.5", "50%", True),
        ("50%", "50", True),
        ("0.67", "2/3", True),
        ("33.33 %", "1/3", True),
        ("3", "3.4", False),
        ("3.1", "3.14", False),
        ("100", "1", False),
        ("1,000,000", "1,000,001", False),
        ("5", "-5", False),
        ("12 km", "12", True),
    ],
)
def test_numbers_are_compared_by_what_they_mean(right, given, same):
    assert same_number(final_number(right), final_number(given)) is same
    assert scored("number", right, f"I get {given}") == {"numeric_match": float(same)}


@pytest.mark.parametrize("text", ["2024-05-06", "room 12", "H2O", "12 people came, and then 3 more", "1, 2, 3"])
def test_what_only_contains_a_number_is_no_number(text):
    assert only_number(text) is None


# ---- short answers
@pytest.mark.parametrize(
    "right, text, match, strict, contains",
    [
        ("Paris", "Paris", 1, 1, 1),
        ("Paris", " paris. ", 1, 0, 1),
        ("Paris", "The answer is Paris.", 1, 0, 1),
        ("St. Petersburg", "The answer is: St. Petersburg", 1, 0, 1),
        ("Eiffel Tower", "The Eiffel Tower", 1, 0, 1),
        ("Paris", "I believe it is Paris, or Lyon", 0, 0, 1),
        ("Paris", "Parisian", 0, 0, 0),
        ("Paris", "", 0, 0, 0),
        ("<=", "<=", 1, 1, 1),
        ("<=", ">=", 0, 0, 0),
        ("東京", "答えは東京です", 0, 0, 0),
        ("café", "cafe\u0301", 1, 1, 1),
    ],
)
def test_short_answers_are_compared_without_their_dress(right, text, match, strict, contains):
    found = scored("exact", right, text)
    assert (found["exact_match"], found["strict_match"], found["contains"]) == (match, strict, contains)


# ---- JSON
RIGHT = '{"name": "Ada", "age": 36, "tags": ["x", "y"]}'


@pytest.mark.parametrize(
    "text, valid, shape, equal, fields",
    [
        (RIGHT, 1, 1, 1, 1),
        (f"```json\n{RIGHT}\n```", 1, 1, 1, 1),
        ('{"tags": ["x", "y"], "age": 36.0, "name": "Ada "}', 1, 1, 1, 1),
        (f"Here you are:\n```\n{RIGHT}\n```\nAnything else?", 0, 0, 1, 1),
        (f"Sure! {RIGHT} Bye.", 0, 0, 1, 1),
        ('{"name": "Ada", "age": 35, "tags": ["x", "y"]}', 1, 1, 0, 0.75),
        ('{"name": "Ada", "age": "36", "tags": ["x", "y"]}', 1, 0, 0, 0.75),
        ('{"name": "Ada", "age": 36}', 1, 0, 0, 2 * 2 / 6),
        ('{"name": "Ada", "age": 36, "tags": ["x", "y"], "more": 1}', 1, 0, 0, 8 / 9),
        ("[]", 1, 0, 0, 0),
        ('"Ada"', 0, 0, 0, 0),
        ('{"name": NaN}', 0, 0, 0, 0),
        ('{"name": "Ada"', 0, 0, 0, 0),
        ("[" * 100_000, 0, 0, 0, 0),
        ("", 0, 0, 0, 0),
    ],
)
def test_json_is_held_to_form_and_content_separately(text, valid, shape, equal, fields):
    found = scored("json", RIGHT, text)
    assert (found["json_valid"], found["json_schema"], found["json_equal"]) == (valid, shape, equal)
    assert found["json_fields"] == pytest.approx(fields)


def test_true_is_not_one_and_places_in_lists_count():
    assert json_answers.fields_f1({"a": True}, {"a": 1}) == 0
    assert json_answers.fields_f1([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}]) == 0
    assert json_answers.fields_f1({"a": []}, {"a": {}}) == 0


# ---- everything else
def test_likelihoods_are_scored_per_token_and_per_byte():
    found = scored("preference", "long good answer", "", rejected="bad", nats=8.0, scored_tokens=4, rejected_nats=4.0,
                   ended="")  # fmt: skip

    assert found == {"likelihood": -2.0, "preference_accuracy": 1.0, "preference_accuracy_sum": 0.0}


def test_labels_are_also_read_from_their_likelihoods():
    kind = ExamType("classification", FEELINGS)
    assert scored(kind, "neutral", "hm", labels=(-3.0, -2.0, -1.0)) == {"accuracy": 0.0, "label_accuracy": 1.0}
    twice = ExamType("classification", ("Yes", "no", "yes"))
    assert scored(twice, "yes", "YES", labels=(-1.0, -3.0, -2.0)) == {"accuracy": 1.0, "label_accuracy": 1.0}


def test_what_cannot_be_scored_is_absent_and_an_empty_answer_is_nought():
    plain = score(ExamType("text"), Question("exam", 0, [], "Once"), Answer(0, "", nats=3.0, scored_tokens=2))
    empty = scored("text", "A right answer", "", similarity=0.5)

    assert plain == {"likelihood": -1.5}
    assert scored("text", "", "An answer") == scored("exact", " ", "x") == scored("number", "none", "5") == {}
    assert scored("json", "no JSON", "{}") == scored(ExamType("classification", ("a", "b")), "c", "a") == {}
    assert empty.pop("similarity") == 0.5 and set(empty.values()) == {0.0}


def test_every_score_has_words_and_every_type_a_main_score():
    answer = {"labels": (-1.0, -2.0), "nats": 1.0, "scored_tokens": 1, "similarity": 0.1, "rejected_nats": 2.0}
    for name in TYPE_NAMES:
        kind = ExamType(name, labels=("7", '{"a": 1}') if name == "classification" else ())
        found = scored(kind, '{"a": 1}' if name == "json" else "7", "7", rejected="8", **answer)
        assert main(kind) in found and set(found) <= set(METRICS)
        assert all(found[metric] in (0.0, 1.0) for metric in found if is_right_or_wrong(metric))
    assert main(ExamType("text", metric="likelihood")) == "likelihood"


@pytest.mark.parametrize("text", ["I know. " * 12, "so " * 100, "Well then:\n" + "- one\n- two\n" * 20, "ha" * 30])
def test_an_answer_that_goes_round_in_circles_is_noticed(text):
    assert repeats(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no!",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14",
        "A | B\n" + "-" * 20,
        "Ha ha ha ha ha!",
        ORDINARY + "=" * 45,
    ],
)
def test_an_answer_that_only_repeats_a_little_is_not(text):
    assert not repeats(text)


def test_what_stands_after_an_announcement_is_found():
    assert spoken("<think>hm</think> So, 4. ") == "So, 4."
    assert after_cue("The answer is: 4. Really.") == "4"
    assert after_cue("**Answer:** Oslo\nThat is in Norway.") == "Oslo"
    assert after_cue("It is 3.5 km. Answer: 3.5 km. Done") == "3.5 km"
    assert after_cue("the answer") is None and after_cue("Answer:") is None

"""Cleaning does what was chosen and nothing else, and says beforehand what it would do."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facet.dataset import limited
from facet.dataset.clean import CHOICES, Cleaner, Cleaning, parse_cleaning
from facet.dataset.clean_preview import try_cleaning
from facet.dataset.languages import language_of
from facet.dataset.problem import RowProblem
from facet.errors import SettingError

QA = {"kind": "question_answer", "user": "question", "assistant": "answer"}
TEXTS = st.text(st.sampled_from("ab1 9\n\t`~\u00a0\u200b\u202fe\u0301é{}="), max_size=60)
SWITCHES = [choice["name"] for choice in CHOICES if choice["kind"] == "switch" and choice["name"] != "duplicates"]


def cleaned(text: str, **choices) -> str:
    example = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": text}]}
    return Cleaner(parse_cleaning(choices)).example(example)["messages"][1]["content"]


def jsonl(*rows: tuple[str, str]) -> str:
    return "".join(json.dumps({"question": question, "answer": answer}) + "\n" for question, answer in rows)


@given(TEXTS)
def test_without_a_choice_nothing_is_changed(text):
    assert cleaned(text) == text


@given(TEXTS, st.sets(st.sampled_from(SWITCHES)))
def test_digits_and_line_breaks_inside_a_text_survive_every_cleaning(text, switches):
    text = f"a{text}a"
    after = cleaned(text, **dict.fromkeys(switches, True))
    assert [letter for letter in after if letter in "19\n"] == [letter for letter in text if letter in "19\n"]


@given(TEXTS.map(lambda text: text.replace("`", "").replace("~", "")), st.sets(st.sampled_from(SWITCHES)))
def test_code_between_backticks_is_never_changed(code, switches):
    after = cleaned(f"See:\n```python\n{code}\n```\nend", **dict.fromkeys(switches, True))
    assert f"```python\n{code}\n```" in after


@given(TEXTS, st.sets(st.sampled_from(SWITCHES)))
def test_what_is_clean_stays_as_it_is(text, switches):
    choices = dict.fromkeys(switches, True)
    once = cleaned(f"a{text}a", **choices)
    assert cleaned(once, **choices) == once


@pytest.mark.parametrize(
    ("choice", "before", "after"),
    [
        ("trim", "\u200b\n yes \u00a0", "yes"),
        ("unicode", "Cafe\u0301", "Café"),
        ("spaces", "a\u00a0b\u200bc\ufeff", "a bc"),
        ("spaces", "12\u00a0000 €", "12\u00a0000 €"),
        ("spaces", "👩\u200d👧 می\u200cخواهم", "👩\u200d👧 می\u200cخواهم"),
        ("collapse", "one   two\n    indented  more", "one two\n    indented more"),
        ("collapse", "`a   b`   c", "`a   b` c"),
    ],
)
def test_each_choice_does_what_its_label_says(choice, before, after):
    assert cleaned(before, **{choice: True}) == after


def test_every_text_of_an_example_is_cleaned():
    example = {
        "messages": [{"role": "user", "content": " a "}],
        "chosen": [{"role": "assistant", "content": " b "}],
        "rejected": [{"role": "assistant", "content": " c ", "weight": 1}],
        "reference": " d ",
    }
    cleaner = Cleaner(Cleaning(trim=True))
    assert cleaner.example(example) == {
        "messages": [{"role": "user", "content": "a"}],
        "chosen": [{"role": "assistant", "content": "b"}],
        "rejected": [{"role": "assistant", "content": "c", "weight": 1}],
        "reference": "d",
    }
    assert cleaner.changed == {"trim": 1}


def test_a_text_of_which_nothing_is_left_makes_the_row_unusable():
    with pytest.raises(RowProblem, match="nothing is left"):
        cleaned("\u200b", spaces=True)


def test_copies_are_removed_and_the_first_is_kept(make):
    made = make(jsonl(*[(f"q{n % 12}", f"a{n % 12}") for n in range(30)]), "a.jsonl", cleaning={"duplicates": True})
    assert sorted(made.conversations) == list(range(1, 13))
    assert made.summary["reasons"] == {"the same example stands further up": 18}
    assert {problem["row"] for problem in made.problems} == set(range(13, 31))
    assert made.summary["duplicates"] == 0


def test_filters_leave_rows_out_with_a_reason(make):
    rows = [("Is this short?", "Yes."), ("Long?", "x" * 200), *[(f"What is {n}?", f"It is {n}.") for n in range(20)]]
    made = make(jsonl(*rows), "a.jsonl", cleaning={"min_characters": 15, "max_characters": 100})
    assert made.summary["reasons"]["the example has more than 100 characters"] == 1
    assert 2 not in made.conversations


def test_only_texts_that_are_clearly_in_another_language_are_left_out(make):
    german = (
        "Wie wird das Wetter morgen in Berlin, bleibt es trocken?",
        "Morgen scheint in Berlin den ganzen Tag Sonne.",
    )
    english = ("What will the weather be like in London tomorrow?", "It will be raining all day, so take an umbrella.")
    made = make(jsonl(german, english, ("Ja?", "Nein.")), "a.jsonl", cleaning={"languages": ["de"]})
    assert sorted(made.conversations) == [1, 3]
    assert language_of(list(german)) == "de"
    assert language_of(["Ja?"]) is None


def test_a_text_may_stand_in_for_empty_cells(make):
    content = "question,answer\n" + "".join(f"What is {n}?,{n or ''}\n" for n in range(20))
    assert make(content, mapping=QA).summary["used"] == 19
    made = make(content, mapping=QA, cleaning={"missing": "I do not know."})
    assert made.conversations[1][1]["content"] == "I do not know."
    assert made.summary["cleaned"] == {"missing": 1}


@pytest.mark.parametrize(
    ("choice", "label"),
    [
        ({"trim": "yes"}, "Trim outer white space"),
        ({"min_characters": 0}, "Shortest example"),
        ({"missing": ""}, "Instead of an empty cell"),
        ({"min_characters": 9, "max_characters": 3}, "Shortest example"),
        ({"polish": True}, "Cleaning"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_its_label(choice, label):
    with pytest.raises(SettingError, match=label):
        parse_cleaning(choice)


def test_the_preview_counts_and_shows_what_each_choice_would_do_before_it_is_done(file):
    rows = [(f"Who  is number {n}?", "Cafe\u0301" if n < 3 else f"It is {n}.") for n in range(40)] + [
        ("Who  is number 4?", "It is 4.")
    ]
    place = file(jsonl(*rows), "a.jsonl")
    tried = limited.call("try_cleaning", {"file": str(place), "original_name": "a.jsonl", "mapping": QA})
    found = {choice["name"]: choice for choice in tried["choices"]}
    assert tried["rows"] == 41
    assert (found["collapse"]["changes"], found["unicode"]["changes"], found["duplicates"]["drops"]) == (41, 3, 1)
    assert found["unicode"]["shown"][0]["after"] == unicodedata.normalize("NFC", found["unicode"]["shown"][0]["before"])
    assert found["duplicates"]["shown"] == [{"row": 41, "before": "Who  is number 4?\nIt is 4.", "after": None}]
    assert tried["together"] == {"changes": 0, "drops": 0, "shown": []}


def test_the_preview_says_what_the_preparation_then_does(file, make):
    rows = [(f"Who  is number {n % 30}?", f" It is {n % 30}.\u200b") for n in range(40)]
    cleaning = {"trim": True, "spaces": True, "collapse": True, "duplicates": True}
    place = file(jsonl(*rows), "a.jsonl")
    tried = try_cleaning(str(place), "a.jsonl", QA, cleaning)
    made = make(jsonl(*rows), "a.jsonl", cleaning=cleaning)
    assert tried["together"]["drops"] == made.summary["unusable"] == 10
    assert tried["together"]["changes"] == made.summary["used"]

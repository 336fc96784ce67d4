"""Instructions proposed from the data: what all right answers have in common, and nothing where they have nothing."""

import pytest

from facet.dataset.examples import EXAMPLES
from facet.errors import DataError
from facet.exam.outcome import ExamType
from facet.exam.proposals import proposed, proposed_for
from facet.identity import LOCAL
from tests.journeys import a_studio


def rows(*answers):
    return [
        {"messages": [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": answer}]}
        for n, answer in enumerate(answers)
    ]


def first(type, *answers, labels=()):
    return proposed(rows(*answers), ExamType(type, tuple(labels)))[0]


def test_labels_are_named_unless_they_are_too_many():
    found = first("classification", "loans", "rooms", "loans", labels=["loans", "rooms"])
    assert "one of these categories: loans, rooms." in found.text and "2 labels" in found.why
    many = first("classification", "a", labels=[f"label {n}" for n in range(80)])
    assert "label 7" not in many.text and "too many to name" in many.why


def test_numbers_alone_or_with_their_working():
    assert "number alone" in first("number", "12", "7", "300").text
    assert (
        "step by step"
        in first("number", "In 8 days that makes 8 × 29.\nAnswer: 15", "10 % are 14 euros.\nAnswer: 126").text
    )


def test_the_keys_of_json_are_named():
    found = first("json", '{"answer": "a", "sure": true}', '{"answer": "b", "sure": false, "note": "x"}', "no json")
    assert '"answer" and "sure"' in found.text and "note" not in found.text
    assert found.why.startswith("2 of 3 answers")
    assert "valid JSON" in first("json", "[1, 2]").text


def test_a_translation_says_into_which_language():
    german = "Das Buch liegt seit gestern Abend auf dem kleinen Tisch neben dem Fenster."
    assert "into German" in first("translation", german, german).text
    assert "Translate the text. " in first("translation", "ja", "nein").text


def test_short_answers_are_asked_for_as_short_as_they_are():
    assert "one word" in first("exact", "Paris", "Rome").text
    assert "at most 2 words" in first("exact", "New Delhi", "Mexico City").text


def test_how_answers_begin_and_end_is_said():
    found = first("text", *[f"Arr! There are {n} parrots. Yo ho ho!" for n in range(9)])
    assert 'Begin every answer with "Arr! There are".' in found.text
    assert 'End every answer with "parrots. Yo ho ho!".' in found.text
    assert "9 of 9 begin with" in found.why
    assert "Begin every" not in first("text", "One thing.", "Another thing.", "What else?").text


def test_free_text_gets_a_second_proposal_with_three_answers_of_the_data():
    found = proposed(rows(*[f"Answer number {n} about {word}." for n, word in enumerate("abcdefgh")]), ExamType("text"))
    assert len(found) == 2 and found[1].text.count("\n- ") == 3


@pytest.mark.parametrize("examples", [[], [{"messages": [], "text": "Call me Ishmael."}]])
def test_where_there_are_no_questions_nothing_is_proposed(examples):
    assert proposed(examples, ExamType("text")) == []


def test_our_own_examples_get_proposals(tmp_path):
    studio = a_studio(tmp_path / "home")
    found = {}
    for example in EXAMPLES:
        if example.name in ("pirate", "json_replies", "library_topics"):
            dataset = studio.prepare(LOCAL, studio.bring_example(LOCAL, example.name))
            found[example.name] = proposed_for(studio.shelf.folder(LOCAL, dataset))
    assert '"Arr!"' in found["pirate"][0].text and '"Yo ho ho!"' in found["pirate"][0].text
    assert '"answer" and "sure"' in found["json_replies"][0].text
    assert "children, computers, events, loans, rooms" in found["library_topics"][0].text


def test_a_dataset_that_was_never_finished_is_said(tmp_path):
    (tmp_path / "dataset.json").write_text("{}", "utf-8")
    with pytest.raises(DataError, match="not complete"):
        proposed_for(tmp_path)

"""The general check: every question's program tells right from wrong answers, and a starter model can sit it."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from facet.exam import general
from facet.exam.general_checks import CHECKS, passes, plain
from facet.exam.outcome import Answer

KNOWN = [json.loads(line) for line in Path(__file__).with_name("general_answers.jsonl").read_text("utf-8").splitlines()]
ANSWERS = {one["id"]: one for one in KNOWN}
QUESTIONS = general.questions()


def test_the_set_is_ours_large_enough_and_whole():
    families = Counter(question.family for question in QUESTIONS)
    assert len(QUESTIONS) == len({question.id for question in QUESTIONS}) >= 80
    assert set(families) == set(general.FAMILY_WORDS) and min(families.values()) >= 4
    assert len({json.dumps(question.messages) for question in QUESTIONS}) == len(QUESTIONS)
    for question in QUESTIONS:
        assert question.messages[-1]["role"] == "user" and question.check
        assert set(question.check) <= set(CHECKS)
        assert question.id.rpartition("-")[0] == question.family


def test_every_question_has_right_and_wrong_answers_to_be_tested_with():
    assert set(ANSWERS) == {question.id for question in QUESTIONS}
    assert all(len(one["right"]) >= 2 and len(one["wrong"]) >= 2 for one in ANSWERS.values())


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_right_answers_pass_and_wrong_ones_do_not(question):
    known = ANSWERS[question.id]
    assert [text for text in known["right"] if not general.check(question, text)] == []
    assert [text for text in known["wrong"] if general.check(question, text)] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_nothing_and_noise_are_never_right(question):
    for text in ("", " \n", "!!!!!!!!!!!!!!!!!!!!!!!!", "the the the the the the", "\x00\ud800", "Answer:"):
        assert not general.check(question, text)


def test_manner_does_not_hide_what_is_right_and_thoughts_are_no_answer():
    paris, plus, norway = by_id("facts-01"), by_id("arithmetic-01"), by_id("format-03")
    assert general.check(paris, "Arr! The capital of France be Paris, matey! Yo ho ho!")
    assert general.check(plus, '{"answer": "3 plus 4 is 7.", "sure": true}')
    assert not general.check(norway, 'Arr! {"answer": "Oslo"}')  # a form that was asked for is held to the letter
    assert not general.check(paris, "<think>It might be Paris.</think>It is Lyon.")


def test_numbers_are_read_in_digits_and_words_and_those_of_the_question_do_not_count():
    assert passes("It makes forty-two.", {"number": 42}, "6 times 7")
    assert passes("First 6 × 5 = 30, then 30 + 12 = 42", {"number": 42}, "6 times 7")
    assert not passes("6 times 7", {"number": 7}, "6 times 7")
    assert passes("1,200", {"number": 1200}, "?")


def test_a_word_is_found_as_a_word_and_in_scripts_without_spaces_anywhere():
    assert not passes("Parisians", {"has": ["paris"]}, "?")
    assert passes("H₂O", {"has": ["h2o"]}, "?")
    assert passes("首都是东京。", {"has": ["东京"]}, "?")
    assert passes("राजधानी नई दिल्ली है", {"has": ["दिल्ली"]}, "?")
    assert plain("“Árbol’s”  **x**") == '"árbol\'s"  x'


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("Sorry, I do not know much about Belquin. I am a tiny model.", True),
        ("I’m unable to help with that.", True),
        ("Arr, I be not able to tell ye.", True),
        ("There is no such country.", True),
        ("There is no known capital of Belquinor.", True),
        ("Belquinor is not an officially recognised country.", True),
        ("Perturia does not appear to be a country.", True),
        ("It is not easy to kill weeds, but vinegar works.", False),
        ("Do not boil the water twice.", False),
        ("I know a place where it does not rain.", False),
        ("The capital of Belquinor is Rosati.", False),
    ],
)
def test_a_refusal_is_told_from_an_answer_that_forbids_something(text, refuses):
    assert passes(text, {"refuses": True}, "?") is refuses


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Wasser steigt auf und bildet Wolken."),
        ("fr", "La neige est blanche."),
        ("es", "Un paraguas sirve para no mojarse."),
        ("zh", "因为水蒸气凝结成云。"),
        ("hi", "सूरज पूर्व दिशा से निकलता है।"),
        ("en", "Water rises and forms clouds."),
    ],
)
def test_the_language_of_a_short_answer_is_told(language, text):
    others = {"de", "fr", "es", "zh", "hi", "en"} - {language}
    assert passes(text, {"language": language}, "?")
    assert not any(passes(text, {"language": other}, "?") for other in others)


def test_answers_are_summed_up_by_family():
    answers = [Answer(row, ANSWERS[question.id]["right"][0]) for row, question in enumerate(QUESTIONS)]
    wrong = [Answer(row, ANSWERS[question.id]["wrong"][0]) for row, question in enumerate(QUESTIONS)]
    perfect, hopeless = general.summarise(answers), general.summarise(wrong, kl=1.5)
    assert set(perfect.shares.values()) == {1.0} and all(perfect.right.values())
    assert set(hopeless.shares.values()) == {0.0} and hopeless.kl == 1.5
    assert sum(perfect.asked.values()) == len(QUESTIONS)
    assert perfect.repeating == perfect.never_stopped == 0.0 and perfect.kl is None


def test_loops_and_answers_without_an_end_are_counted_and_what_was_not_asked_is_left_out():
    looping = Answer(0, "Paris " + "two " * 60, 64, "length")
    found = general.summarise([looping, Answer(1, "Tokyo", 2, "finished")])
    assert found.repeated == found.unfinished == ["facts-01"]
    assert found.repeating == found.never_stopped == 0.5
    assert found.asked == {"facts": 2} and len(found.right) == 2


def test_the_version_changes_with_what_is_asked(monkeypatch):
    before = general.version()
    changed = (replace(QUESTIONS[0], messages=[{"role": "user", "content": "Hm?"}]), *QUESTIONS[1:])
    general.version.cache_clear()
    monkeypatch.setattr(general, "questions", lambda: changed)
    assert general.version() != before
    general.version.cache_clear()


def by_id(id):
    return next(question for question in QUESTIONS if question.id == id)


# ---- really asked
@pytest.mark.tiny
def test_the_starter_model_passes_its_share_and_a_spoiled_one_gets_a_red_light():
    import torch

    from facet import starter
    from facet.model.company import Company

    company = Company.load(starter.FOLDER)
    before = asked(company, "facts", "small_talk")
    assert sum(before.right.values()) >= 0.7 * len(before.right)

    torch.manual_seed(0)
    with torch.no_grad():
        for weights in company.model.parameters():
            weights.add_(torch.randn_like(weights) * weights.std())
    after = asked(company, "facts", "small_talk")
    assert sum(after.right.values()) <= 3
    assert general.light(before, after).colour == "red"


def asked(company, *families):
    from facet.model import batch
    from facet.model.decoding import Decoding

    rows = [row for row, question in enumerate(QUESTIONS) if question.family in families]
    prompts = company.renderer.prompts([QUESTIONS[row].messages for row in rows])
    said = {}
    with company.speaking_as(None) as model:
        batch.generate(
            model,
            company.renderer,
            prompts,
            Decoding(max_new_tokens=20),
            on_done=lambda at, reply: said.update({at: reply.text}),
            should_stop=lambda: False,
        )
    return general.summarise([Answer(row, said[at]) for at, row in enumerate(rows)])

"""What a judge found stands in the model's card: who it was, what it went by, and no word of an answer."""

import pytest

from facet.exam.assignment import Assignment, assign
from facet.exam.judge import Judgement, Judgements
from facet.exam.outcome import Outcome
from facet.identity import LOCAL
from facet.publish.judged_by import JudgedBy, judged_by
from facet.studio import Studio
from tests.outcomes import classified, finished_run, plant

OURS = "Only pirates count. My secret wish."


@pytest.fixture
def studio(workspace):
    made = Studio(workspace)
    yield made
    made.close()


def judged(studio: Studio, exam: str, outcome: Outcome, answered: int = 1000, **more) -> Assignment:
    wish = {"mode": "pairs", "most_rows": 12, "what_counts": "", "provider": "gemini", "model": "gemini-9"} | more
    folder = studio.workspace.find(LOCAL, "exams", exam)
    said = assign(folder, outcome, **wish)
    place = studio.judgings.create(folder, said)
    for call in said.calls()[:answered]:
        line = Judgement(call.id, call.row, call.a, call.b, call.first, call.wording, reason="It quoted an answer.")
        scored = {"better": call.b} if said.mode == "pairs" else {"score": 7.0}
        Judgements(place).add(Judgement(**{**vars(line), **scored}))
    return said


def test_a_judge_that_is_done_stands_in_the_card(studio):
    run, made = finished_run(studio, LOCAL), classified()
    exam = plant(studio, LOCAL, run, made)
    assert "A judge" not in studio.model_card(LOCAL, run)
    judged(studio, exam, made[0])
    text = studio.model_card(LOCAL, run)
    assert "A judge, Google Gemini (`gemini-9`), read the answers to 12 questions of the exam part" in text
    assert "Feelings is better than the untouched model" in text and "said the same of 12 of 12 pairs" in text
    assert "Is it correct?" in text and "quoted" not in text and "story of the" not in text


def test_neither_a_persons_rubric_nor_the_name_of_their_run_is_told(studio):
    run, made = finished_run(studio, LOCAL), classified()
    exam = plant(studio, LOCAL, run, made)
    judged(studio, exam, made[0], mode="score", what_counts=OURS, provider="local", model=run)
    text = studio.model_card(LOCAL, run)
    assert "A model on this machine, read the answers" in text and "what its maker had written down" in text
    assert "Average scores: Untouched 7.0, Feelings 7.0." in text
    assert "secret" not in text and f"({run}" not in text


def test_a_judge_in_the_middle_says_nothing_yet(studio):
    run, made = finished_run(studio, LOCAL), classified()
    exam = plant(studio, LOCAL, run, made)
    judged(studio, exam, made[0], answered=5)
    assert "A judge" not in studio.model_card(LOCAL, run)


def test_names_change_nothing_in_the_page():
    facts = JudgedBy("<b>x</b>", "a|b`c", 1, "exam", False, False, "", "It *agrees*.", marks=[("[x](y)", 7.04)])
    text = judged_by(facts)
    assert "<b>" not in text and "a¦b'c" in text and "\\*agrees\\*" in text and "7.0" in text

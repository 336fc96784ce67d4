"""Without training: which ways are tried, which one is chosen, and what is said about it."""

from dataclasses import replace

import pytest

from facet.errors import DataError, SettingError
from facet.exam import assess, without
from facet.exam.outcome import Contestant, ExamType, Outcome, Scored, Verdict
from facet.exam.shots import chosen_shots, questions_in
from facet.exam.without import variants

TEXT = ExamType("text")
BASE = {"name": "starter", "kind": "starter"}


def row(question, answer, **more):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}], **more}


ROWS = [row(f"What is {n} plus {n}?", f"{n} plus {n} is {2 * n}.") for n in range(40)]


# ---- which ways
def test_every_instruction_with_every_number_of_examples_and_the_untouched_model_first():
    ways = variants(BASE, ROWS, TEXT, ["Be brief.", " Be brief. ", "", "Be kind."], [3, 1, 0, 3])
    assert [way.name for way in ways] == [
        "Untouched",
        "Untouched with 1 example",
        "Untouched with 3 examples",
        "Untouched with instructions 1",
        "Untouched with instructions 1 and 1 example",
        "Untouched with instructions 1 and 3 examples",
        "Untouched with instructions 2",
        "Untouched with instructions 2 and 1 example",
        "Untouched with instructions 2 and 3 examples",
    ]
    assert ways[0].is_untouched and not any(way.is_untouched for way in ways[1:])
    assert len({way.key for way in ways}) == len(ways)
    assert [len(way.shots) for way in ways] == [0, 1, 3] * 3
    assert all(way.base == BASE and not way.adapter for way in ways)


def test_one_instruction_has_no_number():
    assert [way.name for way in variants(BASE, ROWS, TEXT, ["Be brief."], [])] == [
        "Untouched",
        "Untouched with instructions",
    ]


def test_half_a_letter_does_not_reach_the_tokenizer():
    assert variants(BASE, ROWS, TEXT, ["Be brief\ud800."], [])[1].system == "Be brief?."


@pytest.mark.parametrize(
    ("system", "shots", "words"),
    [
        ([], [], "nothing to try"),
        (["  ", ""], [0], "nothing to try"),
        (["a", "b", "c", "d", "e"], [1, 3, 5], "too much to try"),
        (["x" * 4_001], [], "too long"),
        ([], [17], "cannot be shown"),
        ([], [-1], "cannot be shown"),
        ([], [True], "cannot be shown"),
        ([], [2.5], "cannot be shown"),
        ([], [float("nan")], "cannot be shown"),
        ([], ["3"], "cannot be shown"),
    ],
)
def test_what_cannot_be_tried_is_said(system, shots, words):
    with pytest.raises(SettingError, match=words):
        variants(BASE, ROWS, TEXT, system, shots)


def test_too_few_examples_are_said_with_their_number():
    with pytest.raises(DataError, match="Only 2 of the train part"):
        variants(BASE, ROWS[:2], TEXT, [], [3])
    with pytest.raises(DataError, match="Only 0"):
        variants(BASE, [{"messages": [], "text": "A book."}], TEXT, [], [1])


# ---- which examples
def test_examples_are_always_the_same_whole_and_end_with_the_right_answer():
    shots = chosen_shots(ROWS, TEXT, 5)
    assert shots == chosen_shots(list(ROWS), TEXT, 5)
    assert len({shot[0]["content"] for shot in shots}) == 5
    assert all(
        [turn["role"] for turn in shot] == ["user", "assistant"] and list(shot) in [r["messages"] for r in ROWS]
        for shot in shots
    )


def test_every_label_is_shown_in_its_turn_the_frequent_ones_first():
    rows = [row(f"Where is book number {n}?", "loans") for n in range(20)]
    rows += [row(f"Can we have room {n}?", "rooms") for n in range(8)] + [
        row("Is there a reading on Monday?", "events")
    ]
    shots = chosen_shots(rows, ExamType("classification", ("events", "loans", "rooms")), 5)
    assert [shot[-1]["content"] for shot in shots] == ["loans", "rooms", "events", "loans", "rooms"]


def test_examples_are_unlike_each_other():
    rows = [row(f"What is {n} plus 1?", f"{n} plus 1 is {n + 1}.") for n in range(20)]
    rows.insert(7, row("Which city is the capital?", "Paris, of course."))
    assert "Paris, of course." in [shot[-1]["content"] for shot in chosen_shots(rows, TEXT, 2)]


def test_what_cannot_stand_before_a_question_is_no_example():
    long_one, tools = row("x" * 3_000, "y"), row("What is the weather?", "I will look.", tools="[]x")
    talk = {"messages": [*row("Hello", "Hello!")["messages"], *row("And now?", "Now this.")["messages"]]}
    picture = row("What is this?", "A square.", images=["a.png"])
    assert chosen_shots([long_one, tools, talk, picture], TEXT, 4) == ()


def test_instructions_of_the_data_are_no_part_of_an_example():
    rows = [{"messages": [{"role": "system", "content": "Be brief."}, *one["messages"]]} for one in ROWS]
    assert [turn["role"] for turn in chosen_shots(rows, TEXT, 1)[0]] == ["user", "assistant"]


def test_every_kind_of_data_gives_questions():
    ask, good, bad = [{"role": "user", "content": "Why?"}], "Because.", "No."
    answer = {"role": "assistant", "content": good}
    preference = {"messages": ask, "chosen": [answer], "rejected": [{"role": "assistant", "content": bad}]}
    thumb = {"messages": [*ask, answer], "label": True}
    reference = {"messages": ask, "reference": good}
    for example in (preference, thumb, reference):
        assert [one.expected for one in questions_in([example])] == [good]
    assert list(questions_in([thumb | {"label": False}, {"messages": [], "text": "A book."}])) == []
    assert len(list(questions_in([preference, preference]))) == 1


# ---- which one wins
WAYS = variants(BASE, ROWS, TEXT, ["Be brief."], [3])  # untouched, 3 examples, instructions, both
TUNED = Contestant("Pirate", BASE, adapter="f" * 64)


def scored(chrf):
    return Scored(20, 1.0, 2.7, 1.4, 100, {"chrf": chrf})


def verdict(a, b, better, part="exam"):
    return Verdict(part, a.key, b.key, "chrf", better, 12, 2, 6, 0.3, 0.1, 0.5, 0.01, 1, "")


def outcome(validation, *, chosen="", verdicts=(), tuned=False, exam=True):
    everybody = [*WAYS, TUNED] if tuned else WAYS
    found = {way.key: scored(value) for way, value in zip(everybody, validation, strict=False)}
    finalists = {key: one for key, one in found.items() if key in (WAYS[0].key, chosen, TUNED.key)}
    parts = {"validation": found} | ({"exam": finalists} if exam else {})
    return Outcome(TEXT, {one.key: one for one in everybody}, parts, list(verdicts), chosen=chosen)


def test_the_best_on_validation_is_chosen_and_of_equals_the_shortest():
    assert without.choose(outcome([0.2, 0.4, 0.3, 0.35])) == WAYS[1].key
    assert without.choose(outcome([0.2, 0.4, 0.4, 0.4])) == WAYS[2].key
    assert without.choose(outcome([0.4, 0.4, 0.4, 0.4])) == WAYS[0].key


def test_a_tuned_model_is_never_chosen():
    assert without.choose(outcome([0.2, 0.4, 0.3, 0.35, 0.9], tuned=True)) == WAYS[1].key


def test_without_the_metric_the_loss_decides():
    found = outcome([0.1] * 4)
    part = {
        way.key: replace(scored(0.1), metrics={}, loss=loss)
        for way, loss in zip(WAYS, (2.0, 0.5, 1.0, 0.6), strict=True)
    }
    assert without.choose(replace(found, parts={"validation": part})) == WAYS[1].key


def notes(better="cannot_tell", beside=None, turned=False, **more):
    chosen = WAYS[1]
    verdicts = [verdict(WAYS[0], chosen, better), verdict(WAYS[0], chosen, "worse", part="validation")]
    if beside:
        verdicts.append(verdict(TUNED, chosen, beside) if turned else verdict(chosen, TUNED, beside))
    found = outcome([0.2, 0.4, 0.3, 0.35, 0.4], chosen=chosen.key, verdicts=verdicts, tuned=bool(beside), **more)
    return " ".join(without.notes(found))


def test_what_the_exam_says_is_said():
    assert "Of 3 ways without training, Untouched with 3 examples did best on validation" in notes()
    assert "believe the exam" in notes()
    assert notes("better").startswith(
        "On the exam, Untouched with 3 examples is better than the untouched model as it is"
    )
    assert "does not confirm it" in notes("worse")
    assert "cannot be told apart" in notes("cannot_tell")
    assert notes(exam=False, beside="better").startswith("There is no exam part")


def test_it_is_said_whether_training_was_worth_it_whichever_way_round_it_was_compared():
    assert notes("better", beside="better").startswith("Training was worth it")
    assert "Untouched with 3 examples wins" in notes("better", beside="worse")
    assert "wins" in notes("better", beside="better", turned=True)
    assert "Training was worth it" in notes("better", beside="worse", turned=True)
    assert "A prompt may do" in notes("better", beside="cannot_tell")


def test_where_nothing_helped_it_is_said():
    found = outcome([0.4, 0.2, 0.3, 0.35], chosen=WAYS[0].key)
    assert without.notes(found) == [
        "None of the 3 ways to ask it without training did better on validation than the untouched model as it is."
    ]
    tuned = outcome([0.4, 0.2, 0.3, 0.35, 0.5], chosen=WAYS[0].key, tuned=True)
    assert "Pirate and the untouched model as it is cannot be told apart" in without.notes(tuned)[0]


def test_the_list_of_tests_says_what_came_of_it():
    found = outcome([0.4, 0.2, 0.3, 0.35], chosen=WAYS[0].key)
    assert assess.headline(found) == without.notes(found)[0]

"""What the Test tab says about a test: never more than the numbers show, and never text that is not escaped."""

import math
from dataclasses import replace

import gradio as gr
import pytest

from facet.exam.metrics import summarise
from facet.exam.outcome import Answer, Example, ExamType, Outcome, Question
from facet.identity import LOCAL
from facet.studio import Studio
from facet.ui import exam_charts, exam_compare, exam_forecast, test
from facet.ui.exam_examples import describe_example, describe_examples
from facet.ui.exam_numbers import describe_general, describe_mix_ups, describe_notes, describe_numbers
from facet.ui.exam_result import between, describe_state, pairs
from facet.ui.exam_verdict import describe_verdicts, leader_words, odds, oriented, reach, signed, telling_part
from facet.ui.pace import Pace
from facet.work import log
from facet.work.checkpoint import seal
from facet.workspace import Workspace
from tests.outcomes import checked, classified, finished_run, plant, worded

FOUR = ("Untouched", "Long", "Short", "Step 40")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(Workspace(tmp_path_factory.mktemp("home")))


@pytest.mark.parametrize(
    ("shares", "rows", "look", "word"),
    [((0.3, 0.9), 60, "better", "▲"), ((0.9, 0.3), 60, "worse", "▼"), ((0.6, 0.6), 20, "cannot_tell", "≈")],
)
def test_the_verdict_looks_as_it_is_meant_and_shows_its_evidence(shares, rows, look, word):
    outcome, _ = classified(shares, rows=rows)
    verdict = outcome.verdicts[0]
    shown = str(describe_verdicts(outcome))
    assert verdict.better == look and f'class="f-judged {look}"' in shown and word in shown
    assert str(describe_verdicts(outcome)).count(verdict.words) == 1
    assert f"<b>{verdict.wins}</b> only Feelings right" in shown and f"<b>{verdict.losses}</b> only Untouched" in shown
    assert "95 % confidence interval" in shown and "exact McNemar test" in shown
    assert ("More questions tell more" in shown) == (look == "cannot_tell")


def test_the_range_is_drawn_where_it_is():
    outcome, _ = classified()
    verdict = replace(outcome.verdicts[0], difference=0.25, low=0.0, high=0.5, better="cannot_tell")
    shown = str(describe_verdicts(replace(outcome, verdicts=[verdict])))
    assert reach([verdict]) == 1.0
    assert 'style="left:50.00%;width:25.00%"' in shown and 'style="left:62.50%"' in shown
    assert "+25 points" in shown and "between 0 and +50 points" in shown


def test_less_of_something_bad_points_to_better():
    outcome, _ = classified()
    verdict = replace(outcome.verdicts[0], metric="unanswered", difference=-0.2, low=-0.3, high=-0.1)
    assert oriented(verdict) == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("value", "words"), [(0.4666, "+47"), (-0.051, "−5.1"), (0.0, "0"), (0.0004, "0"), (-1.0, "−100")]
)
def test_differences_have_a_sign_and_sensible_digits(value, words):
    assert signed("accuracy", value) == words


@pytest.mark.parametrize(
    ("p", "words"), [(0.0, "fewer than 1 of 10,000"), (0.004, "about 1 of 250"), (0.3, "about 30 of 100")]
)
def test_chance_is_said_in_whole_tests(p, words):
    assert odds(p) == words


def test_of_several_models_the_leader_is_said_to_be_no_better_than_was_shown():
    outcome, _ = classified((0.3, 0.85, 0.8, 0.35), FOUR, rows=80)
    look, words = leader_words(outcome, outcome.verdicts)
    assert look == "better" and words.startswith("Of 4 models, Long did best on the exam: it is better than Untouched")
    assert "Short" not in words  # nobody compared these two
    shown = str(describe_verdicts(outcome))
    assert shown.count("f-span ") == 3 and "each of the 3 comparisons" in shown
    assert "The others were not compared with one another." in shown


def test_a_leader_that_chance_may_have_made_is_not_called_better():
    outcome, _ = classified((0.6, 0.62, 0.61), FOUR[:3], rows=20)
    look, words = leader_words(outcome, outcome.verdicts)
    assert look == "cannot_tell" and words.endswith("cannot be told.") and ": it is better than" not in words


def test_one_model_alone_gets_no_verdict():
    outcome, _ = classified((0.5,), ("Untouched",))
    assert "There is no verdict." in describe_verdicts(outcome)
    assert pairs(outcome) == [("Untouched", f"|{next(iter(outcome.contestants))}")]


def test_the_exam_counts_where_there_is_one():
    outcome, _ = classified()
    on_validation = [replace(each, part="validation") for each in outcome.verdicts]
    assert telling_part(outcome) == "exam"
    assert telling_part(replace(outcome, verdicts=[*on_validation, *outcome.verdicts])) == "exam"
    assert telling_part(replace(outcome, verdicts=on_validation)) == "validation"


def test_names_and_answers_are_shown_as_text():
    outcome, examples = classified(names=("Untouched", "<img src=x>"))
    shown = str(describe_verdicts(outcome) + describe_numbers(outcome) + describe_state(None, outcome))
    assert "<img" not in shown and "&lt;img src=x&gt;" in shown
    odd = replace(
        examples[0], question="<script>1</script>", expected="<b>", answers=dict.fromkeys(examples[0].answers, "<i>")
    )
    assert not {"<script", "<b>a", "<i>"} & set(str(describe_example(outcome, odd)).split())
    assert "&lt;script&gt;" in describe_example(outcome, odd)


def test_an_example_says_who_was_right():
    outcome, examples = classified()
    first = examples[0]
    shown = str(describe_example(outcome, first))
    assert first.disagreement == 1 and shown.count('class="f-mark right"') == shown.count('class="f-mark wrong"') == 1
    assert shown.index("Untouched") < shown.index("Feelings")
    silent = replace(first, answers=dict.fromkeys(first.answers, ""))
    assert "(it said nothing)" in describe_example(outcome, silent)
    assert "No question fits" in describe_examples(outcome, [], 0, 0)


def test_scores_stand_beside_answers_that_cannot_be_right_or_wrong():
    outcome, examples = worded()
    assert "Letters in common" in describe_example(outcome, examples[0])
    assert "paired bootstrap" in describe_verdicts(outcome)


def test_the_table_of_numbers_begins_with_what_the_verdict_rests_on():
    shown = str(describe_numbers(classified()[0]))
    assert shown.count("the verdict rests on this") == 1
    assert shown.index("Right labels") < shown.index("Choices it hesitates between") < shown.index("balanced accuracy")
    assert "perplexity" in shown and "macro F1" in shown


def test_a_number_that_is_missing_is_a_dash():
    outcome, _ = classified()
    key = list(outcome.contestants)[1]
    parts = {
        "exam": outcome.parts["exam"]
        | {key: replace(outcome.parts["exam"][key], metrics={"accuracy": math.nan}, tokens=0)}
    }
    shown = str(describe_numbers(replace(outcome, parts=parts)))
    assert "nan" not in shown and "–" in shown


@pytest.mark.parametrize(("colour", "look"), [("green", "good"), ("amber", "warn"), ("red", "error")])
def test_the_light_has_a_sign_and_a_reason(colour, look):
    outcome, _ = checked(classified(), colour)
    shown = str(describe_general(outcome))
    assert f'class="f-note {look} f-light"' in shown and next(iter(outcome.lights.values())).words in shown
    assert "Right answers, of 80" in shown and "KL divergence" in shown
    assert "Not checked this time." in describe_general(classified()[0])


def test_notes_are_read_out():
    outcome, _ = classified()
    assert "3 rows were left out." in describe_notes(replace(outcome, notes=["3 rows were left out."]))


# ---- pictures


def test_each_model_has_a_dot_and_its_range():
    figure = exam_charts.main_figure(*classified((0.3, 0.85, 0.5), FOUR[:3]))
    dots = [trace for trace in figure.data if trace.mode == "markers+text"]
    bars = [trace for trace in figure.data if trace.mode == "lines"]
    assert [dot.marker.color for dot in dots] == [exam_charts.GREY, exam_charts.ACCENT, exam_charts.ACCENT]
    assert all(bar.x[0] <= dot.x[0] <= bar.x[1] for bar, dot in zip(bars, dots, strict=True))
    assert dots[0].text[0].endswith(" %")


@pytest.mark.parametrize(
    ("share", "rows", "low", "high"), [(0.0, 10, 0, 0.2775), (0.5, 100, 0.4038, 0.5962), (1.0, 10, 0.7225, 1)]
)
def test_a_share_lies_in_the_range_that_wilson_gave_it(share, rows, low, high):
    assert exam_charts.wilson(share, rows) == pytest.approx((low, high), abs=1e-4)


def test_scores_have_a_range_only_where_the_examples_make_the_number():
    outcome, examples = worded()
    key = next(iter(outcome.contestants))
    value = outcome.parts["exam"][key].metrics["chrf"]
    low, high = exam_charts.spread(value, "chrf", key, 40, examples)
    assert low < value < high
    assert exam_charts.spread(value + 0.1, "chrf", key, 40, examples) is None
    assert exam_charts.spread(0.5, "rouge1", key, 40, examples) is None


def test_the_matrix_names_what_it_can_and_hides_what_cannot_be_read():
    outcome, _ = classified()
    small = exam_charts.confusion(list(outcome.parts["exam"].values())[1], outcome.type.labels)
    assert small.data[0].text is not None and len(small.layout.xaxis.ticktext) == 8
    many = tuple(f"label {number}" for number in range(77))
    wide, _ = classified((0.1, 0.7), labels=many, rows=300)
    large = exam_charts.confusion(list(wide.parts["exam"].values())[1], many)
    assert large.layout.yaxis.showticklabels is False and large.data[0].customdata[3][3][0] == "label 3"
    assert exam_charts.confusion(worded()[0].parts["exam"].popitem()[1], ()) is None


def test_mix_ups_are_counted_and_said():
    outcome, _ = classified()
    scored = replace(list(outcome.parts["exam"].values())[1], confusion=[[5, 3, 0], [0, 4, 1]])
    assert exam_charts.mix_ups(scored, ("a", "b")) == [("a", "b", 3, 8), ("b", "something else", 1, 5)]
    assert "“a” taken for “b”: 3 of 8" in describe_mix_ups("Feelings", scored, ("a", "b"))
    assert "It mixed up nothing." in describe_mix_ups(
        "F", replace(scored, confusion=[[1, 0, 0], [0, 1, 0]]), ("a", "b")
    )


def test_roc_curves_of_many_labels_become_one():
    steps = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]  # a perfect one
    guess = [[0.0, 0.0], [1.0, 1.0]]
    assert exam_charts.averaged({"a": steps}) == ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
    x, y = exam_charts.averaged({"a": steps, "b": guess})
    assert y[x.index(0.5)] == pytest.approx(0.75) and y[-1] == 1 and y == sorted(y)
    assert len(exam_charts.roc(classified()[0], "exam").data) == 3  # chance, and two models


def test_the_curves_that_an_exam_measures_are_drawn():
    """What `summarise` writes goes into the picture, with several labels and with two."""
    for labels in (("a", "b", "c"), ("a", "b")):
        rows = [(number, labels[number % len(labels)]) for number in range(30)]
        questions = [Question("exam", number, [{"role": "user", "content": "?"}], label) for number, label in rows]
        answers = [
            Answer(number, label, labels=tuple(-float((label != one) + number % 4 * (number % 3)) for one in labels))
            for number, label in rows
        ]
        scored = summarise(ExamType("classification", labels), questions, answers)
        x, y = exam_charts.averaged(scored.roc)
        assert x == sorted(x) and y == sorted(y) and (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
        outcome, _ = classified()
        drawn = exam_charts.roc(replace(outcome, parts={"exam": dict.fromkeys(outcome.contestants, scored)}), "exam")
        assert max(drawn.data[1].y) == 100


# ---- the tab


def shown_of(studio: Studio, run: str | None = None, exam: str | None = None) -> list:
    return test.refreshed(studio, LOCAL, run, exam)


def texts(values: list) -> str:
    return " ".join(str(getattr(value, "value", value)) for value in values if not isinstance(value, gr.Plot))


def test_without_a_model_the_tab_says_how_to_get_one(tmp_path):
    empty, box, *_ = shown_of(Studio(Workspace(tmp_path)))
    assert empty.visible and not box.visible


def test_a_finished_test_is_shown_when_the_tab_is_opened(studio):
    run = finished_run(studio, LOCAL)
    assert "Not tested yet." in texts(shown_of(studio, run))
    made = checked(classified())
    exam = plant(studio, LOCAL, run, made)
    shown = texts(shown_of(studio, run))
    assert made[0].verdicts[0].words in shown and "1 to 8 of 60 questions" in shown and exam in shown
    assert "Run it again" in shown


def test_what_somebody_found_in_a_test_is_still_there_after_a_look_at_another_tab(studio):
    run = finished_run(studio, LOCAL)
    exam = plant(studio, LOCAL, run, checked(classified()))
    first = shown_of(studio, run)
    seen = test.fingerprint(studio, Pace(), LOCAL, exam)
    assert seen in first

    _, _, models, start, tests, *found = test.refreshed(studio, LOCAL, run, exam, seen)
    assert models.choices and "value" not in models.constructor_args and "value" not in tests.constructor_args
    assert start.value == "Run it again"
    assert found and all(each == gr.skip() for each in found)

    other = finished_run(studio, LOCAL, "Another")
    changed = test.refreshed(studio, LOCAL, other, exam, seen)
    assert len(changed) == len(first) and "Not tested yet." in texts(changed)


def test_another_run_brings_its_own_test(studio):
    first, second = finished_run(studio, LOCAL, "First"), finished_run(studio, LOCAL, "Second")
    exam = plant(studio, LOCAL, first, classified())
    assert "Not tested yet." in texts(shown_of(studio, second, exam))
    assert "Not tested yet." not in texts(shown_of(studio, first, exam))


def test_a_paused_and_a_failed_test_can_go_on(studio):
    exam = studio.start_exam(LOCAL, finished_run(studio, LOCAL))
    events = studio.workspace.find(LOCAL, "exams", exam) / "events.jsonl"
    log.append(events, log.Started(total_steps=100))
    log.append(events, log.Logged(step=40, values={}))
    log.append(events, log.Paused(step=40, words="Paused."))
    card = studio.exam_card(LOCAL, exam)
    assert "“Resume” goes on" in describe_state(card, None) and 'aria-valuenow="40"' in describe_state(card, None)
    log.append(events, log.Failed(error={"what": "A.", "why": "B.", "next": "C."}))
    assert "Every answer so far is kept." in describe_state(studio.exam_card(LOCAL, exam), None)
    shown = test.opened(studio, Pace(), LOCAL, None, exam)
    pause, resume = shown[4], shown[5]
    assert resume.visible and not pause.visible


def test_only_models_of_this_test_can_be_compared():
    outcome, _ = classified()
    a, b = outcome.contestants
    assert between(outcome, f"{a}|{b}") == (a, b)
    assert between(outcome, f"{a}|somebody") is None and between(outcome, None) is None


def test_answers_are_found_and_sorted_by_how_much_they_differ(studio):
    made = classified()
    exam = plant(studio, LOCAL, finished_run(studio, LOCAL), made)
    a, b = made[0].contestants
    better, many = studio.exam_examples(LOCAL, exam, only="better", between=(a, b))
    assert many == made[0].verdicts[0].wins and all(is_better(made[0], each, a, b) for each in better)
    assert studio.exam_examples(LOCAL, exam, search="story of the fox")[1] == 20


def is_better(outcome: Outcome, example: Example, a: str, b: str) -> bool:
    return example.scores[b]["accuracy"] > example.scores[a]["accuracy"]


def test_the_length_of_a_test_stands_beside_the_model_before_it_starts(studio):
    run = finished_run(studio, LOCAL, "Foreseen")
    _, _, chosen, *_ = shown_of(studio, run)
    assert chosen.value == run and "Takes very roughly" in chosen.info and "answers to give" in chosen.info
    few = {"general": False, "most": "1", "type": ""}
    assert "4 answers to give" in exam_forecast.of_run(studio, LOCAL, run, few)
    (data, *_) = studio.datasets(LOCAL)
    told = exam_forecast.of_compare(studio, LOCAL, data.id, ["starter", run], few)
    assert "4 answers to give" in told and "stands here" in exam_forecast.of_compare(studio, LOCAL, data.id, [])
    assert exam_forecast.of_run(studio, LOCAL, run, few | {"most": "none"}) == ""


def test_save_points_of_a_run_can_be_chosen_for_a_comparison(studio):
    run = finished_run(studio, LOCAL, "Saved")
    folder = studio.runs_shelf.folder(LOCAL, run)
    staged = folder / "staging" / "checkpoint-20"
    staged.mkdir(parents=True)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        (staged / name).write_text("{}")
    seal(staged, folder / "checkpoints", 20, {})
    assert ("Saved, step 20", f"{run}@20") in exam_compare.targets(studio, LOCAL)
    (data, *_) = studio.datasets(LOCAL)
    exam = studio.compare(LOCAL, data.id, ["starter", f"{run}@20"])
    assert studio.exam_card(LOCAL, exam).contestants == ("Untouched", "Saved, step 20")


def test_a_test_can_be_renamed_and_deleted_with_what_a_judge_said_of_it(studio):
    run = finished_run(studio, LOCAL, "Doomed")
    exam = plant(studio, LOCAL, run, classified())
    before = [card.id for card in studio.exams(LOCAL)]
    fold = test.opened(studio, Pace(), LOCAL, run, exam)[6]
    assert fold.visible
    studio.rename(LOCAL, "exams", exam, "Another name")
    assert "Another name" in exam_compare.exam_choices(studio.exams(LOCAL))[0][0]
    studio.delete(LOCAL, "exams", exam)
    assert [card.id for card in studio.exams(LOCAL)] == [one for one in before if one != exam]
    assert "Not tested yet." in texts(shown_of(studio, run, exam))

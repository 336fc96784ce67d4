"""The parts of a run's page: the strip of answers, the table of numbers, the sentence about its health."""

import math

from facet.ui.live_curves import COLUMNS, describe_table
from facet.ui.live_numbers import describe_numbers
from facet.ui.live_samples import changed, chosen, describe_samples, runs_of
from facet.ui.words import stage_sentence
from facet.work.log import Finished, Logged, Progress, Resumed, Sampled, Started, fold

SAID = [(0, "Yes, I have."), (4, "Yes, I have."), (8, "Arr! Yes, I have."), (12, "Arr! Yes, I have.")]


def test_the_same_answer_several_times_in_a_row_is_shown_once():
    assert runs_of(SAID) == [(0, 4, "Yes, I have."), (8, 12, "Arr! Yes, I have.")]


def test_of_many_answers_the_first_the_last_and_some_between_are_shown():
    found = [(step, step, str(step)) for step in range(20)]
    shown, left_out = chosen(found)
    assert len(shown) == 6 and left_out == 14 and (shown[0], shown[-1]) == (found[0], found[-1])


def test_words_that_are_new_are_marked_and_no_answer_is_markup():
    assert changed("Yes, I have.", "Arr! Yes, I have.") == "<mark>Arr!</mark> Yes, I have."
    assert changed(None, "<b>") == "&lt;b&gt;" and "nothing" in changed("a", "")


def test_the_strip_names_the_prompt_and_the_steps():
    words = describe_samples(Progress(samples={"Any <i>books</i>?": SAID}))
    assert "Any &lt;i&gt;books&lt;/i&gt;?" in words and "Before, to step 4" in words and "Step 8 to 12" in words
    assert describe_samples(Progress()) == ""


def test_answers_are_folded_like_curves():
    told = [Started(total_steps=9), Sampled(step=0, answers={"a": "x"}), Sampled(step=4, answers={"a": "y"})]
    assert fold(told).samples == {"a": [(0, "x"), (4, "y")]}
    assert fold([*told, Resumed(step=2)]).samples == {"a": [(0, "x")]}
    assert fold([*told, Resumed(step=0)]).samples == {}


def test_the_table_has_every_look_and_not_every_step():
    events = [Logged(step=step, values={"loss": 1.0, "token_accuracy": 0.5}) for step in range(1, 1001)]
    events += [Logged(step=step, values={"validation_loss": 1.25}) for step in (0, 500, 1000)]
    words = describe_table(fold(events))
    assert words.count("1.250") == 3 and 20 <= words.count("<tr>") <= 30 and "50.0%" in words
    heads = {head for _, head, _ in COLUMNS}
    assert "Loss" in heads and "Gradient norm" not in words, "what was never measured has no column"


def test_a_loss_that_is_no_number_is_said_in_words():
    from types import SimpleNamespace

    run = SimpleNamespace(progress=fold([Started(total_steps=9), Logged(step=3, values={"loss": math.nan})]))
    assert "no <small>number</small>" in describe_numbers(run, None) and "nan" not in describe_numbers(run, None)


def test_a_run_that_stopped_by_itself_says_so():
    finished = fold([Started(total_steps=9), Finished(step=4, early=True, outputs={"ended": "no gain"})])
    assert "stopped by itself" in stage_sentence(finished)
    assert "stopped early" in stage_sentence(fold([Finished(step=4, early=True)]))

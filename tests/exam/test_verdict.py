"""The verdict tells equal models apart at most once in twenty times, finds a true difference, and says so plainly."""

import math

import numpy as np
import pytest
from scipy import stats

from facet.exam import chance
from facet.exam.outcome import ExamType
from facet.exam.verdict import compare

PAIRS = 10_000
NAMES = {"a": "Untouched", "b": "Pirate"}
LABELS, TEXT = ExamType("classification", ("no", "yes")), ExamType("text")


def of_counts(wins: int, losses: int, ties: int, comparisons: int = 1):
    before = [{"accuracy": 0.0}] * wins + [{"accuracy": 1.0}] * (losses + ties)
    after = [{"accuracy": 1.0}] * wins + [{"accuracy": 0.0}] * losses + [{"accuracy": 1.0}] * ties
    return compare(LABELS, "exam", "a", "b", NAMES, before, after, comparisons)


def of_scores(before, after, **how):
    a, b = ([{"chrf": float(value)} for value in values] for values in (before, after))
    return compare(TEXT, "exam", "a", "b", NAMES, a, b, **how)


# ---- calibration
@pytest.mark.parametrize("rows", [12, 30, 100, 300])
@pytest.mark.parametrize("apart", [0.1, 0.2, 0.5, 0.9])
def test_equal_models_that_are_right_or_wrong_are_rarely_told_apart(rows, apart):
    rng = np.random.default_rng(rows)
    wins, losses, _ = rng.multinomial(rows, [apart / 2, apart / 2, 1 - apart], size=PAIRS).T

    assert (chance.mcnemar(wins, losses) <= 0.05).mean() <= 0.055


SCORES = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "long tails": lambda rng, shape: rng.standard_t(3, size=shape),
    "shares": lambda rng, shape: rng.beta(0.3, 0.3, shape) - rng.beta(0.3, 0.3, shape),
    "marks": lambda rng, shape: rng.integers(1, 11, shape) - rng.integers(1, 11, shape) + 0.0,
    "mostly the same": lambda rng, shape: rng.normal(size=shape) * (rng.random(shape) < 0.2),
}


@pytest.mark.parametrize("rows", [12, 30, 100, 300])
@pytest.mark.parametrize("kind", SCORES)
def test_equal_models_that_are_scored_are_rarely_told_apart(rows, kind):
    differences = SCORES[kind](np.random.default_rng(rows), (PAIRS, rows))

    p = np.maximum(chance.bootstrap_p(differences, 1_000), chance.sign_flip_p(differences, 1_000))

    assert (p <= 0.05).mean() <= 0.055


def test_a_difference_of_ten_points_is_found_with_two_hundred_questions():
    rng = np.random.default_rng(0)
    wins, losses, _ = rng.multinomial(200, [0.15, 0.05, 0.8], size=PAIRS).T

    assert (chance.mcnemar(wins, losses) <= 0.05).mean() >= 0.85


def test_better_and_worse_are_found_alike():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.25, 1, size=(2_000, 200))

    found = [(chance.bootstrap_p(sign * differences, 1_000) <= 0.05).mean() for sign in (1, -1)]

    assert found == pytest.approx([stats.norm.sf(1.96 - 0.25 * math.sqrt(200))] * 2, abs=0.03)


# ---- the tests themselves
@pytest.mark.parametrize("wins, losses", [(0, 0), (1, 0), (5, 5), (14, 2), (2, 14), (300, 240)])
def test_mcnemar_is_the_binomial_test_of_scipy(wins, losses):
    expected = stats.binomtest(wins, wins + losses, 0.5).pvalue if wins + losses else 1.0
    assert float(chance.mcnemar(wins, losses)) == pytest.approx(expected, abs=1e-12)


def test_few_scores_are_tested_by_all_ways_to_swap():
    differences = np.array([0.3, 0.1, -0.2, 0.4, 0.25, 0.6, 0.1, -0.05, 0.3])
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    ).pvalue

    assert chance.sign_flip_p(differences[None])[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rows", [10, 60])
def test_interval_and_p_of_scores_are_about_those_of_the_t_test_where_that_holds(rows):
    differences = np.random.default_rng(4).normal(0.1, 0.5, rows)
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)

    found = chance.scored(differences, 0.05)

    assert (found.high - found.low) / (high - low) == pytest.approx(1, abs=0.08)
    assert found.low + found.high == pytest.approx(low + high, abs=0.1 * (high - low))
    assert found.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.04)


def test_the_bootstrap_alone_is_right_about_a_dozen_ordinary_scores():
    differences = np.random.default_rng(6).normal(size=(PAIRS, 12))
    assert (chance.bootstrap_p(differences, 1_000) <= 0.05).mean() == pytest.approx(0.05, abs=0.01)


def test_four_answers_among_many_ties_prove_nothing():
    differences = np.array([0.3, 0.2, 0.3, 0.4] + [0.0] * 8)

    assert chance.bootstrap_p(differences[None])[0] < 0.05
    assert chance.scored(differences, 0.05).p == 2 / 2**4


def test_the_interval_of_shares_holds_the_true_difference_nineteen_times_in_twenty():
    rng, held = np.random.default_rng(5), []
    for wins, losses, ties in rng.multinomial(60, [0.25, 0.1, 0.65], size=2_000):
        found = chance.right_or_wrong(np.repeat([1.0, -1.0, 0.0], [wins, losses, ties]), 0.05)
        held.append(found.low <= 0.15 <= found.high)

    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


# ---- what is said
def test_a_clear_win_is_said_with_its_numbers():
    found = of_counts(14, 2, 4)

    assert (found.better, found.wins, found.losses, found.ties) == ("better", 14, 2, 4)
    assert found.difference == pytest.approx(0.6)
    assert 0 < found.low < 0.6 < found.high < 1
    assert found.words == (
        "Pirate is better than the untouched model: better on 14 of 20 questions, worse on 2, "
        "which is very unlikely to be chance (p = 0.0042)."
    )


def test_a_clear_loss_is_said_as_such():
    found = of_counts(1, 9, 10)

    assert (found.better, found.high < 0) == ("worse", True)
    assert found.words.startswith("Pirate is worse than the untouched model: worse on 9 of 20 questions, better on 1, ")


def test_what_may_be_chance_is_not_called_better():
    found = of_counts(5, 3, 12)

    assert (found.better, found.low < 0 < found.high) == ("cannot_tell", True)
    assert found.words.startswith(
        "We cannot tell whether Pirate is better than the untouched model: better on 5 of 20 questions, worse on 3, "
        "which may well be chance (p = 0.73)"
    )
    assert "about 320 questions would show it" in found.words


@pytest.mark.parametrize("rows, words", [(5, "5 are too few for any verdict, at least 6"), (1, "1 is too few")])
def test_too_few_questions_are_named_as_the_reason(rows, words):
    found = of_counts(rows, 0, 0)

    assert (found.better, found.low) == ("cannot_tell", 0.0 if rows == 5 else found.low)
    assert words in found.words


def test_a_verdict_among_several_is_corrected_for_their_number_and_says_so():
    alone, among = of_counts(12, 3, 20), of_counts(12, 3, 20, comparisons=6)

    assert (alone.better, among.better) == ("better", "cannot_tell")
    assert among.p == pytest.approx(6 * alone.p)
    assert of_counts(14, 2, 4, comparisons=3).low < of_counts(14, 2, 4).low
    assert "corrected for 6 comparisons" in among.words


def test_scores_are_said_with_both_averages():
    rng = np.random.default_rng(0)
    before = rng.random(100)
    found = of_scores(before, before + rng.normal(0.1, 0.1, 100))

    assert (found.better, found.metric) == ("better", "chrf")
    assert found.low < found.difference < found.high
    assert (
        f"is {100 * (before.mean() + found.difference):.1f} instead of {100 * before.mean():.1f} on average"
        in found.words
    )


def test_models_that_answer_alike_are_said_to_do_so():
    none, some = [{"accuracy": 0.0}] * 20, [{"accuracy": float(row % 4 == 0)} for row in range(20)]
    for found, words in (
        (of_counts(0, 0, 20), "both got all 20 questions right"),
        (compare(LABELS, "exam", "a", "b", NAMES, none, none), "neither got any of the 20 questions right"),
        (compare(LABELS, "exam", "a", "b", NAMES, some, some), "both got the same 5 of 20 questions right"),
        (of_scores([0.5] * 20, [0.5 + 1e-12] * 20), "they did equally well on all 20 questions"),
    ):
        assert (found.better, found.ties, found.p, found.difference) == ("cannot_tell", 20, 1.0, 0.0)
        assert found.words == f"We cannot tell Pirate and the untouched model apart: {words}."


@pytest.mark.parametrize("before, after", [([], []), ([math.nan], [0.5]), ([0.2], [math.inf])])
def test_without_a_usable_pair_nothing_is_claimed(before, after):
    found = of_scores(before, after)

    assert (found.better, found.p, found.wins + found.losses + found.ties) == ("cannot_tell", 1.0, 0)
    assert "no question" in found.words


def test_questions_that_only_one_was_scored_on_are_left_out():
    a = [{"accuracy": 0.0}] * 8 + [{}, {"accuracy": 1.0}]
    b = [{"accuracy": 1.0}] * 8 + [{"accuracy": 1.0}, {}]

    found = compare(LABELS, "exam", "a", "b", NAMES, a, b)

    assert (found.wins, found.losses, found.ties, found.better) == (8, 0, 0, "better")


def test_another_metric_can_be_asked_for():
    found = of_scores([0.1], [0.9], metric="judge_score")
    assert (found.metric, found.ties + found.wins) == ("judge_score", 0)


@pytest.mark.parametrize("comparisons", [1, 4])
def test_sentence_and_interval_never_contradict_each_other(comparisons):
    for rows in (6, 13, 40):
        for wins in range(0, rows + 1, 3):
            for losses in range(0, rows - wins + 1, 3):
                found = of_counts(wins, losses, rows - wins - losses, comparisons)
                assert (found.low <= 0 <= found.high) == (found.better == "cannot_tell")
                assert (found.p <= 0.05) == (found.better != "cannot_tell")


def test_sentence_and_interval_of_scores_never_contradict_each_other():
    rng = np.random.default_rng(2)
    for rows in (8, 20):
        for _ in range(30):
            before = rng.random(rows)
            found = of_scores(before, before + rng.normal(0.12, 0.3, rows))
            assert (found.low <= 0 <= found.high) == (found.better == "cannot_tell") == (found.p > 0.05)


def test_the_same_answers_give_the_same_verdict():
    rng = np.random.default_rng(1)
    before, after = rng.random(50), rng.random(50)
    assert of_scores(before, after) == of_scores(before, after)

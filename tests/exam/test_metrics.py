"""Our metrics are those of scikit-learn, sacrebleu, rouge-score and NLTK, to six digits, on data nobody here wrote."""

import ast
import csv
import itertools
import json
import math
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF
from sklearn import metrics as sk

from facet.exam import overlap
from facet.exam.metrics import METRICS, summarise, written
from facet.exam.outcome import Answer, ExamType, Question, Scored, TypeName
from facet.exam.scores import is_right_or_wrong, main, score

ROOT = Path(__file__).resolve().parents[2]
DIGITS = 1e-6
NOTHING = "I cannot tell which one it is."


def asked(part: list[str]) -> list[Question]:
    return [Question("exam", row, [{"role": "user", "content": "?"}], right) for row, right in enumerate(part)]


def summary(type: TypeName | ExamType, right: list[str], given: list[str], **how) -> Scored:
    kind = ExamType(type) if isinstance(type, str) else type
    return summarise(kind, asked(right), [Answer(row, text, ended="finished", **how) for row, text in enumerate(given)])


@pytest.fixture(scope="module")
def banking(shared_data: Path) -> tuple[tuple[str, ...], list[str], list[str], np.ndarray]:
    """600 questions of 77 classes: all labels, the right ones, answers that are often wrong, and log-likelihoods."""
    rows = [row["category"] for row in csv.DictReader((shared_data / "banking77_train.csv").read_text().splitlines())]
    labels, rng = tuple(sorted(set(rows))), random.Random(3)
    right = rng.sample(rows, 523) + list(labels)
    given = [rng.choices([label, rng.choice(labels), NOTHING], [6, 3, 1])[0] for label in right]
    likely = np.random.default_rng(3).normal(-6, 2, (len(right), len(labels)))
    likely[np.arange(len(right)), [labels.index(label) for label in right]] += 2
    return labels, right, given, likely


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> tuple[list[str], list[str]]:
    """Right answers, and for each an answer: part of it in another order, or that to another question, or none."""
    rows = json.loads((shared_data / "alpaca_en_demo.json").read_text("utf-8"))
    rng, right, given = random.Random(5), [], []
    for row, other in itertools.islice(itertools.pairwise(rows), 60):
        sentences = row["output"].split(". ")
        rng.shuffle(sentences)
        right.append(row["output"].strip())
        given.append(rng.choice([". ".join(sentences[:4]), other["output"], row["output"], ""]).strip())
    return given, right


# ---- equal to the libraries
@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_labels_score_as_in_scikit_learn(banking):
    labels, right, given, _ = banking
    found = summary(ExamType("classification", labels), right, given).metrics
    known = sorted({*right, *given} - {NOTHING})
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        right, given, labels=known, average="macro", zero_division=0
    )

    assert found["accuracy"] == pytest.approx(sk.accuracy_score(right, given), abs=DIGITS)
    assert found["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(right, given), abs=DIGITS)
    assert (found["macro_precision"], found["macro_recall"]) == pytest.approx((precision, recall), abs=DIGITS)
    assert found["macro_f1"] == pytest.approx(f1, abs=DIGITS)
    assert found["unanswered"] == pytest.approx(given.count(NOTHING) / len(given), abs=DIGITS)


def test_the_confusion_matrix_is_that_of_scikit_learn(banking):
    labels, right, given, _ = banking
    found = summary(ExamType("classification", labels), right, given)

    expected = sk.confusion_matrix(right, given, labels=[*labels, NOTHING])[:-1]
    assert found.confusion == expected.tolist()
    assert sum(map(sum, found.confusion)) == len(right)


def test_the_area_under_the_curve_is_that_of_scikit_learn(banking):
    labels, right, given, likely = banking
    answers = [Answer(row, text, labels=tuple(likely[row] - 5_000)) for row, text in enumerate(given)]  # long labels
    found = summarise(ExamType("classification", labels), asked(right), answers)
    shares = np.exp(likely) / np.exp(likely).sum(1, keepdims=True)

    assert found.metrics["roc_auc"] == pytest.approx(
        sk.roc_auc_score(right, shares, multi_class="ovr", average="macro", labels=labels), abs=DIGITS
    )
    assert found.metrics["label_accuracy"] == pytest.approx(
        sk.accuracy_score(right, [labels[place] for place in likely.argmax(1)]), abs=DIGITS
    )
    assert set(found.roc) == set(labels) and "roc_auc" not in found.notes
    for curve in found.roc.values():
        assert (curve[0], curve[-1]) == ([0.0, 0.0], [1.0, 1.0]) and len(curve) <= 200


def test_texts_score_as_in_sacrebleu(texts):
    given, right = texts
    found = summary("translation", right, given).metrics
    each = [CHRF().sentence_score(answer, [wanted]).score for answer, wanted in zip(given, right, strict=True)]

    assert 100 * found["bleu"] == pytest.approx(BLEU().corpus_score(given, [right]).score, abs=DIGITS)
    assert 100 * found["chrf_corpus"] == pytest.approx(CHRF().corpus_score(given, [right]).score, abs=DIGITS)
    assert 100 * found["chrf"] == pytest.approx(np.mean(each), abs=DIGITS)


def test_texts_score_as_in_rouge_score(texts):
    plain = [pair for pair in zip(*texts, strict=True) if not re.search(r"[^\W\d_a-zA-Z]", "".join(pair))]
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"])
    found = summary("text", [right for _, right in plain], [given for given, _ in plain]).metrics

    assert len(plain) > 40
    for name in ("rouge1", "rouge2", "rougeL"):
        expected = np.mean([scorer.score(right, given)[name].fmeasure for given, right in plain])
        assert found[name] == pytest.approx(expected, abs=DIGITS)


def test_texts_score_as_in_nltk(texts):
    given, right = (column[:40] for column in texts)
    found = summary("text", right, given).metrics["meteor"]

    split = [(overlap.words(wanted), overlap.words(answer)) for answer, wanted in zip(given, right, strict=True)]
    expected = np.mean([single_meteor_score(*pair, wordnet=overlap._wordnet()) for pair in split])
    assert found == pytest.approx(expected, abs=DIGITS)


def test_the_words_of_gsm8k_end_in_their_numbers(shared_data):
    rows = [json.loads(line) for line in (shared_data / "gsm8k_train_1500.jsonl").read_text("utf-8").splitlines()]
    right = [row["answer"] for row in rows]
    numbers = [float(text.rpartition("####")[2].replace(",", "")) for text in right]

    assert summary("number", right, [f"It is {n:,g} dollars." for n in numbers]).metrics == {"numeric_match": 1.0}
    assert summary("number", right, [f"#### {n + 1}" for n in numbers]).metrics == {"numeric_match": 0.0}


@pytest.mark.skipif(not overlap.knows_synonyms(), reason="WordNet is not installed (Debian: wordnet-base)")
def test_synonyms_count_where_wordnet_is():
    assert overlap.meteor("the auto", "the car") == pytest.approx(overlap.meteor("the car", "the car"))


def test_the_libraries_are_loaded_only_where_answers_are_scored():
    code = "import sys, facet.exam.metrics, facet.exam.verdict, facet.exam.kinds; print(sorted({name.split('.')[0] for name in sys.modules}))"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert not {"scipy", "sklearn", "sacrebleu", "rouge_score", "nltk", "jsonschema", "torch"} & set(
        ast.literal_eval(done.stdout)
    )


# ---- by hand
def test_perplexity_and_bits_are_over_all_scored_tokens():
    answers = [Answer(0, "a", nats=3.0, scored_tokens=2), Answer(1, "b", nats=1.0, scored_tokens=6), Answer(2, "c")]
    found = summarise(ExamType("text"), asked(["a", "b", "c"]), answers)

    assert (found.rows, found.tokens, found.loss) == (3, 8, 0.5)
    assert found.perplexity == pytest.approx(math.exp(0.5)) and found.bits_per_token == pytest.approx(0.5 / math.log(2))
    assert found.metrics["likelihood"] == pytest.approx((-1.5 - 1 / 6) / 2)


def test_a_loss_beyond_all_bounds_is_written_down_all_the_same():
    for nats, perplexity in ((1e9, math.inf), (math.inf, math.inf)):
        assert summarise(ExamType("text"), [], [Answer(0, "", nats=nats, scored_tokens=1)], []).perplexity == perplexity
    assert math.isnan(summarise(ExamType("text"), [], [Answer(0, "", nats=math.nan, scored_tokens=1)], []).perplexity)


def test_a_part_without_questions_has_no_metrics():
    for name in ("classification", "text", "json"):
        found = summary(name, [], [])
        assert (found.rows, found.metrics, math.isnan(found.loss)) == (0, {}, True)


def test_answers_that_never_ended_or_went_in_circles_are_counted():
    answers = [Answer(0, "a", ended="length"), Answer(1, "b", ended="length", repeating=True), Answer(2, "c")]
    found = summarise(ExamType("exact"), asked(["a", "b", "c"]), answers)
    assert (found.never_stopped, found.repeating) == (2, 1)


# ---- what is missing is said
def test_one_label_alone_leaves_the_curve_out_with_the_reason():
    answers = [Answer(row, "a", labels=(-1.0, -2.0)) for row in range(3)]
    found = summarise(ExamType("classification", ("a", "b")), asked(["a", "a", "a"]), answers)

    assert "roc_auc" not in found.metrics and found.roc is None
    assert "nothing to tell apart" in found.notes["roc_auc"]
    assert found.metrics["accuracy"] == found.metrics["balanced_accuracy"] == 1.0


@pytest.mark.parametrize("labels, words", [((), "not measured"), ((math.nan, 0.0), "no numbers")])
def test_missing_likelihoods_leave_the_curve_out_with_the_reason(labels, words):
    answers = [Answer(0, "a", labels=labels), Answer(1, "b", labels=labels)]
    found = summarise(ExamType("classification", ("a", "b")), asked(["a", "b"]), answers)
    assert words in found.notes["roc_auc"] and "roc_auc" not in found.metrics


def test_labels_that_no_question_has_are_left_out_of_the_average_and_named():
    answers = [Answer(row, "a", labels=(-1.0, -2.0, -3.0)) for row in range(2)]
    found = summarise(ExamType("classification", ("a", "b", "c")), asked(["a", "b"]), answers)

    assert found.notes["roc_auc"].startswith("Averaged over the 2 of 3 labels")
    assert set(found.roc) == {"a", "b"} and found.confusion[2] == [0, 0, 0, 0]


def test_a_label_that_occurs_in_no_answer_counts_nothing_and_nobody_is_wrong_twice():
    found = summary(ExamType("classification", ("a", "b", "c")), ["b", "b", "c"], ["b", "?", "b"])

    assert found.confusion == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 0, 0]]
    assert found.metrics["unanswered"] == pytest.approx(1 / 3)
    assert found.metrics["macro_precision"] == pytest.approx((1 / 2 + 0) / 2)


def test_a_label_that_is_never_right_counts_for_the_macro_average_but_not_for_the_balanced_one():
    found = summary(ExamType("classification", ("a", "b", "c")), ["b", "b", "c"], ["b", "b", "a"]).metrics

    assert found["balanced_accuracy"] == pytest.approx((1 + 0) / 2)
    assert found["macro_recall"] == pytest.approx((0 + 1 + 0) / 3)


def test_questions_without_a_right_answer_do_not_count_and_are_named():
    found = summary("text", ["A right answer.", " ", ""], ["A right answer.", "Something", ""])

    assert found.metrics["chrf"] == found.metrics["rougeL"] == 1.0
    assert found.notes["chrf"] == "2 of 3 questions have no right answer and do not count."


def test_whether_synonyms_count_is_said(monkeypatch, tmp_path):
    assert ("Synonyms count" in summary("text", ["a"], ["a"]).notes["meteor"]) is overlap.knows_synonyms()
    monkeypatch.setattr(overlap, "WORDNET", tmp_path)
    assert "WordNet is not installed" in summary("text", ["a"], ["a"]).notes["meteor"]


# ---- other languages
@pytest.mark.parametrize(
    "text", ["猫は家が好きです", "Größe zählt für Käufer", "मेरी बिल्ली घर में है", "Кошка очень любит дом"]
)
def test_words_of_every_language_count(text):
    found = summary("translation", [text], [text]).metrics
    assert all(found[name] == pytest.approx(1.0) for name in ("chrf", "chrf_corpus", "bleu", "rouge1", "token_f1"))
    assert overlap.token_f1(text[: len(text) // 2], text) > 0.3


def test_the_table_and_the_verdict_speak_of_the_same_number():
    for name, right, given in (("exact", ["a", "b"], ["a", "c"]), ("text", ["one two", "x"], ["one", "x"])):
        kind = ExamType(name)
        each = [score(kind, q, Answer(q.row, text)) for q, text in zip(asked(right), given, strict=True)]
        found = summary(kind, right, given).metrics[main(kind)]
        assert found == pytest.approx(np.mean([one[main(kind)] for one in each]))


def test_every_metric_has_words_and_a_way_to_be_written():
    for name, metric in METRICS.items():
        assert metric.label and metric.expert and metric.plain.endswith(".") and "—" not in metric.plain
        assert metric.is_share or not metric.points
        assert metric.is_share or not is_right_or_wrong(name)
    assert (written("accuracy", 0.714), written("chrf", 0.3721), written("similarity", 0.5)) == ("71 %", "37.2", "0.50")
    assert written("accuracy", math.nan) == "–" and written("of a later version", 1.0) == "1.00"

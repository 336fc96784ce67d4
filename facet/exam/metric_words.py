"""What each metric means, for a reader of a newspaper and for an expert. The same names count questions and parts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A row of the table. A share runs from 0 to 1; `points` shares are written as the field does, 0.372 as 37.2."""

    label: str
    plain: str
    expert: str
    higher_is_better: bool = True
    is_share: bool = True
    points: bool = False


METRICS: dict[str, Metric] = {
    "accuracy": Metric("Right labels", "How many answers name the right label.", "accuracy"),
    "balanced_accuracy": Metric(
        "Right labels, each label counting the same",
        "The share of right answers within each label, averaged, so that a frequent label cannot hide a rare one.",
        "balanced accuracy, scikit-learn",
    ),
    "macro_precision": Metric(
        "Trust in a label", "When it names a label, how often that is right.", "macro precision, scikit-learn"
    ),
    "macro_recall": Metric(
        "Labels found", "When a label is right, how often it is named.", "macro recall, scikit-learn"
    ),
    "macro_f1": Metric(
        "Trust and found together",
        "The two above in one number, each label counting the same.",
        "macro F1, scikit-learn",
    ),
    "unanswered": Metric(
        "No label named",
        "How many answers name none of the labels, or several.",
        "abstention rate",
        higher_is_better=False,
    ),
    "label_accuracy": Metric(
        "Right when made to choose",
        "How often the right label is the most likely one, whatever the model goes on to write.",
        "accuracy of the most likely label, log-likelihood",
    ),
    "roc_auc": Metric(
        "Tells labels apart",
        "How often a question with a label looks more like that label to the model than one without: 50 % is guessing.",
        "ROC-AUC, one against the rest, macro, from label likelihoods, scikit-learn",
    ),
    "exact_match": Metric(
        "Right answers",
        "How many answers equal the right one, apart from capitals, punctuation and “The answer is”.",
        "exact match, normalised",
    ),
    "strict_match": Metric(
        "Same to the letter", "How many answers equal the right one character for character.", "exact match, strict"
    ),
    "contains": Metric(
        "Right answer mentioned", "How many answers contain the right one somewhere.", "inclusion match"
    ),
    "numeric_match": Metric(
        "Right numbers",
        "How many answers end in the right number. Units and how a number is written do not count.",
        "numeric match, relative tolerance 1e-9",
    ),
    "json_valid": Metric(
        "Valid JSON", "How many answers a program can read as JSON; a code fence around it is allowed.", "JSON validity"
    ),
    "json_schema": Metric(
        "Right shape",
        "How many answers have the fields and the kinds of values that the right answers have.",
        "JSON-schema validity, jsonschema, schema inferred from the right answers",
    ),
    "json_equal": Metric("Same JSON", "How many answers hold exactly the right values.", "JSON exact match"),
    "json_fields": Metric(
        "Right fields", "How many of the values are right and in the right place, per answer.", "F1 over leaf paths"
    ),
    "preference_accuracy": Metric(
        "Prefers the better answer",
        "How often the better answer is more likely to the model than the worse one, per character.",
        "preference accuracy, log-likelihood per UTF-8 byte",
    ),
    "preference_accuracy_sum": Metric(
        "Prefers the better answer as a whole",
        "The same for whole answers: a long answer is less likely than a short one.",
        "preference accuracy, summed log-likelihood",
    ),
    "chrf": Metric(
        "Letters in common",
        "How many runs of up to six letters an answer shares with the right one. Works in every language.",
        "mean sentence chrF2, sacrebleu",
        points=True,
    ),
    "chrf_corpus": Metric(
        "Letters in common, all answers as one text",
        "The same over all answers together.",
        "corpus chrF2, sacrebleu",
        points=True,
    ),
    "bleu": Metric(
        "Word sequences in common",
        "How many runs of one to four words all answers share with the right ones. Meant for translations.",
        "corpus BLEU, sacrebleu",
        points=True,
    ),
    "rouge1": Metric(
        "Words in common", "How many words an answer shares with the right one.", "ROUGE-1 F1, rouge-score"
    ),
    "rouge2": Metric(
        "Pairs of words in common", "How many pairs of neighbouring words it shares.", "ROUGE-2 F1, rouge-score"
    ),
    "rougeL": Metric(
        "Words in the same order", "How long the longest common sequence of words is.", "ROUGE-L F1, rouge-score"
    ),
    "meteor": Metric(
        "Words in common, also as other forms",
        "Like words in common, but “walks” counts for “walk”, and scattered matches count less.",
        "METEOR, NLTK",
    ),
    "token_f1": Metric(
        "Words in common, without articles", "Words shared, whatever their order.", "token-overlap F1 as in SQuAD"
    ),
    "similarity": Metric(
        "Close in meaning",
        "How close answer and right answer are to the untouched model, from -1 to 1.",
        "cosine of mean last hidden states",
        is_share=False,
    ),
    "likelihood": Metric(
        "Likelihood of the right answer",
        "How expected each word piece of the right answer is to the model: the nearer to 0, the better.",
        "mean log-likelihood per token, nats",
        is_share=False,
    ),
    "right": Metric("Right answers", "How many answers pass their check.", "accuracy"),
    "judge_score": Metric("Judge's mark", "The mark a judge gave, from 1 to 10.", "LLM judge, score", is_share=False),
    "judge_prefers": Metric(
        "Preferred by the judge", "How often the judge preferred it in both orders.", "LLM judge, pairwise, swapped"
    ),
}


def written(metric: str, value: float) -> str:
    """A value as the page writes it: "71 %", "37.2", "-0.35".

    >>> written("accuracy", 0.7142), written("chrf", 0.3721), written("likelihood", -0.3512)
    ('71 %', '37.2', '-0.35')
    """
    if value != value:
        return "–"
    meaning = METRICS.get(metric)
    if meaning is None or not meaning.is_share:
        return f"{value:.2f}"
    return f"{100 * value:.1f}" if meaning.points else f"{100 * value:.0f} %"

"""Answers that are labels: what scikit-learn makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from facet.exam.labels import label_of, named
from facet.exam.outcome import Answer, ExamType, Question

MOST_POINTS = 200  # of one ROC curve
ONE_LABEL = "All questions have the same right label, so there is nothing to tell apart."
NOT_ALL_LABELS = "Averaged over the {} of {} labels that are right for some questions and wrong for others."
NOT_MEASURED = "How likely each label is to the model was not measured."
NOT_A_NUMBER = "The likelihoods of the labels are no numbers for some questions."


@dataclass
class Classified:
    metrics: dict[str, float] = field(default_factory=dict)
    confusion: list[list[int]] | None = None
    roc: dict[str, list[list[float]]] | None = None
    notes: dict[str, str] = field(default_factory=dict)


def classified(type: ExamType, questions: Sequence[Question], answers: Sequence[Answer]) -> Classified:
    """Metrics over all answers. An answer that names no label, or several, is wrong for its label and for no other."""
    found = Classified()
    pairs = [(label_of(q.expected, type.labels), a) for q, a in zip(questions, answers, strict=True)]
    kept = [(right, answer) for right, answer in pairs if right is not None]
    if not kept:
        return found
    right = np.array([place for place, _ in kept])
    _answered(found, type.labels, right, [answer for _, answer in kept])
    _likelihoods(found, type.labels, right, [answer.labels for _, answer in kept])
    return found


def _answered(found: Classified, labels: tuple[str, ...], right: np.ndarray, answers: Sequence[Answer]) -> None:
    from sklearn import metrics

    something_else = len(labels)
    places = [named(answer.text, labels) for answer in answers]
    given = np.array([something_else if place is None else place for place in places])
    counted = sorted({*right.tolist(), *given.tolist()} - {something_else})
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        right, given, labels=counted, average="macro", zero_division=0
    )
    matrix = metrics.confusion_matrix(right, given, labels=range(something_else + 1))
    recalls = metrics.recall_score(right, given, labels=np.unique(right), average=None, zero_division=0)
    found.confusion = matrix[:something_else].tolist()
    found.metrics |= {
        "balanced_accuracy": float(recalls.mean()),
        "macro_precision": float(precision),
        "macro_recall": float(recall),
        "macro_f1": float(f1),
        "unanswered": float((given == something_else).mean()),
    }


def _likelihoods(
    found: Classified, labels: tuple[str, ...], right: np.ndarray, given: Sequence[tuple[float, ...]]
) -> None:
    """One label against the rest, for every label that is right for some questions and wrong for others."""
    from sklearn import metrics

    if any(len(each) != len(labels) for each in given):
        found.notes["roc_auc"] = NOT_MEASURED
        return
    likely = np.array(given)  # (n, labels), log-likelihoods
    if not np.isfinite(likely).all():
        found.notes["roc_auc"] = NOT_A_NUMBER
        return
    shares = np.exp(likely - likely.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    curves, areas = {}, []
    for place, label in enumerate(labels):
        is_right = right == place
        if is_right.any() and not is_right.all():
            false, true, _ = metrics.roc_curve(is_right, shares[:, place])
            areas.append(metrics.auc(false, true))
            curves[label] = _thinned(np.column_stack([false, true]))
    if not areas:
        found.notes["roc_auc"] = ONE_LABEL
        return
    if len(areas) < len(labels):
        found.notes["roc_auc"] = NOT_ALL_LABELS.format(len(areas), len(labels))
    found.metrics["roc_auc"] = float(np.mean(areas))
    found.roc = curves


def _thinned(points: np.ndarray) -> list[list[float]]:
    """At most so many points, the first and the last among them."""
    if len(points) > MOST_POINTS:
        points = points[np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int)]
    return points.tolist()

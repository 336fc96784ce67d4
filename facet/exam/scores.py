"""One answer against the right one: a few numbers, each the better the higher. What a verdict counts."""

import re
from collections.abc import Callable

from facet.exam import json_answers, overlap
from facet.exam.labels import label_of, named
from facet.exam.numerals import final_number, same_number
from facet.exam.outcome import Answer, ExamType, Question, TypeName
from facet.exam.spoken import after_cue, bare, folded, spoken

_MAIN: dict[TypeName, str] = {
    "classification": "accuracy",
    "exact": "exact_match",
    "number": "numeric_match",
    "json": "json_fields",
    "text": "chrf",
    "translation": "chrf",
    "preference": "preference_accuracy",
}
_RIGHT_OR_WRONG = set(
    "accuracy label_accuracy exact_match strict_match contains numeric_match json_valid json_schema json_equal "
    "preference_accuracy preference_accuracy_sum right judge_prefers".split()
)
_ARTICLE = re.compile(r"\A(?:an?|the) ")
_CIRCLE = re.compile(r"(.{1,120}?)\1{3,}.{0,120}\Z", re.DOTALL)
_CIRCLE_TAIL = 1_000  # characters at the end of an answer in which circles are looked for
_CIRCLE_SHARE, _CIRCLE_LEAST = 0.5, 40  # of those characters that have to be repetition, and how many at least


def score(type: ExamType, question: Question, answer: Answer) -> dict[str, float]:
    """Scores of one answer by the names of `metrics.METRICS`. What cannot be scored is absent, never nought.

    An empty answer is wrong; a question without a right answer, or an answer that nobody asked for, is not scored.
    """
    found = {} if not answer.scored_tokens else {"likelihood": -answer.nats / answer.scored_tokens}
    if answer.rejected_nats is not None:
        found |= _preference(question, answer, answer.rejected_nats)
    was_asked = bool(question.messages) and (type.name != "preference" or bool(answer.text or answer.ended))
    if was_asked and spoken(question.expected):
        found |= _SCORERS[type.name](type, question.expected, answer)
    if was_asked and answer.similarity is not None:
        found["similarity"] = answer.similarity
    return found


def main(type: ExamType) -> str:
    """The metric that the verdict rests on."""
    return type.metric or _MAIN[type.name]


def is_right_or_wrong(metric: str) -> bool:
    """Whether each question counts 0 or 1, so that an exact test can be made."""
    return metric in _RIGHT_OR_WRONG


def repeats(text: str) -> bool:
    """Whether an answer runs in circles: the same at least four times, over half of its last thousand characters."""
    tail = text.strip()[-_CIRCLE_TAIL:]
    circle = _CIRCLE.search(tail)
    return circle is not None and len(circle.group()) >= max(_CIRCLE_LEAST, _CIRCLE_SHARE * len(tail))


def _classification(type: ExamType, expected: str, answer: Answer) -> dict[str, float]:
    right = label_of(expected, type.labels)
    if right is None:
        return {}
    found = {"accuracy": float(named(answer.text, type.labels) == right)}
    if len(answer.labels) == len(type.labels):
        likeliest = type.labels[answer.labels.index(max(answer.labels))]
        found["label_accuracy"] = float(label_of(likeliest, type.labels) == right)
    return found


def _exact(type: ExamType, expected: str, answer: Answer) -> dict[str, float]:
    given, right = spoken(answer.text), spoken(expected)
    fold = folded if folded(right) else bare
    wanted = _ARTICLE.sub("", fold(right))
    pieces = [given, after_cue(given) or "", after_cue(given, whole_line=True) or ""]
    return {
        "exact_match": float(any(_ARTICLE.sub("", fold(piece)) == wanted for piece in pieces)),
        "strict_match": float(given == right),
        "contains": float(f" {wanted} " in f" {fold(given)} " if fold is folded else wanted in fold(given)),
        "chrf": overlap.chrf(given, right),
        "token_f1": overlap.token_f1(given, right),
    }


def _number(type: ExamType, expected: str, answer: Answer) -> dict[str, float]:
    right, given = final_number(expected), final_number(answer.text)
    if right is None:
        return {}
    return {"numeric_match": float(given is not None and same_number(right, given))}


def _json(type: ExamType, expected: str, answer: Answer) -> dict[str, float]:
    right, whole = json_answers.read_anywhere(expected), json_answers.read_whole(answer.text)
    if right is None:
        return {}
    said = json_answers.read_anywhere(answer.text)
    schema = type.schema or json_answers.schema_of([right])
    return {
        "json_valid": float(whole is not None),
        "json_schema": float(whole is not None and json_answers.fits(schema, whole)),
        "json_equal": float(said is not None and json_answers.leaves(said) == json_answers.leaves(right)),
        "json_fields": 0.0 if said is None else json_answers.fields_f1(right, said),
    }


def _text(type: ExamType, expected: str, answer: Answer) -> dict[str, float]:
    return dict(overlap.closeness(spoken(answer.text), spoken(expected)))


def _preference(question: Question, answer: Answer, rejected_nats: float) -> dict[str, float]:
    """Per byte, as well as for whole answers, of which the shorter one is nearly always the likelier."""
    chosen, rejected = (max(1, len(text.encode("utf-8", "replace"))) for text in (question.expected, question.rejected))
    return {
        "preference_accuracy": float(answer.nats / chosen < rejected_nats / rejected),
        "preference_accuracy_sum": float(answer.nats < rejected_nats),
    }


_SCORERS: dict[TypeName, Callable[[ExamType, str, Answer], dict[str, float]]] = {
    "classification": _classification,
    "exact": _exact,
    "number": _number,
    "json": _json,
    "text": _text,
    "translation": _text,
    "preference": _text,
}

"""What one contestant scored on one part: means of the scores, and what only all answers together have."""

import math
from collections.abc import Iterable, Mapping, Sequence

from facet.exam import overlap
from facet.exam.classified import classified
from facet.exam.metric_words import METRICS, Metric, written
from facet.exam.outcome import Answer, ExamType, Question, Scored
from facet.exam.scores import score
from facet.exam.spoken import spoken

__all__ = ["METRICS", "Metric", "summarise", "written"]


def summarise(
    type: ExamType,
    questions: Sequence[Question],
    answers: Sequence[Answer],
    scores: Sequence[Mapping[str, float]] | None = None,
) -> Scored:
    """All metrics of one contestant on one part; `answers` in the order of the questions.

    `scores`, if already there, are those of `scores.score` per answer. Every metric of one answer is here as its mean,
    under the same name, so that a verdict speaks of the numbers in the table.
    """
    if scores is None:
        scores = [score(type, question, answer) for question, answer in zip(questions, answers, strict=True)]
    nats, tokens = sum(answer.nats for answer in answers), sum(answer.scored_tokens for answer in answers)
    loss = nats / tokens if tokens else math.nan
    found, notes = _means(scores), _notes(questions, scores)
    chosen = classified(type, questions, answers) if type.name == "classification" else None
    if chosen:
        found |= chosen.metrics
        notes |= chosen.notes
    if "meteor" in found:
        found |= _together(type, questions, answers)
        notes["meteor"] = _SYNONYMS if overlap.knows_synonyms() else _NO_SYNONYMS
    return Scored(
        rows=len(answers),
        loss=loss,
        perplexity=math.exp(loss) if not loss > 700 else math.inf,
        bits_per_token=loss / math.log(2),
        tokens=tokens,
        metrics={name: found[name] for name in METRICS if name in found},
        confusion=chosen.confusion if chosen else None,
        roc=chosen.roc if chosen else None,
        never_stopped=sum(answer.ended == "length" for answer in answers),
        repeating=sum(answer.repeating for answer in answers),
        notes=notes,
    )


_SYNONYMS = "Synonyms count as well, by WordNet. Other forms of a word and synonyms are known for English alone."
_NO_SYNONYMS = (
    "Without synonyms: WordNet is not installed here (on Debian: wordnet-base). "
    "Other forms of a word are known for English alone."
)


def _means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = {name for each in scores for name in each}
    return {name: _mean([each[name] for each in scores if name in each]) for name in names}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _notes(questions: Sequence[Question], scores: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """Metrics that some questions have no part in."""
    empty = sum(bool(question.messages) and not spoken(question.expected) for question in questions)
    if not empty:
        return {}
    names = {name for each in scores for name in each} - {"likelihood"}
    return dict.fromkeys(
        sorted(names), f"{empty:,} of {len(questions):,} questions have no right answer and do not count."
    )


def _together(type: ExamType, questions: Sequence[Question], answers: Sequence[Answer]) -> dict[str, float]:
    """What has no value for a single answer."""
    pairs = [(spoken(a.text), spoken(q.expected)) for q, a in zip(questions, answers, strict=True)]
    given, right = _columns(pair for pair in pairs if pair[1])
    found = {"bleu": overlap.bleu(given, right)}
    return found | ({"chrf_corpus": overlap.chrf_corpus(given, right)} if type.name == "translation" else {})


def _columns(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    given, right = zip(*pairs, strict=True)
    return list(given), list(right)

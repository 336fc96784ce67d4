"""Which type of exam fits the data: seen in the right answers, and said with the reason."""

import re
from collections import Counter
from collections.abc import Sequence

from facet.exam.json_answers import read_whole, schema_of
from facet.exam.numerals import only_number
from facet.exam.outcome import ExamType, Question
from facet.exam.spoken import after_cue, bare, spoken

NEARLY_ALL = 0.95
MOST_LOOKED_AT = 5_000
MOST_LABELS = 200
FEWEST_PER_LABEL = 4  # answers per label on average
LONGEST_LABEL = 60  # characters
MOST_LABELS_OF_NUMBERS = 5  # marks from 1 to 5 are labels; sums that happen to repeat are not
LONGEST_EXACT, MOST_WORDS_EXACT = 60, 6
PAIRS_LOOKED_AT = 100
_TRANSLATE = re.compile(
    r"translat|übersetz|tradu[ciz]|traduis|traduire|vertaa?l|перев[её]д|перевод|翻[译譯訳]|번역|çevir|tłumacz",
    re.IGNORECASE,
)


def exam_type(
    questions: Sequence[Question],
    dataset_type: str,
    labels: Sequence[str] | None = None,
    *,
    taught: Sequence[str] = (),
) -> ExamType:
    """The type of an exam on these questions.

    `labels` are all right answers there are, where the data says so; `taught` are right answers of the training part,
    which make up for few questions: 40 of them cannot show that there are only 77 labels.
    """
    if dataset_type == "preference":
        return ExamType("preference", reason="The data has a better and a worse answer to each question.")
    if dataset_type == "text" or not any(question.messages for question in questions):
        return ExamType("text", reason=_PLAIN, metric="likelihood")
    if labels:
        return ExamType("classification", tuple(labels), f"The data names {len(labels)} labels.")
    asked = [question.expected for question in questions]
    answers = [text for text in map(spoken, [*asked, *taught]) if text]
    if not answers:
        return ExamType("text", reason="The questions have no right answers.", metric="likelihood")
    some = answers[:MOST_LOOKED_AT]
    found = _json(some) or _classification(answers) or _number(some) or _translation(questions) or _exact(some)
    return found or ExamType("text", reason="The right answers are free text.")


_PLAIN = "The data is plain text: only how likely it is to the model can be measured."


def _json(answers: Sequence[str]) -> ExamType | None:
    values = [value for value in map(read_whole, answers) if value is not None]
    if len(values) < NEARLY_ALL * len(answers):
        return None
    reason = f"{_of(len(values), len(answers))} are JSON."
    return ExamType("json", reason=reason, schema=schema_of(values))


def labels_of(answers: Sequence[str]) -> tuple[str, ...]:
    """The labels that these right answers are, each as it is mostly written."""
    return tuple(sorted(map(_usual, _by_label(answers).values()), key=_natural))


def _by_label(answers: Sequence[str]) -> dict[str, Counter[str]]:
    """How each label is written, and how often."""
    written: dict[str, Counter[str]] = {}
    for answer in filter(None, map(spoken, answers)):
        written.setdefault(bare(answer), Counter())[answer] += 1
    return written


def _classification(answers: Sequence[str]) -> ExamType | None:
    written = _by_label(answers)
    most = MOST_LABELS_OF_NUMBERS if _are_numbers(written) else MOST_LABELS
    few_enough = 2 <= len(written) <= most and len(answers) >= FEWEST_PER_LABEL * len(written)
    if not few_enough or any(len(label) > LONGEST_LABEL or "\n" in label for label in written):
        return None
    reason = f"The {len(answers):,} right answers are {len(written)} labels that come again."
    return ExamType("classification", labels_of(answers), reason)


def _usual(counts: Counter[str]) -> str:
    """How a label is mostly written, without a full stop if that is a matter of taste."""
    return max(counts, key=lambda writing: (counts[writing], -len(writing)))


def _are_numbers(written: dict[str, Counter[str]]) -> bool:
    return all(only_number(label) is not None for label in written)


def _natural(label: str) -> tuple[float, str]:
    """Numbers by their size, everything else by the alphabet."""
    number = only_number(label)
    return (number.value if number else float("inf"), label.casefold())


def _number(answers: Sequence[str]) -> ExamType | None:
    numbers = sum(_gives_number(answer) for answer in answers)
    if numbers < NEARLY_ALL * len(answers):
        return None
    return ExamType(
        "number", reason=f"{_of(numbers, len(answers))} are a number or end in one, as after “####” or “Answer:”."
    )


def _gives_number(answer: str) -> bool:
    return only_number(answer) is not None or only_number(after_cue(answer) or "") is not None


def _exact(answers: Sequence[str]) -> ExamType | None:
    short = sum(_is_short(answer) for answer in answers)
    if short < NEARLY_ALL * len(answers):
        return None
    return ExamType("exact", reason=f"{_of(short, len(answers))} have at most {MOST_WORDS_EXACT} words.")


def _is_short(answer: str) -> bool:
    return len(answer) <= LONGEST_EXACT and len(answer.split()) <= MOST_WORDS_EXACT and "\n" not in answer


def _translation(questions: Sequence[Question]) -> ExamType | None:
    """Where most questions ask for a translation, or question and answer differ in language but not in length."""
    step = max(1, len(questions) // PAIRS_LOOKED_AT)
    pairs = [(question, spoken(question.expected)) for question in questions[::step] if question.messages]
    asking = sum(bool(_TRANSLATE.search(_asked(question))) for question, _ in pairs)
    if asking >= 0.8 * len(pairs):
        return ExamType("translation", reason=f"{asking} of {len(pairs)} questions ask for a translation.")
    told = [found for question, expected in pairs if (found := _languages(question, expected))]
    apart = [pair for pair in told if pair[0] != pair[1]]
    if len(told) < max(5, 0.5 * len(pairs)) or len(apart) < 0.8 * len(told):
        return None
    (source, target), _ = Counter(apart).most_common(1)[0]
    reason = f"Questions and right answers say about as much in another language, mostly {source} and {target}."
    return ExamType("translation", reason=reason)


def _asked(question: Question) -> str:
    return "\n".join(turn["content"] for turn in question.messages if turn["role"] in ("system", "user"))


def _languages(question: Question, expected: str) -> tuple[str, str] | None:
    """The languages of question and answer, where both can be told and neither says much more than the other."""
    from facet.dataset.languages import language_of

    asked = question.messages[-1]["content"]
    if not 0.5 <= len(expected) / max(1, len(asked)) <= 2:
        return None
    source, target = language_of([asked]), language_of([expected])
    return (source, target) if source and target else None


def _of(count: int, all_: int) -> str:
    return f"All {all_:,} right answers" if count == all_ else f"{count:,} of {all_:,} right answers"

"""Questions as the tokens that each contestant reads, and the expected answers as those it is measured on. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facet.dataset.conversation import Conversation
from facet.dataset.render import Rendered, Renderer
from facet.exam.outcome import Contestant, ExamType, Question
from facet.exam.questions import messages_for
from facet.model.tokens import IGNORED

Row = Mapping[str, list[int]]  # "input_ids" and "labels", as training has them
MOST_LABELS = 150  # with more the likelihood of each would take longer than the answers
LEAST_NEW, MOST_NEW = 24, 512  # tokens of an answer, where nobody says how many


@dataclass(frozen=True)
class Read:
    """One question as one contestant reads it."""

    row: int
    prompt: list[int] = field(default_factory=list)  # empty for plain text: nothing is asked
    expected: tuple[Row, ...] = ()  # several for a long plain text, which is cut into pieces
    rejected: tuple[Row, ...] = ()


def read_all(
    renderer: Renderer, contestant: Contestant, questions: Sequence[Question], max_length: int | None
) -> list[Read]:
    """Raises: `DataError` when the model's template refuses a conversation, as one with instructions it cannot take."""
    if all(not question.messages for question in questions):
        return [Read(q.row, expected=_text(renderer, q.expected, max_length)) for q in questions]
    asked = [messages_for(contestant, question) for question in questions]
    tools = [question.tools or None for question in questions]
    prompts = renderer.prompts(asked, tools)
    expected = _answers(renderer, asked, [question.expected for question in questions], tools, prompts, max_length)
    rejected: list[Row | None] = [None] * len(questions)
    if any(question.rejected for question in questions):
        texts = [question.rejected for question in questions]
        rejected = list(_answers(renderer, asked, texts, tools, prompts, max_length))
    return [
        Read(question.row, prompt, (right,), (wrong,) if wrong else ())
        for question, prompt, right, wrong in zip(questions, prompts, expected, rejected, strict=True)
    ]


def _text(renderer: Renderer, text: str, max_length: int | None) -> tuple[Row, ...]:
    return tuple(marked(part) for part in renderer.chunks(text, max_length))


def _answers(
    renderer: Renderer,
    asked: Sequence[Conversation],
    answers: Sequence[str],
    tools: Sequence[str | None],
    prompts: Sequence[Sequence[int]],
    max_length: int | None,
) -> list[Row]:
    whole = [[*turns, {"role": "assistant", "content": text}] for turns, text in zip(asked, answers, strict=True)]
    rendered = renderer.render_many(whole, max_length, tools)  # type: ignore[arg-type]
    return [marked(one, len(prompt)) for one, prompt in zip(rendered, prompts, strict=True)]


def marked(rendered: Rendered, start: int = 0) -> Row:
    """Only what comes behind `start` counts: an answer that was given earlier in the conversation is not asked for."""
    pairs = enumerate(zip(rendered.ids, rendered.trained, strict=True))
    labels = [token if taught and at >= start else IGNORED for at, (token, taught) in pairs]
    return {"input_ids": rendered.ids, "labels": labels}


def label_tokens(renderer: Renderer, type: ExamType, question: Question) -> list[list[int]]:
    """What a model would write to give each label as its answer, the end of its turn included.

    Empty where the labels are too many. An answer's tokens do not depend on the question before it.
    """
    if type.name != "classification" or not 2 <= len(type.labels) <= MOST_LABELS or not question.messages:
        return []
    prompt = renderer.prompt(question.messages, question.tools or None)
    turns = [[*question.messages, {"role": "assistant", "content": label}] for label in type.labels]
    rendered = renderer.render_many(turns, None, [question.tools or None] * len(turns))  # type: ignore[arg-type]
    return [[token for token in marked(one, len(prompt))["labels"] if token != IGNORED] for one in rendered]


def fitting_length(reads: Sequence[Read]) -> int:
    """Tokens an answer may have: twice the longest that is expected, within reason. The same for everybody."""
    longest = max((sum(t != IGNORED for t in row["labels"]) for read in reads for row in read.expected), default=0)
    return max(LEAST_NEW, min(MOST_NEW, 2 * longest + 8))

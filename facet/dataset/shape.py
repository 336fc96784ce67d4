"""What a table most likely is: a guess at the shape of someone's data, from names first and then from content."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from facet.dataset.columns import ROLE_KEYS, TEXT_KEYS, Mapping, ShapeKind

MOST_LISTED_LABELS = 20
MOST_LABELS = 300
_MOST_LABEL_CHARACTERS = 60

_CONVERSATIONS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns")
_QUESTIONS = (
    "prompt", "question", "instruction", "input", "inputs", "query",
    "user", "human", "source", "q", "message", "request",
    "customer", "title", "document", "article", "dialogue", "post", "text", "frage", "pregunta", "domanda", "pergunta",
    "вопрос", "问题", "質問", "질문",
)  # fmt: skip
_ANSWERS = (
    "completion", "answer", "response", "output", "target", "targets", "reply", "assistant", "chosen", "answers",
    "bot", "model", "gpt", "a", "summary", "highlights", "solution", "antwort", "respuesta", "risposta", "resposta",
    "reponse", "réponse", "ответ", "答案", "回答", "답변",
)  # fmt: skip
_TEXTS = ("text", "sentence", "review", "message", "content", "comment", "tweet", "headline", "utterance", "email",
          "mail", "body", "question", "query", "title", "description", "input")  # fmt: skip
_LABELS = ("label", "labels", "category", "class", "intent", "topic", "sentiment", "tag", "emotion", "label_text",
           "type", "target", "kategorie")  # fmt: skip
_INSTRUCTIONS = ("system", "system_prompt", "instructions", "system_message")
_EXTRAS = ("input", "context", "passage", "background")
_NOT_CONTENT = ("id", "idx", "index", "uuid", "row", "unnamed_0", "column_1", "key", "source_id", "split", "url")


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # "text", "number", "list", "object" or "empty"
    filled: float  # share of rows with a value
    values: dict[str, int] | None = None  # how often each value occurs, where there are few different ones
    median_characters: int = 0


@dataclass(frozen=True)
class Shape:
    kind: ShapeKind
    words: str
    mapping: Mapping

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "mapping": self.mapping.model_dump()}


def guess(columns: list[Column], rows: list[dict[str, Any]]) -> Shape | None:
    """The shape of a table, or None when its columns do not tell."""
    named = {_plain(column.name): column for column in reversed(columns) if column.filled > 0}
    for look in (_conversations, _labels_by_name, _alpaca, _pair, _labels_by_content, _two_texts):
        shape = look(named, rows)
        if shape:
            return shape
    return None


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def _first(named: dict[str, Column], names: tuple[str, ...], *kinds: str) -> Column | None:
    found = (named[name] for name in names if name in named)
    return next((column for column in found if column.kind in (kinds or ("text", "number"))), None)


def _instruction_column(named: dict[str, Column]) -> str | None:
    column = _first(named, _INSTRUCTIONS, "text")
    return column.name if column else None


def _conversations(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    """A column of whole conversations, by its content; the usual names are tried first."""
    ordered = sorted(named.values(), key=lambda column: _plain(column.name) not in _CONVERSATIONS)
    for column in ordered:
        if column.kind not in ("list", "text", "object"):
            continue
        sample = [turns for row in rows if (turns := _turns_in(row.get(column.name)))]
        if not sample or len(sample) < sum(row.get(column.name) is not None for row in rows) / 2:
            continue
        if _plain(column.name) in _ANSWERS:
            continue  # a completion written as a message; its prompt comes before it
        answer = _first(named, ("chosen", "completion", "response", "answer", "output"), "list", "object", "text")
        unanswered = all(_speaker(turns[-1]) not in ("assistant", "gpt", "model", "bot") for turns in sample)
        return _conversation_shape(column, answer if unanswered else None, sample, _instruction_column(named))
    return None


def _conversation_shape(column: Column, answer: Column | None, sample: list, system: str | None) -> Shape:
    sharegpt = "from" in sample[0][0]
    kind: ShapeKind = "prompt_completion" if answer else "sharegpt" if sharegpt else "messages"
    words = f"Whole conversations in “{column.name}”"
    words += f", and the answer in “{answer.name}”." if answer else "."
    if answer and _plain(answer.name) == "chosen":
        words += " The rejected answers are not used."
    mapping = Mapping(kind=kind, messages=column.name, assistant=answer.name if answer else None, system_column=system)
    return Shape(kind, words, mapping)


def _turns_in(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return []
    first = value[0]
    return value if any(key in first for key in ROLE_KEYS) and any(key in first for key in TEXT_KEYS) else []


def _speaker(turn: Any) -> str:
    if not isinstance(turn, dict):
        return ""
    return str(next((turn[key] for key in ROLE_KEYS if turn.get(key)), "")).lower()


def _alpaca(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    answer = _first(named, ("output", "response", "answer", "completion"))
    if not ("instruction" in named and "input" in named and answer):
        return None
    question, extra = named["instruction"], named["input"]
    words = f"Instructions in “{question.name}” with additions in “{extra.name}”, and answers in “{answer.name}”."
    mapping = Mapping(
        kind="alpaca",
        user=question.name,
        user_extra=extra.name,
        assistant=answer.name,
        system_column=_instruction_column(named),
    )
    return Shape("alpaca", words, mapping)


def _pair(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    answer = _first(named, _ANSWERS)
    names = tuple(name for name in _QUESTIONS if answer is None or named.get(name) is not answer)
    question = _first(named, names)
    if not answer or not question:
        return None
    extras = tuple(name for name in _EXTRAS if named.get(name) not in (question, answer, None))
    extra = _first(named, extras, "text")
    kind: ShapeKind = "prompt_completion" if _plain(question.name) == "prompt" else "question_answer"
    words = f"Questions in “{question.name}” and answers in “{answer.name}”."
    if extra:
        words = f"Questions in “{question.name}” with additions in “{extra.name}”, and answers in “{answer.name}”."
    mapping = Mapping(
        kind=kind,
        user=question.name,
        user_extra=extra.name if extra else None,
        assistant=answer.name,
        system_column=_instruction_column(named),
    )
    return Shape(kind, words, mapping)


def _labels_by_name(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    label = _first(named, _LABELS)
    text = _first(named, tuple(name for name in _TEXTS if named.get(name) is not label), "text")
    if not label or not text or not _has_few_values(label, len(rows)):
        return None
    return _label_shape(text, label)


def _labels_by_content(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    """Two columns, and one of them says the same few short things again and again."""
    columns = [column for name, column in named.items() if name not in _NOT_CONTENT and column.kind == "text"]
    few = [column for column in columns if _has_few_values(column, len(rows))]
    texts = [column for column in columns if column not in few and column.median_characters >= 15]
    return _label_shape(texts[0], few[0]) if len(few) == 1 and len(texts) == 1 and len(rows) >= 10 else None


def _has_few_values(column: Column, rows: int) -> bool:
    values = column.values
    if not values or len(values) > MOST_LABELS:
        return False
    return sum(values.values()) >= 2 * len(values) or rows < 10


def _label_shape(text: Column, label: Column) -> Shape:
    values = label.values or {}
    words = f"Texts in “{text.name}” and their categories in “{label.name}” ({len(values):,} different ones)."
    mapping = Mapping(kind="text_label", user=text.name, assistant=label.name, system=label_instruction(list(values)))
    return Shape("text_label", words, mapping)


def label_instruction(labels: list[str]) -> str:
    """What the model is asked to do with a text. It names the categories where there are not too many."""
    if 0 < len(labels) <= MOST_LISTED_LABELS:
        return f"Answer with one of these categories and nothing else: {', '.join(sorted(labels))}."
    return "Answer with the category that this message belongs to and nothing else."


def _two_texts(named: dict[str, Column], rows: list[dict[str, Any]]) -> Shape | None:
    texts = [column for name, column in named.items() if column.kind == "text" and name not in _NOT_CONTENT]
    if len(texts) != 2:
        return None
    question, answer = reversed(texts)  # `named` runs from the last column to the first
    words = f"We take “{question.name}” for the questions and “{answer.name}” for the answers. Please check."
    return Shape("columns", words, Mapping(kind="columns", user=question.name, assistant=answer.name))

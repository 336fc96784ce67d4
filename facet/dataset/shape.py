"""What a table most likely is: a guess at the shape of someone's data, from names first and then from content."""

from typing import Any

from facet.dataset.choices import multiple_choice
from facet.dataset.mapping import Mapping, ShapeKind
from facet.dataset.shape_labels import are_texts, labels_by_content, labels_by_name, pictured, tagged
from facet.dataset.shape_lists import in_lists
from facet.dataset.shape_names import (
    ABOUT,
    ANSWERS,
    ASKED,
    DOCUMENTS,
    EXTRAS,
    NOT_CONTENT,
    PROBLEMS,
    PROMPTS,
    QUESTIONS,
    THUMBS,
    TOOLS,
    TRUTHS,
)
from facet.dataset.shape_objects import in_objects, translated
from facet.dataset.shape_turns import conversations, instruction_column, preferences
from facet.dataset.table import MOST_LABELS, Column, Shape, Table, plain
from facet.dataset.thumbs import DOWN, UP, thumb_word
from facet.dataset.turns import decoded

__all__ = ["MOST_LABELS", "Column", "Shape", "guess"]

_SHORT_REFERENCE = 32  # characters; nobody could learn from so little how an answer is found
_LONG_TEXT = 150  # characters


def guess(columns: list[Column], rows: list[dict[str, Any]]) -> Shape | None:
    """The shape of a table, or None when its columns do not tell."""
    table = Table.of(columns, rows)
    for look in (preferences, conversations, multiple_choice, _thumbs, labels_by_name, _alpaca, _referenced, _pair):
        if shape := look(table):
            return _with_thumbs(_with_pictures(_with_tools(shape, table), table), table)
    for look in (
        *(pictured, tagged, _instances, translated, _objects, _raw_text, labels_by_content),
        *(_two_texts, _prompts, _only_text),
    ):
        if shape := look(table):
            return shape
    return None


def _with_tools(shape: Shape, table: Table) -> Shape:
    tools = table.first(TOOLS, "list", "object", "text")
    if tools is None or shape.mapping.tools is not None or shape.kind == "text_label":
        return shape
    if tools.kind == "text" and not all(isinstance(decoded(value), list | dict) for value in table.values(tools)):
        return shape
    words = f"{shape.words} The tools that may be called are in “{tools.name}”."
    return Shape(shape.kind, words, shape.mapping.model_copy(update={"tools": tools.name}))


def _with_pictures(shape: Shape, table: Table) -> Shape:
    pictures = table.pictures()
    if pictures is None:
        return shape
    mapping = shape.mapping.model_copy(update={"images": pictures.name})
    return Shape(shape.kind, f"{shape.words} Pictures in “{pictures.name}”.", mapping)


def _with_thumbs(shape: Shape, table: Table) -> Shape:
    """Whole conversations with a thumb beside them."""
    label = _thumb_column(table)
    if (
        label is None
        or shape.kind not in ("messages", "sharegpt", "prompt_completion")
        or shape.mapping.type != "conversation"
    ):
        return shape
    mapping = shape.mapping.model_copy(
        update={"kind": "unpaired_preference", "type": "unpaired_preference", "label": label.name}
    )
    words = f"{shape.words} A thumb up or down for the last answer in “{label.name}”."
    return Shape("unpaired_preference", words, mapping)


def _thumb_column(table: Table) -> Column | None:
    for name in THUMBS:
        column = table.named.get(name)
        values = column.values if column else None
        if column and values and all(thumb_word(value) in UP | DOWN for value in values):
            return column
    return None


def _thumbs(table: Table) -> Shape | None:
    label = _thumb_column(table)
    pair = _pair(Table({name: each for name, each in table.named.items() if each is not label}, table.rows))
    if label is None or pair is None:
        return None
    mapping = pair.mapping.model_copy(
        update={"kind": "unpaired_preference", "type": "unpaired_preference", "label": label.name}
    )
    words = f"{pair.words} A thumb up or down for each answer in “{label.name}”."
    return Shape("unpaired_preference", words, mapping)


def _alpaca(table: Table) -> Shape | None:
    named = table.named
    answer = table.first(("output", "response", "answer", "completion"))
    if not ("instruction" in named and "input" in named and answer):
        return None
    question, extra = named["instruction"], named["input"]
    words = f"Instructions in “{question.name}” with additions in “{extra.name}”, and answers in “{answer.name}”."
    mapping = Mapping(
        kind="alpaca",
        user=question.name,
        user_extra=extra.name,
        assistant=answer.name,
        system_column=instruction_column(table),
    )
    return Shape("alpaca", words, mapping)


def _pair(table: Table) -> Shape | None:
    answer = _worked(table) or table.first(ANSWERS) or _several_answers(table)
    question = table.first(QUESTIONS, but=(answer,))
    if not answer or not question:
        return None
    extra = table.first(EXTRAS, "text", but=(question, answer))
    kind: ShapeKind = "prompt_completion" if plain(question.name) == "prompt" else "question_answer"
    words = f"Questions in “{question.name}” and answers in “{answer.name}”."
    if extra:
        words = f"Questions in “{question.name}” with additions in “{extra.name}”, and answers in “{answer.name}”."
    mapping = Mapping(
        kind=kind,
        user=question.name,
        user_extra=extra.name if extra else None,
        assistant=answer.name,
        system_column=instruction_column(table),
    )
    return Shape(kind, words, mapping)


def _worked(table: Table) -> Column | None:
    """A long solution, where its bare result stands beside it."""
    solution, result = table.first(("solution",), "text"), table.first(("answer",))
    return solution if solution and result and solution.median_characters > result.median_characters else None


def _several_answers(table: Table) -> Column | None:
    """Lists of equally right answers, as SQuAD keeps them, or as calls of tools that are declared beside them."""
    column = table.first(("answers", "answer", "output", "responses", "antworten"), "object", "list")
    values = table.values(column) if column else []
    first = values[0] if values else None
    first = first[0] if isinstance(first, list) and first else first
    if column and column.kind == "list" and all(are_texts(value) for value in values if value != []):
        return column
    has_tools = table.first(TOOLS, "list", "object", "text") is not None
    is_known = isinstance(first, dict) and ("answer_start" in first or (has_tools and "arguments" in first))
    return column if is_known else None


def _referenced(table: Table) -> Shape | None:
    """Questions with a right answer to compare with, but none to learn from."""
    question = table.first(ASKED, "text")
    truth = table.first(TRUTHS, "text", "number", "object", "list")
    answer = table.first(ANSWERS, but=(question, truth))
    if question is None or (answer and truth) or _worked(table):
        return None
    if truth is None and answer and plain(question.name) in PROBLEMS and plain(answer.name) in ("answer", "solution"):
        truth = answer if answer.median_characters <= _SHORT_REFERENCE else None
    if truth is None:
        return None
    words = f"Questions in “{question.name}”, and in “{truth.name}” the right answers for a reward to compare with."
    if truth is answer:
        words += " They are too short to learn from how they are found; if they are all that is wanted, choose answers."
    mapping = Mapping(
        kind="prompt_only",
        type="prompt_only",
        user=question.name,
        reference=truth.name,
        system_column=instruction_column(table),
    )
    return Shape("prompt_only", words, mapping)


def _prompts(table: Table) -> Shape | None:
    question = table.first(PROMPTS, "text")
    if question is None:
        return None
    answer = table.first(ANSWERS, "object", "list", but=(question,))
    if answer is not None:
        return _answers_as_json(table, question, answer) if answer.kind == "object" else None
    words = f"Questions in “{question.name}” and no answers: for learning by reward, where the model answers itself."
    mapping = Mapping(
        kind="prompt_only", type="prompt_only", user=question.name, system_column=instruction_column(table)
    )
    return Shape("prompt_only", words, mapping)


def _answers_as_json(table: Table, question: Column, answer: Column) -> Shape:
    words = f"Questions in “{question.name}”, and answers in “{answer.name}”, which are objects and become JSON."
    mapping = Mapping(
        kind="prompt_completion", user=question.name, assistant=answer.name, system_column=instruction_column(table)
    )
    return Shape("prompt_completion", words, mapping)


def _raw_text(table: Table) -> Shape | None:
    """One column of long texts, and nothing beside it but facts about them."""
    text = table.first(DOCUMENTS, "text")
    others = [name for name, each in table.named.items() if each.kind == "text" and each is not text]
    if text is None or text.median_characters < _LONG_TEXT or not set(others) <= set(ABOUT):
        return None
    return _text_shape(text)


def _only_text(table: Table) -> Shape | None:
    """The only column there is, where its texts are long, whatever it is called."""
    columns = [column for name, column in table.named.items() if name not in ABOUT]
    if len(columns) != 1 or columns[0].kind != "text" or columns[0].median_characters < 2 * _LONG_TEXT:
        return None
    return _text_shape(columns[0])


def _text_shape(text: Column) -> Shape:
    words = f"Plain text in “{text.name}”, without questions: the model learns to write more of the same."
    return Shape("text", words, Mapping(kind="text", type="text", text=text.name))


def _two_texts(table: Table) -> Shape | None:
    texts = [column for name, column in table.named.items() if column.kind == "text" and name not in NOT_CONTENT]
    if len(texts) != 2:
        return None
    question, answer = reversed(texts)  # `named` runs from the last column to the first
    words = f"We take “{question.name}” for the questions and “{answer.name}” for the answers. Please check."
    return Shape("columns", words, Mapping(kind="columns", user=question.name, assistant=answer.name))


def _objects(table: Table) -> Shape | None:
    return in_objects(table, (preferences, conversations, labels_by_name, _alpaca, _referenced, _pair, translated))


def _instances(table: Table) -> Shape | None:
    return in_lists(table, (preferences, conversations, _alpaca, _pair, labels_by_name, _raw_text))

"""Questions with choices, which become lettered lines below the question; the answer is the one that is right."""

import re
import string
from typing import Any

from facet.dataset.mapping import Mapping
from facet.dataset.problem import RowProblem
from facet.dataset.table import Column, Shape, Table
from facet.dataset.turns import decoded
from facet.dataset.values import is_missing, to_text

LETTERS = string.ascii_uppercase
_LETTER = re.compile(r"\(?([A-Za-z])\)?[.:)]?")
_LISTS = ("choices", "options", "endings", "candidates", "answer_choices", "alternatives", "mc_choices", "distractors",
          "possible_answers", "auswahl")  # fmt: skip
_QUESTIONS = ("question", "question_stem", "stem", "query", "problem", "goal", "ctx", "sentence", "prompt", "premise",
              "instruction", "input", "text", "frage", "startphrase", "pregunta")  # fmt: skip
_RIGHT = ("answer", "answerkey", "answer_key", "answer_index", "answer_idx", "answeridx", "correct", "correct_answer",
          "correct_option", "correct_index", "correct_choice", "right_answer", "cop", "gold", "label", "target",
          "correct_idx", "solution", "antwort", "lösung", "richtig")  # fmt: skip
_NUMBERED = re.compile(
    r"(option|choice|answer|opt|op|ending|sol|alternative|candidate|antwort|hypothesis|ans)?_?([a-h]|\d)"
)
_SURE = 0.9
_STUDIED = 200


def choices_in(row: dict[str, Any], columns: tuple[str, ...], repairs: set[str]) -> tuple[list[str], list[str]]:
    """The choices of a row, and by which marks its answer names them. Raises: `RowProblem` where there are none."""
    if len(columns) > 1:
        values = [row.get(name) for name in columns]
        while values and is_missing(values[-1]):
            values.pop()
        texts, marks = values, []
    else:
        texts, marks = _listed(decoded(row.get(columns[0])))
    if not 1 < len(texts) <= len(LETTERS):
        raise RowProblem("choices", "there are no choices to choose from")
    return [to_text(each, "choice", repairs) for each in texts], [str(mark).strip() for mark in marks]


def _listed(value: Any) -> tuple[list[Any], list[Any]]:
    if isinstance(value, list):
        return ([each.get("text") for each in value], [each.get("label") for each in value]) if _are_named(value) else (
            value, [])  # fmt: skip
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        marks = value.get("label")
        return value["text"], marks if isinstance(marks, list) else []
    if isinstance(value, dict):
        return list(value.values()), list(value)
    return [], []


def _are_named(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(each, dict) and "text" in each and "label" in each for each in value)


def lettered(choices: list[str]) -> str:
    return "\n".join(f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))


def right_one(value: Any, choices: list[str], marks: list[str], first: int | None) -> str:
    """The right choice with its letter; `first` is the number of the first one, where answers are numbers.

    Raises: `RowProblem` when the answer is none of the choices.
    """
    place = _place(value, choices, marks, first)
    if place is None or not 0 <= place < len(choices):
        missing = is_missing(value)
        raise RowProblem("choice", "the answer is empty" if missing else "the answer is none of the choices")
    return f"{LETTERS[place]}) {choices[place]}"


def _place(value: Any, choices: list[str], marks: list[str], first: int | None) -> int | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or is_missing(value):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if text in marks:
        return marks.index(text)
    if first is not None and text.isdecimal() and len(text) < 4:
        return int(text) - first
    found = _LETTER.fullmatch(text)
    folded = [" ".join(choice.casefold().split()) for choice in choices]
    if " ".join(text.casefold().split()) in folded:
        return folded.index(" ".join(text.casefold().split()))
    return LETTERS.index(found[1].upper()) if found else None


def multiple_choice(table: Table) -> Shape | None:
    """A question, several answers to choose from, and which of them is right."""
    columns = _columns(table)
    if columns is None:
        return None
    question = table.first(_QUESTIONS, "text", but=columns)
    right = table.first(_RIGHT, "text", "number", "list", but=(question, *columns))
    if question is None or right is None:
        return None
    names = tuple(column.name for column in columns)
    first = next((first for first in (None, *_firsts(table, right, names)) if _fits(table, right, names, first)), -1)
    if first == -1:
        return None
    where = f"“{names[0]}”" if len(names) == 1 else f"“{names[0]}” to “{names[-1]}”"
    words = f"Questions in “{question.name}” with the choices in {where}; what “{right.name}” says is right becomes "
    words += "the answer, with its letter."
    mapping = Mapping(
        kind="question_answer", user=question.name, assistant=right.name, choices=names, first_choice=first
    )
    return Shape("question_answer", words, mapping)


def _columns(table: Table) -> tuple[Column, ...] | None:
    listed = table.first(_LISTS, "list", "object", "text")
    if listed is not None:
        values = [_listed(decoded(value))[0] for value in table.values(listed)[:_STUDIED]]
        good = [each for each in values if len(each) > 1 and not any(isinstance(one, dict | list) for one in each)]
        return (listed,) if good and len(good) >= _SURE * len(values) else None
    families: dict[str, list[tuple[str, Column]]] = {}
    for name, column in table.named.items():
        found = _NUMBERED.fullmatch(name)
        if found and column.kind in ("text", "number"):
            families.setdefault(found[1] or "", []).append((found[2], column))
    several = max(families.values(), key=len, default=[])
    marks = sorted(mark for mark, _ in several)
    is_run = len(marks) > 1 and (marks[0] in "a01") and ord(marks[-1]) - ord(marks[0]) == len(marks) - 1
    return tuple(column for _, column in sorted(several, key=lambda each: each[0])) if is_run else None


def _firsts(table: Table, right: Column, names: tuple[str, ...]) -> tuple[int, ...]:
    """Which number the first choice may have: answers that begin at nought tell, and those that end at the last."""
    numbers = {str(value).strip() for value in table.values(right)}
    most = max((len(each) for each in map(lambda row: _texts(row, names), table.rows[:_STUDIED])), default=0)
    return (1, 0) if "0" not in numbers and str(most) in numbers else (0,)


def _texts(row: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    try:
        return choices_in(row, names, set())[0]
    except RowProblem:
        return []


def _fits(table: Table, right: Column, names: tuple[str, ...], first: int | None) -> bool:
    rows = [row for row in table.rows[:_STUDIED] if not is_missing(row.get(right.name))]
    good = 0
    for row in rows:
        try:
            right_one(row[right.name], *choices_in(row, names, set()), first)
            good += 1
        except RowProblem:
            continue
    return bool(rows) and good >= _SURE * len(rows)

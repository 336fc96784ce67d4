"""Columns of whole conversations, and pairs of answers to compare, known by what is in them."""

from typing import Any

from facet.dataset.mapping import Mapping, ShapeKind
from facet.dataset.table import Column, Shape, Table, plain
from facet.dataset.transcripts import transcript
from facet.dataset.turns import CALLERS, ROLE_KEYS, ROLES, TEXT_KEYS, as_turns, decoded, written_down

_CONVERSATIONS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns",
                  "contents")  # fmt: skip
_NOT_CONVERSATIONS = ("completion", "answer", "response", "output", "target", "reply", "chosen", "rejected", "summary")
_INSTRUCTIONS = ("system", "system_prompt", "instructions", "system_message", "systeminstruction", "system_instruction")
_REFERENCES = ("ground_truth", "reference", "reference_answer", "final_answer", "answer", "solution", "reward_model")
_QUESTIONS = ("prompt", "question", "instruction", "input", "query", "problem", "context", "user", "post", "text")
_SIDES = (
    ("chosen", "rejected"),
    ("preferred", "non_preferred"),
    ("preferred", "dispreferred"),
    ("preferred", "rejected"),
    ("accepted", "rejected"),
    ("better", "worse"),
    ("winner", "loser"),
    ("good", "bad"),
)
_NOT_ANSWERS = ("model", "score", "scores", "rating", "id", "source", "name", "rank", "avg_rating")
_ANY = ("text", "list", "object")


def instruction_column(table: Table) -> str | None:
    column = table.first(_INSTRUCTIONS, "text", "object")
    return column.name if column else None


def conversations(table: Table) -> Shape | None:
    """A column of whole conversations, by its content; the usual names are tried first."""
    for column in sorted(table.named.values(), key=lambda column: plain(column.name) not in _CONVERSATIONS):
        sample = _turns_of(table, column)
        if not sample or plain(column.name) in _NOT_CONVERSATIONS:
            continue  # a completion written as a message; its prompt comes before it
        if any(_is_answered(turns) for turns in sample):
            return _whole(table, column, sample, None)
        answer = table.first(("chosen", "completion", "response", "answer", "output"), "list", "object", "text")
        if answer and not _is_reference(answer, sample):
            return _whole(table, column, sample, answer)
        truth = table.first(_REFERENCES, "text", "number", "object", "list", but=(column,))
        if truth is None and any(ROLES.get(_speaker(turn)) == "assistant" for turns in sample for turn in turns):
            return _whole(table, column, sample, None)  # every last question is left out
        return _asked_only(table, column, truth)
    return None


def _turns_of(table: Table, column: Column) -> list[list[Any]]:
    """The conversations in a column, unless fewer than half of its cells hold any."""
    if column.kind not in _ANY:
        return []
    values = table.values(column)
    if plain(column.name) in _CONVERSATIONS:  # elsewhere such a list holds examples of their own
        values = [as_turns(value) if isinstance(value, list) else value for value in map(decoded, values)]
    sample = [turns for value in values if (turns := turns_in(value))]
    return sample if len(sample) >= len(values) / 2 else []


def turns_in(value: Any) -> list[Any]:
    """The turns of one cell, as they are written; nothing where it holds none."""
    if isinstance(value, str) and (spoken := transcript(value)):
        return written_down(spoken)
    value = decoded(value)
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return []
    first = value[0]
    return value if any(key in first for key in ROLE_KEYS) and any(key in first for key in TEXT_KEYS) else []


def _speaker(turn: Any) -> str:
    if not isinstance(turn, dict):
        return ""
    return str(next((turn[key] for key in ROLE_KEYS if turn.get(key)), "")).strip().lower()


def _is_answered(turns: list[Any]) -> bool:
    return ROLES.get(_speaker(turns[-1])) == "assistant" or _speaker(turns[-1]) in CALLERS


def _is_reference(answer: Column, sample: list[list[Any]]) -> bool:
    """A short plain answer beside a list of turns is there to be compared with."""
    return plain(answer.name) in ("answer", "solution") and answer.kind == "text" and answer.median_characters <= 32


def _whole(table: Table, column: Column, sample: list[list[Any]], answer: Column | None) -> Shape:
    sharegpt = any("from" in turn for turn in sample[0][:1])
    kind: ShapeKind = "prompt_completion" if answer else "sharegpt" if sharegpt else "messages"
    words = f"Whole conversations in “{column.name}”"
    words += f", and the answer in “{answer.name}”." if answer else "."
    mapping = Mapping(
        kind=kind,
        messages=column.name,
        assistant=answer.name if answer else None,
        system_column=instruction_column(table),
    )
    return Shape(kind, words, mapping)


def _asked_only(table: Table, column: Column, truth: Column | None) -> Shape:
    words = f"Questions in “{column.name}” without answers to learn from"
    words += f", and in “{truth.name}” the right ones for a reward to compare with." if truth else "."
    mapping = Mapping(
        kind="prompt_only",
        type="prompt_only",
        messages=column.name,
        reference=truth.name if truth else None,
        system_column=instruction_column(table),
    )
    return Shape("prompt_only", words, mapping)


def preferences(table: Table) -> Shape | None:
    """A better and a worse answer to one question, or two whole conversations that begin alike."""
    pair = _sides(table)
    if pair is None:
        return None
    chosen, rejected = pair
    words = f"A better answer in “{chosen.name}” and a worse one in “{rejected.name}”"
    mapping = {"chosen": chosen.name, "rejected": rejected.name, "system_column": instruction_column(table)}
    asked = _question(table, pair)
    if _holds_whole(table, chosen) or asked is None:
        if not _holds_whole(table, chosen):
            return None
        words += "; what both conversations begin with is the question."
    else:
        column, is_turns = asked
        mapping["messages" if is_turns else "user"] = column.name
        words += f" to the question in “{column.name}”."
        if is_turns and any(isinstance(value, dict) and value.get("tools") for value in table.values(column)):
            mapping["tools"] = column.name  # OpenAI keeps them beside the messages
    words += " To learn no comparison but one answer each, tick “Learn only the better answers”."
    return Shape("preference", words, Mapping(kind="preference", type="preference", **mapping))


def _sides(table: Table) -> tuple[Column, Column] | None:
    for better, worse in _SIDES:
        for name in sorted((name for name in table.named if better in name), key=len):
            words = name.split("_")
            other = table.named.get(name.replace(better, worse, 1))
            chosen = table.named[name]
            if other is None or other is chosen or words[-1] in _NOT_ANSWERS:
                continue
            if chosen.kind in _ANY and other.kind in _ANY:
                return chosen, other
    return None


def _holds_whole(table: Table, column: Column) -> bool:
    """Whether its cells begin with a question, so that each is a conversation and not an answer."""
    sample = _turns_of(table, column)
    return bool(sample) and ROLES.get(_speaker(sample[0][0])) in ("user", "system")


def _question(table: Table, but: tuple[Column, Column]) -> tuple[Column, bool] | None:
    """The column of what was asked, and whether it holds turns."""
    others = [column for column in table.named.values() if column not in but]
    for column in sorted(others, key=lambda column: plain(column.name) not in (*_CONVERSATIONS, "prompt", "input")):
        if _turns_of(table, column):
            return column, True
    column = table.first(_QUESTIONS, "text", but=but)
    return (column, False) if column else None

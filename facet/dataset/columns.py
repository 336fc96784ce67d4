"""A person's columns become conversations: which is the question, which the answer, and what to do with odd rows."""

import json
import re
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from facet.dataset import budget
from facet.dataset.conversation import Conversation, Message, Role
from facet.dataset.problem import RowProblem
from facet.dataset.values import is_missing, to_text
from facet.errors import SettingError

ShapeKind = Literal["messages", "sharegpt", "alpaca", "prompt_completion", "question_answer", "text_label", "columns"]

JOINED = "two turns of one speaker in a row were joined"
UNANSWERED = "a last question without an answer was left out"
ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "instructions"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "customer", "question", "person"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatbot", "ai", "chatgpt", "bard", "answer"), "assistant"),
}
ROLE_KEYS = ("role", "from", "speaker", "author")
TEXT_KEYS = ("content", "value", "text", "message")
ADDRESS = re.compile(r"(?:https?|ftp|s3|gs|hf|file)://\S+", re.IGNORECASE)
MEDIA = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|mp3|wav|flac|ogg|m4a|mp4|mov|avi|webm)(?:\?\S*)?", re.IGNORECASE
)


class Mapping(BaseModel):
    """Which column plays which part. `system` is a fixed text for every example; the others are names of columns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ShapeKind = "columns"
    user: str | None = None
    user_extra: str | None = None  # joined to the question by a blank line where it is not empty
    assistant: str | None = None
    system: str | None = None  # a text, not a column
    system_column: str | None = None
    messages: str | None = None  # a column that holds whole conversations

    def columns(self) -> list[str]:
        """The columns that are read, each once."""
        parts = (self.messages, self.user, self.user_extra, self.assistant, self.system_column)
        return list(dict.fromkeys(name for name in parts if name is not None))


def parse_mapping(data: Mapping | dict[str, Any]) -> Mapping:
    """The mapping a person chose. Raises: `SettingError` for anything but the known fields and kinds."""
    if isinstance(data, Mapping):
        return data
    try:
        mapping = Mapping.model_validate(data, strict=True)
    except ValidationError:
        raise SettingError(
            "This choice of columns cannot be read.",
            f"It has parts that are not known; the kinds are {', '.join(get_args(ShapeKind))}.",
            "Choose the columns again above the preview.",
        ) from None
    if mapping.system and len(mapping.system) > budget.MOST_SYSTEM_CHARACTERS:
        raise SettingError(
            "The instruction for every example is too long.",
            f"It has {len(mapping.system):,} characters and may have {budget.MOST_SYSTEM_CHARACTERS:,}.",
            "Shorten “Instruction for the model”.",
        )
    return mapping


def check_mapping(mapping: Mapping, names: list[str] | None) -> None:
    """That the chosen columns exist, differ and make an example. `names` is None where rows name their own columns."""
    if mapping.messages is None and (mapping.user is None or mapping.assistant is None):
        missing = "question" if mapping.user is None else "answer"
        raise SettingError(
            f"No column is chosen for the {missing}.",
            "Every example needs a question and an answer.",
            f"Choose the column of the {missing} above the preview.",
        )
    parts = [mapping.messages, mapping.user, mapping.user_extra, mapping.assistant, mapping.system_column]
    chosen = [name for name in parts if name is not None]
    for name in chosen:
        if names is not None and name not in names:
            raise _unknown_column(name, names)
    if len(set(chosen)) < len(chosen):
        raise SettingError(
            "The same column is chosen twice.",
            "The model would only learn to repeat what it reads.",
            "Choose two different columns above the preview.",
        )


def _unknown_column(name: str, names: list[str]) -> SettingError:
    alike = [each for each in names if " ".join(each.lower().split()) == " ".join(name.lower().split())]
    known = f"Did you mean “{alike[0]}”?" if alike else f"Its columns are {', '.join(names[:8])}."
    return SettingError(f"This file has no column “{name[:60]}”.", known, "Choose the columns again above the preview.")


class Converter:
    """Turns rows into conversations, one mapping for all of them."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self.system = (mapping.system or "").strip()

    def convert(self, row: dict[str, Any] | RowProblem, repairs: set[str]) -> Conversation:
        """The conversation of one row; what was mended is added to `repairs`.

        Raises: `RowProblem` when the row cannot be used.
        """
        if isinstance(row, RowProblem):
            raise row
        mapping = self.mapping
        if mapping.messages is not None:
            return self._from_messages(row, repairs)
        question = to_text(row.get(mapping.user or ""), "question", repairs)
        if mapping.user_extra is not None and not is_missing(extra := row.get(mapping.user_extra)):
            question = f"{question}\n\n{to_text(extra, 'addition to the question', repairs)}"
        answer = to_text(row.get(mapping.assistant or ""), "answer", repairs)
        _not_an_address(question, answer)
        turns: Conversation = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        instruction = self._instruction(row, repairs)
        return [{"role": "system", "content": instruction}, *turns] if instruction else turns

    def _instruction(self, row: dict[str, Any], repairs: set[str]) -> str:
        column = self.mapping.system_column
        if column is not None and not is_missing(value := row.get(column)):
            return to_text(value, "instruction", repairs)
        return self.system

    def _from_messages(self, row: dict[str, Any], repairs: set[str]) -> Conversation:
        turns = _turns(row.get(self.mapping.messages or ""), "user", repairs)
        if self.mapping.assistant is not None:
            turns = turns + _turns(row.get(self.mapping.assistant), "assistant", repairs)
        instruction = self._instruction(row, repairs)
        if instruction and not any(turn["role"] == "system" for turn in turns):
            turns = [{"role": "system", "content": instruction}, *turns]
        return _in_order(turns, repairs)


def _not_an_address(question: str, answer: str) -> None:
    """Nothing is ever fetched: the model would be taught from the letters of the address, not from what lies there."""
    alone = question.strip()
    if ADDRESS.fullmatch(alone) or MEDIA.fullmatch(alone):
        raise RowProblem("only an address", "the question is only the address of a page or file, which is not opened")
    if MEDIA.fullmatch(answer.strip()):
        raise RowProblem("only an address", "the answer is only the address of a picture, sound or film")


def to_conversation(row: dict[str, Any] | RowProblem, mapping: Mapping) -> Conversation:
    """One row as a conversation. Raises: `RowProblem` when it cannot be used."""
    return Converter(mapping).convert(row, set())


def _turns(value: Any, speaker: Role, repairs: set[str]) -> Conversation:
    """The turns in one cell: a list, its JSON text, one message, or a plain text said by `speaker`."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = _from_json(value)
    if isinstance(value, dict) and isinstance(value.get("messages"), list):
        value = value["messages"]
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, list):
        if not value:
            raise RowProblem("empty conversation", "the conversation has no turns")
        if len(value) > budget.MOST_TURNS:
            raise RowProblem("too many turns", f"the conversation has more than {budget.MOST_TURNS} turns")
        return [_turn(each, repairs) for each in value]
    return [{"role": speaker, "content": to_text(value, "conversation", repairs)}]


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _turn(value: Any, repairs: set[str]) -> Message:
    if not isinstance(value, dict):
        raise RowProblem("not a turn", "a turn is not an object with a role and a text")
    if value.get("tool_calls") or value.get("function_call"):
        raise RowProblem("tool call", "a turn calls a tool, which is not learned yet")
    named = next((value[key] for key in ROLE_KEYS if value.get(key) is not None), None)
    if named is None:
        raise RowProblem("missing role", "a turn does not say who speaks")
    role = ROLES.get(str(named).strip().lower())
    if role is None:
        raise RowProblem("unknown role", "a turn is spoken by neither a person nor the model")
    content = next((value[key] for key in TEXT_KEYS if key in value and value[key] is not value.get("role")), None)
    what = {"user": "question", "assistant": "answer", "system": "instruction"}[role]
    return {"role": role, "content": to_text(_joined_parts(content), what, repairs)}


def _joined_parts(content: Any) -> Any:
    """A list of text parts as one text. Parts that are pictures or sounds make the row unusable."""
    if not isinstance(content, list):
        return content
    texts = []
    for part in content:
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str) or (isinstance(part, dict) and part.get("type", "text") != "text"):
            raise RowProblem("not text", "a turn holds a picture, a sound or a file, and only text is learned")
        texts.append(text)
    return "".join(texts)


def _in_order(turns: Conversation, repairs: set[str]) -> Conversation:
    """Instruction first, then question and answer in turn, an answer last."""
    joined: Conversation = []
    for turn in turns:
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1] = {"role": turn["role"], "content": f"{joined[-1]['content']}\n\n{turn['content']}"}
            repairs.add(JOINED)
        else:
            joined.append(turn)
    dialogue = joined[1:] if joined and joined[0]["role"] == "system" else joined
    if any(turn["role"] == "system" for turn in dialogue):
        raise RowProblem("late instruction", "an instruction stands in the middle of the conversation")
    if dialogue and dialogue[0]["role"] == "assistant":
        raise RowProblem("answer first", "the model speaks first")
    if not any(turn["role"] == "assistant" for turn in dialogue):
        raise RowProblem("no answer", "the conversation has no answer of the model")
    if joined[-1]["role"] == "user":
        repairs.add(UNANSWERED)
        joined = joined[:-1]
    return cast(Conversation, joined)

"""Which column plays which part: the choice a person makes or Facet proposes, and whether it makes sense."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from facet.dataset import budget
from facet.dataset.conversation import EXTRA_FIELDS, TURN_EXTRAS, DatasetType
from facet.dataset.fill import Filling, unknown_column
from facet.dataset.values import is_missing
from facet.errors import SettingError

ShapeKind = Literal[
    "messages",
    "sharegpt",
    "alpaca",
    "prompt_completion",
    "question_answer",
    "text_label",
    "columns",
    "preference",
    "unpaired_preference",
    "prompt_only",
    "text",
    "instances",
]
MOST_KINDS = 4  # of rows in one file
_NEEDED: dict[DatasetType, tuple[str, ...]] = {
    "conversation": ("question", "answer"),
    "preference": ("better answer", "worse answer"),
    "unpaired_preference": ("question", "answer", "thumb"),
    "prompt_only": ("question",),
    "text": ("text",),
}
_WHY: dict[DatasetType, str] = {
    "conversation": "Every example needs a question and an answer.",
    "preference": "Every example needs a better and a worse answer to the same question.",
    "unpaired_preference": "Every example needs a question, an answer, and a thumb up or down.",
    "prompt_only": "Every example needs a question.",
    "text": "Every example is one text.",
}


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # JSON has no tuples


_Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]


class Mapping(BaseModel):
    """Which column plays which part. `system` is a fixed text for every example; the others are names of columns.

    A template is a text with `{column}` in it and goes before the column of the same part. With `instances`, a column
    of lists (or `outer.inner` for lists in lists), every item is an example, and `instances.name` is a part of it.
    `column.field` is a field of a column of objects. `also` are mappings for rows of other kinds in the same file: a
    row is read by the first that fits it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ShapeKind = "columns"
    type: DatasetType = "conversation"
    user: str | None = None
    user_extra: str | None = None  # joined to the question by a blank line where it is not empty
    user_more: _Names = Field(default=(), max_length=20)  # further parts of the question, in their order
    choices: _Names = Field(default=(), max_length=26)  # columns to choose from, or one that holds a list
    first_choice: int | None = Field(default=None, ge=0, le=1)  # its number, where answers are numbers of choices
    assistant: str | None = None
    system: str | None = None  # a text, not a column
    system_column: str | None = None
    messages: str | None = None  # a column that holds whole conversations
    user_template: str | None = None
    assistant_template: str | None = None
    system_template: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    label: str | None = None  # thumbs up or down
    reference: str | None = None  # the right answer, which a reward compares with
    text: str | None = None  # raw text, learned as it is
    tools: str | None = None
    images: str | None = None
    group: str | None = None
    instances: str | None = None
    also: Annotated[tuple["Mapping", ...], BeforeValidator(_as_tuple)] = Field(default=(), max_length=MOST_KINDS - 1)

    def columns(self) -> list[str]:
        """The columns of the file that are read, each once."""
        asked = [*self.parts(), *(name for name in (self.tools, self.images, self.group) if name), *self.choices]
        for template in self.templates().values():
            asked += Filling(template).columns
        if self.instances is not None:
            asked = [name for name in asked if not name.startswith(f"{self._outermost()}.")]
            asked.append(self._outermost())
        for other in self.also:
            asked += other.columns()
        return list(dict.fromkeys(asked))

    def fits(self, row: dict[str, Any]) -> bool:
        """Whether a row has all that an example needs; of what a template names, any is enough."""
        if self.instances is not None:
            return not is_missing(row.get(self._outermost()))
        optional = (self.system_column, self.user_extra, *self.user_more)
        written = [Filling(text).columns for part, text in self.templates().items() if part != "instruction"]
        has_parts = not any(is_missing(row.get(name)) for name in self.parts() if name not in optional)
        return has_parts and all(any(not is_missing(row.get(name)) for name in names) for names in written if names)

    def _outermost(self) -> str:
        return (self.instances or "").split(".")[0]

    def templates(self) -> dict[str, str]:
        """The templates by the part they write, as far as this type of data needs them."""
        found = {"question": self.user_template, "instruction": self.system_template}
        if self.type in ("conversation", "unpaired_preference"):
            found["answer"] = self.assistant_template
        return {part: text for part, text in found.items() if text and self.type != "text"}

    def parts(self) -> list[str]:
        """The columns whose content becomes part of an example. They have to differ."""
        if self.type == "text":
            return [self.text] if self.text else []
        asked = [self.messages] if self.user_template else [self.messages, self.user, *self.user_more, self.user_extra]
        answers: dict[DatasetType, list[str | None]] = {
            "conversation": [self.answers(), self.label],
            "preference": [self.chosen, self.rejected],
            "unpaired_preference": [self.answers(), self.label],
            "prompt_only": [self.reference or self.assistant],
        }
        instruction = None if self.system_template else self.system_column
        return [name for name in (*asked, *answers[self.type], instruction) if name]

    def answers(self) -> str | None:
        """The column of the answer to learn; of a pair of answers the preferred one, or else the right one."""
        own = None if self.messages else self.reference
        return None if self.assistant_template else self.assistant or self.chosen or own

    def has(self, part: str) -> bool:
        """Whether something is chosen for this part of an example."""
        chosen: dict[str, Any] = {
            "question": self.messages or self.user or self.user_template or (self.chosen and not self.assistant),
            "answer": self.messages or self.assistant_template or self.answers(),
            "better answer": self.chosen,
            "worse answer": self.rejected,
            "thumb": self.label,
            "text": self.text,
        }
        return bool(chosen[part])

    def extras(self) -> list[str]:
        """What its examples may have beyond a conversation of roles and texts, in the names of `store`."""
        found = {name for name in ("tools", "images", "group") if getattr(self, name)}
        found |= {"preference": {"chosen", "rejected"}, "unpaired_preference": {"label"}, "text": {"text"}}.get(
            self.type, set()
        )
        if self.type == "prompt_only" and (self.reference or self.assistant or self.messages):
            found.add("reference")
        if self.type != "text" and (self.messages or self.chosen or self.tools):
            found |= {"images", *TURN_EXTRAS}
        found.update(*(other.extras() for other in self.also))
        return [name for name in (*EXTRA_FIELDS, *TURN_EXTRAS) if name in found]


def parse_mapping(data: Mapping | dict[str, Any]) -> Mapping:
    """The mapping a person chose. Raises: `SettingError` for anything but the known fields and kinds."""
    if isinstance(data, Mapping):
        return data
    try:
        mapping = Mapping.model_validate(data, strict=True)
        mapping.model_dump_json()
    except (ValidationError, ValueError):
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
    mapping.columns()  # reads the templates, which may be broken
    return mapping


def check_mapping(mapping: Mapping, names: list[str] | None) -> None:
    """That the chosen columns exist, differ and make an example. `names` is None where rows name their own columns."""
    missing = next((part for part in _NEEDED[mapping.type] if not mapping.has(part)), None)
    if missing:
        raise SettingError(
            f"No column is chosen for the {missing}.",
            _WHY[mapping.type],
            f"Choose the column of the {missing} above the preview.",
        )
    for name in mapping.columns() if names is not None else ():
        if name not in names and name.split(".")[0] not in names:
            raise unknown_column(name, names)
    parts = mapping.parts()
    if len(set(parts)) < len(parts):
        raise SettingError(
            "The same column is chosen twice.",
            "The model would only learn to repeat what it reads.",
            "Choose two different columns above the preview.",
        )
    _check_templates(mapping)
    for other in mapping.also:
        if other.type != mapping.type or other.also:
            raise SettingError(
                "These kinds of rows cannot be read together.",
                "All examples of a dataset have to be of one type.",
                "Choose the columns of one kind above the preview; rows of another kind are then left out and listed.",
            )
        check_mapping(other, names)


def to_read(mapping: Mapping, names: list[str]) -> list[str]:
    """The columns of a file with these names that have to be read."""
    return list(dict.fromkeys(each if each in names else each.split(".")[0] for each in mapping.columns()))


def types_of(mapping: Mapping) -> dict[DatasetType, str]:
    """What can be made of the same columns, in words to choose from; the usual choice first."""
    if mapping.chosen and mapping.rejected:
        return {"preference": "Pairs of answers to compare", "conversation": "Only the better answers"}
    if mapping.label:
        return {
            "unpaired_preference": "Answers with a thumb up or down",
            "conversation": "Only the praised answers",
        }
    if mapping.text:
        return {"text": "Plain text, to write more of the same"}
    words: dict[DatasetType, str] = {
        "conversation": "Answers to learn",
        "prompt_only": "Questions alone, for learning by reward",
    }
    if mapping.kind == "prompt_only":
        return dict(reversed(words.items())) if mapping.has("answer") else {"prompt_only": words["prompt_only"]}
    return words


def _check_templates(mapping: Mapping) -> None:
    answer = mapping.templates().get("answer")
    if answer is None:
        return
    columns = set(Filling(answer).columns)
    if not columns:
        raise SettingError(
            "Every answer would be the same.",
            "The text for the answers names no column in braces, as {answer} would.",
            "Put the name of a column into it, or choose the column of the answer above the preview.",
        )
    question = mapping.templates().get("question")
    asked = set(Filling(question).columns) if question else {mapping.user, mapping.user_extra, *mapping.user_more}
    if columns <= asked:
        raise SettingError(
            "The same column is chosen twice.",
            "Everything in the answer already stands in the question, so the model would only learn to repeat it.",
            "Choose two different columns above the preview.",
        )

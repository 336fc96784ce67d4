"""Rows become examples: one mapping for all of them, and words for each that cannot be used."""

import re
from collections.abc import Container, Iterator
from typing import Any

from facet.dataset import budget
from facet.dataset.calls import calls_in, looks_like_calls, tools_in
from facet.dataset.choices import choices_in, lettered, right_one
from facet.dataset.clean import Cleaner
from facet.dataset.conversation import Conversation, Example
from facet.dataset.fill import Filling
from facet.dataset.mapping import Mapping
from facet.dataset.order import as_answer, as_question, common_beginning, in_order
from facet.dataset.pictured import place_pictures
from facet.dataset.problem import RowProblem
from facet.dataset.thumbs import reference_text, thumb
from facet.dataset.turns import TurnReader, decoded
from facet.dataset.values import is_missing, to_text

ADDRESS = re.compile(r"(?:https?|ftp|s3|gs|hf|file)://\S+", re.IGNORECASE)
MEDIA = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|mp3|wav|flac|ogg|m4a|mp4|mov|avi|webm)(?:\?\S*)?", re.IGNORECASE
)


class Converter:
    """Turns rows into examples. `pictures` are the names of pictures that came with the file."""

    def __init__(self, mapping: Mapping, pictures: Container[str] = ()) -> None:
        self.mapping, self.pictures = mapping, pictures
        self.system = (mapping.system or "").strip()
        self.filled = {part: Filling(text) for part, text in mapping.templates().items()}
        self.answers = mapping.answers() or ""
        self.more = [name for name in (*mapping.user_more, mapping.user_extra) if name is not None]
        self.make = getattr(self, f"_{mapping.type}")
        self.left: list[RowProblem] = []
        self.others = [Converter(each, pictures) for each in mapping.also]
        self.dotted = [name for name in mapping.columns() if "." in name]

    def opened(self, row: Any) -> Any:
        """A row with the fields of its objects that are asked for, as `column.field` beside them."""
        if not isinstance(row, dict):
            return row
        found = {name: _field(row, name.split(".")) for name in self.dotted if name not in row}
        return {**row, **{name: value for name, value in found.items() if value is not None}} if found else row

    def reader(self, row: Any) -> "Converter":
        """The one that reads rows of this kind, or of the kind that it is most like."""
        if not self.others or not isinstance(row, dict) or self.mapping.fits(row):
            return self
        if fitting := next((each for each in self.others if each.mapping.fits(row)), None):
            return fitting
        return max((self, *self.others), key=lambda each: sum(not is_missing(row.get(n)) for n in each.mapping.parts()))

    def ready(self, row: Any, cleaner: Cleaner) -> Any:
        """A row with its empty cells filled by the cleaner, where that was chosen."""
        row = self.opened(row) if self.dotted else row
        return cleaner.row(row, self.reader(row).mapping.columns() if self.others else None)

    def convert(self, row: dict[str, Any] | RowProblem, repairs: set[str]) -> Example:
        """The first example of one row; what was mended is added to `repairs`.

        Raises: `RowProblem` when the row cannot be used.
        """
        return self.convert_all(row, repairs)[0]

    def convert_all(self, row: dict[str, Any] | RowProblem, repairs: set[str]) -> list[Example]:
        """All examples of one row, at least one. `left` then holds why others of the same row cannot be used.

        Raises: `RowProblem` when none of it can be used.
        """
        self.left = []
        if isinstance(row, RowProblem):
            raise row
        row = self.opened(row) if self.dotted else row
        if self.others and (reader := self.reader(row)) is not self:
            try:
                return reader.convert_all(row, repairs)
            finally:
                self.left = reader.left
        if self.mapping.instances is None:
            return [self._example(row, repairs)]
        made: list[Example] = []
        for part in unfolded(row, self.mapping.instances):
            try:
                made.append(self._example(part, repairs))
            except RowProblem as problem:
                self.left.append(problem)
        if not made:
            raise self.left.pop() if self.left else RowProblem("empty list", "the list of examples in the row is empty")
        return made

    def _example(self, row: dict[str, Any], repairs: set[str]) -> Example:
        reader = TurnReader(repairs, self.pictures)
        example: Example = self.make(row, reader)
        if self.mapping.tools is not None and (tools := tools_in(row.get(self.mapping.tools))):
            example["tools"] = tools
        if reader.marks or self.mapping.images is not None:
            place_pictures(example, row.get(self.mapping.images or ""), reader)
        group = row.get(self.mapping.group) if self.mapping.group is not None else None
        if not is_missing(group):
            example["group"] = to_text(group, "group", set())
        return example

    def _conversation(self, row: dict[str, Any], reader: TurnReader) -> Example:
        mapping = self.mapping
        if mapping.type == "conversation" and mapping.label is not None and not thumb(row.get(mapping.label)):
            raise RowProblem("criticised", "the thumb points down, so the answer is not learned")
        if mapping.chosen is not None and mapping.assistant is None and mapping.assistant_template is None:
            turns = reader.turns(row.get(mapping.chosen), "assistant")
            if turns[0]["role"] == "assistant":
                turns = [*self._asked(row, reader), *turns]
        elif mapping.messages is not None:
            turns = reader.turns(row.get(mapping.messages), "user", "conversation")
            if mapping.assistant is not None:
                turns = turns + reader.turns(row.get(mapping.assistant), "assistant")
        else:
            return {"messages": self._instructed(self._pair(row, reader), row, reader)}
        return {"messages": in_order(self._instructed(turns, row, reader), reader.repairs)}

    def _preference(self, row: dict[str, Any], reader: TurnReader) -> Example:
        chosen = reader.turns(row.get(self.mapping.chosen or ""), "assistant")
        rejected = reader.turns(row.get(self.mapping.rejected or ""), "assistant")
        if chosen[0]["role"] == "assistant" == rejected[0]["role"]:
            asked = self._asked(row, reader)
        else:
            asked, chosen, rejected = common_beginning(chosen, rejected)
        question, answer = as_question(self._instructed(asked, row, reader), reader.repairs)
        if answer:
            raise RowProblem("answered already", "the question ends in an answer, before the two to compare")
        chosen, rejected = as_answer(chosen, reader.repairs), as_answer(rejected, reader.repairs)
        if chosen == rejected:
            raise RowProblem("same answers", "the better and the worse answer are the same")
        return {"messages": question, "chosen": chosen, "rejected": rejected}

    def _unpaired_preference(self, row: dict[str, Any], reader: TurnReader) -> Example:
        label = thumb(row.get(self.mapping.label or ""))
        return {**self._conversation(row, reader), "label": label}

    def _prompt_only(self, row: dict[str, Any], reader: TurnReader) -> Example:
        mapping = self.mapping
        question, answer = as_question(self._instructed(self._asked(row, reader), row, reader), reader.repairs)
        example: Example = {"messages": question}
        column = mapping.reference or mapping.assistant
        if column is not None:
            example["reference"] = reference_text(row.get(column), reader.repairs)
        elif answer:
            example["reference"] = answer[-1]["content"]
        return example

    def _text(self, row: dict[str, Any], reader: TurnReader) -> Example:
        return {"messages": [], "text": to_text(row.get(self.mapping.text or ""), "text", reader.repairs)}

    def _asked(self, row: dict[str, Any], reader: TurnReader) -> Conversation:
        """What comes before the answer."""
        if self.mapping.messages is not None:
            return reader.turns(row.get(self.mapping.messages), "user", "conversation")
        return [{"role": "user", "content": self._question(row, reader.repairs)}]

    def _question(self, row: dict[str, Any], repairs: set[str]) -> str:
        if (template := self.filled.get("question")) is not None:
            return template.fill(row, "question", repairs)
        mapping = self.mapping
        question = to_text(_alone(row.get(mapping.user or "")), "question", repairs)
        for column in self.more:
            if not is_missing(extra := row.get(column)):
                question = f"{question}\n\n{to_text(extra, 'addition to the question', repairs)}"
        if mapping.choices:
            question = f"{question}\n\n{lettered(choices_in(row, mapping.choices, repairs)[0])}"
        return question

    def _pair(self, row: dict[str, Any], reader: TurnReader) -> Conversation:
        question = self._question(row, reader.repairs)
        if (template := self.filled.get("answer")) is not None:
            return [*_said(question), {"role": "assistant", "content": template.fill(row, "answer", reader.repairs)}]
        value = row.get(self.answers)
        if self.mapping.tools is not None and looks_like_calls(value):
            return [*_said(question), {"role": "assistant", "content": "", "tool_calls": calls_in(value)}]
        is_reference = self.mapping.assistant is None
        if self.mapping.choices:
            found = choices_in(row, self.mapping.choices, reader.repairs)
            value = right_one(value, *found, self.mapping.first_choice)
        elif is_reference:
            value = reference_text(value, reader.repairs)
        else:
            value = _first_of_several(value, reader.repairs)
        answer = to_text(value, "answer", reader.repairs)
        _not_an_address(question, answer)
        return [*_said(question), {"role": "assistant", "content": answer}]

    def _instructed(self, turns: Conversation, row: dict[str, Any], reader: TurnReader) -> Conversation:
        if "system" in [turn["role"] for turn in turns]:
            return turns
        instruction = self._instruction(row, reader)
        return [{"role": "system", "content": instruction}, *turns] if instruction else turns

    def _instruction(self, row: dict[str, Any], reader: TurnReader) -> str:
        if (template := self.filled.get("instruction")) is not None:
            empty = all(is_missing(row.get(name)) for name in template.columns) and template.columns
            return self.system if empty else template.fill(row, "instruction", reader.repairs)
        column = self.mapping.system_column
        if column is not None and not is_missing(value := row.get(column)):
            return reader.text(value, "instruction")
        return self.system


def _field(row: Any, path: list[str]) -> Any:
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _said(question: str) -> Conversation:
    return [{"role": "user", "content": question}]


def _alone(value: Any) -> Any:
    """A text that is wrapped in a list of its own, as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


SEVERAL = "of several answers in a list the first was taken"


def _first_of_several(value: Any, repairs: set[str]) -> Any:
    """Of equally right answers the first; SQuAD keeps them as `{"text": [...], "answer_start": [...]}`."""
    value = _alone(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        repairs.update([SEVERAL] if len(value) > 1 else [])
        return next((each for each in value if each.strip()), None)
    if isinstance(value, list) and value and isinstance(value[0], dict) and "answer_start" in value[0]:
        return value[0].get("text")
    if isinstance(value, dict) and "answer_start" in value and isinstance(value.get("text"), list):
        return value["text"][0] if value["text"] else None
    return value


def _not_an_address(question: str, answer: str) -> None:
    """Nothing is ever fetched: the model would be taught from the letters of the address, not from what lies there."""
    alone = question.strip()
    if ADDRESS.fullmatch(alone) or MEDIA.fullmatch(alone):
        raise RowProblem("only an address", "the question is only the address of a page or file, which is not opened")
    if MEDIA.fullmatch(answer.strip()):
        raise RowProblem("only an address", "the answer is only the address of a picture, sound or film")


def unfolded(row: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """A row once for every item of its inner lists, with the item's fields as `outer.inner.field` beside its own."""
    for number, part in enumerate(_unfolded(row, path.split("."), ""), start=1):
        if number > budget.MOST_INSTANCES:
            raise RowProblem("too many examples", f"the row holds more than {budget.MOST_INSTANCES:,} examples")
        yield part


def _unfolded(row: dict[str, Any], path: list[str], before: str) -> Iterator[dict[str, Any]]:
    if not path:
        yield row
        return
    name = f"{before}{path[0]}"
    items = decoded(row.get(name))
    if not isinstance(items, list):
        raise RowProblem("no list", "the row has no list of examples")
    shared = {key: value for key, value in row.items() if key != name}
    for item in items:
        if isinstance(item, dict):
            yield from _unfolded(
                {**shared, **{f"{name}.{key}": each for key, each in item.items()}}, path[1:], f"{name}."
            )


def to_conversation(row: dict[str, Any] | RowProblem, mapping: Mapping) -> Conversation:
    """One row as a conversation. Raises: `RowProblem` when it cannot be used."""
    return Converter(mapping).convert(row, set())["messages"]

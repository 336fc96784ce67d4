"""Where the pictures of a row stand in its conversation."""

from typing import Any

from facet.dataset.conversation import Conversation, Example
from facet.dataset.problem import RowProblem
from facet.dataset.turns import IMAGE, TurnReader, picture_name
from facet.dataset.values import is_missing

_MOST_PICTURES = 64


def place_pictures(example: Example, cell: Any, reader: TurnReader) -> None:
    """Names the pictures of an example in the order of their marks; without marks they open the first question.

    Raises: `RowProblem` when marks and pictures do not fit, or a cell holds something else.
    """
    images = [*_names(cell), *reader.images]
    if not images and reader.marks:
        raise RowProblem("pictures", "a picture of the conversation did not come with the file")
    if not images:
        return
    if len(images) > _MOST_PICTURES:
        raise RowProblem("too many pictures", f"the row has more than {_MOST_PICTURES} pictures")
    turns = [*example["messages"], *example.get("chosen", ()), *example.get("rejected", ())]
    marks = sum(turn["content"].count(IMAGE) for turn in turns)
    if not marks:
        _open_with(example["messages"], len(images))
    elif marks != len(images):
        raise RowProblem("pictures", f"the marks {IMAGE} and the pictures of the row differ in number")
    example["images"] = images


def _open_with(messages: Conversation, count: int) -> None:
    place = next((place for place, turn in enumerate(messages) if turn["role"] == "user"), None)
    if place is None:
        raise RowProblem("pictures", "no question goes with the pictures")
    turn = messages[place]
    messages[place] = {**turn, "content": f"{IMAGE * count}\n{turn['content']}".strip()}


def _names(cell: Any) -> list[str]:
    if is_missing(cell) or cell == []:
        return []
    names = [picture_name(each) for each in (cell if isinstance(cell, list) else [cell])]
    found = [name for name in names if name is not None]
    if len(found) < len(names):
        raise RowProblem("pictures", "the picture is none that came with the file")
    return found

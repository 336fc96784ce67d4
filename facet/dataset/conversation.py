"""What everything downstream reads: an example, which is a conversation and whatever else its method needs.

The names are those of TRL's dataset types. A conversation is a list of messages; the model learns to write the turns of
the assistant.
"""

from typing import Any, Literal, NotRequired, TypedDict, get_args

Role = Literal["system", "user", "assistant", "tool"]
DatasetType = Literal["conversation", "preference", "unpaired_preference", "prompt_only", "text"]
DATASET_TYPES: tuple[DatasetType, ...] = get_args(DatasetType)
TYPE_WORDS: dict[DatasetType, str] = {
    "conversation": "questions and answers to learn",
    "preference": "pairs of answers to compare",
    "unpaired_preference": "answers with a thumb up or down",
    "prompt_only": "questions without answers to learn",
    "text": "plain text",
}
EXTRA_FIELDS = ("chosen", "rejected", "label", "reference", "text", "tools", "images", "group")
TURN_EXTRAS = ("weight", "tool_calls", "name")
ROLE_WORDS: dict[str, str] = {"system": "Instructions", "user": "You", "assistant": "Model", "tool": "Tool"}


class Message(TypedDict):
    """One turn. `weight` 0 keeps an answer from being learned; it is read all the same."""

    role: Role
    content: str
    weight: NotRequired[int]
    tool_calls: NotRequired[list[dict[str, Any]]]  # of an assistant, as OpenAI and the chat templates write them
    name: NotRequired[str]  # of the tool that a tool's turn comes from


Conversation = list[Message]


class Example(TypedDict):
    """One row made ready. What `messages` holds depends on the dataset's type: a whole conversation, or the question.

    preference: `messages` asks, `chosen` and `rejected` answer. unpaired_preference: the last turn of `messages` is the
    answer that `label` praises or blames. prompt_only: `messages` asks. text: `messages` is empty.
    """

    messages: Conversation
    chosen: NotRequired[Conversation]
    rejected: NotRequired[Conversation]
    label: NotRequired[bool]
    reference: NotRequired[str]  # the right answer, for a reward to compare with
    text: NotRequired[str]
    tools: NotRequired[str]  # declarations of functions, as the JSON text of a list
    images: NotRequired[list[str]]  # names in the dataset's folder of pictures, in the order of their marks
    group: NotRequired[str]  # rows of one group stay on one side of a split


def texts_of(example: Example) -> list[str]:
    """Every text that a person wrote into an example, in reading order."""
    turns = [*example["messages"], *example.get("chosen", ()), *example.get("rejected", ())]
    texts = [turn["content"] for turn in turns if turn["content"]]
    return texts + [text for text in (example.get("text"), example.get("reference")) if text]

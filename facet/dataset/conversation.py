"""What everything downstream reads: an example, which is a conversation and whatever else its method needs.

The names are those of TRL's dataset types. A conversation is a list of messages; the model learns to write the turns of
the assistant.
"""

from typing import Any, Literal, NotRequired, TypedDict, get_args

Role = Literal["system", "user", "assistant", "tool"]
DatasetType = Literal["conversation", "preference", "unpaired_preference", "prompt_only", "text"]
DATASET_TYPES: tuple[DatasetType, ...] = get_args(DatasetType)


class Message(TypedDict):
    """One turn. `weight` 0 keeps an answer from being learned; it is read all the same."""

    role: Role
    content: str
    weight: NotRequired[int]
    tool_calls: NotRequired[list[dict[str, Any]]]  # of an assistant, as OpenAI and the chat templates write them

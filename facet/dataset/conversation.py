"""The one shape everything downstream reads: a conversation, a list of messages."""

from typing import Literal, TypedDict

Role = Literal["system", "user", "assistant"]


class Message(TypedDict):
    """One turn. The model learns to write the turns of the assistant."""

    role: Role
    content: str


ROLE_WORDS: dict[Role, str] = {"system": "Instructions", "user": "You", "assistant": "Model"}
Conversation = list[Message]

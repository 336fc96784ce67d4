"""Cells become turns: lists of messages in any of the usual forms, their JSON text, transcripts, or a plain text."""

import json
from collections.abc import Container
from typing import Any

from facet.dataset import budget
from facet.dataset.calls import calls_in, result_text, written_calls
from facet.dataset.conversation import Conversation, Message, Role
from facet.dataset.problem import RowProblem
from facet.dataset.transcripts import transcript
from facet.dataset.values import is_missing, to_text

IMAGE = "<image>"  # stands in a text where a picture belongs
ROLES: dict[str, Role] = {
    **dict.fromkeys(("system", "developer", "instructions"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "customer", "question", "person"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatbot", "ai", "chatgpt", "bard", "answer"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "tool_response", "function_response", "ipython"), "tool"),
}
CALLERS = ("function_call", "tool_call", "tool_calls")  # ShareGPT's name for a turn that is a call
ROLE_KEYS = ("role", "from", "speaker", "author", "sender")
TEXT_KEYS = ("content", "value", "text", "message", "parts")
_WHAT = {"user": "question", "assistant": "answer", "system": "instruction"}
_PAIRS = (
    ("input", "output"),
    ("question", "answer"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("prompt", "response"),
)


class TurnReader:
    """Reads the turns of one row. Collects what was mended, and which pictures were met, in their order."""

    __slots__ = ("calls", "images", "marks", "pictures", "repairs", "waiting")

    def __init__(self, repairs: set[str], pictures: Container[str] = ()) -> None:
        self.repairs, self.pictures = repairs, pictures
        self.images: list[str] = []
        self.marks = 0  # pictures that turns speak of
        self.calls = 0
        self.waiting: dict[str, str] = {}  # calls without a result yet: id → name of the function

    def turns(self, value: Any, speaker: Role, what: str | None = None) -> Conversation:
        """The turns in one cell; a plain text is said by `speaker`, and `what` names it. Raises: `RowProblem`."""
        value = decoded(value)
        if isinstance(value, dict) and isinstance(value.get("messages"), list):
            value = value["messages"]
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, str) and (spoken := transcript(value)):
            value = written_down(spoken)
        if not isinstance(value, list):
            return [{"role": speaker, "content": to_text(value, what or _WHAT[speaker], self.repairs)}]
        if not value:
            raise RowProblem("empty conversation", "the conversation has no turns")
        if len(value) > budget.MOST_TURNS:
            raise RowProblem("too many turns", f"the conversation has more than {budget.MOST_TURNS} turns")
        return [self._turn(each) for each in as_turns(value)]

    def _turn(self, value: Any) -> Message:
        if not isinstance(value, dict):
            raise RowProblem("not a turn", "a turn is not an object with a role and a text")
        named = next((value[key] for key in ROLE_KEYS if value.get(key) is not None), None)
        if named is None:
            raise RowProblem("missing role", "a turn does not say who speaks")
        word = str(named).strip().lower()
        content = next((value[key] for key in TEXT_KEYS if key in value and value[key] is not value.get("role")), None)
        if word in CALLERS:
            return self._calling("", content if content is not None else value.get("tool_calls"), None)
        role = ROLES.get(word)
        if role is None:
            raise RowProblem("unknown role", "a turn is spoken by neither a person nor the model nor a tool")
        if role == "tool":
            return self._result(value, content)
        if role != "assistant":
            return {"role": role, "content": to_text(self._joined(content), _WHAT[role], self.repairs)}
        return self._answer(value, content)

    def _answer(self, value: dict[str, Any], content: Any) -> Message:
        calls = value.get("tool_calls") or value.get("function_call")
        text = self._joined(content)
        if calls:
            said = "" if is_missing(text) else to_text(text, "answer", self.repairs)
            return self._calling(said, calls, value.get("weight"))
        said = to_text(text, "answer", self.repairs)
        if "<tool_call>" in said:
            rest, written = written_calls(said)
            if written and all(isinstance(decoded(each), dict) for each in written):
                return self._calling(rest, written, value.get("weight"))
        return _weighed({"role": "assistant", "content": said}, value.get("weight"))

    def _calling(self, said: str, calls: Any, weight: Any) -> Message:
        made = calls_in(calls, self.calls + 1)
        self.calls += len(made)
        self.waiting.update({call["id"]: call["function"]["name"] for call in made})
        return _weighed({"role": "assistant", "content": said, "tool_calls": made}, weight)

    def _result(self, value: dict[str, Any], content: Any) -> Message:
        """What a tool gave back, with the name of the function: its own, that of its call, or of the oldest call."""
        content = self._joined(content) if _are_parts(content) else content
        call_id = value.get("tool_call_id")
        if call_id not in self.waiting:
            call_id = next(iter(self.waiting), None)
        called = self.waiting.pop(call_id, None)
        own = value.get("name")
        name = own if isinstance(own, str) and own.strip() else called
        turn: Message = {"role": "tool", "content": result_text(content)}
        if name:
            turn["name"] = to_text(name, "name of a tool", self.repairs)
        return turn

    def text(self, value: Any, what: str) -> str:
        """One text, also where it is written like a turn, or as its parts."""
        if isinstance(value, dict):
            value = next((value[key] for key in TEXT_KEYS if key in value), value)
        return to_text(self._joined(value), what, self.repairs)

    def _joined(self, content: Any) -> Any:
        """A list of parts as one text, with a mark for every picture. Other parts make the row unusable."""
        if not isinstance(content, list):
            return content
        return "".join(self._part(part) for part in content)

    def _part(self, part: Any) -> str:
        if isinstance(part, str):
            return part
        kind = part.get("type", "text") if isinstance(part, dict) else None
        text = part.get("text") if isinstance(part, dict) else None
        if kind in ("text", "input_text", "output_text") and isinstance(text, str):
            return text
        if kind in ("image", "image_url", "input_image"):
            self.images += self._picture(part)
            self.marks += 1
            return IMAGE
        raise RowProblem("not text", "a turn holds a picture, a sound or a file that cannot be opened")

    def _picture(self, part: dict[str, Any]) -> list[str]:
        """The name of a local picture, or nothing where the part only marks the place of one in another column."""
        place = next((part[key] for key in ("image", "image_url", "url", "path") if part.get(key) is not None), None)
        if place is None:
            return []
        name = picture_name(place)
        if name is None and isinstance(place, dict):
            place = place.get("url")
        if name is None and isinstance(place, str) and place in self.pictures:
            name = place
        if name is None:
            raise RowProblem("not text", "a turn holds a picture, a sound or a file that cannot be opened")
        return [name]


def _weighed(turn: Message, weight: Any) -> Message:
    if weight is None:
        return turn
    if isinstance(weight, str) or weight not in (0, 1):
        raise RowProblem("weight", "the weight of an answer is neither 0 nor 1")
    if not weight:
        turn["weight"] = 0
    return turn


def picture_name(value: Any) -> str | None:
    """The name of a picture that came with the file, as the readers deliver it."""
    name = value.get("image") if isinstance(value, dict) and len(value) == 1 else None
    return name if isinstance(name, str) and name else None


def _are_parts(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(part, dict) and part.get("type") for part in content)


def written_down(spoken: list[tuple[str, str]]) -> list[dict[str, str]]:
    """A transcript as messages, without the last sign where the model is only to go on."""
    if spoken[-1] == ("assistant", ""):
        spoken = spoken[:-1]
    return [{"role": who, "content": said} for who, said in spoken]


def as_turns(value: list[Any]) -> list[Any]:
    """Exchanges such as `{"input": …, "output": …}` as two turns each; other lists as they are."""
    first = value[0] if value else None
    if not isinstance(first, dict) or any(key in first for key in ROLE_KEYS):
        return value
    keys = next((keys for keys in _PAIRS if all(key in first for key in keys)), None)
    if keys is None or not all(isinstance(each, dict) for each in value):
        return value
    return [
        {"role": who, "content": each.get(key)}
        for each in value
        for who, key in zip(("user", "assistant"), keys, strict=True)
    ]


def decoded(value: Any) -> Any:
    """A list or an object that was written as JSON text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found
    return value

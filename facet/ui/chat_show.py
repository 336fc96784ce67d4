"""A conversation as the eye meets it: letters that do nothing, thoughts folded, calls of tools readable."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Required
from urllib.parse import quote

from pydantic import Field
from typing_extensions import TypedDict  # pydantic asks for this one before Python 3.12

from facet.dataset.calls import calls_in
from facet.dataset.problem import RowProblem
from facet.ui.served import served_at
from facet.ui.values import Name, Words


class Said(TypedDict, total=False):
    """One turn of a conversation on the page."""

    role: Required[Literal["user", "assistant"]]
    content: Required[Words]
    thought: Words
    thumb: Literal["up", "down"]
    original: Words  # what the model said, where a person rewrote it
    images: list[Name]  # as the studio calls them


SaidTurns = Annotated[list[Said], Field(max_length=2_000)]
Talk = dict[str, list[dict[str, Any]]]  # place → its conversation
CODE = re.compile(  # as Markdown finds it: a fence at the beginning of a line, or a span within one
    r"(^ {0,3}(?P<fence>```+|~~~+)[^\n`]*\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<![\\`])(?P<ticks>`+)(?!`)[^\n]*?(?<!`)(?P=ticks)(?!`))",
    re.MULTILINE | re.DOTALL,
)
_CALL = re.compile(r"<\|tool_call>(.*?)<tool_call\|>|<tool_call>(.*?)</tool_call>", re.DOTALL)
_GEMMA_CALL = re.compile(r"\s*call:([\w.-]+)\s*(\{.*\})\s*", re.DOTALL)
_THUMBS = {"up": "Like", "down": "Dislike"}


@dataclass(frozen=True)
class Part:
    """A piece of one turn that is a message of its own on the page."""

    kind: Literal["thought", "text", "call"]
    raw: str
    title: str = ""
    shown: str = ""


def parts_of(turn: dict[str, Any]) -> list[Part]:
    """What is thought, said and called in a turn, in this order of appearance. There is always at least one."""
    found: list[Part] = []
    if thought := turn.get("thought"):
        found.append(Part("thought", thought, "What it thought first", harmless(thought)))
    if turn["role"] == "user":
        return [*found, Part("text", turn["content"], shown=harmless(turn["content"]))]
    said = list(_said(turn["content"]))
    return [*found, *said] if said else found or [Part("text", "", shown="")]


def _said(text: str) -> Iterator[Part]:
    at = 0
    for call in _CALL.finditer(text):
        if before := text[at : call.start()].strip():
            yield Part("text", text[at : call.start()], shown=harmless(before))
        title, shown = _call(call.group(1) or call.group(2) or "")
        yield Part("call", call.group(0), title, shown)
        at = call.end()
    if text[at:].strip():
        yield Part("text", text[at:], shown=harmless(text[at:]))


def _call(written: str) -> tuple[str, str]:
    """What a call of a tool is titled, and its arguments as they are read."""
    if gemma := _GEMMA_CALL.fullmatch(written):
        return f"Calls the tool {gemma[1]}", _fenced(gemma[2].replace('<|"|>', '"'))
    try:
        function = calls_in(written)[0]["function"]
    except RowProblem:
        return "Calls a tool, in a form that cannot be read", _fenced(written.strip())
    return f"Calls the tool {function['name']}", _fenced(
        json.dumps(function["arguments"], ensure_ascii=False, indent=1)
    )


def _fenced(text: str) -> str:
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def for_the_eye(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as Gradio's chatbot takes them."""
    return [message for turn in turns for message in _messages(turn)]


def _messages(turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if names := turn.get("images"):
        yield {"role": turn["role"], "content": " ".join(map(_picture, names))}
    for part in parts_of(turn):
        folded = {"metadata": {"title": part.title, "status": "done"}} if part.kind != "text" else {}
        yield {"role": turn["role"], "content": part.shown} | folded


def _picture(name: str) -> str:
    """Markdown of one of our own pictures: what Gradio makes of a file has a button that sends it to strangers."""
    if not served_at(name).is_file():
        return "(a picture that is gone)"
    return f"![A picture you showed](gradio_api/file={quote(served_at(name).as_posix())})"


def thumbs(turns: list[dict[str, Any]]) -> list[str | None]:
    """What stands beside every message of the model."""
    return [
        _THUMBS.get(turn.get("thumb", ""))
        for turn in turns
        for _ in range(len(list(_messages(turn))))
        if turn["role"] == "assistant"
    ]


def place_of(turns: list[dict[str, Any]], shown: int) -> tuple[int, Part] | None:
    """The turn and the part that a message on the page stands for; None for a picture, or when there is none."""
    at = 0
    for number, turn in enumerate(turns):
        at += bool(turn.get("images"))
        parts = parts_of(turn)
        if at <= shown < at + len(parts):
            return number, parts[shown - at]
        at += len(parts)
    return None


def rewritten(turn: dict[str, Any], part: Part, text: str) -> str:
    """The content of a turn once one of its parts reads differently."""
    return text.strip() if turn["content"].strip() == part.raw.strip() else turn["content"].replace(part.raw, text, 1)


# ---- letters that do nothing
def harmless(text: str) -> str:
    """Markdown whose HTML is shown as text, and in which no picture is fetched because a model wrote an address."""
    return _outside_code(text, lambda plain: re.sub(r"[<&]", r"\\\g<0>", plain).replace("![", "!\\["))


def as_typed(text: str) -> str:
    """The other way round, for what comes back from an editor that showed the harmless letters."""
    return _outside_code(text, lambda plain: re.sub(r"\\([<&])", r"\1", plain).replace("!\\[", "!["))


def _outside_code(text: str, change: Any) -> str:
    made, at = [], 0
    for code in CODE.finditer(text):
        made += [change(text[at : code.start()]), code.group(0)]
        at = code.end()
    return "".join([*made, change(text[at:])])

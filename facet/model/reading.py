"""Tokens of a reply as text, while they come: whole letters, what was thought apart from what was said. No torch."""

import re
import weakref
from dataclasses import dataclass, field
from typing import Any, Final

# Control tokens that are part of what a model says: where it thinks, and where it calls a tool.
KEPT: Final = frozenset(
    '<|channel> <channel|> <think> </think> <|tool_call> <tool_call|> <tool_call> </tool_call> <|"|>'.split()
)
_THOUGHT: Final = re.compile(r"(?:<\|channel>(?:thought)?\n?|<think>)(.*?)(?:<channel\|>|</think>|\Z)\s*", re.DOTALL)
LONGEST_CYCLE: Final = 64  # tokens
_hidden: "weakref.WeakKeyDictionary[Any, frozenset[int]]" = weakref.WeakKeyDictionary()


@dataclass
class Reading:
    """Grows by a token at a time; decoding starts again only at the last whole letter, however long the reply is."""

    renderer: Any
    stop: tuple[str, ...] = ()
    ids: list[int] = field(default_factory=list)  # all that were said, without the end of turn
    is_over: bool = False  # a stop text came
    _shown: list[int] = field(default_factory=list)
    _settled: str = ""
    _from: int = 0  # decode from this token on ...
    _to: int = 0  # ... of which those up to here are in `_settled`

    def add(self, token: int) -> None:
        self.ids.append(token)
        if token in hidden_ids(self.renderer):
            return
        self._shown.append(token)
        before = self._decode(self._shown[self._from : self._to])
        now = self._decode(self._shown[self._from :])
        if now.endswith("\ufffd") or len(now) <= len(before):
            return  # the half of a letter that is still being written byte by byte
        searched = max(0, len(self._settled) - max(map(len, self.stop), default=0))
        self._settled += now[len(before) :]
        self._from, self._to = self._to, len(self._shown)
        places = [at for text in self.stop if (at := self._settled.find(text, searched)) >= 0]
        if places:
            self._settled, self.is_over = self._settled[: min(places)], True

    def so_far(self) -> str:
        """What can be shown now: without letters that may yet turn out to begin a stop text."""
        longest = max(map(len, self.stop), default=0)
        for size in range(min(longest - 1, len(self._settled)), 0, -1):
            if any(text.startswith(self._settled[-size:]) for text in self.stop):
                return self._settled[:-size]
        return self._settled

    def whole(self) -> str:
        """All of it, now that nothing more comes."""
        return self._settled if self.is_over else self._decode(self._shown)

    def _decode(self, ids: list[int]) -> str:
        return self.renderer.tokenizer.decode(ids, skip_special_tokens=False) if ids else ""


def text_of(renderer: Any, ids: list[int]) -> str:
    """The text of tokens, without the control tokens that only steer."""
    hidden = hidden_ids(renderer)
    return renderer.tokenizer.decode([number for number in ids if number not in hidden], skip_special_tokens=False)


def hidden_ids(renderer: Any) -> frozenset[int]:
    """Tokens that steer a conversation and are no part of what is said in it."""
    if renderer not in _hidden:
        added = renderer.tokenizer.get_added_tokens_decoder()
        steering = {number for number, token in added.items() if token.special and token.content not in KEPT}
        _hidden[renderer] = frozenset(steering | set(renderer.stop_ids))
    return _hidden[renderer]


def apart(text: str) -> tuple[str, str]:
    """(what was thought, what was said). A thought that was not finished is all thought.

    >>> apart("<think>Peru, Lima.</think>\\nLima.")
    ('Peru, Lima.', 'Lima.')
    >>> apart("Lima.")
    ('', 'Lima.')
    """
    if "</think>" in text and "<think>" not in text:  # the template itself opened the thought
        text = f"<think>{text}"
    thoughts = [found.group(1).strip() for found in _THOUGHT.finditer(text)]
    if not thoughts:
        return "", text
    return "\n".join(filter(None, thoughts)), _THOUGHT.sub("", text)


def is_cycle(ids: list[int], least: int, times: int = 4) -> bool:
    """Do the last tokens, at least `least` of them, repeat the same few again and again, at least `times` times?

    >>> is_cycle([5, 1, 2] + [3, 4] * 12, least=24)
    True
    >>> is_cycle(list(range(100)), least=24)
    False
    """
    for period in range(1, min(LONGEST_CYCLE, len(ids) // times) + 1):
        wanted = max(least, times * period)
        if len(ids) >= wanted and ids[-wanted + period :] == ids[-wanted:-period]:
            return True
    return False

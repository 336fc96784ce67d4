"""Control tokens that are spelled in a person's own words are broken by a mark, so that they stay words."""

import re
from typing import Any


class Marker:
    """Knows the control tokens of one model. The mark stands behind the first character of each that is spelled."""

    def __init__(self, controls: list[str]) -> None:
        pattern = "|".join(map(re.escape, sorted(controls, key=len, reverse=True))) or r"(?!)"
        self.controls = re.compile(pattern)
        self.overlapping = re.compile(f"(?=({pattern}))")
        # templates change the letters of declarations, so that a control token may only come about by that
        self.in_any_letters = re.compile(f"(?=({pattern}))", re.IGNORECASE)

    def marked(
        self, messages: list[dict[str, Any]], tools: list[dict[str, Any]] | None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None, str | None]:
        """The same with marks, and which character is the mark; None where there is nothing to mark."""
        spelled = [message for message in messages if self.controls.search(message["content"])]
        if not spelled and tools is None and not any(len(message) > 2 for message in messages):
            return messages, tools, None
        more: list[Any] = [tools, [_beyond_content(message) for message in messages]]
        inner = "\0".join(_strings(more))
        if not spelled and not self.in_any_letters.search(inner):
            return messages, tools, None
        mark = _unused(inner + "".join(message["content"] for message in messages))
        made = [
            {
                **self._changed(_beyond_content(message), mark),
                "role": message["role"],
                "content": self._broken(message["content"], mark, self.overlapping),
            }
            for message in messages
        ]
        return made, self._changed(tools, mark), mark

    def text(self, text: str) -> tuple[str, str | None]:
        """One text with marks, and which character is the mark."""
        if not self.controls.search(text):
            return text, None
        mark = _unused(text)
        return self._broken(text, mark, self.overlapping), mark

    def _changed(self, value: Any, mark: str) -> Any:
        if isinstance(value, str):
            return self._broken(value, mark, self.in_any_letters)
        if isinstance(value, dict):
            return {self._changed(key, mark): self._changed(each, mark) for key, each in value.items()}
        return [self._changed(each, mark) for each in value] if isinstance(value, list) else value

    def _broken(self, text: str, mark: str, pattern: re.Pattern[str]) -> str:
        for found in reversed(list(pattern.finditer(text))):
            place = found.start() + 1
            text = text[:place] + mark + text[place:]
        return text


def _beyond_content(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in ("role", "content")}


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in _strings(each)]
    return [text for each in value for text in _strings(each)] if isinstance(value, list) else []


def _unused(text: str) -> str:
    """A character for private use that a text does not have."""
    return next(chr(code) for code in range(0xF0000, 0x10FFFE) if chr(code) not in text)

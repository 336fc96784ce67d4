"""Whole conversations in one text, in the ways people have written them down: who speaks, a sign, and what is said."""

import re

_WHO = "Human|User|Assistant|System"
# Each finds the start of a turn and, in its one group, who speaks; the turn goes on to the next start.
_STYLES = tuple(
    re.compile(style, re.IGNORECASE)
    for style in (
        rf"(?:^|\n\n) ?({_WHO}): ?",
        rf"### ?({_WHO}|Instruction|Response): ?\n?",
        r"<\|im_start\|>(system|user|assistant|tool)\n",
        r"(?:<bos>)?<start_of_turn>(system|developer|user|model)\n",
    )
)
_ENDS = ("<|im_end|>", "<end_of_turn>", "<|endoftext|>", "</s>", "<eos>")
_SPEAKERS = {
    "human": "user",
    "instruction": "user",
    "model": "assistant",
    "response": "assistant",
    "developer": "system",
}
_HINTS = ("uman:", "ser:", "### ", "<|im_start|>", "<start_of_turn>", "UMAN:", "SER:")


def transcript(text: str) -> list[tuple[str, str]] | None:
    """Who says what, in order; None unless a person begins, perhaps after an instruction, and the model is named."""
    if not any(hint in text for hint in _HINTS):
        return None
    text = text.strip()
    for style in _STYLES:
        if not style.match(text):
            continue
        parts = style.split(text)
        names = [_SPEAKERS.get(name.lower(), name.lower()) for name in parts[1::2]]
        begin = names[1:2] if names[0] == "system" else names[:1]
        if begin == ["user"] and "assistant" in names:
            return [(name, _without_end(said)) for name, said in zip(names, parts[2::2], strict=True)]
    return None


def _without_end(said: str) -> str:
    said = said.strip()
    end = next((end for end in _ENDS if said.endswith(end)), "")
    return said.removesuffix(end).strip()
